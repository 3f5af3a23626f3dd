//! Where the recorder's dossiers come from: its own cache, else the `event_history` view, else the stream.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use rollbook_events::families::rules::Rules;
use rollbook_events::{Event, EventId, MemberId, Position, Subject};
use rollbook_projections::Rulebook;
use rollbook_projections::at_hand::keep_from;
use rollbook_projections::store::read::Sight;
use rollbook_projections::store::{Db, Live, StoreError};

use super::history_error::{HistoryError, Unreadable};
use super::ids_ahead::{IdsAhead, known_by_id};
use super::kept::Kept;
use super::people::MayBeLinked;
use super::reserved::Reserved;
use crate::log::{Log, Stored};

const ALL: Sight = Sight::everything_for_the_ledger_itself();
/// Bytes, as [`Kept::weight`] counts them, of the dossiers kept at hand; past it those longest not used are let go.
const MOST_KEPT: usize = 40 * 1_024 * 1_024;
/// How many times as many while the view lags behind them.
const TIMES_WHILE_LAGGING: usize = 2;
/// Histories that are read from the stream at once.
const READ_AT_ONCE: usize = 16;
/// Subjects remembered to be unreadable, so that the view is not asked for them again; past it they are found anew.
const MOST_UNREADABLE: usize = 10_000;
/// Subjects remembered to have been let go before the views knew them, some 60 bytes each.
const MOST_AHEAD: usize = 200_000;
/// Rounds between two counts of what is kept.
const TURNS_BETWEEN_COUNTS: u64 = 16;

