//! Counts by quarter, from one member's facts; those of all members add up. A quarter's days are California's, so that
//! no request moves between quarters with the server's zone (E-9).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{Months, NaiveDate};
use rollbook_events::codes::AuthorizationOutcome;
use rollbook_events::families::authorization::Authorization;
use rollbook_events::ids::AuthorizationId;
use rollbook_events::{Envelope, Event, PlanCode, Program};

use crate::rules::facts::Facts;
use crate::spans::Span;

/// A calendar quarter, as `2026-Q2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarter {
    year: u16,
    /// From 1 to 4.
    number: u8,
}

/// Not a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a quarter from 1900 to 2199, as in 2026-Q2")]
pub struct BadQuarter;

impl FromStr for Quarter {
    type Err = BadQuarter;
    fn from_str(text: &str) -> Result<Self, BadQuarter> {
        let (year, number) = text.split_once("-Q").ok_or(BadQuarter)?;
        let quarter =
            Self { year: year.parse().map_err(|_| BadQuarter)?, number: number.parse().map_err(|_| BadQuarter)? };
        // One spelling only, so that two names of one quarter are one text.
        let is_known = (1900..=2199).contains(&quarter.year) && (1..=4).contains(&quarter.number);
        (is_known && quarter.to_string() == text).then_some(quarter).ok_or(BadQuarter)
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-Q{}", self.year, self.number)
    }
}

impl Quarter {
    /// Its days.
    pub fn days(self) -> Option<Span> {
        let month = u32::from(self.number).checked_mul(3)?.checked_sub(2)?;
        let first = NaiveDate::from_ymd_opt(self.year.into(), month, 1)?;
        Span::new(first, first.checked_add_months(Months::new(3)))
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Requests for authorization, by the day they were received.
    AuthorizationRequests,
    /// Requests that were denied, by the day they were received; by that of the decision where no request is on record.
    AuthorizationsDenied,
    /// Members enrolled on any day of the quarter, in each program.
    Enrolled,
    /// Outreach attempts that count and precede enrollment.
    OutreachAttempts,
}

/// Not a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected authorization_requests, authorizations_denied, enrolled or outreach_attempts")]
pub struct NoReport;

impl Report {
    /// Every report.
    pub const ALL: &'static [Self] =
        &[Self::AuthorizationRequests, Self::AuthorizationsDenied, Self::Enrolled, Self::OutreachAttempts];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationRequests => "authorization_requests",
            Self::AuthorizationsDenied => "authorizations_denied",
            Self::Enrolled => "enrolled",
            Self::OutreachAttempts => "outreach_attempts",
        }
    }
}

impl FromStr for Report {
    type Err = NoReport;
    fn from_str(text: &str) -> Result<Self, NoReport> {
        // As the State's quarterly report names its tabs.
        let name = match text {
            "requests" | "requests_and_denials" => "authorization_requests",
            "denials" => "authorizations_denied",
            "members" => "enrolled",
            "attempts" => "outreach_attempts",
            name => name,
        };
        Self::ALL.iter().copied().find(|report| report.as_str() == name).ok_or(NoReport)
    }
}

/// What one member adds to a report, over all programs; of one plan where it is named.
pub fn count(report: Report, quarter: Quarter, plan: Option<&PlanCode>, facts: &Facts<'_>) -> u64 {
    by_program(report, quarter, plan, facts).values().sum()
}

/// What one member adds to a report, program by program.
pub fn by_program(
    report: Report,
    quarter: Quarter,
    plan: Option<&PlanCode>,
    facts: &Facts<'_>,
) -> BTreeMap<Program, u64> {
    let mut counts = BTreeMap::new();
    let Some(days) = quarter.days() else { return counts };
    let is_of = |of: &Envelope| plan.is_none_or(|plan| of.plan == *plan);
    let mut add = |program: Program| *counts.entry(program).or_insert(0) += 1;
    match report {
        Report::AuthorizationRequests => requests(facts)
            .values()
            .filter(|request| is_of(request.of) && request.received.is_some_and(|day| days.holds(day)))
            .for_each(|request| add(request.program)),
        Report::AuthorizationsDenied => requests(facts)
            .values()
            .filter(|request| is_of(request.of) && request.denied.is_some())
            .filter(|request| request.received.or(request.denied).is_some_and(|day| days.holds(day)))
            .for_each(|request| add(request.program)),
        Report::Enrolled => {
            let enrolled = facts.spans.iter().filter(|of| is_of(of.report) && of.span.overlap(days).is_some());
            // A member is counted once, however often he came and went.
            for of in enrolled {
                counts.insert(of.enrolled.program, 1);
            }
        }
        Report::OutreachAttempts => {
            for episode in facts.episodes().iter().filter(|episode| is_of(episode.began)) {
                episode.counted().filter(|one| days.holds(one.day())).for_each(|_| add(episode.program));
            }
        }
    }
    counts
}

/// One request, as the last word on it says.
struct Request<'a> {
    of: &'a Envelope,
    program: Program,
    received: Option<NaiveDate>,
    /// The day it was denied, where that is the last decision.
    denied: Option<NaiveDate>,
}

fn requests<'a>(facts: &Facts<'a>) -> BTreeMap<(&'a PlanCode, AuthorizationId), Request<'a>> {
    let mut requests: BTreeMap<(&'a PlanCode, AuthorizationId), Request<'a>> = BTreeMap::new();
    for envelope in &facts.standing {
        let Event::Authorization(event) = &envelope.event else { continue };
        let (id, program) = match event {
            Authorization::AuthorizationRequested(e) => (e.authorization, e.program),
            Authorization::AuthorizationDecided(e) => (e.authorization, e.program),
        };
        let request = requests.entry((&envelope.plan, id)).or_insert(Request {
            of: envelope,
            program,
            received: None,
            denied: None,
        });
        match event {
            Authorization::AuthorizationRequested(e) => {
                (request.of, request.program, request.received) = (envelope, program, Some(e.received_at.day()));
            }
            Authorization::AuthorizationDecided(e) => {
                request.denied = (e.outcome == AuthorizationOutcome::Denied).then(|| e.decided_at.day());
            }
        }
    }
    requests
}
