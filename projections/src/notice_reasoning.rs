//! Why a Notice of Action is, or is not, required: a determination on record in plain sentences, and decided again.
//!
//! The sentences say what the facts and the determination hold, in one order: what was decided and when, about whom, what
//! raised the question, each limb with its rule, what it rests on, under which rulebook, what took its place, and what
//! became of the notice. Nothing of anybody's identity is in them, and of a sensitive event no more than its kind.

mod again;
mod happened;
mod limbs;
mod mailed;

use chrono::NaiveDate;
use rollbook_events::codes::{NoticeKind, NoticeOutcome};
use rollbook_events::families::notice::{Notice, NoticeDetermined};
use rollbook_events::{Envelope, Event, EventId, Hash, Position, pacific_day};

pub use again::{Again, decided_again};
pub use limbs::Limb;

use self::happened::{happened, is_open, words};
use crate::catalogue;
use crate::dossier::Dossier;
use crate::rules::facts::Facts;
use crate::rules::notices::records::Record;

/// The whole reasoning of a determination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasoning {
    /// In plain sentences, in order.
    pub sentences: Vec<String>,
    /// Why.
    pub limbs: Vec<Limb>,
    /// The events it rests on, that which raised the question first.
    pub evidence: Vec<Evidence>,
    /// The determination it took the place of.
    pub supersedes: Option<EventId>,
    /// The determination that took its place.
    pub superseded_by: Option<EventId>,
}

/// An event that a determination rests on. Day and position of a sensitive one are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Its id.
    pub event: EventId,
    /// Its kind; none where this dossier does not hold it.
    pub kind: Option<&'static str>,
    /// The day it happened.
    pub occurred_on: Option<NaiveDate>,
    /// Where it stands in the log.
    pub position: Option<Position>,
}

/// The adoption of the rulebook that a determination names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adopted {
    /// SHA-256 of its text.
    pub hash: Hash,
    /// Where the adoption stands in the log.
    pub position: Position,
    /// The day it was recorded.
    pub on: NaiveDate,
}

/// What is said of events that a determination rests on and this dossier does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// Their ids: the dossier holds everything that is known.
    Named,
    /// Nothing, nor how many they are: the dossier holds what its reader may see.
    NotTold,
}

/// The payload of a determination.
pub fn determination(event: &Envelope) -> Option<&NoticeDetermined> {
    let Event::Notice(Notice::NoticeDetermined(told)) = &event.event else { return None };
    Some(told)
}

/// The reasoning of a determination on record; none where the facts hold no such determination, or one that was voided.
pub fn reasoning(facts: &Facts<'_>, id: EventId, adopted: Option<&Adopted>, beyond: Beyond) -> Option<Reasoning> {
    let records = facts.records();
    let record = records.iter().find(|record| record.event.is_some_and(|(event, _)| event.id == id))?;
    let (event, told) = record.event?;
    let dossier = facts.dossier;
    let limbs = limbs::limbs(told);
    let is_told = |id: EventId| beyond == Beyond::Named || dossier.find(id).is_some();
    let evidence: Vec<Evidence> = evidence(told).filter(|id| is_told(*id)).map(|id| evidence_of(dossier, id)).collect();
    let mut sentences = vec![decision(dossier, event, told), whom(event, told)];
    sentences.extend(is_told(told.trigger).then(|| raised(dossier, told)));
    sentences.extend(limbs.iter().map(Limb::sentence));
    sentences.push(by_rule(told));
    sentences.extend(limbs::conclusion(told));
    sentences.extend((!evidence.is_empty()).then(|| rests_on(dossier, &evidence)));
    sentences.push(rulebook(told, adopted));
    let supersedes = told.supersedes.filter(|id| is_told(*id));
    sentences.extend(places(dossier, record, supersedes));
    sentences.extend(mailed::mailed(record));
    Some(Reasoning { sentences, limbs, evidence, supersedes, superseded_by: record.superseded_by.map(|by| by.id) })
}

/// A kind of notice in words.
fn kind_in_words(notice: Option<NoticeKind>) -> String {
    notice.map_or_else(|| "Notice of Action".to_owned(), |kind| format!("Notice of Action ({})", words(kind.as_str())))
}

