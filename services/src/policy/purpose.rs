//! For which purpose something is read, as the header `Rollbook-Purpose` states it.

use std::fmt;
use std::str::FromStr;

/// A purpose of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// The care of the member.
    Treatment,
    /// Who pays what.
    Payment,
    /// Running the program.
    Operations,
    /// An audit, or a regulator's question.
    Oversight,
    /// A proceeding, in which 42 CFR Part 2 records are never used against the member: they are not shown whole.
    LegalProceeding,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 5] =
        [Self::Treatment, Self::Payment, Self::Operations, Self::Oversight, Self::LegalProceeding];

    /// As the header writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Treatment => "treatment",
            Self::Payment => "payment",
            Self::Operations => "operations",
            Self::Oversight => "oversight",
            Self::LegalProceeding => "legal_proceeding",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of treatment, payment, operations, oversight, legal_proceeding")]
pub struct NoPurpose;

impl FromStr for Purpose {
    type Err = NoPurpose;
    fn from_str(text: &str) -> Result<Self, NoPurpose> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text).ok_or(NoPurpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_read_as_it_is_written() {
        for purpose in Purpose::ALL {
            assert_eq!(purpose.to_string().parse(), Ok(purpose));
        }
        assert_eq!("curiosity".parse::<Purpose>(), Err(NoPurpose));
    }
}
