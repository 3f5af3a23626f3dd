//! What ends a run of the projector, and which of it passes.

use rollbook_events::Position;
use rollbook_projections::fold::FoldError;
use rollbook_projections::store::StoreError;

use crate::log::ReadError;

/// Why the projector ended a run.
#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    /// The log could not be read, or is damaged.
    #[error("could not read the log")]
    Log(#[from] ReadError),
    /// The views could not be written.
    #[error("could not write the views")]
    Views(#[from] StoreError),
    /// The log does not fold.
    #[error("the log does not fold")]
    Fold(#[from] FoldError),
    /// The log is shorter than what was projected from it.
    #[error("the log ends at {head}, before the views' checkpoint {position}: it was restored or has lost its end")]
    Regression {
        /// The log's last position.
        head: Position,
        /// The checkpoint.
        position: Position,
    },
    /// A rulebook that cannot be read: every view hangs on it.
    #[error("the event at position {position} is about no member and cannot be read")]
    Unreadable {
        /// Where.
        position: Position,
    },
    /// The reader of the log ended without a word.
    #[error("the reader of the log ended")]
    Ended,
    /// The views were reset, or another projector writes them.
    #[error("the views' checkpoint was moved")]
    Moved,
}

impl ProjectorError {
    /// Whether the log itself is damaged, so that nothing may be recorded on top of it.
    pub(super) fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Regression { .. }
                | Self::Log(ReadError::Hole { .. } | ReadError::Behind { .. })
                | Self::Fold(FoldError::NoRulebook(_) | FoldError::BrokenChain(_))
        )
    }

    /// Whether beginning again can help.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Views(StoreError::Undecodable { .. }) => false,
            Self::Moved | Self::Ended | Self::Views(_) | Self::Log(ReadError::Unavailable { .. }) => true,
            Self::Log(ReadError::Hole { .. } | ReadError::Behind { .. } | ReadError::Subject)
            | Self::Fold(_)
            | Self::Unreadable { .. }
            | Self::Regression { .. } => false,
        }
    }
}
