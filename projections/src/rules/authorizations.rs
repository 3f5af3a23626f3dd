//! Requests for authorization, what was decided on them, and how long that may take (CLK-6 to CLK-11, AUTH-4 to AUTH-8).

mod due;
mod findings;
mod provider_assignment;

use chrono::{DateTime, NaiveDate, Utc};
use rollbook_events::codes::{AuthorizationOutcome, Urgency};
use rollbook_events::families::authorization::{Authorization as Told, AuthorizationDecided, AuthorizationRequested};
use rollbook_events::ids::{AuthorizationId, ReferralId};
use rollbook_events::{Envelope, Event, PlanCode, Program};

pub use due::DecisionDue;
pub use findings::find;

use super::clocks::Clock;
use super::facts::Facts;
use crate::rulebook::{Parameters, Presumptive};

/// One authorization: the request, where one was reported, and its decisions.
#[derive(Debug, Clone)]
pub struct Authorization<'a> {
    /// Its id.
    pub id: AuthorizationId,
    /// The program: the request's, else that of the last decision.
    pub program: Program,
    /// The last report of the request.
    pub request: Option<(&'a Envelope, &'a AuthorizationRequested)>,
    /// What was decided, in the order it was.
    pub decisions: Vec<Decision<'a>>,
    /// Every clock of the request, the governing ones marked.
    pub due: Vec<DecisionDue<'a>>,
    /// The rules' numbers for it.
    pub parameters: &'a Parameters,
}

/// One decision.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// The event.
    pub by: &'a Envelope,
    /// What it tells.
    pub told: &'a AuthorizationDecided,
    /// AUTH-7: whether it was a provider's, of a service and from a list that a plan has not opened.
    pub is_unauthorized: bool,
}

impl Decision<'_> {
    /// Whether the request is settled by it: a deferral settles nothing, nor does who may not decide.
    pub fn settles(&self) -> bool {
        self.told.outcome != AuthorizationOutcome::Deferred && !self.is_unauthorized
    }

    /// Its day.
    pub fn day(&self) -> NaiveDate {
        self.told.decided_at.day()
    }
}

impl<'a> Authorization<'a> {
    /// The event whose record it is.
    pub fn record(&self) -> Option<&'a Envelope> {
        self.request.map(|(by, _)| by).or_else(|| self.decisions.first().map(|decision| decision.by))
    }

    /// Whether an event that names an authorization speaks of this one.
    pub fn is_meant(&self, by: &Envelope, id: AuthorizationId) -> bool {
        self.id == id && self.record().is_some_and(|record| record.plan == by.plan)
    }

    /// The referral it follows from: the request's word, else that of the last decision to name one.
    pub fn referral(&self) -> Option<ReferralId> {
        let told = self.decisions.iter().rev().find_map(|decision| decision.told.referral);
        self.request.and_then(|(_, told)| told.referral).or(told)
    }

    /// The decision that settled the request.
    pub fn settled(&self) -> Option<&Decision<'a>> {
        self.decisions.iter().find(|decision| decision.settles())
    }

    /// The clock by which it must be settled: the earliest that binds, as extended where the request was deferred in time.
    pub fn binding(&self) -> Option<&DecisionDue<'a>> {
        self.due.iter().filter(|due| due.applies && due.is_binding).min_by_key(|due| due.due.passes_at())
    }

    /// CLK-5: the instant at which an undecided request counts as denied. None without a request or a binding clock.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.binding().map(|due| due.due.passes_at())
    }

    /// CLK-5: the same, where the request was not settled by then.
    pub fn expired_at(&self) -> Option<DateTime<Utc>> {
        let due = self.binding()?;
        let in_time = self.settled().is_some_and(|decision| due.due.is_met_at(decision.told.decided_at));
        (!in_time).then(|| due.due.passes_at())
    }
}

/// Every authorization of a member, in the order they were first told of.
pub fn authorizations<'a>(facts: &Facts<'a>) -> Vec<Authorization<'a>> {
    let mut filed: Vec<(Key<'a>, Filed<'a>)> = Vec::new();
    for envelope in &facts.standing {
        let Event::Authorization(told) = &envelope.event else { continue };
        match told {
            // The same request reported again is a later word on the same thing.
            Told::AuthorizationRequested(told) => {
                of(&mut filed, (&envelope.plan, told.authorization)).request = Some((envelope, told));
            }
            Told::AuthorizationDecided(told) => {
                of(&mut filed, (&envelope.plan, told.authorization)).decided.push((envelope, told));
            }
        }
    }
    filed.into_iter().filter_map(|((_, id), filed)| filed.understand(id, facts)).collect()
}

