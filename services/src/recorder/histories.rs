//! Where the recorder's dossiers come from: its own cache, else the `event_history` view, else the stream.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use rollbook_events::families::rules::Rules;
use rollbook_events::{Event, EventId, Hash, MemberId, Position, Subject};
use rollbook_projections::at_hand::keep_from;
use rollbook_projections::store::{Db, Live, StoreError};
use rollbook_projections::{Dossier, Recorded, Rulebook};

use super::people::MayBeLinked;
use crate::log::{Log, ReadError};

/// Events in the dossiers kept at hand, some 2 kB each; past it those longest not used are let go.
const MOST_KEPT: usize = 50_000;
/// How many times as many while the view lags behind them.
const TIMES_WHILE_LAGGING: usize = 4;
/// Rounds between two counts of what is kept.
const TURNS_BETWEEN_COUNTS: u64 = 16;

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
}

/// Stands for the place of an event that is decided and not yet appended.
pub(super) const NOT_YET: Position = Position(u64::MAX);

/// A dossier, and where the events stand that were appended since it was read.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) dossier: Dossier,
    placed: HashMap<EventId, Position>,
    used: u64,
}

impl Kept {
    fn read(dossier: Dossier, used: u64) -> Self {
        Self { dossier, placed: HashMap::new(), used }
    }

    /// Where an event of the dossier stands.
    pub(super) fn position(&self, recorded: &Recorded) -> Position {
        self.placed.get(&recorded.envelope.id).copied().unwrap_or(recorded.position)
    }

    /// Where the last event stands that the log holds; zero where it holds none.
    pub(super) fn last_position(&self) -> Position {
        let placed = self.dossier.recorded().iter().rev().map(|recorded| self.position(recorded));
        placed.into_iter().find(|position| *position != NOT_YET).unwrap_or_default()
    }

    /// The hash that the next event must name.
    pub(super) fn last_hash(&self) -> Option<Hash> {
        self.dossier.last().map(|last| last.hash)
    }

    /// An event has found its place.
    pub(super) fn place(&mut self, id: EventId, position: Position) {
        self.placed.insert(id, position);
    }
}

/// The recorder's dossiers.
pub struct Histories {
    log: Arc<dyn Log>,
    live: Live,
    /// The live generation of the views, taken anew each round.
    db: Db,
    kept: HashMap<Subject, Kept>,
    /// Ids that name events of this round, or of members that are not at hand, with whose they are.
    reserved: HashMap<EventId, Subject>,
    rulebook: Option<Arc<Rulebook>>,
    pub(super) may_be_linked: MayBeLinked,
    /// The last event of a dossier that was let go before the view knew it; the view knows it once its checkpoint has
    /// passed here.
    let_go: Position,
    /// The bodies of events, which the recorder reads once and needs no more.
    no_body: Arc<str>,
    turn: u64,
}

impl std::fmt::Debug for Histories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Histories").field("kept", &self.kept.len()).finish_non_exhaustive()
    }
}

/// The subject of the stream that a subject's events lie on.
pub fn stream_subject(subject: Subject) -> String {
    format!("enrollment.{subject}")
}

impl Histories {
    /// No dossier yet.
    pub fn new(log: Arc<dyn Log>, live: impl Into<Live>) -> Self {
        let live = live.into();
        Self {
            log,
            db: live.db(),
            live,
            kept: HashMap::new(),
            reserved: HashMap::new(),
            rulebook: None,
            may_be_linked: MayBeLinked::default(),
            let_go: Position(0),
            no_body: "".into(),
            turn: 0,
        }
    }

