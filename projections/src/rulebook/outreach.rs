//! The parameters of outreach.

use rollbook_events::codes::{OutreachChannel, Reached};
use serde::Deserialize;

/// What counts as an outreach attempt, and what as a contact.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutreachRules {
    /// Channels that can make an attempt.
    pub channels: Vec<OutreachChannel>,
    /// Whether a letter can make an attempt.
    pub mail_counts: bool,
    /// Whether what never arrived can be an attempt.
    pub undeliverable_counts: bool,
    /// Whom to reach makes an attempt a contact.
    pub contact: Vec<Reached>,
    /// Where it is written.
    pub cite: String,
}
