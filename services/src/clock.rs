//! The one place that reads the clock and makes ids; everything below takes them as arguments.

use chrono::{DateTime, SubsecRound, Utc};
use rollbook_events::EventId;
use uuid::Uuid;

/// Now, to the microsecond, which is what an event keeps.
#[expect(clippy::disallowed_methods, reason = "the edge where time enters the program")]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// A new event id, ordered by time.
#[expect(clippy::disallowed_methods, reason = "the edge where new ids enter the program")]
pub fn new_event_id() -> EventId {
    EventId(Uuid::now_v7())
}
