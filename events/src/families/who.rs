//! Who a member is, as far as the enrollment log may know: links between pseudonyms, death, being housed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family;
use crate::codes::{Key, LinkReason};
use crate::ids::MemberId;
use crate::time::Day;

family! {
    /// Who a member is, as far as the enrollment log may know: links between pseudonyms, death, being housed.
    Who {
        MemberLinked = "member_linked" [] {},
        MemberUnlinked = "member_unlinked" [] {},
        MemberDied = "member_died" [] {},
        HousingObserved = "housing_observed" [] {},
    }
}

/// Two pseudonyms are one person; from here on they share one dossier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberLinked {
    /// The other pseudonym.
    pub other: MemberId,
    pub reason: LinkReason,
}

/// They were not one person after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberUnlinked {
    pub other: MemberId,
    /// Why, in a code or a few words.
    pub reason: Key,
}

/// The member died.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberDied {
    pub on: Day,
}

/// The member was seen housed, or not, on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HousingObserved {
    #[serde(default)]
    pub housed: bool,
    pub on: Day,
}
