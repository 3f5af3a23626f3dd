//! The stream `IDENTITY`: the only place of the ledger that knows who a person is. Every type here prints `[phi]`.
//!
//! What is stored today is sealed ([`sealed`]); [`IdentityRecorded`] is how the first release wrote it, in clear, and is read
//! for ever.

pub mod sealed;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cin::Cin;
use crate::ids::{EventId, Hash, MemberId};
use crate::time::{Day, Instant};

/// Who a member is, as one source said on one day: the first release's form, in clear.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRecorded {
    pub id: EventId,
    pub member: MemberId,
    pub recorded_at: Instant,
    pub source: IdentitySource,
    pub identity: Identity,
}

/// Where an identity was read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentitySource {
    pub system: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_sha256: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
}

/// The fields of `identity_recorded`; a source that does not state one leaves it absent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub cin: Cin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born_on: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The file's own columns that map to nothing of the vocabulary, verbatim, by their header.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
}

impl Identity {
    /// An identity of which only the CIN is known.
    pub fn of(cin: Cin) -> Self {
        Self {
            cin,
            last_name: None,
            first_name: None,
            born_on: None,
            gender: None,
            languages: Vec::new(),
            address: None,
            phones: Vec::new(),
            email: None,
            extra: BTreeMap::new(),
        }
    }

    /// Age in whole years on a civil day; none where the birth date is unknown or lies after it.
    pub fn age_on(&self, day: chrono::NaiveDate) -> Option<u8> {
        day.years_since(self.born_on?.0).and_then(|years| u8::try_from(years).ok())
    }
}

/// Types that print `[phi]`.
macro_rules! hidden {
    ($($name:ident),+) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("[phi]") }
        }
    )+ };
}

use hidden;

hidden!(IdentityRecorded, IdentitySource, Identity);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_turns_on_the_birthday_and_not_before() {
        let mut identity = Identity::of("91234567A".parse().unwrap());
        identity.born_on = Some("2006-05-10".parse().unwrap());
        let on = |day: &str| identity.age_on(day.parse().unwrap());
        assert_eq!((on("2024-05-09"), on("2024-05-10"), on("2006-05-09")), (Some(17), Some(18), None));
    }

    #[test]
    fn it_never_prints_a_person() {
        let mut identity = Identity::of("91234567A".parse().unwrap());
        identity.last_name = Some("Fakename".to_owned());
        assert_eq!(format!("{identity:?}"), "[phi]");
    }
}
