//! What becomes of requests, and of outreach nobody asked for (NOA-1 second ground, NOA-4, NOA-5, CLK-5).

use chrono::{DateTime, NaiveDate, Utc};
use rollbook_events::codes::{AuthorizationOutcome, NoticeKind, NoticeOutcome, RequestedBy};
use rollbook_events::families::authorization::AuthorizationDecided;
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::families::outreach::Outreach;
use rollbook_events::families::referral::Referral;
use rollbook_events::{Envelope, Event, Program};

use super::requests::Request;
use super::{Answer, Case, Determined, Obligation, evidence};
use crate::rulebook::Cause;

/// What ends a wait for enrollment, ranked: a word of the member's own has the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closing {
    NotMet,
    GivenUp,
    Declined,
}

/// What an event ends, and for which program.
fn closing(event: &Event) -> Option<(Closing, Program)> {
    match event {
        Event::Enrollment(Enrollment::OptedOut(e)) => Some((Closing::Declined, e.program)),
        Event::Outreach(Outreach::OutreachClosed(e)) => Some((Closing::GivenUp, e.program)),
        // Populations of Focus are those of ECM.
        Event::Referral(Referral::PopulationAssessed(e)) if !e.met => Some((Closing::NotMet, Program::Ecm)),
        Event::Referral(Referral::ServiceAssessed(e)) => {
            let met = e.definition_met && e.medically_appropriate && e.cost_effective;
            (!met).then_some((Closing::NotMet, e.program))
        }
        Event::Who(_)
        | Event::Coverage(_)
        | Event::OtherPrograms(_)
        | Event::Referral(_)
        | Event::Authorization(_)
        | Event::Outreach(_)
        | Event::Enrollment(_)
        | Event::Notice(_)
        | Event::Rules(_)
        | Event::Correction(_) => None,
    }
}

/// Whose waits an event ends: those of the requests that wait on its day, else of the episode it falls in.
pub(super) fn closed_by<'a>(case: &Case<'_, 'a>, event: &'a Envelope) -> Vec<Obligation<'a>> {
    let Some((closing, program)) = closing(&event.event) else { return Vec::new() };
    let day = event.occurred_at.day();
    let waits =
        |request: &&Request<'a>| request.program == program && *request.plan == event.plan && request.waits_on(day);
    let waiting: Vec<&Request<'a>> = case.requests.iter().filter(waits).collect();
    // Who asked gets an answer of their own.
    if closing == Closing::NotMet && waiting.iter().any(|request| request.is_explicit()) {
        return Vec::new();
    }
    if !waiting.is_empty() {
        return waiting.into_iter().map(Request::obligation).collect();
    }
    let begun = |(of, plan, began): &&(Program, &rollbook_events::PlanCode, NaiveDate)| {
        *of == program && **plan == event.plan && *began <= day
    };
    let episode = case.episodes.iter().filter(begun).count();
    vec![Obligation::Unrequested { plan: &event.plan, program, episode }]
}

/// The events that end a wait, but for those that belong to an enrollment: its end is another matter.
fn closings<'a>(case: &Case<'_, 'a>) -> impl Iterator<Item = (Closing, Program, &'a Envelope)> {
    case.facts.standing.iter().filter_map(|envelope| {
        let (closing, program) = closing(&envelope.event)?;
        let day = envelope.occurred_at.day();
        let rules = case.rules(envelope, day);
        let enrolled = case.facts.spans.iter().any(|of| {
            let same = of.report.plan == envelope.plan && of.enrolled.program == program;
            same && of.span.from <= day && of.span.until.is_none_or(|until| day <= until)
        });
        (rules.programs.contains(&program) && !enrolled).then_some((closing, program, *envelope))
    })
}

/// The determinations of every request that was answered, given up, or left without an answer too long.
pub(super) fn requests<'a>(case: &Case<'_, 'a>, now: DateTime<Utc>) -> Vec<Determined<'a>> {
    case.requests.iter().flat_map(|request| answered(case, request, now)).collect()
}

fn answered<'a>(case: &Case<'_, 'a>, request: &Request<'a>, now: DateTime<Utc>) -> Vec<Determined<'a>> {
    let Some((by, decision)) = request.decided else {
        return undecided(case, request, now).into_iter().collect();
    };
    let on = decision.decided_at.day();
    let speaks = case.rules(by, on).programs.contains(&request.program);
    let mut answers = Vec::new();
    if speaks {
        let answer = determined(request, on_decision(request, decision), by, on);
        answers.push(Determined { obligation: request.deferral().unwrap_or(answer.obligation), ..answer });
    }
    // CLK-6: who defers has so many days more, and no longer; that the deferral was to be told of stays true.
    if request.deferral().is_some() {
        answers.extend(still_undecided(case, request, now));
    }
    answers
}

