//! Following the log: batches decoded ahead, folded, and written; begun again from the checkpoint where something failed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rollbook_events::{MemberId, Position, Subject};
use rollbook_projections::fold::{Fold, FoldError};
use rollbook_projections::store::write::{Step, Stuck};
use rollbook_projections::store::{Db, StoreError};
use rollbook_projections::{Dossier, Recorded, Rulebook};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::decode_ahead::{Batch, decode_ahead};
use super::{Phase, Status};
use crate::clock;
use crate::error_chain::chain;
use crate::log::{Log, ReadError};

/// Events in the dossiers kept at hand, some 2 kB each with their rows.
const MOST_HELD: usize = 50_000;
/// Members derived anew in one go.
const MEMBERS_IN_A_GO: u32 = 500;
/// How often an idle projector looks whether its views were reset, and at the log's head.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long it waits before it begins again after a failure that may pass.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

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
    /// The views were reset, or another projector writes them.
    #[error("the views' checkpoint was moved")]
    Moved,
}

impl ProjectorError {
    /// Whether beginning again can help.
    fn may_pass(&self) -> bool {
        match self {
            Self::Moved | Self::Views(_) | Self::Log(ReadError::Unavailable { .. }) => true,
            Self::Log(ReadError::Hole { .. } | ReadError::Behind { .. } | ReadError::Subject)
            | Self::Fold(_)
            | Self::Unreadable { .. }
            | Self::Regression { .. } => false,
        }
    }
}

/// The projector of all views.
pub struct Projector {
    log: Arc<dyn Log>,
    db: Db,
    status: watch::Sender<Status>,
}

impl std::fmt::Debug for Projector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projector").finish_non_exhaustive()
    }
}

impl Projector {
    /// A projector, and where its status can be watched.
    pub fn new(log: Arc<dyn Log>, db: Db) -> (Self, watch::Receiver<Status>) {
        let (status, watched) = watch::channel(Status::default());
        (Self { log, db, status }, watched)
    }

    /// Runs until cancelled. What may pass is tried again from the checkpoint; damage stops it, with the cause in its status.
    pub async fn run(self, cancelled: CancellationToken) {
        loop {
            let error = tokio::select! {
                ended = self.follow() => ended,
                () = cancelled.cancelled() => return,
            };
            let Err(error) = error else { continue };
            let cause = chain(&error);
            if matches!(error, ProjectorError::Moved) {
                tracing::info!("the views' checkpoint was moved: reading on from there");
                self.status.send_modify(|status| status.phase = Phase::Starting);
            } else if error.may_pass() {
                tracing::warn!(cause, "the projector begins again from its checkpoint");
                self.status.send_modify(|status| status.phase = Phase::Starting);
                tokio::select! {
                    () = tokio::time::sleep(AGAIN_AFTER) => {}
                    () = cancelled.cancelled() => return,
                }
            } else {
                tracing::error!(cause, "the projector has stopped");
                self.status.send_modify(|status| status.phase = Phase::Stopped { cause });
                cancelled.cancelled().await;
                return;
            }
        }
    }

