//! I2: nothing is stored that nobody asked for.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_events::Envelope;

use super::{attempts, may_have_recorded, read, says};
use crate::chaos::evidence::Evidence;

/// Every stored event was asked for by an attempt that may have had an effect, or is the ledger's own.
pub fn check(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    // By id, and by correlation for those that were sent without one.
    let mut asked: BTreeMap<String, Vec<(bool, &str)>> = BTreeMap::new();
    for (record, text) in attempts(evidence) {
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let key = value["id"].as_str().or_else(|| value["correlation"].as_str()).unwrap_or_default();
        asked.entry(key.to_owned()).or_default().push((may_have_recorded(record), text));
    }
    let rows: Vec<&(String, bool)> = evidence.file.iter().flat_map(|file| &file.rows).collect();
    let mut nameless = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for stored in &evidence.events {
        let position = stored.position;
        let Some(envelope) = &stored.envelope else {
            wrong.push(format!("the event at {position} cannot be read"));
            continue;
        };
        ids.insert(envelope.id);
        if envelope.actor.org == "rollbook" && envelope.actor.id != "admin" {
            wrong.extend(own(envelope, &ids, position));
            continue;
        }
        if envelope.source.as_ref().is_some_and(|source| source.file_sha256.is_some()) {
            let said = rows.iter().any(|(row, sound)| *sound && read(row).is_some_and(|row| says(&row, envelope)));
            if !said {
                wrong.push(format!("the event at {position} names a file that does not say it"));
            }
            continue;
        }
        let correlation = envelope.correlation.map(|id| id.to_string()).unwrap_or_default();
        let by_id = asked.get(&envelope.id.to_string());
        let of = by_id.or_else(|| asked.get(&correlation));
        let Some(of) = of else {
            wrong.push(format!("nobody asked for the event at {position}"));
            continue;
        };
        let says_it = |text: &str| read(text).is_some_and(|submission| says(&submission, envelope));
        if !of.iter().any(|(may, text)| *may && says_it(text)) {
            wrong.push(format!("the event at {position} was refused, or never said, in all {} attempts", of.len()));
        }
        if by_id.is_none() && !nameless.insert(correlation) {
            wrong.push(format!("the event at {position} was asked for once and is stored twice"));
        }
    }
    wrong
}

/// What the ledger itself writes: the rulebook at its beginning, and determinations that follow from a stored event.
fn own(envelope: &Envelope, before: &BTreeSet<rollbook_events::EventId>, position: u64) -> Option<String> {
    match (envelope.event.name(), envelope.causation) {
        ("rulebook_adopted", _) if position == 1 => None,
        ("notice_determined", Some(cause)) if before.contains(&cause) => None,
        (name, _) => Some(format!("the ledger's own {name} at {position} rests on nothing that is stored")),
    }
}
