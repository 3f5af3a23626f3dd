//! A determination decided again: on what was known just before it, at its time, under the rulebook it names.

use rollbook_events::families::notice::NoticeDetermined;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::determination;
use crate::dossier::{Dossier, Recorded};
use crate::rulebook::Rulebook;
use crate::rules::facts::Facts;
use crate::rules::notices::due;

/// What deciding again came to, compared byte by byte with what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// The same.
    Equal,
    /// Something else.
    Different {
        /// `data` as it is stored.
        stored: Value,
        /// `data` as it would be now; none where nothing would be determined.
        again: Option<Value>,
        /// The fields that are not the same.
        differences: Vec<String>,
    },
}

/// The stored event, of which `data` is taken as it stands.
#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Decides again on the events that stood before a determination. None where the event is no determination, or its stored
/// bytes cannot be read.
pub fn decided_again(events: &[Recorded], determined: &Recorded, rulebook: &Rulebook) -> Option<Again> {
    let told = determination(&determined.envelope)?;
    let stored: Stored<'_> = serde_json::from_str(&determined.body).ok()?;
    let mut dossier = Dossier::default();
    let before = events.iter().filter(|recorded| recorded.position < determined.position);
    before.cloned().for_each(|recorded| dossier.apply(recorded));
    let facts = Facts::of(&dossier, rulebook);
    let due = due(&facts, determined.envelope.recorded_at);
    let made: Vec<NoticeDetermined> = due.iter().filter_map(|due| due.event(rulebook, told.known_at).ok()).collect();
    let same = |one: &&NoticeDetermined| one.trigger == told.trigger && one.program == told.program;
    let stored = stored.data.get();
    if made.iter().any(|one| serde_json::to_string(one).is_ok_and(|bytes| bytes == stored)) {
        return Some(Again::Equal);
    }
    // One trigger may bring several determinations about: that of the same kind of notice is meant, else any.
    let of_kind = made.iter().filter(same).find(|one| one.notice == told.notice);
    let again = of_kind.or_else(|| made.iter().find(same)).and_then(|again| serde_json::to_value(again).ok());
    let stored: Value = serde_json::from_str(stored).ok()?;
    Some(Again::Different { differences: differences(&stored, again.as_ref()), stored, again })
}

/// The fields of either that are not the same in both.
fn differences(stored: &Value, again: Option<&Value>) -> Vec<String> {
    let again = again.unwrap_or(&Value::Null);
    let names = [stored, again].into_iter().filter_map(Value::as_object).flat_map(|fields| fields.keys());
    let mut names: Vec<String> = names.filter(|name| stored.get(name) != again.get(name)).cloned().collect();
    names.sort();
    names.dedup();
    names
}
