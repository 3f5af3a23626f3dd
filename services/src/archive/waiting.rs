//! The messages that wait for their segment, and when it is to be written.

use std::time::Duration;

use rollbook_events::{Hash, Position};
use tokio::time::Instant;

use super::record::Record;
use super::segment::{FULL_AT, MOST_RECORDS};

/// Messages that wait for their segment.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) records: Vec<Record>,
    pub(super) bytes: usize,
    /// When the first and the last of them came.
    pub(super) came: Option<(Instant, Instant)>,
    /// Events that name an event of their member that is not remembered.
    pub(super) unknown: Vec<(String, Position, Hash)>,
}

impl Waiting {
    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= MOST_RECORDS || self.bytes >= FULL_AT
    }

    /// When they are to be written: soon after the last came, and in any case when the first has waited long enough.
    pub(super) fn due(&self, patience: Duration) -> Option<Instant> {
        self.came.map(|(first, last)| (first + patience).min(last + patience / 6))
    }
}
