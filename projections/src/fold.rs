//! The fold of the whole log: each event into its member's dossier, each dossier into rows, each difference into a change.
//!
//! Rows are computed after *every* event, whatever the size of a batch, so that `known_from` and `known_until` are the
//! same whether the log is followed live or read again from the start.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use rollbook_events::families::rules::Rules;
use rollbook_events::{Event, EventId, MemberId, Position, Subject};

use crate::at_hand::keep_from;
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
}

/// Batches between two counts of what is held.
const TURNS_BETWEEN_COUNTS: u64 = 8;

/// A dossier with the rows it gives, so that the next event need not compute what was before it.
#[derive(Debug, Default)]
struct Held {
    dossier: Dossier,
    rows: Vec<Vec<Row>>,
    used: u64,
}

/// The state of the fold between events: a cache of dossiers, the links, and the rulebook in force.
#[derive(Debug)]
pub struct Fold {
    rulebook: Option<Rulebook>,
    rulebook_dossier: Dossier,
    links: Links,
    held: HashMap<MemberId, Held>,
    changes: Changes,
    clock: u64,
}

impl Fold {
    /// A fold that goes on under a rulebook and links, or begins with neither.
    pub fn new(rulebook: Option<Rulebook>, rulebook_dossier: Dossier, links: Links) -> Self {
        Self { rulebook, rulebook_dossier, links, held: HashMap::new(), changes: Changes::new(), clock: 0 }
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
            for member in std::iter::once(member).chain(other) {
                if !fresh.contains(&member) && !self.held.contains_key(&self.links.keeper(member)) {
                    wanting.extend(self.links.group(member));
                }
            }
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
            let rows = self.rulebook.as_ref().map_or_else(Vec::new, |rulebook| rows_of(&dossier, rulebook));
            self.held.insert(keeper, Held { dossier, rows, used: self.clock });
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
        let held = self.held.entry(self.links.keeper(member)).or_default();
        held.used = self.clock;
        held.rows.resize_with(views::ALL.len(), Vec::new);
        check_chain(&held.dossier, &recorded)?;
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
        let Some(rulebook) = &self.rulebook else { return };
        let new: Vec<(MemberId, Held)> = parts
            .into_iter()
            .map(|(keeper, dossier)| (keeper, Held { rows: rows_of(&dossier, rulebook), dossier, used: self.clock }))
            .collect();
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
        self.clock += 1;
        std::mem::replace(&mut self.changes, Changes::new())
    }

    /// Forgets the dossiers longest not used where all of them hold more than `most` events; they are read from the store
    /// when wanted again.
    pub fn shrink(&mut self, most: usize) {
        // Counted now and then, because counting walks through all of them.
        if !self.clock.is_multiple_of(TURNS_BETWEEN_COUNTS) {
            return;
        }
        let used = self.held.values().map(|held| (held.used, held.dossier.recorded().len()));
        if let Some(turn) = keep_from(used, most) {
            self.held.retain(|_, held| held.used >= turn);
        }
    }

    /// The dossier held for a member, where one is.
    pub fn dossier(&self, member: MemberId) -> Option<&Dossier> {
        self.held.get(&self.links.keeper(member)).map(|held| &held.dossier)
    }
}

fn rows_of(dossier: &Dossier, rulebook: &Rulebook) -> Vec<Vec<Row>> {
    let facts = Facts::of(dossier, rulebook);
    let rows = views::ALL.iter().map(|view| if view.names_its_rows() { Vec::new() } else { view.rows(&facts) });
    rows.collect()
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
