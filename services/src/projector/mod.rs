//! The projector: reads the whole log in order from the checkpoint, folds it, and writes each batch's differences with the
//! new checkpoint in one transaction. So every effect happens exactly once, whatever is killed when.
//!
//! Reading order: `decode_ahead`, `follow` and `write_behind` (one generation of the views, kept up to date), `broken` (what
//! cannot be folded), `mend` (one member's rows made
//! anew), `lead` (who may project: the lease), `tend` (what its holder does: the live generation, and what is asked for),
//! `building` and `compare` (a new generation beside it), `outside` (what everybody else sees), `stall` (whether it moves).

mod broken;
mod building;
mod compare;
mod decode_ahead;
mod error;
mod follow;
mod lead;
mod mend;
mod outside;
mod stall;
mod status;
mod tend;
mod write_behind;

use std::sync::Arc;

use rollbook_events::{DecodeError, Hash, decode};
use rollbook_projections::Recorded;

pub use error::ProjectorError;
pub use follow::Projector;
pub use lead::Lead;
pub use mend::REBUILT;
pub use outside::{follow_live, look_from_outside};
pub use stall::watch_progress;
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
