//! Following the log: batches decoded ahead, folded, and written; begun again from the checkpoint where something failed.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use rollbook_events::{MemberId, Position, Subject};
use rollbook_projections::fold::{Fold, FoldError};
use rollbook_projections::store::Db;
use rollbook_projections::store::read::Sight;
use rollbook_projections::store::write::{Step, Stuck};
use rollbook_projections::{Dossier, Recorded, Rulebook};
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::decode_ahead::{Batch, decode_ahead};
use super::mend::Mend;
use super::write_behind::{WriteBehind, Written};
use super::{Phase, ProjectorError, Status};
use crate::clock;
use crate::error_chain::chain;
use crate::failpoint;
use crate::log::Log;

const ALL: Sight = Sight::everything_for_the_ledger_itself();
/// Bytes, about, of the dossiers kept at hand with their rows.
const MOST_HELD: usize = 40 << 20;
/// Members derived anew in one go.
const MEMBERS_IN_A_GO: u32 = 500;
/// How often an idle projector looks whether its views were reset, and at the log's head.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long it waits before it begins again after a failure that may pass.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// The projector of all views.
pub struct Projector {
    pub(super) log: Arc<dyn Log>,
    pub(super) db: Db,
    status: watch::Sender<Status>,
    /// Of the lease that it runs under; zero where there is none.
    pub(super) term: i64,
    mends: Mutex<mpsc::Receiver<Mend>>,
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
        let (projector, _) = Self::under(log, db, 0, status);
        (projector, watched)
    }

    /// A projector that runs under a lease, tells its status there, and mends members' rows when it is asked to.
    pub(super) fn under(
        log: Arc<dyn Log>,
        db: Db,
        term: i64,
        status: watch::Sender<Status>,
    ) -> (Self, mpsc::Sender<Mend>) {
        let (ask, mends) = mpsc::channel(1);
        (Self { log, db, status, term, mends: Mutex::new(mends) }, ask)
    }

    /// Runs until cancelled. What may pass is tried again from the checkpoint; damage stops it, with the cause in its status.
    pub async fn run(self, cancelled: CancellationToken) {
        loop {
            let Err(error) = tokio::select! {
                ended = self.follow() => ended,
                () = cancelled.cancelled() => return,
            };
            let cause = chain(&error);
            if matches!(error, ProjectorError::Moved) {
                tracing::info!("the views' checkpoint was moved: reading on from there");
                self.status.send_modify(|status| status.phase = Phase::Starting);
            } else if error.may_pass() {
                tracing::warn!(cause, "the projector begins again from its checkpoint");
                self.status.send_modify(|status| status.phase = Phase::Waiting { cause });
                tokio::select! {
                    () = tokio::time::sleep(AGAIN_AFTER) => {}
                    () = cancelled.cancelled() => return,
                }
            } else {
                tracing::error!(cause, "the projector has stopped");
                self.status.send_modify(|status| {
                    status.damaged = error.is_damage();
                    status.phase = Phase::Stopped { cause };
                });
                cancelled.cancelled().await;
                return;
            }
        }
    }

    async fn follow(&self) -> Result<Infallible, ProjectorError> {
        let mut writing = WriteBehind::default();
        let ended = self.follow_with(&mut writing).await;
        // What was folded before something failed is written all the same.
        self.settle(&mut writing).await?;
        ended
    }

    async fn follow_with(&self, writing: &mut WriteBehind) -> Result<Infallible, ProjectorError> {
        let checkpoint = self.db.checkpoint().await?;
        let mut position = checkpoint.position;
        let head = self.log.head().await?;
        if head < position {
            return Err(ProjectorError::Regression { head, position });
        }
        let mut stuck = self.db.stuck_from().await?;
        let mut fold = self.resume(position).await?;
        failpoint!("projector.after_resume");
        self.status.send_modify(|status| {
            status.position = position;
            status.recorded_at = checkpoint.recorded_at;
            status.head = head;
            status.rulebook = fold.rulebook().map(|rulebook| rulebook.hash().to_string());
            status.stuck = count(stuck.len());
        });
        let mut batches = decode_ahead(&*self.log, position).await?;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        let mut mends = self.mends.lock().await;
        loop {
            tokio::select! {
                Some(mend) = mends.recv() => {
                    self.settle(writing).await?;
                    if self.mend(mend, position).await? {
                        // What is held in memory is of the rows before.
                        return Err(ProjectorError::Moved);
                    }
                }
                batch = batches.next() => {
                    let batch = batch.ok_or(ProjectorError::Ended)??;
                    position = self.step(&mut fold, &mut stuck, writing, position, batch).await?;
                }
                written = writing.settle(), if writing.is_under_way() => self.note(written?),
                _ = looks.tick(), if !writing.is_under_way() => self.look(position).await?,
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
        stuck: &mut BTreeMap<MemberId, Position>,
        writing: &mut WriteBehind,
        from: Position,
        mut batch: Batch,
    ) -> Result<Position, ProjectorError> {
        if let Some(position) = batch.damage {
            return Err(ProjectorError::Unreadable { position });
        }
        for poison in &batch.poison {
            // The first stands: they come in order.
            stuck.entry(poison.member).or_insert(poison.position);
        }
        if !stuck.is_empty() {
            // What a member said before the event that cannot be read counts, however the batches fell.
            let from = |event: &Recorded| event.envelope.subject.member().and_then(|member| stuck.get(&member));
            batch.events.retain(|event| from(event).is_none_or(|from| event.position < *from));
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
            at = self.write_part(fold, writing, part, stuck, &batch.poison, (at, to)).await?;
        }
        if at < batch.last {
            let rest = (at, batch.last);
            at = self.write_part(fold, writing, Vec::new(), stuck, &batch.poison, rest).await?;
        }
        writing.leaves(count(stuck.len()));
        Ok(at)
    }

    /// Folds a part of a batch and begins to write it, once the one before is written.
    async fn write_part(
        &self,
        fold: &mut Fold,
        writing: &mut WriteBehind,
        part: Vec<Recorded>,
        stuck: &mut BTreeMap<MemberId, Position>,
        poison: &[Stuck],
        (from, to): (Position, Position),
    ) -> Result<Position, ProjectorError> {
        let recorded_at = part.last().map(|event| event.envelope.recorded_at);
        loop {
            let wanting = fold.wanting(&part);
            if wanting.is_empty() {
                break;
            }
            // What they said last may be in the batch under way.
            self.settle(writing).await?;
            let events = self.db.events_of(&ALL, &wanting).await?;
            fold.hold(&wanting, events);
        }
        let adopted = part.first().filter(|event| is_rulebook(event)).map(|event| event.position);
        let former = adopted.and_then(|at| Some((at, fold.rulebook().cloned()?)));
        let mut poison = poison.to_vec();
        for event in part {
            self.apply(fold, writing, event, from, stuck, &mut poison).await?;
        }
        if let Some((at, former)) = former {
            self.settle(writing).await?;
            self.rederive(fold, &former, at).await?;
        }
        let changes = fold.take_changes();
        fold.shrink(MOST_HELD);
        metrics::histogram!("rollbook_projector_step_events").record(to.0.saturating_sub(from.0) as f64);
        self.settle(writing).await?;
        let step = Step { from, to, recorded_at, term: self.term };
        writing.begin(&self.db, changes, poison, step, fold.rulebook());
        Ok(to)
    }

    /// Waits until the batch under way is written.
    pub(super) async fn settle(&self, writing: &mut WriteBehind) -> Result<(), ProjectorError> {
        let written = writing.settle().await?;
        self.note(written);
        Ok(())
    }

    /// Tells what was written.
    fn note(&self, written: Option<Written>) {
        let Some(Written { position, recorded_at, rulebook, stuck }) = written else { return };
        self.status.send_modify(|status| {
            status.phase = Phase::Following;
            status.position = position;
            status.recorded_at = recorded_at.or(status.recorded_at);
            status.head = status.head.max(position);
            status.moved_at = Some(clock::now());
            status.rulebook = rulebook;
            status.stuck = stuck.unwrap_or(status.stuck);
        });
    }

    /// Derives every member anew under the rulebook now in force, showing how far it is.
    async fn rederive(&self, fold: &mut Fold, former: &Rulebook, at: Position) -> Result<(), ProjectorError> {
        let mut after = MemberId(uuid::Uuid::nil());
        let mut done = 0;
        let links = self.db.links(at).await?;
        let mut derived = BTreeSet::new();
        loop {
            let members = self.db.members_after(&ALL, after, MEMBERS_IN_A_GO).await?;
            let Some(last) = members.last().copied() else { return Ok(()) };
            done += count(members.len());
            // A group of linked pseudonyms is derived whole, when the first of them that has events has its turn.
            let first = members.iter().filter(|of| links.alone(**of) || derived.insert(links.keeper(**of)));
            let people: BTreeSet<MemberId> = first.flat_map(|member| links.group(*member)).collect();
            let events = self.db.events_of(&ALL, &people).await?;
            fold.rederive(former, &people, events, at);
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
            // What failed in the writing is over when something is written, not when something can be read.
            if head == position || !matches!(status.phase, Phase::Waiting { .. }) {
                status.phase = Phase::Following;
            }
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
