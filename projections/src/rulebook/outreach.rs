//! The parameters of outreach.

use rollbook_events::codes::{OutreachChannel, Reached};
use serde::Deserialize;

/// What counts as an outreach attempt, and what as a contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutreachRules {
    /// Channels that can make an attempt.
    pub channels: Vec<OutreachChannel>,
    /// Whether a letter can make an attempt.
    pub mail_counts: bool,
    /// Whether what never arrived can be an attempt.
    pub undeliverable_counts: bool,
    /// Whom to reach makes an attempt a contact.
    pub contact: Vec<Reached>,
    /// Attempts a plan pays for in an episode; none where it sets no cap.
    pub cap: Option<u32>,
    /// What must have been tried before outreach, or an enrollment, may be given up.
    pub closing: Closing,
    /// Where it is written.
    pub cite: String,
}

/// OUT-21: how often and how long a plan's own policy wants a member to be tried.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Closing {
    /// Attempts.
    pub attempts: Option<u32>,
    /// Days from the first of them.
    pub window_days: Option<u32>,
}
