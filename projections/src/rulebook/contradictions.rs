//! What follows where the sources contradict each other (domain rules A17).

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::Outcome;

/// A plan's own word by the contradiction's id, as `CON-1`; where a plan says nothing, the ledger's own answer stands.
pub type Contradictions = BTreeMap<ContradictionId, Outcome>;

/// The id of a contradiction, as the catalogue numbers them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ContradictionId(String);

/// Not the id of a contradiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the id of a contradiction, as CON-1")]
pub struct BadContradictionId;

impl ContradictionId {
    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ContradictionId {
    type Error = BadContradictionId;
    fn try_from(text: String) -> Result<Self, BadContradictionId> {
        let number = text.strip_prefix("CON-").unwrap_or_default();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { Ok(Self(text)) } else { Err(BadContradictionId) }
    }
}

impl fmt::Display for ContradictionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Two sources, or two places of one, that cannot both be followed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// Its id in the catalogue.
    pub id: ContradictionId,
    /// What the two say.
    pub says: String,
    /// Where both are written; an answer shows them all.
    pub cites: Vec<String>,
}
