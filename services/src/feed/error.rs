//! Why the feed cannot be read or written, and what to do.

use rollbook_events::Position;

use super::told::Untellable;
use crate::error_chain::chain;
use crate::log::{AppendError, ReadError, SettingsError};

/// What is done about a feed that is not the log's.
pub const AGAIN: &str = "delete the stream ENROLLMENT_FEED with the administrator's key and make it anew (rollbook streams \
    create): it is published again from the log, to the byte where the log is the same";

/// Why the feed cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The feed cannot be reached.
    #[error("the feed cannot be read")]
    Read(#[from] ReadError),
    /// The log cannot be read.
    #[error("the log cannot be read for the feed")]
    Log {
        /// Why.
        source: ReadError,
    },
    /// The feed's stream has a setting that breaks a promise.
    #[error("the feed's stream cannot be trusted")]
    Settings(#[from] SettingsError),
    /// The feed is not what a publisher writes.
    #[error("the feed's message at position {position} {what}")]
    Damaged {
        /// Where.
        position: Position,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The feed tells of events that the log does not hold.
    #[error(
        "the feed ends at position {feed}, but the log at {log}: the log has lost its end, or the feed is another's"
    )]
    Ahead {
        /// Where the feed ends.
        feed: Position,
        /// Where the log ends.
        log: Position,
    },
    /// The feed tells of another event than the log holds.
    #[error("the feed's message at position {position} is not the log's event there")]
    Differs {
        /// Where.
        position: Position,
    },
    /// An event that cannot be told.
    #[error("the event at position {position} cannot be published")]
    Event {
        /// Where.
        position: Position,
        /// Why.
        source: Untellable,
    },
    /// Another publisher was first, or whether this one was is not known: it goes on from what is there.
    #[error("the feed was not written")]
    Append(#[from] AppendError),
    /// Another publisher wrote meanwhile.
    #[error("another publisher writes the feed too")]
    Moved,
    /// The reader of the log ended.
    #[error("the reader of the log ended")]
    Ended,
}

impl FeedError {
    /// What stands against going on, with what to do; none where it may pass by itself.
    pub(super) fn damage(&self) -> Option<String> {
        let said = |what: &str| Some(format!("{}; {what}", chain(self)));
        match self {
            Self::Damaged { .. } | Self::Ahead { .. } | Self::Differs { .. } => said(AGAIN),
            Self::Read(ReadError::Hole { .. } | ReadError::Behind { .. }) => said(AGAIN),
            Self::Log { source: ReadError::Hole { .. } | ReadError::Behind { .. } } => said("run `rollbook verify`"),
            Self::Settings(SettingsError::Unavailable { .. } | SettingsError::NotChecked) => None,
            Self::Settings(SettingsError::NoStream { .. }) => said("make it: rollbook streams create"),
            Self::Settings(_) => said("set it back, or delete the stream and make it anew (rollbook streams create)"),
            Self::Event { .. } => said("start a version that can read it"),
            Self::Read(ReadError::Subject | ReadError::Unavailable { .. })
            | Self::Log { source: ReadError::Subject | ReadError::Unavailable { .. } }
            | Self::Append(_)
            | Self::Moved
            | Self::Ended => None,
        }
    }
}
