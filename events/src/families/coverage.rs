//! Coverage by Medi-Cal and Medicare.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family;
use crate::codes::{Key, MediCal, Medicare};
use crate::rejection::{Rejection, bad_span};
use crate::time::Day;

family! {
    /// Coverage by Medi-Cal and Medicare.
    Coverage {
        CoverageReported = "coverage_reported" [] {check},
    }
}

/// A span of coverage; a later report of the same plan and `from` replaces the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageReported {
    pub medi_cal: MediCal,
    pub medicare: Medicare,
    pub from: Day,
    /// First day no longer covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_of_business: Option<Key>,
}

impl CoverageReported {
    /// `until` is the first day no longer covered, so it lies after `from`.
    fn check(&self) -> Result<(), Rejection> {
        match self.until {
            Some(until) if until <= self.from => Err(bad_span("data.until")),
            _ => Ok(()),
        }
    }
}
