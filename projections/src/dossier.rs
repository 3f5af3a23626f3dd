//! Everything the ledger holds about one person, in recorded order. It keeps facts; the views draw the conclusions.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollbook_events::families::correction::Correction;
use rollbook_events::{Envelope, Event, EventId, Hash, Position};

/// An event with its place in the log.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Where it stands.
    pub position: Position,
    /// SHA-256 of its stored bytes: what the member's next event must name.
    pub hash: Hash,
    /// The event.
    pub envelope: Arc<Envelope>,
    /// Its stored bytes.
    pub body: Arc<str>,
}

/// The fold of one member's events, or of several pseudonyms that are linked.
#[derive(Debug, Clone, Default)]
pub struct Dossier {
    recorded: Vec<Recorded>,
    by_id: HashMap<EventId, usize>,
    /// Indices of `recorded` in the order the events happened, kept sorted because every view reads them so.
    happened: Vec<(DateTime<Utc>, EventId, usize)>,
    /// Voided event to the events that voided it, in recorded order.
    voided: HashMap<EventId, Vec<EventId>>,
    /// Voided event to the first voiding of it that stands. Kept as events come, so that no chain of voidings of voidings,
    /// however long a client makes it, is walked when asked.
    void_now: HashMap<EventId, EventId>,
}

impl Dossier {
    /// Files one more event. Events come in order of position; one already filed is not filed twice.
    pub fn apply(&mut self, recorded: Recorded) {
        let id = recorded.envelope.id;
        if self.by_id.contains_key(&id) {
            return;
        }
        let voided = voids(&recorded);
        let happened = (recorded.envelope.occurred_at.earliest().utc(), id, self.recorded.len());
        let place = self.happened.partition_point(|other| *other < happened);
        self.happened.insert(place, happened);
        self.by_id.insert(id, self.recorded.len());
        self.recorded.push(recorded);
        if let Some(voided) = voided {
            self.voided.entry(voided).or_default().push(id);
            self.void(voided);
        }
    }

    /// Looks anew whether an event is void, then what it voided itself, and so on while that changes.
    fn void(&mut self, mut id: EventId) {
        // No true chain is longer; a broken import may have made a ring.
        for _ in 0..=self.voided.len() {
            let by = self.voided.get(&id).and_then(|by| by.iter().find(|by| !self.void_now.contains_key(by)).copied());
            let was = match by {
                Some(by) => self.void_now.insert(id, by),
                None => self.void_now.remove(&id),
            };
            if was.is_some() == by.is_some() {
                return;
            }
            let Some(next) = self.find(id).and_then(voids) else { return };
            id = next;
        }
    }

    /// Lets go of the stored bytes of every event, which take more memory than all else. Only the history's rows want
    /// them, and those are written by then.
    pub(crate) fn forget_bodies(&mut self, no_body: &Arc<str>) {
        for recorded in self.recorded.iter_mut().rev().take_while(|recorded| !recorded.body.is_empty()) {
            recorded.body = no_body.clone();
        }
    }

    /// One dossier of several pseudonyms' events, as they stand while the link does.
    pub fn merged<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all: Vec<&Recorded> = parts.into_iter().flat_map(|part| &part.recorded).collect();
        all.sort_by_key(|recorded| recorded.position);
        let mut merged = Self::default();
        for recorded in all {
            merged.apply(recorded.clone());
        }
        merged
    }

    /// All events in recorded order, voided ones included.
    pub fn recorded(&self) -> &[Recorded] {
        &self.recorded
    }

    /// The last event.
    pub fn last(&self) -> Option<&Recorded> {
        self.recorded.last()
    }

    /// The event of this id.
    pub fn find(&self, id: EventId) -> Option<&Recorded> {
        self.by_id.get(&id).and_then(|index| self.recorded.get(*index))
    }

    /// The event that voided this one: the first voiding that stands, so that voiding the voided changes nothing, and a
    /// voiding that is itself voided leaves room for a later one.
    pub fn voided_by(&self, id: EventId) -> Option<&Recorded> {
        self.void_now.get(&id).and_then(|by| self.find(*by))
    }

    /// The events that stand, in the order they happened: what is told late is told in its place.
    ///
    /// Ties are broken by id, never by arrival, so that the same facts give the same rows whatever order they came in.
    pub fn standing(&self) -> Vec<&Envelope> {
        let in_order = self.happened.iter().filter_map(|(_, _, index)| self.recorded.get(*index));
        in_order.filter(|r| !self.void_now.contains_key(&r.envelope.id)).map(|r| &*r.envelope).collect()
    }
}

/// The event that an event voids.
pub(crate) fn voids(recorded: &Recorded) -> Option<EventId> {
    let Event::Correction(Correction::EventVoided(void)) = &recorded.envelope.event else { return None };
    Some(void.event)
}
