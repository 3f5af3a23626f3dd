//! The determinations that follow from new events, recorded in the same batch: a decision about a notice is an event.

use chrono::{DateTime, Utc};
use rollbook_events::families::who::Who;
use rollbook_events::time::Instant;
use rollbook_events::{Actor, Envelope, Event, Occurred, Position, Subject};
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

impl<'d> Since<'d> {
    /// The new events of a subject, which its dossier already holds.
    fn new_of(self, dossier: &'d Dossier, subject: Subject) -> impl Iterator<Item = &'d Envelope> {
        let drafted = match self {
            Self::Told(drafted) => drafted,
            Self::Time => &[],
        };
        let new = drafted.iter().filter(move |drafted| drafted.subject == subject);
        new.filter_map(|drafted| dossier.find(drafted.id)).map(|recorded| &*recorded.envelope)
    }

    /// The instant up to which clocks have run. Facts of the past, as a file brings them one by one, let no clock run out
    /// that the next of them stops: what they leave open, the sweep finds.
    fn until(self, dossier: &'d Dossier, subject: Subject, now: DateTime<Utc>) -> DateTime<Utc> {
        let last = self.new_of(dossier, subject).map(|envelope| envelope.occurred_at.earliest().utc()).max();
        last.map_or(now, |last| last.min(now))
    }

    fn concerns(self, dossier: &'d Dossier, subject: Subject) -> bool {
        let new = self.new_of(dossier, subject).map(|envelope| &envelope.event);
        matches!(self, Self::Time) || concerns(dossier, new)
    }

    /// Whether the new events of a subject may have changed who is one person with it; what is voided may be a link.
    fn relinks(self, dossier: &'d Dossier, subject: Subject) -> bool {
        self.new_of(dossier, subject).any(|envelope| {
            matches!(envelope.event, Event::Who(Who::MemberLinked(_) | Who::MemberUnlinked(_)) | Event::Correction(_))
        })
    }
}

/// Files the determinations that are due for the person a member is, and gives them to be appended after what they follow
/// from. Each stands in the dossier of the pseudonym that its trigger stands in.
///
/// A link, or the end of one, concerns everybody on both its sides: they are decided for as the persons they now are.
pub(super) fn determine(
    histories: &mut Histories,
    subject: Subject,
    since: Since<'_>,
    now: DateTime<Utc>,
) -> Vec<Drafted> {
    let (Some(rulebook), Some(member)) = (histories.rulebook(), subject.member()) else { return Vec::new() };
    let dossier = &histories.of(subject).dossier;
    let (relinks, until) = (since.relinks(dossier, subject), since.until(dossier, subject, now));
    let mut drafted = Vec::new();
    for person in histories.persons(member, relinks) {
        let envelopes = {
            let dossier = histories.joined(&person);
            if !relinks && !since.concerns(&dossier, subject) {
                continue;
            }
            let known_at = histories.last_position_of(&person);
            let facts = Facts::of(&dossier, &rulebook);
            due(&facts, until).iter().filter_map(|due| envelope(due, &rulebook, known_at, now)).collect::<Vec<_>>()
        };
        drafted.extend(envelopes.into_iter().filter_map(|envelope| filed(histories, envelope)));
    }
    drafted
}

/// Files a determination in the dossier of its trigger.
fn filed(histories: &mut Histories, mut envelope: Envelope) -> Option<Drafted> {
    let kept = histories.of(envelope.subject);
    envelope.previous = kept.last_hash();
    match file(&mut kept.dossier, envelope) {
        Ok(determination) => {
            histories.reserve(determination.id, determination.subject);
            Some(determination)
        }
        Err(rejection) => {
            // The person's next fact determines it again.
            tracing::error!(code = ?rejection.code, "a determination cannot be written");
            None
        }
    }
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