    async fn follow(&self) -> Result<(), ProjectorError> {
        let checkpoint = self.db.checkpoint().await?;
        let mut position = checkpoint.position;
        let head = self.log.head().await?;
        if head < position {
            return Err(ProjectorError::Regression { head, position });
        }
        let mut stuck: BTreeSet<MemberId> = self.db.stuck().await?.iter().map(|stuck| stuck.member).collect();
        let mut fold = self.resume(position).await?;
        self.status.send_modify(|status| {
            status.phase = Phase::Following;
            status.position = position;
            status.recorded_at = checkpoint.recorded_at;
            status.head = head;
            status.rulebook = fold.rulebook().map(|rulebook| rulebook.hash().to_string());
            status.stuck = count(stuck.len());
        });
        let mut batches = decode_ahead(&*self.log, position).await?;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                batch = batches.recv() => {
                    let Some(batch) = batch else { return Ok(()) };
                    position = self.step(&mut fold, &mut stuck, position, batch?).await?;
                }
                _ = looks.tick() => self.look(position).await?,
            }
        }
    }

    /// The fold as the checkpoint left it.
    async fn resume(&self, position: Position) -> Result<Fold, ProjectorError> {
        let mut rulebook = None;
        let mut dossier = Dossier::default();
        for recorded in self.db.rulebooks(position).await? {
            let at = recorded.position;
            if let rollbook_events::Event::Rules(rollbook_events::families::rules::Rules::RulebookAdopted(adopted)) =
                &recorded.envelope.event
            {
                let parsed = Rulebook::parse(adopted.text.as_str());
                rulebook = Some(parsed.map_err(|source| FoldError::Rulebook { position: at, source })?);
            }
            dossier.apply(recorded);
        }
        Ok(Fold::new(rulebook, dossier, self.db.links(position).await?))
    }

    async fn step(
        &self,
        fold: &mut Fold,
        stuck: &mut BTreeSet<MemberId>,
        from: Position,
        mut batch: Batch,
    ) -> Result<Position, ProjectorError> {
        if let Some(position) = batch.damage {
            return Err(ProjectorError::Unreadable { position });
        }
        stuck.extend(batch.poison.iter().map(|poison| poison.member));
        if !stuck.is_empty() {
            batch.events.retain(|event| event.envelope.subject.member().is_none_or(|member| !stuck.contains(&member)));
        }
        let mut at = from;
        let mut events = batch.events.into_iter().peekable();
        while events.peek().is_some() {
            // A rulebook is a step of its own, because it derives every member anew.
            let mut part: Vec<Recorded> = Vec::new();
            while let Some(event) = events.next_if(|event| part.is_empty() || !is_rulebook(event)) {
                let alone = is_rulebook(&event);
                part.push(event);
                if alone {
                    break;
                }
            }
            let to = if events.peek().is_some() { last(&part, at) } else { batch.last };
            at = self.write_part(fold, part, &batch.poison, at, to).await?;
        }
        if at < batch.last {
            at = self.write_part(fold, Vec::new(), &batch.poison, at, batch.last).await?;
        }
        self.status.send_modify(|status| status.stuck = count(stuck.len()));
        Ok(at)
    }

    async fn write_part(
        &self,
        fold: &mut Fold,
        part: Vec<Recorded>,
        poison: &[Stuck],
        from: Position,
        to: Position,
    ) -> Result<Position, ProjectorError> {
        let recorded_at = part.last().map(|event| event.envelope.recorded_at);
        let wanting = fold.wanting(&part);
        if !wanting.is_empty() {
            let events = self.db.events_of(&wanting).await?;
            fold.hold(&wanting, events);
        }
        let former = part.first().filter(|event| is_rulebook(event)).and_then(|_| fold.rulebook().cloned());
        for event in part {
            fold.apply(event)?;
        }
        if let Some(former) = former {
            self.rederive(fold, &former, to).await?;
        }
        let changes = fold.take_changes();
        let rows = changes.rows();
        metrics::histogram!("rollbook_projector_step_events").record(to.0.saturating_sub(from.0) as f64);
        let begun = std::time::Instant::now();
        match self.db.write(&changes, poison, Step { from, to, recorded_at }).await {
            Err(StoreError::Fenced { .. }) => return Err(ProjectorError::Moved),
            written => written?,
        }
        metrics::histogram!("rollbook_projector_write_seconds").record(begun.elapsed());
        fold.shrink(MOST_HELD);
        metrics::counter!("rollbook_projector_rows_written").increment(count(rows));
        self.status.send_modify(|status| {
            status.phase = Phase::Following;
            status.position = to;
            status.recorded_at = recorded_at.or(status.recorded_at);
            status.head = status.head.max(to);
            status.moved_at = Some(clock::now());
            status.rulebook = fold.rulebook().map(|rulebook| rulebook.hash().to_string());
        });
        Ok(to)
    }

    /// Derives every member anew under the rulebook now in force, showing how far it is.
    async fn rederive(&self, fold: &mut Fold, former: &Rulebook, at: Position) -> Result<(), ProjectorError> {
        let mut after = MemberId(uuid::Uuid::nil());
        let mut done = 0;
        loop {
            let members = self.db.members_after(after, MEMBERS_IN_A_GO).await?;
            let Some(last) = members.last().copied() else { return Ok(()) };
            done += count(members.len());
            let links = self.db.links(at).await?;
            // A group of linked pseudonyms is derived whole, when its keeper's turn has come.
            let group = members.iter().filter(|member| links.keeper(**member) == **member);
            let people: BTreeSet<MemberId> = group.flat_map(|member| links.group(*member)).collect();
            let events = self.db.events_of(&people).await?;
            fold.rederive(former, &people, events, at);
            fold.shrink(MOST_HELD);
            after = last;
            self.status.send_modify(|status| status.phase = Phase::Rederiving { done });
        }
    }

    /// Looks whether the views are still where this projector left them, and how long the log has become.
    async fn look(&self, position: Position) -> Result<(), ProjectorError> {
        if self.db.checkpoint().await?.position != position {
            return Err(ProjectorError::Moved);
        }
        let head = self.log.head().await?;
        if head < position {
            return Err(ProjectorError::Regression { head, position });
        }
        self.status.send_modify(|status| {
            status.head = head;
            if head == position {
                status.moved_at = Some(clock::now());
            }
        });
        Ok(())
    }
}

fn is_rulebook(event: &Recorded) -> bool {
    event.envelope.subject == Subject::Rulebook
}

fn last(part: &[Recorded], otherwise: Position) -> Position {
    part.last().map_or(otherwise, |event| event.position)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