/// The recorder's dossiers.
pub struct Histories {
    log: Arc<dyn Log>,
    live: Live,
    /// The live generation of the views, taken anew each round.
    db: Db,
    kept: HashMap<Subject, Kept>,
    /// Ids that name events nobody can look up yet.
    pub(super) reserved: Reserved,
    rulebook: Option<Arc<Rulebook>>,
    pub(super) may_be_linked: MayBeLinked,
    /// What the views must hold before they are asked for anybody: what they held when a dossier was let go because they
    /// knew it, and what the log held when this program began.
    let_go: Position,
    /// The last event of each dossier that was let go before the view knew it: until then it is read from the stream.
    ahead: HashMap<Subject, Position>,
    /// The bodies of events, which the recorder reads once and needs no more.
    no_body: Arc<str>,
    turn: u64,
    /// The ids of events that the view does not know yet.
    pub(super) ids_ahead: IdsAhead,
    /// The members whose history was found unreadable, and where.
    unreadable: BTreeMap<Subject, Position>,
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
            reserved: Reserved::default(),
            rulebook: None,
            may_be_linked: MayBeLinked::default(),
            let_go: Position(0),
            ahead: HashMap::new(),
            no_body: "".into(),
            turn: 0,
            ids_ahead: IdsAhead::default(),
            unreadable: BTreeMap::new(),
        }
    }

    /// Makes sure that the dossiers of these subjects, and of everybody who may be one person with them, are at hand, and
    /// tells whose cannot be read.
    ///
    /// The view may lag behind another recorder; then the append conflicts, and [`Histories::reload_all`] reads the stream.
    ///
    /// # Errors
    /// See [`HistoryError`]; not for what is wrong with one member alone.
    pub async fn want(&mut self, subjects: &BTreeSet<Subject>) -> Result<Unreadable, HistoryError> {
        self.db = self.live.db();
        if self.turn == 0 {
            // What the log held before this program began, the view may not hold yet.
            self.let_go = self.log.head().await?;
        }
        self.turn += 1;
        if !self.kept.contains_key(&Subject::Rulebook) {
            // Always from the stream: a view that is being made anew has none, and findings are judged by it.
            let stored = self.log.read(&stream_subject(Subject::Rulebook)).await?;
            self.take_in(Subject::Rulebook, &stored)?;
        }
        if self.turn.is_multiple_of(TURNS_BETWEEN_COUNTS) {
            // Counted now and then, because counting walks through all of them.
            let checkpoint = self.db.checkpoint().await?.position;
            self.shrink(checkpoint);
            self.ids_ahead.let_go(checkpoint);
        }
        self.may_be_linked.read(&*self.log, &self.db, self.let_go).await?;
        let mut unreadable = Unreadable::new();
        // Whom a dossier names is known once it is read.
        loop {
            let wanted = self.may_be_linked.with_all(subjects).into_iter();
            let at_hand = |subject: &Subject| self.kept.contains_key(subject) || unreadable.contains_key(subject);
            let missing: BTreeSet<Subject> = wanted.filter(|subject| !at_hand(subject)).collect();
            if missing.is_empty() {
                return Ok(unreadable);
            }
            self.read(missing, &mut unreadable).await?;
        }
    }

    async fn read(&mut self, missing: BTreeSet<Subject>, unreadable: &mut Unreadable) -> Result<(), HistoryError> {
        let checkpoint = self.db.checkpoint().await?.position;
        if checkpoint < self.let_go {
            return self.read_stream(missing, unreadable).await;
        }
        // The view ends before the event that cannot be read: what follows it would be passed over.
        let (doubtful, missing): (BTreeSet<Subject>, _) = missing.into_iter().partition(|subject| {
            self.unreadable.contains_key(subject) || self.ahead.get(subject).is_some_and(|ahead| *ahead > checkpoint)
        });
        self.read_stream(doubtful, unreadable).await?;
        let members: BTreeSet<MemberId> = missing.iter().filter_map(|subject| subject.member()).collect();
        let events = match self.db.events_of(&ALL, &members).await {
            // The stream tells whose it is.
            Err(StoreError::Undecodable { .. }) => return self.read_stream(missing, unreadable).await,
            events => events?,
        };
        for subject in missing {
            self.kept.insert(subject, Kept::unread(self.turn));
        }
        let mut broken = BTreeSet::new();
        for mut recorded in events {
            let body = std::mem::replace(&mut recorded.body, self.no_body.clone()).len();
            let subject = recorded.envelope.subject;
            self.may_be_linked.note(subject, &recorded.envelope.event);
            if let Some(kept) = self.kept.get_mut(&subject) {
                if recorded.envelope.previous != kept.last_hash() {
                    broken.insert(subject);
                }
                kept.file(recorded, body);
            }
        }
        if !broken.is_empty() {
            tracing::warn!(
                members = broken.len(),
                "event_history lacks events that the log may hold: see rollbook verify"
            );
            // The stream tells whether it is broken too. A view that lacks the last events only makes the append conflict.
            self.read_stream(broken, unreadable).await?;
        }
        Ok(())
    }

    /// Reads dossiers from the stream itself, which always knows all of them.
    async fn read_stream(
        &mut self,
        subjects: impl IntoIterator<Item = Subject, IntoIter: Send>,
        unreadable: &mut Unreadable,
    ) -> Result<(), HistoryError> {
        let log = self.log.clone();
        let read = stream::iter(subjects).map(move |subject| {
            let log = log.clone();
            async move { (subject, log.read(&stream_subject(subject)).await) }
        });
        let mut read = std::pin::pin!(read.buffered(READ_AT_ONCE));
        while let Some((subject, stored)) = read.next().await {
            match self.take_in(subject, &stored?) {
                Ok(()) => _ = self.unreadable.remove(&subject),
                Err(error) => {
                    let Some(position) = error.of_one_member() else { return Err(error) };
                    if self.unreadable.len() < MOST_UNREADABLE {
                        self.unreadable.insert(subject, position);
                    }
                    unreadable.insert(subject, Arc::new(error));
                }
            }
        }
        Ok(())
    }

    /// Keeps what the stream holds of a subject, where all of it can be read and follows one from the other.
    fn take_in(&mut self, subject: Subject, stored: &[Stored]) -> Result<(), HistoryError> {
        self.kept.remove(&subject);
        let mut kept = Kept::unread(self.turn);
        for stored in stored {
            let position = stored.position;
            let undecodable = |source| HistoryError::Undecodable { position, source };
            let mut recorded = crate::projector::recorded(stored).map_err(undecodable)?;
            if recorded.envelope.previous != kept.last_hash() {
                return Err(HistoryError::Broken { position });
            }
            recorded.body = self.no_body.clone();
            self.may_be_linked.note(subject, &recorded.envelope.event);
            kept.file(recorded, stored.body.len());
        }
        self.kept.insert(subject, kept);
        Ok(())
    }

    /// Reads the dossiers of these subjects, and of everybody who may be one person with them, from the stream.
    ///
    /// # Errors
    /// As [`Histories::want`].
    pub async fn reload_all(&mut self, subjects: &BTreeSet<Subject>) -> Result<Unreadable, HistoryError> {
        let (mut fresh, mut unreadable) = (BTreeSet::new(), Unreadable::new());
        loop {
            let wanted = self.may_be_linked.with_all(subjects);
            let stale: Vec<Subject> = wanted.difference(&fresh).copied().collect();
            if stale.is_empty() {
                return Ok(unreadable);
            }
            fresh.extend(stale.iter().copied());
            self.read_stream(stale, &mut unreadable).await?;
        }
    }

    /// How many members' histories were found unreadable and not yet found mended, and where the first of them is so.
    pub(super) fn unreadable(&self) -> Option<(usize, Position)> {
        let first = self.unreadable.values().min()?;
        Some((self.unreadable.len(), *first))
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
                self.ahead.insert(subject, kept.last_position());
            }
        }
    }

    /// Whose events these ids name, whoever's they are: as the view knows, and of what it lacks, the log.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub(super) async fn by_id(&mut self, ids: &[EventId], now: bool) -> Result<Vec<(EventId, Subject)>, HistoryError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.ids_ahead.look(&*self.log, &self.db, now).await?;
        let (known, rotten) = known_by_id(&self.db, ids).await?;
        let mut named: Vec<(EventId, Subject)> =
            known.iter().map(|known| (known.envelope.id, known.envelope.subject)).collect();
        for id in ids {
            let Some(position) = self.ids_ahead.position(*id).or_else(|| rotten.get(id).copied()) else { continue };
            let stored = self.log.get(position).await?.ok_or(HistoryError::Gone { position })?;
            // One that cannot be read is refused where its dossier is wanted.
            let recorded = crate::projector::recorded(&stored).ok().filter(|recorded| recorded.envelope.id == *id);
            named.extend(recorded.map(|recorded| (*id, recorded.envelope.subject)));
        }
        Ok(named)
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
            counted.map(|kept| (kept.used, kept.weight())).collect::<Vec<_>>()
        };
        let stays = |subject: &Subject, kept: &Kept| kept.is_held() || *subject == Subject::Rulebook;
        if let Some(turn) = keep_from(used(&self.kept, true), MOST_KEPT) {
            self.let_go = self.let_go.max(checkpoint);
            self.kept
                .retain(|subject, kept| kept.used >= turn || kept.last_position() > checkpoint || stays(subject, kept));
        }
        self.ahead.retain(|_, position| *position > checkpoint);
        if let Some(turn) = keep_from(used(&self.kept, false), MOST_KEPT * TIMES_WHILE_LAGGING) {
            let gone = self.kept.extract_if(|subject, kept| kept.used < turn && !stays(subject, kept));
            self.ahead.extend(gone.map(|(subject, kept)| (subject, kept.last_position())));
        }
        if self.ahead.len() > MOST_AHEAD {
            // Too many to remember one by one: until the views have passed them all, everybody is read from the stream.
            let last = self.ahead.drain().map(|(_, position)| position).max();
            self.let_go = self.let_go.max(last.unwrap_or_default());
        }
    }
}