fn determined<'a>(request: &Request<'a>, answer: Answer<'a>, trigger: &'a Envelope, on: NaiveDate) -> Determined<'a> {
    let because = evidence(request.told().chain([trigger]));
    Determined { obligation: request.obligation(), program: request.program, answer, trigger, because, on }
}

fn on_decision<'a>(request: &Request<'a>, decision: &AuthorizationDecided) -> Answer<'a> {
    let notice = match decision.outcome {
        AuthorizationOutcome::Approved => return Answer::not_required("granted"),
        AuthorizationOutcome::Modified => NoticeKind::Modification,
        AuthorizationOutcome::Denied => NoticeKind::Denial,
        AuthorizationOutcome::Deferred => NoticeKind::Deferral,
    };
    match request.requested_by() {
        Some(RequestedBy::Member | RequestedBy::Provider) => Answer::required(notice, "request_not_granted"),
        Some(RequestedBy::Nobody) => Answer::not_required("not_requested"),
        None => {
            let required = Answer::required(notice, "request_unknown");
            Answer { outcome: NoticeOutcome::Review, rule: "NOA-7", ..required }
        }
    }
}

fn undecided<'a>(case: &Case<'_, 'a>, request: &Request<'a>, now: DateTime<Utc>) -> Option<Determined<'a>> {
    let obligation = request.obligation();
    let ends = closings(case).filter(|(_, _, by)| closed_by(case, by).contains(&obligation));
    if let Some((closing, _, by)) = ends.max_by_key(|(closing, ..)| *closing) {
        let on = by.occurred_at.day();
        return Some(determined(request, on_closing(case, request, closing, by), by, on));
    }
    still_undecided(case, request, now)
}

fn still_undecided<'a>(case: &Case<'_, 'a>, request: &Request<'a>, now: DateTime<Utc>) -> Option<Determined<'a>> {
    // An enrollment grants what it was asked for.
    let expired = expired(case, request).filter(|(at, _)| *at <= now && request.enrolled.is_none());
    expired.map(|(_, determined)| determined)
}

fn on_closing<'a>(case: &Case<'_, 'a>, request: &Request<'a>, closing: Closing, by: &Envelope) -> Answer<'a> {
    // NOA-5: a member who declines takes back what was asked.
    if closing == Closing::Declined {
        return Answer { rule: "NOA-5", ..Answer::not_required("declined") };
    }
    if !request.is_explicit() {
        return Answer::not_required("not_requested");
    }
    let required = Answer::required(NoticeKind::Denial, "request_not_granted");
    let review = &case.rules(by, by.occurred_at.day()).review;
    let outcome = review.get(&Cause::UnansweredRequest).copied().unwrap_or(required.outcome);
    let notice = required.notice.filter(|_| outcome != NoticeOutcome::NotRequired);
    Answer { outcome, notice, ..required }
}

/// What an undecided request comes to once its clock has run out, and the first instant at which it has (CLK-5).
pub(super) fn expired<'a>(case: &Case<'_, 'a>, request: &Request<'a>) -> Option<(DateTime<Utc>, Determined<'a>)> {
    let (by, asked) = request.asked.filter(|_| request.is_explicit())?;
    if !case.rules(by, asked.received_at.day()).programs.contains(&request.program) {
        return None;
    }
    let clocks = case.authorizations.iter().find(|of| of.is_meant(by, asked.authorization))?;
    let due = clocks.binding()?.due;
    let answer = Answer { rule: super::EXPIRY_RULE, ..Answer::required(NoticeKind::Denial, "request_not_granted") };
    Some((due.passes_at(), determined(request, answer, by, due.day())))
}

/// The determinations of every episode that nobody asked for and that ended without enrollment.
pub(super) fn unrequested<'a>(case: &Case<'_, 'a>) -> Vec<Determined<'a>> {
    let mut ends: Vec<(Obligation<'a>, Closing, Program, &'a Envelope)> = Vec::new();
    for (closing, program, by) in closings(case) {
        for obligation in closed_by(case, by) {
            if !matches!(obligation, Obligation::Unrequested { .. }) {
                continue;
            }
            match ends.iter_mut().find(|(other, ..)| *other == obligation) {
                Some((_, before, _, last)) if *before <= closing => (*before, *last) = (closing, by),
                Some(_) => {}
                None => ends.push((obligation, closing, program, by)),
            }
        }
    }
    let answered = ends.into_iter().map(|(obligation, closing, program, trigger)| {
        let answer = match closing {
            Closing::Declined => Answer { rule: "NOA-5", ..Answer::not_required("declined") },
            Closing::GivenUp | Closing::NotMet => Answer::not_required("not_requested"),
        };
        let (because, on) = (vec![trigger.id], trigger.occurred_at.day());
        Determined { obligation, program, answer, trigger, because, on }
    });
    answered.collect()
}
