//! I4: real time is kept, and the ledger's clock never runs back.

use std::collections::BTreeMap;

use super::{by_id, submits};
use crate::chaos::evidence::Evidence;
use crate::chaos::history::Outcome;
use crate::chaos::plan::Shape;

/// What was acknowledged before something was first asked for stands before it.
pub fn check(evidence: &Evidence) -> Vec<String> {
    let mut wrong = in_real_time(evidence);
    wrong.extend(clock(evidence));
    wrong
}

fn in_real_time(evidence: &Evidence) -> Vec<String> {
    let stored = by_id(evidence);
    // When each id was first asked for, and when it was first acknowledged.
    let (mut first_asked, mut first_known): (BTreeMap<String, u64>, BTreeMap<String, u64>) = Default::default();
    for record in &evidence.history {
        let Some((sent, receipts)) = submits(record) else { continue };
        for text in sent {
            let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            let Some(id) = value["id"].as_str() else { continue };
            let at = first_asked.entry(id.to_owned()).or_insert(record.begun);
            *at = (*at).min(record.begun);
        }
        if record.outcome == Outcome::Ok {
            for receipt in receipts {
                let at = first_known.entry(receipt.id.clone()).or_insert(record.ended);
                *at = (*at).min(record.ended);
            }
        }
    }
    let place = |id: &String| stored.get(id).and_then(|events| events.first()).map(|event| event.position);
    let mut asked: Vec<(u64, u64)> = first_asked.iter().filter_map(|(id, at)| Some((*at, place(id)?))).collect();
    let mut known: Vec<(u64, u64)> = first_known.iter().filter_map(|(id, at)| Some((*at, place(id)?))).collect();
    asked.sort_unstable();
    known.sort_unstable();
    let (mut known, mut highest, mut wrong) = (known.into_iter().peekable(), 0, Vec::new());
    for (at, position) in asked {
        while let Some((_, earlier)) = known.next_if(|(acknowledged, _)| *acknowledged < at) {
            highest = highest.max(earlier);
        }
        if position < highest {
            wrong.push(format!("position {position} was asked for after position {highest} was acknowledged"));
        }
    }
    wrong
}

/// Within a member always; within the ledger where one recorder writes, because two have two clocks.
fn clock(evidence: &Evidence) -> Vec<String> {
    let mut last = BTreeMap::new();
    let mut wrong = Vec::new();
    for stored in &evidence.events {
        let Some(envelope) = &stored.envelope else { continue };
        let of = if evidence.plan.shape == Shape::Up { String::new() } else { stored.subject.clone() };
        if let Some(before) = last.insert(of, envelope.recorded_at)
            && envelope.recorded_at < before
        {
            let back = (before - envelope.recorded_at).num_milliseconds();
            wrong.push(format!("recorded_at falls by {back} ms at {}", stored.position));
        }
    }
    wrong
}
