//! Reaching people before they are enrolled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family;
use crate::codes::{Key, OutreachChannel, Reached, Staff};
use crate::npi::Provider;
use crate::program::Program;

family! {
    /// Reaching people before they are enrolled.
    Outreach {
        OutreachAttempted = "outreach_attempted" [] {program},
        MemberLookedUp = "member_looked_up" [] {},
        OutreachClosed = "outreach_closed" [] {program},
    }
}

/// One attempt to reach one person; whether it counts is the rulebook's to say (OUT-1 to OUT-14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutreachAttempted {
    pub program: Program,
    pub channel: OutreachChannel,
    #[serde(default)]
    pub individualized: bool,
    #[serde(default)]
    pub response_invited: bool,
    #[serde(default)]
    pub live_staff: bool,
    #[serde(default)]
    pub callback: bool,
    pub reached: Reached,
    pub staff: Staff,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    pub provider: Provider,
}

/// A look into another system to find the member; never an attempt (OUT-20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberLookedUp {
    pub system: Key,
}

/// Outreach for a program was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutreachClosed {
    pub program: Program,
    pub reason: Key,
}
