//! The projector: reads the whole log in order from the checkpoint, folds it, and writes each batch's differences with the
//! new checkpoint in one transaction. So every effect happens exactly once, whatever is killed when.

mod decode_ahead;
mod error;
mod follow;
mod status;
mod write_behind;

use std::sync::Arc;

use rollbook_events::{DecodeError, Hash, decode};
use rollbook_projections::Recorded;

pub use error::ProjectorError;
pub use follow::Projector;
pub use status::{Phase, Status};

use crate::log::Stored;

/// A stored message as the fold takes it.
///
/// # Errors
/// Where its bytes are no event that this program knows.
pub fn recorded(stored: &Stored) -> Result<Recorded, DecodeError> {
    let envelope = decode(&stored.body)?;
    let body = std::str::from_utf8(&stored.body).map_err(|_| DecodeError::NotJson { line: 0, column: 0 })?;
    Ok(Recorded {
        position: stored.position,
        hash: Hash::of(&stored.body),
        envelope: Arc::new(envelope),
        body: body.into(),
    })
}
