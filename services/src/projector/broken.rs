//! An event that cannot be folded stops its member's views, and nobody else's.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rollbook_events::{MemberId, Position};
use rollbook_projections::Recorded;
use rollbook_projections::changes::Changes;
use rollbook_projections::fold::{Fold, FoldError};
use rollbook_projections::store::StoreError;
use rollbook_projections::store::write::{Step, Stuck};

use super::write_behind::WriteBehind;
use super::{Projector, ProjectorError};

/// Why a member's views stand still where a rule panicked: a panic's own words may hold a value.
pub(super) const BROKE_OFF: &str = "the fold of the event broke off";

impl Projector {
    /// Applies an event, or notes that its member stands still from there on.
    pub(super) async fn apply(
        &self,
        fold: &mut Fold,
        writing: &mut WriteBehind,
        event: Recorded,
        from: Position,
        stuck: &mut BTreeMap<MemberId, Position>,
        poison: &mut Vec<Stuck>,
    ) -> Result<(), ProjectorError> {
        let (member, position) = (event.envelope.subject.member(), event.position);
        let applied = catch_unwind(AssertUnwindSafe(|| fold.apply(event)));
        if !matches!(applied, Ok(Ok(()))) {
            // What came before is written first: then the checkpoint is where this event was folded from.
            self.settle(writing).await?;
        }
        let Ok(applied) = applied else {
            return Err(self.broke_off(member, position, from).await);
        };
        let Err(error) = applied else { return Ok(()) };
        if self.db.checkpoint().await?.position != from {
            // Dossiers that were read while the views were reset do not fold, though nothing is wrong with the log.
            return Err(ProjectorError::Moved);
        }
        let (FoldError::BrokenChain(_), Some(member)) = (&error, member) else { return Err(error.into()) };
        // The log is whole and one member's chain is not. Its later events break it again, and the first is what counts.
        stuck.entry(member).or_insert_with(|| {
            tracing::error!(event.position = position.0, error = %error, "an event cannot be folded");
            poison.push(Stuck { member, position, cause: error.to_string() });
            position
        });
        Ok(())
    }

    /// What the fold holds in memory may be half of something: the member is noted as standing still from there, and
    /// everything begins again from the checkpoint.
    async fn broke_off(&self, member: Option<MemberId>, position: Position, from: Position) -> ProjectorError {
        let Some(member) = member else { return ProjectorError::Unreadable { position } };
        tracing::error!(event.position = position.0, "the fold broke off at an event");
        let stuck = Stuck { member, position, cause: BROKE_OFF.to_owned() };
        let step = Step { from, to: from, recorded_at: None, term: self.term };
        match self.db.write(&Changes::default(), &[stuck], step).await {
            Ok(()) | Err(StoreError::Fenced { .. }) => ProjectorError::Moved,
            Err(error) => error.into(),
        }
    }
}