/// CLK-5: when a request counts as denied if nobody decides on it.
pub fn expires_at(facts: &Facts<'_>, id: AuthorizationId) -> Option<DateTime<Utc>> {
    facts.authorizations().iter().find(|authorization| authorization.id == id)?.expires_at()
}

#[derive(Default)]
struct Filed<'a> {
    request: Option<(&'a Envelope, &'a AuthorizationRequested)>,
    decided: Vec<(&'a Envelope, &'a AuthorizationDecided)>,
}

/// Whose record it stands in, and its id: in another's record the same id names another.
type Key<'a> = (&'a PlanCode, AuthorizationId);

fn of<'f, 'a>(filed: &'f mut Vec<(Key<'a>, Filed<'a>)>, id: Key<'a>) -> &'f mut Filed<'a> {
    let index = filed.iter().position(|(other, _)| *other == id).unwrap_or_else(|| {
        filed.push((id, Filed::default()));
        filed.len() - 1
    });
    &mut filed[index].1
}

impl<'a> Filed<'a> {
    fn understand(mut self, id: AuthorizationId, facts: &Facts<'a>) -> Option<Authorization<'a>> {
        self.decided.sort_by_key(|(by, told)| (told.decided_at.utc(), by.id));
        let last = self.decided.last();
        let program = self.request.map(|(_, told)| told.program).or(last.map(|(_, told)| told.program))?;
        let (record, day) = match self.request {
            Some((by, told)) => (by, told.received_at.day()),
            None => self.decided.first().map(|(by, told)| (*by, told.decided_at.day()))?,
        };
        let parameters = facts.parameters(record, day);
        let decisions: Vec<Decision<'a>> = self
            .decided
            .iter()
            .map(|(by, told)| Decision {
                by,
                told,
                is_unauthorized: is_unauthorized(told, facts.parameters(by, told.decided_at.day())),
            })
            .collect();
        let due = self.request.map_or_else(Vec::new, |(_, told)| due::all(told, &decisions, parameters));
        Some(Authorization { id, program, request: self.request, decisions, due, parameters })
    }
}

/// AUTH-7: a plan opens services to providers on its list; one that states no list has opened them to nobody.
fn is_unauthorized(told: &AuthorizationDecided, parameters: &Parameters) -> bool {
    let open = &parameters.presumptive;
    let listed = told.provider.as_ref().is_some_and(|provider| open.providers.contains(provider));
    // An edition that says nothing of it decides nothing.
    let is_silent = *open == Presumptive::default();
    told.presumptive && !is_silent && !(listed && open.services.contains(&told.program))
}

/// The clocks of every request, as rows.
pub fn clocks<'a>(facts: &Facts<'a>) -> Vec<Clock<'a>> {
    let mut clocks = Vec::new();
    for authorization in facts.authorizations() {
        let Some((by, told)) = authorization.request else { continue };
        let settled = authorization.settled().map(|decision| decision.told.decided_at);
        clocks.extend(authorization.due.iter().map(|due| Clock {
            clock: name(told.urgency),
            of: authorization.id.to_string(),
            by,
            program: Some(authorization.program),
            rule: &due.clock.rule,
            is_extended: due.is_extended,
            starts_on: told.received_at.day(),
            due: Some(due.due),
            is_governing: due.is_governing,
            is_binding: due.is_binding,
            met_on: settled.map(|at| at.day()),
            late_by_days: settled.map(|at| due.due.late_by_days(at)),
            earliest_on: None,
            cite: &due.clock.cite,
            is_verified: due.clock.verified,
            is_calendar_checked: due.is_calendar_checked,
        }));
        clocks.extend(provider_assignment::clock(facts, authorization));
    }
    clocks
}

fn name(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Standard => "authorization",
        Urgency::Expedited => "authorization_expedited",
        Urgency::Retrospective => "retrospective",
    }
}
