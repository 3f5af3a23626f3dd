//! A dossier at hand, what it weighs, and where its newest events stand.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rollbook_events::{EventId, Hash, Position};
use rollbook_projections::{Dossier, Recorded};

/// What an event takes at hand beside what its body's fields take: the envelope, its places in the dossier's indices.
const EVENT_WEIGHT: usize = 1_100;
/// What a dossier takes of which nothing is filed yet.
const EMPTY_WEIGHT: usize = 400;

/// Stands for the place of an event that is decided and not yet appended.
pub(super) const NOT_YET: Position = Position(u64::MAX);

/// What an event takes at hand, in bytes, whose stored body is so long.
fn weight(body: usize) -> usize {
    EVENT_WEIGHT + body
}

/// A dossier, and where the events stand that were appended since it was read.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) dossier: Dossier,
    placed: HashMap<EventId, Position>,
    /// The turn it was last used in.
    pub(super) used: u64,
    /// What the dossier takes in memory.
    weight: usize,
}

/// How far a dossier had come.
#[derive(Clone, Copy)]
pub(super) struct Before {
    events: usize,
    weight: usize,
}

impl Kept {
    /// Of a subject of which nothing is read yet.
    pub(super) fn unread(used: u64) -> Self {
        Self { used, ..Self::default() }
    }

    /// Files an event whose stored body is so long.
    pub(super) fn file(&mut self, recorded: Recorded, body: usize) {
        self.weight += weight(body);
        self.dossier.apply(recorded);
    }

    /// What it takes in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        EMPTY_WEIGHT + self.weight
    }

    /// How far it has come, for [`Kept::restore`].
    pub(super) fn before(&self) -> Before {
        Before { events: self.dossier.recorded().len(), weight: self.weight }
    }

    /// Undoes what was filed since.
    pub(super) fn restore(&mut self, before: Before) {
        (self.dossier, self.weight) = (self.as_of(before), before.weight);
    }

    /// The dossier as it was. Built anew, because that is wanted seldom, and a copy would have to be made always.
    pub(super) fn as_of(&self, before: Before) -> Dossier {
        let mut dossier = Dossier::default();
        for recorded in self.dossier.recorded().iter().take(before.events) {
            dossier.apply(recorded.clone());
        }
        dossier
    }

    /// What was filed since.
    pub(super) fn since(&self, before: Before) -> &[Recorded] {
        self.dossier.recorded().get(before.events..).unwrap_or_default()
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

    /// Whether its last event has no place yet: then it must not be let go.
    pub(super) fn is_held(&self) -> bool {
        self.dossier.last().is_some_and(|last| self.position(last) == NOT_YET)
    }

    /// The hash that the next event must name.
    pub(super) fn last_hash(&self) -> Option<Hash> {
        self.dossier.last().map(|last| last.hash)
    }

    /// When the last event was recorded; the beginning of 1970 where there is none.
    pub(super) fn last_recorded_at(&self) -> DateTime<Utc> {
        self.dossier.last().map(|last| last.envelope.recorded_at).unwrap_or_default()
    }

    /// An event has found its place.
    pub(super) fn place(&mut self, id: EventId, position: Position) {
        self.placed.insert(id, position);
    }
}
