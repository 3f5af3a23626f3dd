//! The pure decision: what the ledger holds of a member, and what is submitted, give the event to record, or a refusal.
//!
//! Only what *cannot* be so is refused. What must not be so and yet happened is recorded, and the views show it.

use chrono::{DateTime, Utc};
use rollbook_events::families::correction::Correction;
use rollbook_events::families::notice::Notice;
use rollbook_events::families::rules::Rules;
use rollbook_events::families::who::Who;
use rollbook_events::{
    Actor, Envelope, Event, EventId, Hash, Rejection, RejectionCode, Subject, Submission, pacific_day,
};
use rollbook_projections::{Dossier, Recorded, Rulebook};

use crate::caller::Role;

/// What becomes of a submission that is not refused.
#[derive(Debug)]
pub enum Decision {
    /// A new event.
    Record(Box<Envelope>),
    /// The ledger already holds just this.
    Known(Recorded),
}

/// Who submits, when, and under which id where the caller gave none.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// Who says so.
    pub actor: Actor,
    /// The recorder's clock.
    pub now: DateTime<Utc>,
    /// The id of an event that came without one.
    pub fresh_id: EventId,
    /// The stored hash of the subject's last event.
    pub previous: Option<Hash>,
}

/// Decides on one submission.
///
/// # Errors
/// The refusal, with its field.
pub fn decide(
    dossier: &Dossier,
    submission: Submission,
    subject: Subject,
    with: Circumstances,
) -> Result<Decision, Rejection> {
    let mut envelope = Envelope {
        id: submission.id.unwrap_or(with.fresh_id),
        subject,
        plan: submission.plan,
        county: submission.county,
        occurred_at: submission.occurred_at,
        recorded_at: with.now,
        actor: with.actor,
        source: submission.source,
        causation: None,
        correlation: submission.correlation,
        replaces: submission.replaces,
        sensitivity: submission.sensitivity,
        previous: with.previous,
        event: submission.event,
        unknown: std::collections::BTreeMap::new(),
    };
    if let Some(known) = dossier.find(envelope.id) {
        // An age that is left out is derived where it can be: left out again, it says the same, whatever was derived then.
        if let (Event::Referral(now), Event::Referral(then)) = (&mut envelope.event, &known.envelope.event)
            && let Some(age @ None) = now.age_years_mut()
        {
            *age = then.age_years();
        }
        return if envelope.says_the_same(&known.envelope) {
            Ok(Decision::Known(known.clone()))
        } else {
            Err(Rejection::new(RejectionCode::IdReused, "id", "already names another event; give a new event a new id"))
        };
    }
    if happens_after(&envelope, with.now) {
        return Err(Rejection::new(RejectionCode::FutureDate, "occurred_at", "lies in the future"));
    }
    if let Some(id) = envelope.replaces
        && corrected(dossier, &envelope, id).is_none()
    {
        return Err(unknown_event("replaces"));
    }
    if let Some(known) = refers_rightly(dossier, &envelope)? {
        return Ok(Decision::Known(known));
    }
    Ok(Decision::Record(Box::new(envelope)))
}

fn happens_after(envelope: &Envelope, now: DateTime<Utc>) -> bool {
    match envelope.occurred_at {
        rollbook_events::Occurred::At(instant) => instant.utc() > now,
        rollbook_events::Occurred::Day(day) => day > pacific_day(&now),
    }
}

/// The event that another one corrects. An organization's recorder corrects what stands in its own record; of an event in
/// another's it is told what it is told of none.
fn corrected<'a>(dossier: &'a Dossier, by: &Envelope, id: EventId) -> Option<&'a Recorded> {
    let of_one = by.actor.role == Role::Recorder.as_str();
    dossier.find(id).filter(|recorded| !of_one || recorded.envelope.plan.as_str() == by.actor.org)
}

fn unknown_event(field: &str) -> Rejection {
    Rejection::new(RejectionCode::UnknownEvent, field, "is not an event of this member")
}

