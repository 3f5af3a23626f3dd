//! Requests: an authorization that was asked for or decided, joined with the referral it came from; else a referral alone.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rollbook_events::codes::{AuthorizationOutcome, RequestedBy};
use rollbook_events::families::authorization::{Authorization, AuthorizationDecided, AuthorizationRequested};
use rollbook_events::families::referral::{Referral, ReferralReceived};
use rollbook_events::ids::{AuthorizationId, ReferralId};
use rollbook_events::{Envelope, Event, EventId, PlanCode, Program};

use super::{Obligation, RequestId};
use crate::rules::facts::Facts;

/// A request, with all that is told of it.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) plan: &'a PlanCode,
    pub(super) program: Program,
    id: RequestId,
    pub(super) referral: Option<(&'a Envelope, &'a ReferralReceived)>,
    /// The last word on what was asked.
    pub(super) asked: Option<(&'a Envelope, &'a AuthorizationRequested)>,
    /// The decision made last.
    pub(super) decided: Option<(&'a Envelope, &'a AuthorizationDecided)>,
    /// The first day of the enrollment that granted it without a decision on record.
    pub(super) enrolled: Option<(&'a Envelope, NaiveDate)>,
}

impl<'a> Request<'a> {
    pub(super) fn obligation(&self) -> Obligation<'a> {
        Obligation::Requested { plan: self.plan, program: self.program, request: self.id, deferral: false }
    }

    /// That of a deferral, where one is the last word on it.
    pub(super) fn deferral(&self) -> Option<Obligation<'a>> {
        let (_, decision) = self.decided?;
        let deferred = decision.outcome == AuthorizationOutcome::Deferred;
        deferred.then_some(Obligation::Requested {
            plan: self.plan,
            program: self.program,
            request: self.id,
            deferral: true,
        })
    }

    /// Who asked; none where no request is on record. Whoever is named wins over nobody.
    pub(super) fn requested_by(&self) -> Option<RequestedBy> {
        let asked = self.asked.map(|(_, asked)| asked.requested_by);
        let referred = self.referral.map(|(_, referral)| referral.requested_by);
        let named = [asked, referred].into_iter().flatten().find(|by| *by != RequestedBy::Nobody);
        named.or(asked).or(referred)
    }

    /// Whether the member or the provider asked outright (NOA-1).
    pub(super) fn is_explicit(&self) -> bool {
        matches!(self.requested_by(), Some(RequestedBy::Member | RequestedBy::Provider))
    }

    /// The day it came in.
    pub(super) fn received(&self) -> NaiveDate {
        let referred = self.referral.map(|(by, _)| by.occurred_at.day());
        let asked = self.asked.map(|(_, asked)| asked.received_at.day());
        let decided = self.decided.map(|(_, decided)| decided.decided_at.day());
        [referred, asked].into_iter().flatten().min().or(decided).unwrap_or_default()
    }

    /// Whether it waited for an answer on a day; that of its answer still counts.
    pub(super) fn waits_on(&self, day: NaiveDate) -> bool {
        let decided = self.decided.is_none_or(|(_, decision)| day <= decision.decided_at.day());
        self.received() <= day && decided && self.enrolled.is_none_or(|(_, from)| day < from)
    }

    /// The events that tell of it.
    pub(super) fn told(&self) -> impl Iterator<Item = &'a Envelope> {
        let asked = [self.referral.map(|(by, _)| by), self.asked.map(|(by, _)| by), self.decided.map(|(by, _)| by)];
        asked.into_iter().flatten()
    }

    /// How many of these events tell of it.
    pub(super) fn shared_with(&self, events: &[EventId]) -> usize {
        self.told().filter(|event| events.contains(&event.id)).count()
    }
}

type Key<'a> = (&'a PlanCode, Program, AuthorizationId);

