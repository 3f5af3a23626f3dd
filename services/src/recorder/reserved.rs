//! Ids that name events nobody can look up yet: those of what is decided and of what is in flight, and those that the views
//! or the log were asked for.

use std::collections::HashMap;

use rollbook_events::{EventId, Subject};

/// Whose event each id names.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    waiting: HashMap<EventId, Subject>,
    in_flight: HashMap<EventId, Subject>,
    /// Whether the last flight left something waiting whose ids are among those in flight.
    left_some: bool,
}

impl Reserved {
    /// Notes whose event an id names.
    pub(super) fn note(&mut self, id: EventId, subject: Subject) {
        self.waiting.insert(id, subject);
    }

    /// What was noted takes off, all of it or only a part; what was in flight before has landed.
    pub(super) fn take_off(&mut self, all: bool) {
        if !self.left_some {
            self.in_flight.clear();
        }
        self.in_flight.extend(self.waiting.drain());
        self.left_some = !all;
    }

    /// Nothing is decided that is not stored: what was noted, the log knows.
    pub(super) fn landed(&mut self) {
        *self = Self::default();
    }

    /// Whether an id was noted, and has not landed since, to name another subject's event.
    pub(super) fn is_anothers(&self, id: EventId, subject: Subject) -> bool {
        self.waiting.get(&id).or_else(|| self.in_flight.get(&id)).is_some_and(|of| *of != subject)
    }
}

#[cfg(test)]
mod tests {
    use rollbook_events::MemberId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_id_stays_reserved_until_what_it_names_has_landed() {
        let [one, other] = [1, 2].map(|n| Subject::Member(MemberId(Uuid::from_u128(n))));
        let [a, b] = [7, 8].map(|n| EventId(Uuid::from_u128(n)));
        let mut reserved = Reserved::default();
        reserved.note(a, one);
        assert!(reserved.is_anothers(a, other) && !reserved.is_anothers(a, one));
        reserved.take_off(true);
        reserved.note(b, one);
        assert!(reserved.is_anothers(a, other) && reserved.is_anothers(b, other));
        reserved.take_off(true);
        assert!(!reserved.is_anothers(a, other) && reserved.is_anothers(b, other));
        reserved.landed();
        assert!(!reserved.is_anothers(b, other));
    }

    #[test]
    fn what_takes_off_in_part_stays_reserved_whole() {
        let [one, other] = [1, 2].map(|n| Subject::Member(MemberId(Uuid::from_u128(n))));
        let id = EventId(Uuid::from_u128(7));
        let mut reserved = Reserved::default();
        reserved.note(id, one);
        reserved.take_off(false);
        reserved.take_off(true);
        assert!(reserved.is_anothers(id, other), "it may have been in the part that waited");
        reserved.take_off(true);
        assert!(!reserved.is_anothers(id, other));
    }
}
