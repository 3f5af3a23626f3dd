//! The parameters of Notices of Action.

use std::collections::BTreeMap;

use rollbook_events::codes::NoticeOutcome;
use serde::Deserialize;

/// When a notice is required and when it must be mailed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoticeRules {
    /// A plan's own answer, by cause, where the ledger says `review`.
    pub review: BTreeMap<String, NoticeOutcome>,
    /// CLK-1: days that must lie between the mailing of a notice and the action it tells of.
    pub advance_days: Option<u32>,
}
