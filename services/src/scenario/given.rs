//! Facts of a file as submissions, and when the ledger learns each.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::America::Los_Angeles;
use rollbook_events::Occurred;
use serde_json::{Map, Value};

use super::file::{Case, Given};
use super::ids::Ids;

/// Noon of a civil day in California.
pub fn noon(day: NaiveDate) -> DateTime<Utc> {
    // California's clocks change at night, so noon is always there, and once.
    let noon = day.and_time(NaiveTime::MIN) + Duration::hours(12);
    Los_Angeles.from_local_datetime(&noon).earliest().map_or_else(|| noon.and_utc(), |noon| noon.to_utc())
}

/// When each fact is recorded: as it says, else the later of just after the one before and when it happened. No fact is
/// recorded before the one before it.
pub fn recorded(case: &Case) -> Vec<DateTime<Utc>> {
    let mut last: Option<DateTime<Utc>> = None;
    let mut recorded = Vec::with_capacity(case.given.len());
    for given in &case.given {
        let after = last.map(|last| last + Duration::microseconds(1));
        let own = given.occurred().map(|occurred| match occurred {
            Occurred::At(instant) => instant.utc(),
            Occurred::Day(day) => noon(day),
        });
        let at = match given.recorded {
            Some(recorded) => last.map_or(recorded, |last| last.max(recorded)),
            None => own.max(after).unwrap_or(DateTime::UNIX_EPOCH),
        };
        last = Some(at);
        recorded.push(at);
    }
    recorded
}

/// A fact as a submission; what the file leaves out is left out here, to be refused.
pub fn submission(case: &Case, index: usize, given: &Given, ids: &Ids) -> Value {
    let mut submission = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            submission.insert(key.to_owned(), value);
        }
    };
    put("id", id(index, given, ids));
    put("kind", given.kind.clone().map(Value::String));
    put("member", (!given.is_rulebook()).then(|| ids.member(&given.member).to_string().into()));
    put("plan", given.plan.clone().or_else(|| case.plan.clone()).map(Value::String));
    put("county", given.county.clone().or_else(|| case.county.clone()).map(Value::String));
    put("occurred_at", given.at.clone());
    put("source", given.envelope.get("source").cloned());
    put("replaces", given.envelope.get("replaces").map(|value| ids.event_value(value)));
    put("sensitivity", given.envelope.get("sensitivity").cloned());
    let kind = given.kind.as_deref().unwrap_or_default();
    let data: Map<String, Value> =
        given.data.iter().map(|(field, value)| (field.clone(), ids.field(kind, field, value))).collect();
    put("data", Some(Value::Object(data)));
    Value::Object(submission)
}

/// What can be no short id is handed on, to be refused.
fn id(index: usize, given: &Given, ids: &Ids) -> Option<Value> {
    let own = ids.of_given(index).map(|id| Value::String(id.to_string()));
    match given.envelope.get("id") {
        None => own,
        Some(Value::String(short)) if !short.is_empty() && !short.contains(char::is_whitespace) => own,
        Some(other) => Some(other.clone()),
    }
}
