//! The fold of the whole log: each event into its member's dossier, each dossier into rows, each difference into a change.
//!
//! Rows are computed after *every* event, whatever the size of a batch, so that `known_from` and `known_until` are the
//! same whether the log is followed live or read again from the start.

mod held;

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use self::held::{Held, first_gone, place, rows_of};
use rollbook_events::families::rules::Rules;
use rollbook_events::{Event, EventId, MemberId, Position, Subject};

use crate::changes::Changes;
use crate::dossier::{Dossier, Recorded};
use crate::links::{self, Links};
use crate::rulebook::{Rulebook, RulebookError};
use crate::rules::facts::Facts;
use crate::view::{Row, Touched};
use crate::views;

/// What stops the fold. It names the place, never a value.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The log does not begin with its rulebook.
    #[error("position {0} comes before any rulebook was adopted")]
    NoRulebook(Position),
    /// The adopted rulebook cannot be read.
    #[error("the rulebook adopted at position {position} cannot be read")]
    Rulebook {
        /// Where it was adopted.
        position: Position,
        /// What is wrong with it.
        source: RulebookError,
    },
    /// An event does not name the hash of its subject's previous event.
    #[error("the chain of a member is broken at position {0}")]
    BrokenChain(Position),
    /// An event voids one whose stored bytes were let go: [`Fold::wanting`] was not asked.
    #[error("what position {0} voids is not at hand")]
    NotAtHand(Position),
}

/// Batches, and events, between two counts of what is held.
const TURNS_BETWEEN_COUNTS: u64 = 8;
const EVENTS_BETWEEN_COUNTS: usize = 2_000;

/// The state of the fold between events: a cache of dossiers, the links, and the rulebook in force.
#[derive(Debug)]
pub struct Fold {
    rulebook: Option<Rulebook>,
    rulebook_dossier: Dossier,
    links: Links,
    held: HashMap<MemberId, Held>,
    changes: Changes,
    /// Those whose events of this turn still have their stored bytes.
    with_bodies: Vec<MemberId>,
    no_body: Arc<str>,
    turns: u64,
    events: usize,
}

impl Fold {
    /// A fold that goes on under a rulebook and links, or begins with neither.
    pub fn new(rulebook: Option<Rulebook>, rulebook_dossier: Dossier, links: Links) -> Self {
        Self {
            rulebook,
            rulebook_dossier,
            links,
            held: HashMap::new(),
            changes: Changes::new(),
            with_bodies: Vec::new(),
            no_body: "".into(),
            turns: 0,
            events: 0,
        }
    }

    /// The rulebook in force.
    pub fn rulebook(&self) -> Option<&Rulebook> {
        self.rulebook.as_ref()
    }

    /// The members whose earlier events must be given to [`Fold::hold`] before these events are applied.
    ///
    /// Ask again once they are held, until there are none: whom a voiding concerns is seen only in the dossier of what it
    /// voids. An event that names no previous one is its member's first, so a new member costs no look.
    pub fn wanting(&self, events: &[Recorded]) -> BTreeSet<MemberId> {
        let mut wanting = BTreeSet::new();
        let mut fresh = BTreeSet::new();
        let mut here: HashMap<EventId, &Recorded> = HashMap::new();
        // Groups that these events may make one: then a voiding in one may speak of an event of another.
        let mut joining: BTreeSet<MemberId> = BTreeSet::new();
        let mut correcting: BTreeSet<MemberId> = BTreeSet::new();
        for recorded in events {
            let Some(member) = recorded.envelope.subject.member() else { continue };
            if recorded.envelope.previous.is_none() && self.links.alone(member) {
                fresh.insert(member);
            }
            let find = |id: EventId| {
                let mut dossiers = std::iter::once(&member).chain(&joining).filter_map(|of| self.dossier(*of));
                here.get(&id).copied().or_else(|| dossiers.find_map(|dossier| dossier.find(id)))
            };
            let other = links::other_of(recorded, find);
            if let Some(other) = other {
                joining.extend([member, other]);
            }
            if matches!(recorded.envelope.event, Event::Who(_) | Event::Correction(_)) {
                here.insert(recorded.envelope.id, recorded);
            }
            if matches!(recorded.envelope.event, Event::Correction(_)) {
                correcting.insert(member);
            }
            for member in std::iter::once(member).chain(other) {
                if !fresh.contains(&member) && !self.held.contains_key(&self.links.keeper(member)) {
                    wanting.extend(self.links.group(member));
                }
            }
        }
        if !correcting.is_empty() {
            // What is voided is written again whole, whoever of those that become one person it is of.
            let bare = |of: &MemberId| self.held.get(&self.links.keeper(*of)).is_some_and(|held| held.is_bare);
            let bare = correcting.iter().chain(&joining).filter(|of| bare(of));
            wanting.extend(bare.flat_map(|of| self.links.group(*of)));
        }
        wanting
    }

