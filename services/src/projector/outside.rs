//! What can be seen of views that another program projects, and which generation of them is live.

use std::sync::Arc;
use std::time::Duration;

use rollbook_events::families::rules::Rules;
use rollbook_events::{Event, Position};
use rollbook_projections::store::{Db, Live, StoreError, Views};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Phase, ProjectorError, Status};
use crate::clock;
use crate::error_chain::chain;
use crate::log::Log;

/// How often somebody outside looks how far the views are.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often it is looked which generation is live.
const LOOK_AT_LIVE_EVERY: Duration = Duration::from_millis(200);
/// Looks between two counts of the members that stand still, where nothing has moved.
const LOOKS_BETWEEN_COUNTS: u32 = 20;

/// Follows which generation of the views is live, until cancelled.
pub async fn follow_live(views: Views, cancelled: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK_AT_LIVE_EVERY);
    let mut failing = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = cancelled.cancelled() => return,
        }
        match views.look().await {
            Ok(()) => failing = false,
            // Told once: the next looks will say the same.
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(cause = chain(&error), "could not look which views are live");
            }
            Err(_) => {}
        }
    }
}

/// The status of views that another program projects, until cancelled.
pub fn look_from_outside(log: Arc<dyn Log>, live: Live, cancelled: CancellationToken) -> watch::Receiver<Status> {
    let (send, status) = watch::channel(Status::default());
    let mut outside = Outside::new(log, live);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = cancelled.cancelled() => return,
            }
            outside.look(&send, Phase::Following).await;
        }
    });
    status
}

/// What was seen last, so that little has to be read where little has changed.
pub(super) struct Outside {
    log: Arc<dyn Log>,
    live: Live,
    generation: i64,
    position: Option<Position>,
    /// Where the rulebook in force was adopted, and its hash.
    rulebook: Option<(Position, Option<String>)>,
    looks: u32,
}

impl Outside {
    pub(super) fn new(log: Arc<dyn Log>, live: Live) -> Self {
        Self { log, live, generation: 0, position: None, rulebook: None, looks: 0 }
    }

    /// Looks, and tells what was seen as being in a phase; what could not be seen may pass.
    pub(super) async fn look(&mut self, send: &watch::Sender<Status>, phase: Phase) {
        match self.see(send).await {
            Ok(()) => send.send_modify(|status| status.phase = phase),
            Err(error) => send.send_modify(|status| status.phase = Phase::Waiting { cause: chain(&error) }),
        }
    }

    async fn see(&mut self, send: &watch::Sender<Status>) -> Result<(), ProjectorError> {
        let (generation, db) = (self.live.number(), self.live.db());
        let checkpoint = db.checkpoint().await?;
        let head = self.log.head().await?;
        let moved = self.position != Some(checkpoint.position) || self.generation != generation;
        self.looks = self.looks.wrapping_add(1);
        let stuck =
            if moved || self.looks.is_multiple_of(LOOKS_BETWEEN_COUNTS) { Some(db.stuck_count().await?) } else { None };
        if moved {
            let last = db.last_rulebook(checkpoint.position).await?;
            if last != self.rulebook.as_ref().map(|(at, _)| *at) {
                self.rulebook = match last {
                    Some(at) => Some((at, adopted_hash(&db, at).await?)),
                    None => None,
                };
            }
        }
        (self.generation, self.position) = (generation, Some(checkpoint.position));
        send.send_modify(|status| {
            if moved || checkpoint.position >= head {
                status.moved_at = Some(clock::now());
            }
            status.position = checkpoint.position;
            status.recorded_at = checkpoint.recorded_at;
            status.head = head;
            status.stuck = stuck.unwrap_or(status.stuck);
            status.rulebook = self.rulebook.as_ref().and_then(|(_, hash)| hash.clone());
        });
        Ok(())
    }
}

async fn adopted_hash(db: &Db, at: Position) -> Result<Option<String>, StoreError> {
    let last = db.rulebooks(at).await?.pop();
    Ok(last.and_then(|recorded| {
        let Event::Rules(Rules::RulebookAdopted(adopted)) = &recorded.envelope.event else { return None };
        Some(adopted.hash.to_string())
    }))
}
