//! Whose record it is.

use std::fmt;
use std::str::FromStr;

use crate::npi::is_slug;
use crate::string_type::string_type;

/// The accountable organization: a managed care plan (`la-care`) or a county agency (`la-county-dhs`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanCode(String);

/// Not a plan's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a plan's code of 2 to 40 lower-case letters, digits and dashes, as in la-care")]
pub struct BadPlanCode;

impl PlanCode {
    /// The code as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlanCode {
    type Err = BadPlanCode;
    fn from_str(text: &str) -> Result<Self, BadPlanCode> {
        if is_slug(text, 40) && !text.contains('_') { Ok(Self(text.to_owned())) } else { Err(BadPlanCode) }
    }
}

impl fmt::Display for PlanCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

string_type!(PlanCode, "bad_identifier", "a plan's or county agency's code", "^[a-z0-9][a-z0-9-]{1,39}$");