/// Checks what an event refers to; gives the event that already says so, where there is one.
fn refers_rightly(dossier: &Dossier, envelope: &Envelope) -> Result<Option<Recorded>, Rejection> {
    match &envelope.event {
        Event::Correction(Correction::EventVoided(void)) => {
            if corrected(dossier, envelope, void.event).is_none() {
                return Err(unknown_event("data.event"));
            }
            // Voiding what is void already records nothing.
            Ok(dossier.voided_by(void.event).cloned())
        }
        Event::Who(Who::MemberLinked(link)) => not_itself(envelope.subject, link.other).map(|()| None),
        Event::Who(Who::MemberUnlinked(unlink)) => not_itself(envelope.subject, unlink.other).map(|()| None),
        Event::Notice(Notice::NoticeDetermined(_)) => {
            Err(Rejection::new(RejectionCode::NotSubmittable, "kind", "is written by the ledger itself"))
        }
        Event::Rules(Rules::RulebookAdopted(adopted)) => {
            if adopted.hash != Hash::of(adopted.text.as_str().as_bytes()) {
                return Err(Rejection::new(
                    RejectionCode::BadIdentifier,
                    "data.hash",
                    "is not the SHA-256 of data.text",
                ));
            }
            match Rulebook::parse(adopted.text.as_str()) {
                Ok(rulebook) => permitted(&rulebook).map(|()| None),
                Err(error) => Err(Rejection::new(RejectionCode::Malformed, "data.text", error.to_string())),
            }
        }
        Event::Who(_)
        | Event::Coverage(_)
        | Event::OtherPrograms(_)
        | Event::Referral(_)
        | Event::Authorization(_)
        | Event::Outreach(_)
        | Event::Enrollment(_)
        | Event::Notice(_) => Ok(None),
    }
}

/// What a plan's file may not say is not adopted either, whichever way it comes (ELIG-7, ELIG-14, ELIG-16).
fn permitted(rulebook: &Rulebook) -> Result<(), Rejection> {
    for overlay in rulebook.overlays() {
        if let Some(refusal) = rulebook.refusals(overlay).first() {
            let detail = format!("{}, line {}: {}", overlay.file, refusal.at.line, refusal.at.problem);
            return Err(Rejection::new(RejectionCode::Malformed, "data.text", detail));
        }
    }
    Ok(())
}

fn not_itself(subject: Subject, other: rollbook_events::MemberId) -> Result<(), Rejection> {
    if subject == Subject::Member(other) {
        return Err(Rejection::new(RejectionCode::BadIdentifier, "data.other", "is the member itself"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rollbook_projections::Recorded;
    use serde_json::json;

    use super::*;

    const MEMBER: &str = "0b0b0b0b-0b0b-8b0b-8b0b-0b0b0b0b0b0b";

    fn submission(age: Option<u8>) -> Submission {
        let mut value = json!({
            "id": "018f3c1e-7a10-7c3d-9b4e-0000000000a1", "kind": "member_identified", "member": MEMBER, "plan": "la-care",
            "county": "los-angeles", "occurred_at": "2024-02-01", "data": { "program": "ecm", "pathway": "assigned_list" }
        });
        if let Some(age) = age {
            value["data"]["age_years"] = age.into();
        }
        Submission::from_value(value).unwrap()
    }

    fn decided(dossier: &Dossier, age: Option<u8>) -> Result<Decision, Rejection> {
        let with = Circumstances {
            actor: Actor { org: "la-care".into(), id: "intake".into(), role: "recorder".into() },
            now: DateTime::from_timestamp(1_750_000_000, 0).unwrap(),
            fresh_id: EventId(uuid::Uuid::from_u128(1)),
            previous: None,
        };
        decide(dossier, submission(age), MEMBER.parse().unwrap(), with)
    }

    fn holding(age: Option<u8>) -> Dossier {
        let Ok(Decision::Record(envelope)) = decided(&Dossier::default(), age) else { panic!("it is new") };
        let mut dossier = Dossier::default();
        let (position, hash) = (rollbook_events::Position(1), Hash::of(b""));
        dossier.apply(Recorded { position, hash, envelope: std::sync::Arc::from(envelope), body: "".into() });
        dossier
    }

    #[test]
    fn an_age_that_is_left_out_again_says_the_same_whatever_was_derived_before() {
        for (was, again) in [(Some(40), None), (Some(40), Some(40)), (None, None)] {
            assert!(matches!(decided(&holding(was), again), Ok(Decision::Known(_))), "{was:?} {again:?}");
        }
        for (was, again) in [(Some(40), Some(39)), (None, Some(40))] {
            let refused = decided(&holding(was), again).map(|_| ()).unwrap_err();
            assert_eq!(refused.code, RejectionCode::IdReused, "{was:?} {again:?}");
        }
    }
}
