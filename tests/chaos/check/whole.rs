//! I6: all of a request, side by side, or nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{by_id, submits};
use crate::chaos::evidence::Evidence;

/// Every request of several submissions.
pub fn check(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let stored = by_id(evidence);
    // An id that other requests name too may have been recorded by one of them.
    let mut named: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let ids = |sent: &[String]| -> Vec<Option<String>> {
        let value = |text: &String| serde_json::from_str::<serde_json::Value>(text).ok();
        sent.iter().map(|text| value(text)?["id"].as_str().map(str::to_owned)).collect()
    };
    for record in &evidence.history {
        let Some((sent, _)) = submits(record) else { continue };
        let key = sent_key(sent);
        for id in ids(sent).into_iter().flatten() {
            named.entry(id).or_default().insert(key);
        }
    }
    let mut seen = BTreeSet::new();
    for record in &evidence.history {
        let Some((sent, _)) = submits(record).filter(|(sent, _)| sent.len() > 1) else { continue };
        if !seen.insert(sent_key(sent)) {
            continue;
        }
        let own: Vec<String> =
            ids(sent).into_iter().flatten().filter(|id| named.get(id).is_some_and(|by| by.len() == 1)).collect();
        let mut places: Vec<u64> =
            own.iter().filter_map(|id| stored.get(id)?.first().map(|event| event.position)).collect();
        if !places.is_empty() && places.len() != own.len() {
            let (stand, all) = (places.len(), own.len());
            wrong.push(format!("operation {}: {stand} of {all} events are stored", record.operation));
        }
        places.sort_unstable();
        let apart = own.len() == sent.len() && places.windows(2).any(|pair| pair[1] != pair[0] + 1);
        if apart {
            wrong.push(format!("operation {}: its events stand apart, at {places:?}", record.operation));
        }
    }
    wrong
}

/// Requests with the same body are the same request.
fn sent_key(sent: &[String]) -> u64 {
    let bytes = rollbook_events::Hash::of(sent.join("\n").as_bytes()).bytes();
    u64::from_be_bytes(bytes[..8].try_into().unwrap())
}
