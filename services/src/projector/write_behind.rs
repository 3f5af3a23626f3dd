//! Writing a batch while the next is folded: one at a time and in order, so that the checkpoint moves as it always does.

use std::time::Instant;

use chrono::{DateTime, Utc};
use rollbook_events::Position;
use rollbook_projections::Rulebook;
use rollbook_projections::changes::Changes;
use rollbook_projections::store::write::{Step, Stuck};
use rollbook_projections::store::{Db, StoreError};
use tokio_util::task::AbortOnDropHandle;

use super::ProjectorError;
use crate::failpoint;

/// A batch that was written.
#[derive(Debug, Clone)]
pub(super) struct Written {
    /// The checkpoint.
    pub(super) position: Position,
    /// When its last event was recorded; none where none could be read.
    pub(super) recorded_at: Option<DateTime<Utc>>,
    /// Hash of the rulebook in force then.
    pub(super) rulebook: Option<String>,
    /// Members whose views stand still, where it was the last of a batch.
    pub(super) stuck: Option<u64>,
}

/// The batch that is being written. Dropped, it is given up, and begun again from the checkpoint by whoever comes next.
#[derive(Debug, Default)]
pub(super) struct WriteBehind {
    under_way: Option<AbortOnDropHandle<Result<Written, StoreError>>>,
    stuck: Option<u64>,
}

impl WriteBehind {
    /// Whether a batch is being written.
    pub(super) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Begins to write a batch. The one before must have been settled.
    pub(super) fn begin(
        &mut self,
        db: &Db,
        changes: Changes,
        poison: Vec<Stuck>,
        step: Step,
        rulebook: Option<&Rulebook>,
    ) {
        let rulebook = rulebook.map(|rulebook| rulebook.hash().to_string());
        let db = db.clone();
        let writing = tokio::spawn(async move {
            let begun = Instant::now();
            let rows = u64::try_from(changes.rows()).unwrap_or(u64::MAX);
            failpoint!("projector.before_write");
            db.write(&changes, &poison, step).await?;
            failpoint!("projector.after_write");
            metrics::histogram!("rollbook_projector_write_seconds").record(begun.elapsed());
            metrics::counter!("rollbook_projector_rows_written_total").increment(rows);
            Ok(Written { position: step.to, recorded_at: step.recorded_at, rulebook, stuck: None })
        });
        self.under_way = Some(AbortOnDropHandle::new(writing));
    }

    /// Says how many members' views stand still once what is under way is written.
    pub(super) fn leaves(&mut self, stuck: u64) {
        self.stuck = Some(stuck);
    }

    /// Waits until the batch under way is written; none where there is none. Cancelled, it goes on being written.
    ///
    /// # Errors
    /// What the database said; [`ProjectorError::Moved`] where somebody else moved the checkpoint.
    pub(super) async fn settle(&mut self) -> Result<Option<Written>, ProjectorError> {
        let Some(writing) = &mut self.under_way else { return Ok(None) };
        let written = writing.await;
        self.under_way = None;
        match written {
            Ok(Ok(written)) => Ok(Some(Written { stuck: self.stuck.take(), ..written })),
            Ok(Err(StoreError::Fenced { .. })) => Err(ProjectorError::Moved),
            Ok(Err(error)) => Err(error.into()),
            // It panicked: that whatever it was writing is not written is all that is known.
            Err(_) => Err(ProjectorError::Ended),
        }
    }
}
