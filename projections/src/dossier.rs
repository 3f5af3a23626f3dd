//! Everything the ledger holds about one person, in recorded order. It keeps facts; the views draw the conclusions.

use std::collections::HashMap;
use std::sync::Arc;

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
    /// Voided event to the event that voided it.
    voided: HashMap<EventId, EventId>,
}

impl Dossier {
    /// Files one more event. Events come in order of position; one already filed is not filed twice.
    pub fn apply(&mut self, recorded: Recorded) {
        let id = recorded.envelope.id;
        if self.by_id.contains_key(&id) {
            return;
        }
        if let Event::Correction(Correction::EventVoided(void)) = &recorded.envelope.event {
            // The first voiding stands; voiding the voided changes nothing.
            self.voided.entry(void.event).or_insert(id);
        }
        self.by_id.insert(id, self.recorded.len());
        self.recorded.push(recorded);
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

    /// The event that voided this one. A voiding that is itself voided no longer voids.
    pub fn voided_by(&self, id: EventId) -> Option<&Recorded> {
        let by = self.voided.get(&id)?;
        if self.voided.contains_key(by) { None } else { self.find(*by) }
    }

    /// The events that stand, in the order they happened: what is told late is told in its place.
    ///
    /// Ties are broken by id, never by arrival, so that the same facts give the same rows whatever order they came in.
    pub fn standing(&self) -> Vec<&Envelope> {
        let mut standing: Vec<&Envelope> =
            self.recorded.iter().map(|r| &*r.envelope).filter(|e| self.voided_by(e.id).is_none()).collect();
        standing.sort_by_key(|e| (e.occurred_at.earliest().utc(), e.id));
        standing
    }
}