/// What a determination says, as a clause.
fn says(told: &NoticeDetermined) -> String {
    let notice = kind_in_words(told.notice);
    match told.outcome {
        NoticeOutcome::Required => format!("a {notice} is required"),
        NoticeOutcome::NotRequired => "no Notice of Action is required".to_owned(),
        NoticeOutcome::Review => format!("the plan's own staff must say whether a {notice} is required"),
    }
}

fn decision(dossier: &Dossier, event: &Envelope, told: &NoticeDetermined) -> String {
    let day = pacific_day(&event.recorded_at);
    let place = dossier.find(event.id).map(|recorded| format!(", at position {} of the log,", recorded.position.0));
    format!("On {day}{} the ledger determined that {}.", place.unwrap_or_default(), says(told))
}

fn whom(event: &Envelope, told: &NoticeDetermined) -> String {
    let (subject, program, plan, county) = (event.subject, told.program, &event.plan, event.county);
    format!("It is about the member {subject} and {program}, in the records of {plan} for {county}.")
}

fn raised(dossier: &Dossier, told: &NoticeDetermined) -> String {
    match dossier.find(told.trigger) {
        Some(trigger) => format!("The question was raised by this: {}.", happened(&trigger.envelope)),
        None => format!("The question was raised by the event {}, which is not among this member's.", told.trigger),
    }
}

fn by_rule(told: &NoticeDetermined) -> String {
    let id = told.rule.as_str();
    let Some(rule) = catalogue::find(id) else { return format!("It was decided by the rule {id}.") };
    format!("It was decided by {id}: {} ({})", rule.says, rule.cite.join("; "))
}

/// The events a determination rests on, that which raised the question first.
fn evidence(told: &NoticeDetermined) -> impl Iterator<Item = EventId> {
    std::iter::once(told.trigger).chain(told.because.iter().copied().filter(|id| *id != told.trigger))
}

fn evidence_of(dossier: &Dossier, event: EventId) -> Evidence {
    let recorded = dossier.find(event);
    let open = recorded.filter(|recorded| is_open(&recorded.envelope));
    Evidence {
        event,
        kind: recorded.map(|recorded| recorded.envelope.event.name()),
        occurred_on: open.map(|recorded| recorded.envelope.occurred_at.day()),
        position: open.map(|recorded| recorded.position),
    }
}

fn rests_on(dossier: &Dossier, evidence: &[Evidence]) -> String {
    let told = evidence.iter().map(|one| {
        let Some(kind) = one.kind else { return format!("an event not among this member's ({})", one.event) };
        let day = one.occurred_on.map(|day| format!(" of {day}")).unwrap_or_default();
        let voided = if dossier.voided_by(one.event).is_some() { ", since voided" } else { "" };
        format!("{kind}{day} ({}{voided})", one.event)
    });
    format!("It rests on {}.", told.collect::<Vec<_>>().join(", "))
}

fn rulebook(told: &NoticeDetermined, adopted: Option<&Adopted>) -> String {
    let (id, hash, knew) = (&told.rulebook.id, told.rulebook.hash, told.known_at.0);
    let adopted = match adopted.filter(|adopted| adopted.hash == hash) {
        Some(adopted) => format!("adopted on {} at position {}", adopted.on, adopted.position.0),
        None => "whose adoption is not on record".to_owned(),
    };
    format!(
        "It was decided under the rulebook {id} ({hash}), {adopted}, by what the log held up to position {knew} and what was recorded together with it."
    )
}

/// What it took the place of, and what took its own.
fn places(dossier: &Dossier, record: &Record<'_>, supersedes: Option<EventId>) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(id) = supersedes {
        let before = dossier.find(id).map(|recorded| &*recorded.envelope);
        let said = before
            .and_then(|before| Some(format!(" of {}, by which {}", day_of(before), says(determination(before)?))));
        sentences.push(format!("It took the place of the determination {id}{}.", said.unwrap_or_default()));
    }
    if let Some(by) = record.superseded_by {
        let said = determination(by).map(|later| format!(": {} ({})", says(later), limbs::listed(later)));
        sentences.push(format!(
            "On {} the determination {} took its place{}.",
            day_of(by),
            by.id,
            said.unwrap_or_default()
        ));
    }
    if record.voided {
        sentences.push("The event that raised the question has been voided, so that it no longer stands.".to_owned());
    }
    if record.stands() {
        sentences.push("It stands: nothing has taken its place.".to_owned());
    }
    sentences
}

fn day_of(event: &Envelope) -> NaiveDate {
    pacific_day(&event.recorded_at)
}
