//! Why a member's history could not be had, and what that means for others.

use std::collections::BTreeMap;
use std::sync::Arc;

use rollbook_events::{Position, Subject};
use rollbook_projections::store::StoreError;

use crate::log::ReadError;

/// Why a dossier could not be had.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The views could not be read.
    #[error("could not read the views")]
    Views(#[from] StoreError),
    /// The log could not be read.
    #[error("could not read the log")]
    Log(#[from] ReadError),
    /// An event of the member cannot be read, so nothing may be decided on it.
    #[error("the event at position {position} cannot be read")]
    Undecodable {
        /// Which.
        position: Position,
        /// Why.
        source: rollbook_events::DecodeError,
    },
    /// An event of the member does not name the one before it: one of them is missing or is another.
    #[error("the chain of a member is broken at position {position}")]
    Broken {
        /// The event that follows the break.
        position: Position,
    },
    /// The log counts a message that it no longer has.
    #[error("the log no longer has the message at position {position}")]
    Gone {
        /// Which.
        position: Position,
    },
}

impl HistoryError {
    /// The position at which one member's history is damaged or cannot be read, where that is all that is wrong.
    pub(super) fn of_one_member(&self) -> Option<Position> {
        match self {
            Self::Undecodable { position, .. } | Self::Broken { position } => Some(*position),
            Self::Views(_) | Self::Log(_) | Self::Gone { .. } => None,
        }
    }

    /// Whether the log itself is damaged, so that nothing may be recorded on top of it.
    pub(super) fn is_damage(&self) -> bool {
        matches!(self, Self::Gone { .. } | Self::Log(ReadError::Hole { .. } | ReadError::Behind { .. }))
    }
}

/// The subjects whose history cannot be read, each with why; nothing may be decided on them, nor on who is one person with
/// them.
pub(super) type Unreadable = BTreeMap<Subject, Arc<HistoryError>>;