    /// Takes in what the store knows of some members: their events so far, in order of position.
    pub fn hold(&mut self, members: &BTreeSet<MemberId>, events: Vec<Recorded>) {
        let mut dossiers: BTreeMap<MemberId, Dossier> =
            members.iter().map(|m| (self.links.keeper(*m), Dossier::default())).collect();
        for recorded in events {
            if let Some(member) = recorded.envelope.subject.member() {
                dossiers.entry(self.links.keeper(member)).or_default().apply(recorded);
            }
        }
        for (keeper, dossier) in dossiers {
            self.with_bodies.push(keeper);
            self.held.insert(keeper, Held::of(dossier, self.rulebook.as_ref(), false));
        }
    }

    /// Applies the next event.
    ///
    /// # Errors
    /// See [`FoldError`]; nothing after it may be applied.
    pub fn apply(&mut self, recorded: Recorded) -> Result<(), FoldError> {
        match recorded.envelope.subject {
            Subject::Rulebook => self.adopt(recorded),
            Subject::Member(member) => self.apply_to(member, recorded),
        }
    }

    fn apply_to(&mut self, member: MemberId, recorded: Recorded) -> Result<(), FoldError> {
        let at = recorded.position;
        let Some(rulebook) = &self.rulebook else { return Err(FoldError::NoRulebook(at)) };
        let keeper = self.links.keeper(member);
        let held = self.held.entry(keeper).or_default();
        held.rows.resize_with(views::ALL.len(), Vec::new);
        check_chain(&held.dossier, &recorded)?;
        if held.is_bare && matches!(recorded.envelope.event, Event::Correction(_)) {
            return Err(FoldError::NotAtHand(at));
        }
        held.stored += recorded.body.len();
        self.events += 1;
        self.with_bodies.push(keeper);
        let other = links::other_of(&recorded, |id| held.dossier.find(id));
        held.dossier.apply(recorded.clone());
        // Worked out once for all views, and only where one wants it.
        let facts = LazyCell::new(|| Facts::of(&held.dossier, rulebook));
        for ((view, rows), changes) in views::ALL.iter().zip(&mut held.rows).zip(&mut self.changes.views) {
            match view.touched(&held.dossier, rulebook, &recorded) {
                Touched::Nothing => {}
                Touched::Everything => {
                    let after = view.rows(&facts);
                    changes.replace(rows, &after, at);
                    *rows = after;
                }
                Touched::These { added, replaced } => {
                    for row in replaced {
                        changes.close(&row.key, at);
                        changes.open(row, at);
                    }
                    for row in added {
                        changes.open(row, at);
                    }
                }
            }
        }
        if let Some(other) = other {
            self.relink(member, other, at);
        }
        Ok(())
    }

    /// Joins or parts dossiers: the rows of all the groups before become the rows of all the groups after.
    fn relink(&mut self, member: MemberId, other: MemberId, at: Position) {
        let mut people = self.links.group(member);
        people.extend(self.links.group(other));
        let keepers: BTreeSet<MemberId> = people.iter().map(|m| self.links.keeper(*m)).collect();
        let old: Vec<Held> = keepers.iter().filter_map(|keeper| self.held.remove(keeper)).collect();
        let whole = Dossier::merged(old.iter().map(|held| &held.dossier));
        let (mut now, before) = (links::standing(&whole), self.links.among(&people));
        // A pair is judged only where both of its dossiers are here: whoever is elsewhere may have parted it on his side.
        now.retain(|(a, b)| people.contains(a) && people.contains(b));
        for (a, b) in before.difference(&now) {
            self.links.part(*a, *b);
            self.changes.parted.push(((*a, *b), at));
        }
        for (a, b) in now.difference(&before) {
            self.links.join(*a, *b);
            self.changes.joined.push(((*a, *b), at));
        }
        let mut parts: BTreeMap<MemberId, Dossier> = BTreeMap::new();
        for recorded in whole.recorded() {
            if let Some(member) = recorded.envelope.subject.member() {
                parts.entry(self.links.keeper(member)).or_default().apply(recorded.clone());
            }
        }
        let is_bare = old.iter().any(|held| held.is_bare);
        let new =
            parts.into_iter().map(|(keeper, dossier)| (keeper, Held::of(dossier, self.rulebook.as_ref(), is_bare)));
        let new: Vec<(MemberId, Held)> = new.collect();
        self.with_bodies.extend(new.iter().map(|(keeper, _)| *keeper));
        for (index, view) in views::ALL.iter().enumerate() {
            if view.names_its_rows() {
                continue;
            }
            let before: Vec<Row> = old.iter().filter_map(|held| held.rows.get(index)).flatten().cloned().collect();
            let after: Vec<Row> = new.iter().filter_map(|(_, held)| held.rows.get(index)).flatten().cloned().collect();
            if let Some(changes) = self.changes.views.get_mut(index) {
                changes.replace(&before, &after, at);
            }
        }
        self.held.extend(new);
    }

