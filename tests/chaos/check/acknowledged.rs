//! I1: what was acknowledged is there, once, as it was said. I3: asked again, the answer is the same.

use std::collections::BTreeMap;

use super::{by_id, read, says, submits};
use crate::chaos::evidence::Evidence;
use crate::chaos::history::Outcome;

/// I1.
pub fn check(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let stored = by_id(evidence);
    for (id, events) in &stored {
        if events.len() > 1 {
            let places: Vec<u64> = events.iter().map(|event| event.position).collect();
            wrong.push(format!("event {id} stands at {places:?}"));
        }
    }
    for record in evidence.history.iter().filter(|record| record.outcome == Outcome::Ok) {
        let Some((sent, receipts)) = submits(record) else { continue };
        if sent.len() != receipts.len() {
            wrong.push(format!(
                "operation {}: {} submissions, {} receipts",
                record.operation,
                sent.len(),
                receipts.len()
            ));
            continue;
        }
        for (text, receipt) in sent.iter().zip(receipts) {
            let Some(event) = stored.get(&receipt.id).and_then(|events| events.first()) else {
                wrong.push(format!("event {} was acknowledged at {} and is lost", receipt.id, receipt.position));
                continue;
            };
            if event.position != receipt.position {
                let (id, said, is) = (&receipt.id, receipt.position, event.position);
                wrong.push(format!("event {id} was acknowledged at {said} and stands at {is}"));
            }
            let Some(envelope) = &event.envelope else { continue };
            let member = envelope.subject.member().map(|member| member.to_string());
            if member != receipt.member {
                wrong.push(format!("event {} stands with another member than the receipt names", receipt.id));
            }
            // A void of what is void already is answered with the void that stands.
            let same_void = read(text).is_some_and(|submission| {
                submission.event == envelope.event && envelope.event.name() == "event_voided" && receipt.known
                    || voids_the_same(&submission.event, &envelope.event)
            });
            if !same_void && !read(text).is_some_and(|submission| says(&submission, envelope)) {
                wrong.push(format!("event {} was acknowledged and says something else", receipt.id));
            }
        }
    }
    wrong
}

fn voids_the_same(a: &rollbook_events::Event, b: &rollbook_events::Event) -> bool {
    let voided = |event: &rollbook_events::Event| {
        serde_json::to_value(event).ok().filter(|_| event.name() == "event_voided").map(|data| data["event"].clone())
    };
    voided(a).is_some() && voided(a) == voided(b)
}

/// I3: every answer to the same id names the same member and position; a resend of what stands is never refused.
pub fn same_answer(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut answers: BTreeMap<&str, (u64, &Option<String>)> = BTreeMap::new();
    for record in &evidence.history {
        let Some((_, receipts)) = submits(record) else { continue };
        for receipt in receipts {
            let first = answers.entry(&receipt.id).or_insert((receipt.position, &receipt.member));
            if *first != (receipt.position, &receipt.member) {
                wrong.push(format!(
                    "event {} was answered with positions {} and {}",
                    receipt.id, first.0, receipt.position
                ));
            }
        }
    }
    let stored = by_id(evidence);
    for record in evidence.history.iter().filter(|record| record.status == Some(409)) {
        let Some((sent, _)) = submits(record) else { continue };
        let all_stand = sent.iter().all(|text| {
            let submission = read(text);
            let id = submission.as_ref().and_then(|submission| submission.id).map(|id| id.to_string());
            let event = id.and_then(|id| stored.get(&id)).and_then(|events| events.first());
            let envelope = event.and_then(|event| event.envelope.as_ref());
            matches!((submission, envelope), (Some(submission), Some(envelope)) if says(&submission, envelope))
        });
        if all_stand {
            wrong.push(format!(
                "operation {} was refused as another event's id, and says what stands",
                record.operation
            ));
        }
    }
    wrong
}
