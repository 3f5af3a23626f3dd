//! What follows from the facts and is itself an event: determinations of notices, as the recorder appends them.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, Utc};
use rollbook_events::{Actor, Envelope, EventId, Hash, Instant, Occurred, Position, Sensitivity};
use rollbook_projections::rules::facts::Facts;
use rollbook_projections::rules::notices::due;
use rollbook_projections::{Dossier, Rulebook};

/// The events that are due now, known up to a position; each still without its place in its subject's chain.
///
/// # Errors
/// Where the rulebook's id or a rule's is no key.
pub fn derive(
    dossier: &Dossier,
    rulebook: &Rulebook,
    known_at: Position,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<Envelope>> {
    let facts = Facts::of(dossier, rulebook);
    let mut events = Vec::new();
    for (index, due) in due(&facts, now).iter().enumerate() {
        let determined = due.event(rulebook, known_at).context("a determination cannot be written")?;
        let trigger = due.determined.trigger;
        events.push(Envelope {
            id: id(known_at, index, now),
            subject: trigger.subject,
            plan: trigger.plan.clone(),
            county: trigger.county,
            occurred_at: Occurred::At(Instant::new(now.fixed_offset())),
            recorded_at: now,
            actor: Actor { org: "rollbook".to_owned(), id: "ledger".to_owned(), role: "operator".to_owned() },
            source: None,
            causation: Some(trigger.id),
            correlation: None,
            replaces: None,
            sensitivity: Sensitivity::None,
            previous: None,
            event: determined.into(),
            unknown: BTreeMap::new(),
        });
    }
    Ok(events)
}

/// After the fact it follows from, as an id that the ledger makes itself would be.
fn id(known_at: Position, index: usize, now: DateTime<Utc>) -> EventId {
    let digest = Hash::of(format!("{known_at}|{index}").as_bytes()).bytes();
    let mut rest = [0xff; 10];
    rest[2..].copy_from_slice(&digest[..8]);
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    EventId(uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
}
