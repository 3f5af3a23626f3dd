//! I5: no hole, and every chain holds.

use std::collections::BTreeMap;

use rollbook_events::Hash;

use crate::chaos::evidence::Evidence;

/// Positions run from 1 to the head; every event names the hash of its subject's last one; id and subject agree.
pub fn check(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut chains: BTreeMap<&str, Hash> = BTreeMap::new();
    let mut next = 1;
    for stored in &evidence.events {
        if stored.position != next {
            wrong.push(format!("after position {} comes {}", next - 1, stored.position));
        }
        next = stored.position + 1;
        let position = stored.position;
        let before = chains.insert(&stored.subject, Hash::of(&stored.body));
        let Some(envelope) = &stored.envelope else {
            wrong.push(format!("the event at {position} cannot be read"));
            continue;
        };
        if envelope.previous != before {
            wrong.push(format!("the event at {position} does not name the hash of the one before it"));
        }
        if stored.subject != format!("enrollment.{}", envelope.subject) || stored.id != envelope.id.to_string() {
            wrong.push(format!("the message at {position} has another subject or id than its event"));
        }
    }
    if next != evidence.head + 1 {
        wrong.push(format!("the log ends at {} and the server says {}", next - 1, evidence.head));
    }
    wrong
}
