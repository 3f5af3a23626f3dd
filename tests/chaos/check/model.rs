//! I7 once more: a fold of our own, small enough to be read at a glance, against what the API answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::chaos::evidence::Evidence;

/// Events that stand, of one kind: those that no void names, by id.
fn standing<'e>(evidence: &'e Evidence, kind: &str) -> BTreeMap<String, &'e rollbook_events::Envelope> {
    let envelopes = || evidence.events.iter().filter_map(|stored| stored.envelope.as_ref());
    let data = |envelope: &rollbook_events::Envelope| serde_json::to_value(&envelope.event).unwrap_or_default();
    let voids = envelopes().filter(|envelope| envelope.event.name() == "event_voided");
    let voids: Vec<(String, String)> = voids
        .map(|envelope| (envelope.id.to_string(), data(envelope)["event"].as_str().unwrap_or_default().to_owned()))
        .collect();
    // A void may itself be void; the last word counts, from the end to the beginning.
    let mut void: BTreeSet<&str> = BTreeSet::new();
    for (id, of) in voids.iter().rev() {
        if !void.contains(id.as_str()) {
            void.insert(of);
        }
    }
    let of_kind = envelopes().filter(|envelope| envelope.event.name() == kind);
    of_kind.map(|envelope| (envelope.id.to_string(), envelope)).filter(|(id, _)| !void.contains(id.as_str())).collect()
}

fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_default())
}

/// The history lists each event; attempts that stand are listed; who was enrolled has a span and nobody else.
pub fn check(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let history = evidence.views.get("event_history").map(String::as_str).unwrap_or_default();
    let newest = lines(history).filter(|row| row["known_until"].is_null());
    let listed: BTreeMap<u64, String> =
        newest.filter_map(|row| Some((row["position"].as_u64()?, row["id"].as_str()?.to_owned()))).collect();
    let stored: BTreeMap<u64, String> = evidence
        .events
        .iter()
        .filter_map(|stored| Some((stored.position, stored.envelope.as_ref()?.id.to_string())))
        .collect();
    if listed != stored {
        wrong.push(format!("event_history lists {} events and the log holds {}", listed.len(), stored.len()));
    }
    let attempts: BTreeSet<String> =
        lines(&evidence.attempts).filter_map(|row| row["id"].as_str().map(str::to_owned)).collect();
    let expected: BTreeSet<String> = standing(evidence, "outreach_attempted").into_keys().collect();
    if attempts != expected {
        let (lacks, has) = (expected.difference(&attempts).count(), attempts.difference(&expected).count());
        wrong.push(format!("of {} attempts that stand {lacks} are missing and {has} are too many", expected.len()));
    }
    let enrolled: BTreeSet<String> =
        lines(&evidence.enrollments).filter_map(|row| row["enrolled_event"].as_str().map(str::to_owned)).collect();
    let enrollments = standing(evidence, "enrolled");
    if let Some(id) = enrolled.iter().find(|id| !enrollments.contains_key(*id)) {
        wrong.push(format!("a span rests on event {id}, which is void or not there"));
    }
    let of = |envelope: &rollbook_events::Envelope| envelope.subject.to_string();
    let members: BTreeSet<String> = enrollments.values().map(|envelope| of(envelope)).collect();
    // An end before the beginning leaves no span; who has no end at all must have one.
    let ended: BTreeSet<String> = standing(evidence, "disenrolled").values().map(|envelope| of(envelope)).collect();
    let shown: BTreeSet<String> =
        lines(&evidence.enrollments).filter_map(|row| row["member"].as_str().map(str::to_owned)).collect();
    let lacks = members.difference(&ended).filter(|member| !shown.contains(*member)).count();
    let has = shown.difference(&members).count();
    if lacks + has > 0 {
        wrong.push(format!("{lacks} members were enrolled and have no span, {has} have one and were not enrolled"));
    }
    wrong
}