    /// A rulebook comes into force: from here on rows are derived under it. Members not held here are re-derived by the
    /// caller, with [`Fold::rederive`], before it goes on.
    fn adopt(&mut self, recorded: Recorded) -> Result<(), FoldError> {
        let at = recorded.position;
        check_chain(&self.rulebook_dossier, &recorded)?;
        let Event::Rules(Rules::RulebookAdopted(adopted)) = &recorded.envelope.event else {
            return Err(FoldError::NoRulebook(at));
        };
        let rulebook =
            Rulebook::parse(adopted.text.as_str()).map_err(|source| FoldError::Rulebook { position: at, source })?;
        self.rulebook_dossier.apply(recorded.clone());
        for (view, changes) in views::ALL.iter().zip(&mut self.changes.views) {
            if let Touched::These { added, .. } = view.touched(&self.rulebook_dossier, &rulebook, &recorded) {
                added.into_iter().for_each(|row| changes.open(row, at));
            }
        }
        self.rulebook = Some(rulebook);
        self.held.clear();
        Ok(())
    }

    /// Re-derives some members' rows, which stood under `former`, under the rulebook now in force. Their dossiers are not
    /// kept, for in the end they would be all there are.
    pub fn rederive(&mut self, former: &Rulebook, members: &BTreeSet<MemberId>, events: Vec<Recorded>, at: Position) {
        self.hold(members, events);
        let keepers: BTreeSet<MemberId> = members.iter().map(|m| self.links.keeper(*m)).collect();
        for keeper in keepers {
            let Some(held) = self.held.remove(&keeper) else { continue };
            let before = rows_of(&held.dossier, former);
            for ((before, after), changes) in before.iter().zip(&held.rows).zip(&mut self.changes.views) {
                changes.replace(before, after, at);
            }
        }
    }

    /// What changed since the last call.
    pub fn take_changes(&mut self) -> Changes {
        self.turns += 1;
        std::mem::replace(&mut self.changes, Changes::new())
    }

    /// Lets go of what is not needed once the changes are taken: stored bytes, and, where all that is held takes more than
    /// `most` bytes, whole dossiers, which are read from the store when wanted again.
    ///
    /// Those that go are always of the same members. A file that names every member in turn would find none of those
    /// used last; of these it finds as many as there is room for.
    pub fn shrink(&mut self, most: usize) {
        for keeper in std::mem::take(&mut self.with_bodies) {
            if let Some(held) = self.held.get_mut(&keeper) {
                held.dossier.forget_bodies(&self.no_body);
                held.is_bare = true;
            }
        }
        // Counted now and then, because counting walks through all of them.
        if self.turns < TURNS_BETWEEN_COUNTS && self.events < EVENTS_BETWEEN_COUNTS {
            return;
        }
        (self.turns, self.events) = (0, 0);
        let sizes = self.held.iter().map(|(of, held)| (place(*of), held.bytes())).collect();
        if let Some(first_gone) = first_gone(sizes, most) {
            self.held.retain(|of, _| place(*of) < first_gone);
        }
    }

    /// The dossier held for a member, where one is.
    pub fn dossier(&self, member: MemberId) -> Option<&Dossier> {
        self.held.get(&self.links.keeper(member)).map(|held| &held.dossier)
    }
}

fn check_chain(dossier: &Dossier, recorded: &Recorded) -> Result<(), FoldError> {
    let subject = recorded.envelope.subject;
    let previous = dossier.recorded().iter().rev().find(|earlier| earlier.envelope.subject == subject);
    if previous.map(|earlier| earlier.hash) == recorded.envelope.previous {
        Ok(())
    } else {
        Err(FoldError::BrokenChain(recorded.position))
    }
}
