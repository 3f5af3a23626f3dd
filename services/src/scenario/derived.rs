//! What follows from the facts and is itself an event: determinations of notices, as the recorder appends them.

use anyhow::Context;
use chrono::{DateTime, Utc};
use rollbook_events::{Envelope, EventId, Hash, Position};
use rollbook_projections::rules::facts::Facts;
use rollbook_projections::rules::notices::due;
use rollbook_projections::{Dossier, Rulebook};

use crate::recorder::determination;

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
    let due = due(&facts, now);
    let events = due.iter().enumerate().map(|(index, due)| {
        let id = id(known_at, index, now);
        determination(due, rulebook, known_at, now, id).context("a determination cannot be written")
    });
    events.collect()
}

/// After the fact it follows from, as an id that the ledger makes itself would be.
fn id(known_at: Position, index: usize, now: DateTime<Utc>) -> EventId {
    let digest = Hash::of(format!("{known_at}|{index}").as_bytes()).bytes();
    let mut rest = [0xff; 10];
    rest[2..].copy_from_slice(&digest[..8]);
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    EventId(uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
}
