//! The rulebook in force.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family;
use crate::codes::{Key, RulebookText};
use crate::ids::Hash;

family! {
    /// The rulebook in force.
    Rules {
        RulebookAdopted = "rulebook_adopted" [] {},
    }
}

/// A rulebook comes into force from this position on; about no member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RulebookAdopted {
    /// SHA-256 of `text`.
    pub hash: Hash,
    pub text: RulebookText,
    pub reason: Key,
}
