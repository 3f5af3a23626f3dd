//! How the projector stands: what health, waiting readers and the status page look at.

use chrono::{DateTime, Utc};
use rollbook_events::Position;

/// What the projector is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Not yet reading.
    Starting,
    /// Reading.
    Following,
    /// Another projector writes these views; this one follows them, and takes over when the other ends.
    Standby {
        /// Who: an id that means nothing but whether it is the same.
        holder: String,
    },
    /// Deriving every member anew under another rulebook: members done so far.
    Rederiving {
        /// Members done.
        done: u64,
    },
    /// Something failed that may pass; it is tried again.
    Waiting {
        /// What, in words without a value.
        cause: String,
    },
    /// Stopped by something that must be mended first.
    Stopped {
        /// What, in words without a value.
        cause: String,
    },
}

/// How the projector stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What it is doing.
    pub phase: Phase,
    /// The last event the views hold.
    pub position: Position,
    /// When that event was recorded.
    pub recorded_at: Option<DateTime<Utc>>,
    /// The last event of the log, as last seen.
    pub head: Position,
    /// Hash of the rulebook in force.
    pub rulebook: Option<String>,
    /// When the views last moved, or were last seen to be at the head.
    pub moved_at: Option<DateTime<Utc>>,
    /// Members whose views stand still.
    pub stuck: u64,
    /// Whether it has stopped because the log is damaged.
    pub damaged: bool,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            phase: Phase::Starting,
            position: Position(0),
            recorded_at: None,
            head: Position(0),
            rulebook: None,
            moved_at: None,
            stuck: 0,
            damaged: false,
        }
    }
}

impl Status {
    /// Events the views have still to read.
    pub fn gap(&self) -> u64 {
        self.head.0.saturating_sub(self.position.0)
    }

    /// How far behind the views are: nothing where they hold the log's last event, else the age of what they hold.
    pub fn lag_ms(&self, now: DateTime<Utc>) -> u64 {
        match (self.gap(), self.recorded_at) {
            (0, _) => 0,
            (_, Some(recorded_at)) => u64::try_from((now - recorded_at).num_milliseconds()).unwrap_or(0),
            (_, None) => u64::MAX / 1_000_000,
        }
    }

    /// Why health is red, where it is.
    pub fn trouble(&self) -> Option<String> {
        match &self.phase {
            Phase::Starting => Some("the projector is starting".to_owned()),
            Phase::Waiting { cause } | Phase::Stopped { cause } => Some(cause.clone()),
            Phase::Following | Phase::Standby { .. } | Phase::Rederiving { .. } if self.stuck > 0 => {
                Some(format!("the views of {} members stand still; see /v1/views/stuck", self.stuck))
            }
            Phase::Following | Phase::Standby { .. } | Phase::Rederiving { .. } => None,
        }
    }
}
