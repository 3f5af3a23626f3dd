//! Corrections: nothing is edited, readers skip a voided event from the voiding on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family;
use crate::codes::Key;
use crate::ids::EventId;

family! {
    /// Corrections: nothing is edited, readers skip a voided event from the voiding on.
    Correction {
        EventVoided = "event_voided" [] {},
    }
}

/// An event of this member was recorded in error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventVoided {
    pub event: EventId,
    pub reason: Key,
    pub approved_by: Key,
}