    /// Makes sure that the dossiers of these subjects, and of everybody who may be one person with them, are at hand.
    ///
    /// The view may lag behind another recorder; then the append conflicts, and [`Histories::reload`] reads the stream.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn want(&mut self, subjects: &BTreeSet<Subject>) -> Result<(), HistoryError> {
        self.db = self.live.db();
        if self.turn == 0 {
            // What the log held before this program began, the view may not hold yet.
            self.let_go = self.log.head().await?;
        }
        self.turn += 1;
        self.reserved.clear();
        if !self.kept.contains_key(&Subject::Rulebook) {
            // Always from the stream: a view that is being made anew has none, and findings are judged by it.
            self.reload(Subject::Rulebook).await?;
        }
        if self.turn.is_multiple_of(TURNS_BETWEEN_COUNTS) {
            // Counted now and then, because counting walks through all of them.
            self.shrink(self.db.checkpoint().await?.position);
        }
        self.may_be_linked.read(&*self.log, &self.db, self.let_go).await?;
        // Whom a dossier names is known once it is read.
        loop {
            let wanted = self.may_be_linked.with_all(subjects);
            let missing: BTreeSet<Subject> =
                wanted.into_iter().filter(|subject| !self.kept.contains_key(subject)).collect();
            if missing.is_empty() {
                return Ok(());
            }
            self.read(missing).await?;
        }
    }

    async fn read(&mut self, missing: BTreeSet<Subject>) -> Result<(), HistoryError> {
        if self.db.checkpoint().await?.position < self.let_go {
            for subject in missing {
                self.reload(subject).await?;
            }
            return Ok(());
        }
        let members: BTreeSet<MemberId> = missing.iter().filter_map(|subject| subject.member()).collect();
        let events = self.db.events_of(&members).await?;
        for subject in missing {
            self.kept.insert(subject, Kept::read(Dossier::default(), self.turn));
        }
        for mut recorded in events {
            recorded.body = self.no_body.clone();
            let subject = recorded.envelope.subject;
            self.may_be_linked.note(subject, &recorded.envelope.event);
            if let Some(kept) = self.kept.get_mut(&subject) {
                kept.dossier.apply(recorded);
            }
        }
        Ok(())
    }

    /// Reads a subject's dossier from the stream itself, which always knows all of it.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn reload(&mut self, subject: Subject) -> Result<(), HistoryError> {
        let mut dossier = Dossier::default();
        for stored in self.log.read(&stream_subject(subject)).await? {
            let position = stored.position;
            let undecodable = |source| HistoryError::Undecodable { position, source };
            let mut recorded = crate::projector::recorded(&stored).map_err(undecodable)?;
            recorded.body = self.no_body.clone();
            self.may_be_linked.note(subject, &recorded.envelope.event);
            dossier.apply(recorded);
        }
        self.kept.insert(subject, Kept::read(dossier, self.turn));
        Ok(())
    }

    /// Reads the dossiers of these subjects, and of everybody who may be one person with them, from the stream.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn reload_all(&mut self, subjects: &BTreeSet<Subject>) -> Result<(), HistoryError> {
        let mut fresh = BTreeSet::new();
        loop {
            let wanted = self.may_be_linked.with_all(subjects);
            let stale: Vec<Subject> = wanted.difference(&fresh).copied().collect();
            if stale.is_empty() {
                return Ok(());
            }
            for subject in stale {
                self.reload(subject).await?;
                fresh.insert(subject);
            }
        }
    }

    /// A dossier that was wanted.
    pub(super) fn of(&mut self, subject: Subject) -> &mut Kept {
        let kept = self.kept.entry(subject).or_default();
        kept.used = self.turn;
        kept
    }

    /// A member's dossier, where it is at hand.
    pub(super) fn at_hand(&self, member: MemberId) -> Option<&Kept> {
        self.kept.get(&Subject::Member(member))
    }

    /// Lets go of what may no longer be true: the dossiers of these subjects, and of everybody who may be one person with
    /// them, because what is determined of one may stand in another's.
    pub fn forget(&mut self, subjects: &BTreeSet<Subject>) {
        for subject in self.may_be_linked.with_all(subjects) {
            if let Some(kept) = self.kept.remove(&subject) {
                self.let_go = self.let_go.max(kept.last_position());
            }
        }
    }

    /// The events of these ids that the view knows, whoever's they are.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn by_id(&self, ids: &[EventId]) -> Result<Vec<Recorded>, HistoryError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.db.events_by_id(ids).await?)
    }

    /// Notes whose event an id names.
    pub(super) fn reserve(&mut self, id: EventId, subject: Subject) {
        self.reserved.insert(id, subject);
    }

    /// Whether an id was noted, since the round began, to name another subject's event.
    pub(super) fn is_reserved(&self, id: EventId, subject: Subject) -> bool {
        self.reserved.get(&id).is_some_and(|of| *of != subject)
    }

    /// The rulebook in force, as the recorder last read or wrote it.
    pub fn rulebook(&mut self) -> Option<Arc<Rulebook>> {
        let last = self.kept.get(&Subject::Rulebook)?.dossier.last()?.envelope.clone();
        let Event::Rules(Rules::RulebookAdopted(adopted)) = &last.event else { return None };
        if self.rulebook.as_ref().map(|rulebook| rulebook.hash()) != Some(adopted.hash) {
            self.rulebook = Rulebook::parse(adopted.text.as_str()).ok().map(Arc::new);
        }
        self.rulebook.clone()
    }

    /// Lets go of the dossiers longest not used, of those that the view knows whole; where it lags so far that this is not
    /// enough, of others too, which are then read from the stream.
    fn shrink(&mut self, checkpoint: Position) {
        let used = |kept: &HashMap<Subject, Kept>, only_known: bool| {
            let counted = kept.values().filter(|kept| !only_known || kept.last_position() <= checkpoint);
            counted.map(|kept| (kept.used, kept.dossier.recorded().len())).collect::<Vec<_>>()
        };
        if let Some(turn) = keep_from(used(&self.kept, true), MOST_KEPT) {
            self.kept.retain(|subject, kept| {
                kept.used >= turn || kept.last_position() > checkpoint || *subject == Subject::Rulebook
            });
        }
        let Some(turn) = keep_from(used(&self.kept, false), MOST_KEPT * TIMES_WHILE_LAGGING) else { return };
        let mut let_go = self.let_go;
        self.kept.retain(|subject, kept| {
            let stays = kept.used >= turn || *subject == Subject::Rulebook;
            if !stays {
                let_go = let_go.max(kept.last_position());
            }
            stays
        });
        self.let_go = let_go;
    }
}
