//! The determinations that follow from new events, recorded in the same batch: a decision about a notice is an event.

use chrono::{DateTime, Utc};
use rollbook_events::time::Instant;
use rollbook_events::{Actor, Envelope, Occurred, Position, Subject};
use rollbook_projections::rules::facts::Facts;
use rollbook_projections::rules::notices::{Due, concerns, due};
use rollbook_projections::{Dossier, Rulebook};

use super::Histories;
use super::draft::{Drafted, file};
use crate::clock;

/// What a member's dossier is looked through for.
#[derive(Clone, Copy)]
pub(super) enum Since<'d> {
    /// For what follows from these events.
    Told(&'d [Drafted]),
    /// For what time alone has brought about.
    Time,
}

impl Since<'_> {
    /// The instant up to which clocks have run; none where nothing can have changed. Facts of the past, as a file brings
    /// them one by one, let no clock run out that the next of them stops: what they leave open, the sweep finds.
    fn until(self, dossier: &Dossier, subject: Subject, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let Self::Told(drafted) = self else { return Some(now) };
        let new = drafted.iter().filter(|drafted| drafted.subject == subject);
        let new: Vec<&Envelope> = new.filter_map(|drafted| Some(&*dossier.find(drafted.id)?.envelope)).collect();
        let last = new.iter().map(|envelope| envelope.occurred_at.earliest().utc()).max()?;
        concerns(dossier, new.iter().map(|envelope| &envelope.event)).then_some(last.min(now))
    }
}

/// Files the determinations that are due for a member, and gives them to be appended after what they follow from.
///
/// They are decided on the dossier of this pseudonym alone: who it is linked with, the views know.
pub(super) fn determine(
    histories: &mut Histories,
    subject: Subject,
    since: Since<'_>,
    now: DateTime<Utc>,
) -> Vec<Drafted> {
    let Some(rulebook) = histories.rulebook() else { return Vec::new() };
    let kept = histories.of(subject);
    let until = since.until(&kept.dossier, subject, now).filter(|_| subject != Subject::Rulebook);
    let Some(until) = until else { return Vec::new() };
    let known_at = kept.last_position();
    let facts = Facts::of(&kept.dossier, &rulebook);
    let envelopes: Vec<Envelope> =
        due(&facts, until).iter().filter_map(|due| envelope(due, &rulebook, known_at, now)).collect();
    let mut drafted = Vec::new();
    for mut envelope in envelopes {
        envelope.previous = kept.last_hash();
        match file(&mut kept.dossier, envelope) {
            Ok(determination) => drafted.push(determination),
            // The member's next fact determines it again.
            Err(rejection) => tracing::error!(code = ?rejection.code, "a determination cannot be written"),
        }
    }
    for determination in &drafted {
        histories.reserve(determination.id, subject);
    }
    drafted
}

fn envelope(due: &Due<'_>, rulebook: &Rulebook, known_at: Position, now: DateTime<Utc>) -> Option<Envelope> {
    let trigger = due.determined.trigger;
    let told = match due.event(rulebook, known_at) {
        Ok(told) => told,
        Err(error) => {
            tracing::error!(error = %error, "the rulebook's id cannot stand in a determination");
            return None;
        }
    };
    Some(Envelope {
        id: clock::new_event_id(),
        occurred_at: Occurred::At(Instant::new(now.fixed_offset())),
        recorded_at: now,
        actor: ledger(),
        source: None,
        causation: Some(trigger.id),
        replaces: None,
        previous: None,
        event: told.into(),
        unknown: std::collections::BTreeMap::new(),
        ..trigger.clone()
    })
}

/// The ledger itself.
pub(super) fn ledger() -> Actor {
    Actor { org: "rollbook".to_owned(), id: "recorder".to_owned(), role: "ledger".to_owned() }
}

/// The subjects of some events, each once, in the order they come first.
pub(super) fn subjects(drafted: &[Drafted]) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = Vec::new();
    for drafted in drafted {
        if !subjects.contains(&drafted.subject) {
            subjects.push(drafted.subject);
        }
    }
    subjects
}
