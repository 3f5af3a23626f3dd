//! Why an archiver stopped, what that forbids, and what to do.

use rollbook_events::Position;

use super::segment::SegmentError;
use super::shelf::ShelfError;
use crate::error_chain::chain;
use crate::health::Forbids;
use crate::log::ReadError;

/// Why an archiver stopped where it was.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The log cannot be read, or has a hole.
    #[error("the stream {stream} cannot be archived")]
    Log {
        /// Which.
        stream: &'static str,
        /// Why.
        source: ReadError,
    },
    /// The archive cannot be reached, or is damaged.
    #[error("the archive of {stream} cannot be added to")]
    Shelf {
        /// Whose.
        stream: &'static str,
        /// Why.
        source: ShelfError,
    },
    /// The stream is shorter than its archive.
    #[error("the stream {stream} ends at position {head}, but its archive at {archived}: the stream has lost its end")]
    Regression {
        /// Which.
        stream: &'static str,
        /// Where it ends.
        head: Position,
        /// Where its archive ends.
        archived: Position,
    },
    /// The stream holds something else than the archive.
    #[error("position {position} of the stream {stream} is not the message that was archived")]
    Differs {
        /// Which.
        stream: &'static str,
        /// Where.
        position: Position,
    },
    /// An event does not name its member's event before it.
    #[error("the chain of a member is broken at position {position} of the stream {stream}")]
    BrokenChain {
        /// Which.
        stream: &'static str,
        /// Where.
        position: Position,
    },
    /// A message that the format has no room for.
    #[error("a message of the stream {stream} does not fit into a segment")]
    Segment {
        /// Which.
        stream: &'static str,
        /// Why.
        source: SegmentError,
    },
    /// Another archiver was first: its segment is gone on from.
    #[error("another archiver writes the archive of {stream} too")]
    Overtaken {
        /// Whose.
        stream: &'static str,
    },
    /// The reader of the log ended.
    #[error("the reader of the stream {stream} ended")]
    Ended {
        /// Which.
        stream: &'static str,
    },
}

/// What is to be done about damage of the log, wherever it is told of.
const RESTORE: &str = "stop the ledger, run `rollbook verify`, and restore it (deploy/README.md, Archive and restore)";
const SHELVE: &str = "run `rollbook verify`; move the damaged segment and all later ones of its stream away, and they are \
    written again from the stream";

impl ArchiveError {
    /// What stands against going on, with what to do, and what it forbids; none where it may pass by itself.
    pub(super) fn damage(&self) -> Option<(String, Forbids)> {
        let said = |what: &str, forbids| Some((format!("{}; {what}", chain(self)), forbids));
        match self {
            Self::Log { source: ReadError::Hole { .. } | ReadError::Behind { .. }, .. }
            | Self::Regression { .. }
            | Self::Differs { .. }
            | Self::BrokenChain { .. } => said(RESTORE, Forbids::Recording),
            // The log is whole, and only its copy is not.
            Self::Shelf { source: ShelfError::Missing { .. } | ShelfError::Damaged { .. }, .. } => {
                said(SHELVE, Forbids::Nothing)
            }
            Self::Shelf { source: ShelfError::Foreign { .. }, .. } => said("move the file away", Forbids::Nothing),
            Self::Segment { .. } => said("it must be looked at by hand", Forbids::Nothing),
            Self::Log { source: ReadError::Subject | ReadError::Unavailable { .. }, .. }
            | Self::Shelf { source: ShelfError::Place(_), .. }
            | Self::Overtaken { .. }
            | Self::Ended { .. } => None,
        }
    }
}
