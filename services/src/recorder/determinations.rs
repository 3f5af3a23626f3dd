//! The determinations that follow from new events, recorded in the same batch: a decision about a notice is an event.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollbook_events::codes::BadText;
use rollbook_events::families::notice::Notice;
use rollbook_events::families::who::Who;
use rollbook_events::time::Instant;
use rollbook_events::{Actor, Envelope, Event, EventId, MemberId, Occurred, Position, Subject};
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
    /// The new events that a person's dossier holds, but for what was determined meanwhile.
    fn new_in(self, dossier: &'d Dossier, person: &BTreeSet<MemberId>) -> Vec<&'d Envelope> {
        let Self::Told(drafted) = self else { return Vec::new() };
        let of_person = |drafted: &&Drafted| drafted.subject.member().is_some_and(|member| person.contains(&member));
        let new = drafted.iter().filter(of_person).filter_map(|drafted| Some(&*dossier.find(drafted.id)?.envelope));
        new.filter(|envelope| !matches!(envelope.event, Event::Notice(Notice::NoticeDetermined(_)))).collect()
    }

    /// The instant up to which clocks have run; none where nothing can have changed. Facts of the past, as a file brings
    /// them one by one, let no clock run out that the next of them stops: what they leave open, the sweep finds.
    fn until(self, dossier: &'d Dossier, person: &BTreeSet<MemberId>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if matches!(self, Self::Time) {
            return Some(now);
        }
        let new = self.new_in(dossier, person);
        let last = last(&new)?;
        concerns(dossier, new.iter().map(|envelope| &envelope.event)).then_some(last.min(now))
    }

    /// As [`Since::until`], where a member's new events may have changed who is one person with whom; what is voided may be a
    /// link.
    fn relinked(self, dossier: &'d Dossier, member: MemberId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let new = self.new_in(dossier, &BTreeSet::from([member]));
        let relinks = new.iter().any(|envelope| {
            matches!(envelope.event, Event::Who(Who::MemberLinked(_) | Who::MemberUnlinked(_)) | Event::Correction(_))
        });
        last(&new).filter(|_| relinks).map(|last| last.min(now))
    }
}

fn last(new: &[&Envelope]) -> Option<DateTime<Utc>> {
    new.iter().map(|envelope| envelope.occurred_at.earliest().utc()).max()
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
    let relinked = since.relinked(&histories.of(subject).dossier, member, now);
    let mut drafted = Vec::new();
    for person in histories.persons(member, relinked.is_some()) {
        let envelopes = {
            let dossier = histories.joined(&person);
            let Some(until) = since.until(&dossier, &person, now).max(relinked) else { continue };
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
    match file(kept, envelope) {
        Ok(determination) => {
            histories.reserved.note(determination.id, determination.subject);
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
    match determination(due, rulebook, known_at, now, clock::new_event_id()) {
        Ok(envelope) => Some(envelope),
        Err(error) => {
            tracing::error!(error = %error, "the rulebook's id cannot stand in a determination");
            None
        }
    }
}

/// The event of a determination, still without its place in its subject's chain.
///
/// # Errors
/// Where the rulebook's id or a rule's is no key.
pub(crate) fn determination(
    due: &Due<'_>,
    rulebook: &Rulebook,
    known_at: Position,
    now: DateTime<Utc>,
    id: EventId,
) -> Result<Envelope, BadText> {
    let trigger = due.determined.trigger;
    let told = due.event(rulebook, known_at)?;
    Ok(Envelope {
        id,
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
