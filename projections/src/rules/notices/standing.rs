//! The determinations on record, and which of them no longer say what the rules say.

use std::cmp::Reverse;

use rollbook_events::codes::NoticeKind;
use rollbook_events::families::authorization::Authorization;
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::families::notice::{Notice, NoticeDetermined};
use rollbook_events::{Envelope, Event, EventId};

use super::ended::span_ended;
use super::unanswered::closed_by;
use super::withdrawn::withdrawn;
use super::{Case, Determined, Due, Obligation, RequestId};
use crate::dossier::Dossier;

/// A determination on record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'a> {
    pub(super) event: &'a Envelope,
    pub(super) told: &'a NoticeDetermined,
    /// The event it is about; none where this dossier does not hold it.
    pub(super) trigger: Option<&'a Envelope>,
    /// What it is about, as the facts have it now.
    pub(super) obligation: Option<Obligation<'a>>,
    /// The determination that took its place.
    pub(super) superseded_by: Option<&'a Envelope>,
}

/// Every determination on record, in the order they happened.
pub(super) fn recorded<'a>(case: &Case<'_, 'a>) -> Vec<Standing<'a>> {
    let all: Vec<_> = case.facts.standing.iter().filter_map(|event| Some((*event, determination(event)?))).collect();
    let of = |(event, told): &(&'a Envelope, &'a NoticeDetermined)| {
        let trigger = case.facts.dossier.find(told.trigger).map(|recorded| &*recorded.envelope);
        let superseded_by = all.iter().find(|(_, later)| later.supersedes == Some(event.id)).map(|(by, _)| *by);
        let obligation = trigger.and_then(|trigger| obligation(case, told, trigger));
        Standing { event, told, trigger, obligation, superseded_by }
    };
    all.iter().map(of).collect()
}

fn determination(event: &Envelope) -> Option<&NoticeDetermined> {
    let Event::Notice(Notice::NoticeDetermined(told)) = &event.event else { return None };
    Some(told)
}

fn obligation<'a>(case: &Case<'_, 'a>, told: &NoticeDetermined, trigger: &'a Envelope) -> Option<Obligation<'a>> {
    let (program, request) = match &trigger.event {
        Event::Enrollment(Enrollment::Disenrolled(end)) => {
            let availability = is_about_availability(case.facts.dossier, told);
            return Some(Obligation::Ended {
                enrollment: end.enrollment,
                span: span_ended(case.facts, trigger, end),
                availability,
                plan: &trigger.plan,
            });
        }
        Event::Authorization(Authorization::AuthorizationRequested(e)) => (e.program, e.authorization),
        Event::Authorization(Authorization::AuthorizationDecided(e)) => (e.program, e.authorization),
        Event::Enrollment(_)
        | Event::Referral(_)
        | Event::Outreach(_)
        | Event::Who(_)
        | Event::Coverage(_)
        | Event::OtherPrograms(_)
        | Event::Notice(_)
        | Event::Rules(_)
        | Event::Correction(_) => {
            // Several requests may wait on one event, and share a referral: each determination rests on its own most.
            let shared = |obligation: &Obligation<'a>| {
                let request = case.requests.iter().find(|request| request.obligation() == *obligation);
                request.map_or(0, |request| request.shared_with(&told.because))
            };
            return closed_by(case, trigger).into_iter().min_by_key(|obligation| Reverse(shared(obligation)));
        }
    };
    let request = RequestId::Authorization(request);
    let about = Obligation::Requested { plan: &trigger.plan, program, request, deferral: false };
    let decision = matches!(&trigger.event, Event::Authorization(Authorization::AuthorizationDecided(_)));
    let of = case.requests.iter().find(|request| request.obligation() == about);
    of.filter(|_| decision).and_then(super::requests::Request::deferral).or(Some(about))
}

/// Whether a determination, or one whose place it took, asked for the notice of a change in availability.
fn is_about_availability(dossier: &Dossier, told: &NoticeDetermined) -> bool {
    let mut told = told;
    // No true chain is longer; a broken import may have made a ring.
    for _ in 0..=dossier.recorded().len() {
        if told.notice == Some(NoticeKind::AvailabilityChange) {
            return true;
        }
        let before = told.supersedes.and_then(|id| dossier.find(id));
        let Some(before) = before.and_then(|recorded| determination(&recorded.envelope)) else { return false };
        told = before;
    }
    false
}

/// What is decided and not on record, and what is on record and no longer decided so.
pub(super) fn due<'a>(case: &Case<'_, 'a>, decided: Vec<Determined<'a>>) -> Vec<Due<'a>> {
    let mut standing: Vec<Standing<'a>> =
        recorded(case).into_iter().filter(|standing| standing.superseded_by.is_none()).collect();
    let mut due = Vec::new();
    for determined in decided {
        let index = chosen(case, &standing, &determined);
        let before = index.map(|index| standing.remove(index));
        if before.is_none_or(|before| !says_so(case, &before, &determined)) {
            due.push(Due { determined, supersedes: before.map(|before| before.event.id) });
        }
    }
    // What remains is about nothing that is, as the facts have it now.
    for before in standing {
        if let Some(determined) = withdrawn(case, &before)
            && !rests_the_same(case, &before, &determined)
        {
            due.push(Due { determined, supersedes: Some(before.event.id) });
        }
    }
    due
}

/// The determination on record for an obligation: one that says the same, else one about the same event, else the first.
fn chosen<'a>(case: &Case<'_, 'a>, standing: &[Standing<'a>], determined: &Determined<'a>) -> Option<usize> {
    let of = |standing: &Standing<'a>| standing.obligation == Some(determined.obligation);
    let same = standing.iter().position(|one| of(one) && says_so(case, one, determined));
    let about = || standing.iter().position(|one| of(one) && one.told.trigger == determined.trigger.id);
    same.or_else(about).or_else(|| standing.iter().position(of))
}

/// Whether a determination on record says what is decided, on events that still stand: the same fact told twice changes
/// nothing.
pub(super) fn says_so(case: &Case<'_, '_>, standing: &Standing<'_>, determined: &Determined<'_>) -> bool {
    stands(case.facts.dossier, standing.told.trigger) && rests_the_same(case, standing, determined)
}

fn rests_the_same(case: &Case<'_, '_>, standing: &Standing<'_>, determined: &Determined<'_>) -> bool {
    let (told, answer) = (standing.told, &determined.answer);
    told.outcome == answer.outcome
        && told.notice == answer.notice
        && told.limbs.iter().map(|limb| limb.as_str()).eq(answer.limbs.iter().copied())
        && told.rule.as_str() == answer.rule
        && told.because.iter().all(|id| stands(case.facts.dossier, *id))
}

fn stands(dossier: &Dossier, id: EventId) -> bool {
    dossier.find(id).is_some() && dossier.voided_by(id).is_none()
}
