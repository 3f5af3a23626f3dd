//! The ids of events that the log holds and the view does not know yet, so that no id comes to name two events.
//!
//! What another recorder has written is looked for twice within the time that the server itself remembers message ids (two
//! minutes): it refuses an id of that time, and knows no older one.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use rollbook_events::{EventId, Position};
use rollbook_projections::Recorded;
use rollbook_projections::store::read::Sight;
use rollbook_projections::store::{Db, StoreError};
use serde::Deserialize;
use tokio::time::Instant;

use super::history_error::HistoryError;
use crate::log::Log;

const ALL: Sight = Sight::everything_for_the_ledger_itself();
/// How often it is looked for what others have written.
const LOOK_EVERY: Duration = Duration::from_secs(45);
/// Ids kept, 16 bytes each and their place in the table; where the view lags further, the oldest are let go.
const MOST: usize = 1_000_000;
/// Events read at a time for their ids: where more are missing, the views are being made anew, and nobody is kept waiting.
const MOST_READ: u64 = 100_000;

/// The ids, each as a digest: a position is looked up, never taken for granted.
#[derive(Debug, Default)]
pub(super) struct IdsAhead {
    digests: RandomState,
    positions: HashMap<u64, Position>,
    /// Every id up to here was read; those not kept, the view knew, or they were too many.
    read_to: Option<Position>,
    looked: Option<Instant>,
}

/// What of an event tells its id.
#[derive(Deserialize)]
struct Told {
    id: EventId,
}

impl IdsAhead {
    /// Where the event of an id may stand.
    pub(super) fn position(&self, id: EventId) -> Option<Position> {
        self.positions.get(&self.digests.hash_one(id)).copied()
    }

    /// This program has appended an event.
    pub(super) fn note(&mut self, id: EventId, position: Position) {
        self.positions.insert(self.digests.hash_one(id), position);
        // What comes right after what was read leaves nothing to read between.
        if self.read_to == Some(Position(position.0.saturating_sub(1))) {
            self.read_to = Some(position);
        }
    }

    /// Reads what others have written, now and then or `now`.
    ///
    /// # Errors
    /// Where the log or the view cannot be read.
    pub(super) async fn look(&mut self, log: &dyn Log, db: &Db, now: bool) -> Result<(), HistoryError> {
        if !now && self.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return Ok(());
        }
        let from = match self.read_to {
            Some(position) => position,
            None => db.checkpoint().await?.position,
        };
        let head = log.head().await?;
        if head.0 > from.0.saturating_add(MOST_READ) {
            tracing::warn!(behind = head.0 - from.0, "too far behind to know every id: the views come to know them");
        } else if head > from {
            let mut messages = super::tail::Tail::of(log, from, head).await?;
            while let Some(stored) = messages.next().await {
                let stored = stored?;
                if let Ok(told) = serde_json::from_slice::<Told>(&stored.body) {
                    self.positions.insert(self.digests.hash_one(told.id), stored.position);
                }
            }
        }
        self.read_to = Some(head.max(from));
        self.looked = Some(Instant::now());
        Ok(())
    }

    /// Lets go of what the view knows, and of the oldest where there are too many.
    pub(super) fn let_go(&mut self, checkpoint: Position) {
        self.positions.retain(|_, position| *position > checkpoint);
        if self.positions.len() <= MOST {
            return;
        }
        let mut positions: Vec<Position> = self.positions.values().copied().collect();
        let (_, middle, _) = positions.select_nth_unstable(MOST / 2);
        let from = *middle;
        tracing::warn!(
            up_to = from.0,
            "the views lag so far that the ids of older events are not known until they catch up"
        );
        self.positions.retain(|_, position| *position > from);
    }
}

/// The events of these ids as the view knows them, and where those stand in the log that it can no longer read.
pub(super) async fn known_by_id(
    db: &Db,
    ids: &[EventId],
) -> Result<(Vec<Recorded>, HashMap<EventId, Position>), HistoryError> {
    let (mut known, mut rotten) = (Vec::new(), HashMap::new());
    match db.events_by_id(&ALL, ids).await {
        Err(StoreError::Undecodable { .. }) => {}
        events => return Ok((events?, rotten)),
    }
    for id in ids {
        match db.events_by_id(&ALL, &[*id]).await {
            Err(StoreError::Undecodable { position, .. }) => _ = rotten.insert(*id, Position(position)),
            events => known.extend(events?),
        }
    }
    Ok((known, rotten))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> EventId {
        EventId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn what_the_view_knows_is_let_go() {
        let mut ids = IdsAhead::default();
        (1..=10).for_each(|n| ids.note(id(u128::from(n)), Position(n)));
        ids.let_go(Position(4));
        assert_eq!((ids.position(id(4)), ids.position(id(5))), (None, Some(Position(5))));
    }

    #[test]
    fn only_what_follows_on_what_was_read_counts_as_read() {
        let mut ids = IdsAhead { read_to: Some(Position(7)), ..IdsAhead::default() };
        ids.note(id(1), Position(8));
        assert_eq!(ids.read_to, Some(Position(8)));
        ids.note(id(2), Position(11));
        assert_eq!(ids.read_to, Some(Position(8)), "9 and 10 are another's");
    }
}