/// The requests of a member, in an order that only the facts decide.
pub(super) fn requests<'a>(facts: &Facts<'a>) -> Vec<Request<'a>> {
    let mut authorizations: BTreeMap<Key<'a>, Request<'a>> = BTreeMap::new();
    let mut referrals: BTreeMap<(&'a PlanCode, Program, ReferralId), (&'a Envelope, &'a ReferralReceived)> =
        BTreeMap::new();
    for envelope in &facts.standing {
        match &envelope.event {
            Event::Authorization(Authorization::AuthorizationRequested(e)) => {
                of(&mut authorizations, (&envelope.plan, e.program, e.authorization)).asked = Some((envelope, e));
            }
            Event::Authorization(Authorization::AuthorizationDecided(e)) => {
                let request = of(&mut authorizations, (&envelope.plan, e.program, e.authorization));
                // Decisions told in another order than they were made.
                if request.decided.is_none_or(|(_, last)| last.decided_at.utc() <= e.decided_at.utc()) {
                    request.decided = Some((envelope, e));
                }
            }
            Event::Referral(Referral::ReferralReceived(e)) => {
                referrals.insert((&envelope.plan, e.program, e.referral), (envelope, e));
            }
            Event::Who(_)
            | Event::Coverage(_)
            | Event::OtherPrograms(_)
            | Event::Referral(_)
            | Event::Outreach(_)
            | Event::Enrollment(_)
            | Event::Notice(_)
            | Event::Rules(_)
            | Event::Correction(_) => {}
        }
    }
    let mut requests: Vec<Request<'a>> = authorizations.into_values().collect();
    join(&mut requests, referrals.into_values().collect());
    requests.iter_mut().for_each(|request| request.enrolled = granting(facts, request));
    requests
}

fn of<'r, 'a>(requests: &'r mut BTreeMap<Key<'a>, Request<'a>>, key: Key<'a>) -> &'r mut Request<'a> {
    requests.entry(key).or_insert_with(|| blank(key.0, key.1, RequestId::Authorization(key.2)))
}

fn blank(plan: &PlanCode, program: Program, id: RequestId) -> Request<'_> {
    Request { plan, program, id, referral: None, asked: None, decided: None, enrolled: None }
}

/// An authorization belongs to the referral it names; one that names none, to the last referral before it that no other
/// has taken. What remains are referrals alone.
fn join<'a>(requests: &mut Vec<Request<'a>>, mut referrals: Vec<(&'a Envelope, &'a ReferralReceived)>) {
    for request in requests.iter_mut() {
        let named = request.decided.and_then(|(_, e)| e.referral);
        let Some(named) = request.asked.and_then(|(_, e)| e.referral).or(named) else { continue };
        let (plan, program) = (request.plan, request.program);
        let named = || referrals.iter().filter(|(_, e)| e.program == program && e.referral == named);
        // A referral may have come to another plan first, which handed it on: then the plan names it, and it stays there.
        request.referral = named().find(|(by, _)| by.plan == *plan).or_else(|| named().next()).copied();
    }
    let taken = requests.iter().filter_map(|request| Some((request.plan, request.referral?.0)));
    let taken: Vec<EventId> = taken.filter(|(plan, by)| by.plan == **plan).map(|(_, by)| by.id).collect();
    referrals.retain(|(by, _)| !taken.contains(&by.id));
    referrals.sort_by_key(|(by, _)| (by.occurred_at.earliest().utc(), by.id));
    let mut alone: Vec<&mut Request<'a>> = requests.iter_mut().filter(|request| names_none(request)).collect();
    alone.sort_by_key(|request| request.received());
    for request in alone {
        let fits = |(by, e): &(&Envelope, &ReferralReceived)| {
            by.plan == *request.plan && e.program == request.program && by.occurred_at.day() <= request.received()
        };
        if let Some(index) = referrals.iter().rposition(fits) {
            request.referral = Some(referrals.remove(index));
        }
    }
    requests.extend(referrals.into_iter().map(|(by, e)| {
        let request = blank(&by.plan, e.program, RequestId::Referral(e.referral));
        Request { referral: Some((by, e)), ..request }
    }));
}

fn names_none(request: &Request<'_>) -> bool {
    request.referral.is_none()
        && request.asked.is_none_or(|(_, e)| e.referral.is_none())
        && request.decided.is_none_or(|(_, e)| e.referral.is_none())
}

/// Who enrolls a member that was asked for has granted the request.
fn granting<'a>(facts: &Facts<'a>, request: &Request<'a>) -> Option<(&'a Envelope, NaiveDate)> {
    let by_name = |of: &rollbook_events::families::enrollment::Enrolled| {
        of.authorization.is_some_and(|id| request.id == RequestId::Authorization(id))
    };
    let grants = |of: &&crate::enrollment_spans::EnrollmentSpan<'a>| {
        let after = of.span.from >= request.received();
        of.report.plan == *request.plan && of.enrolled.program == request.program && (after || by_name(of.enrolled))
    };
    let spans = facts.spans.iter().filter(grants);
    spans.min_by_key(|of| (of.span.from, of.report.id)).map(|of| (of.report, of.span.from))
}
