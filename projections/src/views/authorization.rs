//! `authorization`, one row an authorization: what was asked, what was decided, and how long it took.

use rollbook_events::Event;
use rollbook_events::codes::AuthorizationReason;

use crate::dossier::{Dossier, Recorded};
use crate::rulebook::Rulebook;
use crate::rules::authorizations::{Authorization, DecisionDue};
use crate::rules::facts::Facts;
use crate::view::{Column, ColumnType as T, Row, Table, Touched, View, joined};

/// The authorizations.
#[derive(Debug)]
pub struct Authorizations;

/// Its table.
pub const TABLE: Table = Table {
    name: "authorization",
    comment: "one row per member and authorization: the request, the clock that governs it, and the last decision",
    columns: &[
        Column { name: "authorization_id", kind: T::Uuid, comment: "the authorization" },
        Column { name: "program", kind: T::Text, comment: "program" },
        Column { name: "plan", kind: T::Text, comment: "whose record it is" },
        Column { name: "county", kind: T::Text, comment: "county" },
        Column { name: "urgency", kind: T::Text, comment: "how urgent the request is; none where none is on record" },
        Column { name: "requested_by", kind: T::Text, comment: "who explicitly asked" },
        Column { name: "received_at", kind: T::Instant, comment: "when the request was received" },
        Column { name: "received_on", kind: T::Day, comment: "that day in California" },
        Column {
            name: "governing_rule",
            kind: T::Text,
            comment: "rule of the earliest clock; of several, with commas",
        },
        Column { name: "due_on", kind: T::Day, comment: "day that clock runs out" },
        Column { name: "due_at", kind: T::Instant, comment: "instant it runs out, where it counts hours" },
        Column { name: "binding", kind: T::Boolean, comment: "whether that clock binds" },
        Column { name: "outcome", kind: T::Text, comment: "last decision" },
        Column { name: "presumptive", kind: T::Boolean, comment: "whether a provider decided before the plan" },
        Column { name: "decided_at", kind: T::Instant, comment: "when the last decision was made" },
        Column { name: "decided_on", kind: T::Day, comment: "that day in California" },
        Column { name: "turnaround_hours", kind: T::Integer, comment: "full hours until the request was settled" },
        Column { name: "late_by_days", kind: T::Integer, comment: "days by which that was after the clock" },
        Column { name: "from_on", kind: T::Day, comment: "first day of what was decided" },
        Column { name: "until_on", kind: T::Day, comment: "first day no longer" },
        Column { name: "units", kind: T::Integer, comment: "units decided, else asked for" },
        Column { name: "reasons", kind: T::Text, comment: "why it was not granted as asked, with commas" },
        Column { name: "provider", kind: T::Text, comment: "provider the decision names, else the request" },
        Column { name: "referral", kind: T::Uuid, comment: "referral it follows from" },
        Column { name: "request_event", kind: T::Uuid, comment: "event that reports the request" },
        Column { name: "decision_event", kind: T::Uuid, comment: "event of the last decision" },
    ],
};

impl View for Authorizations {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn rows(&self, facts: &Facts<'_>) -> Vec<Row> {
        facts.authorizations().iter().filter_map(row).collect()
    }

    fn touched(&self, _: &Dossier, _: &Rulebook, event: &Recorded) -> Touched {
        match &event.envelope.event {
            Event::Authorization(_) | Event::Correction(_) => Touched::Everything,
            Event::Who(_)
            | Event::Coverage(_)
            | Event::OtherPrograms(_)
            | Event::Referral(_)
            | Event::Outreach(_)
            | Event::Enrollment(_)
            | Event::Notice(_)
            | Event::Rules(_) => Touched::Nothing,
        }
    }
}

fn row(of: &Authorization<'_>) -> Option<Row> {
    let record = of.record()?;
    let request = of.request.map(|(_, told)| told);
    let governing: Vec<&DecisionDue<'_>> = of.due.iter().filter(|due| due.is_governing).collect();
    let due = governing.first().map(|due| due.due);
    let last = of.decisions.last();
    let decision = last.map(|decision| decision.told);
    let settled = of.settled().map(|decision| decision.told.decided_at);
    let received = request.map(|told| told.received_at);
    let hours = settled.zip(received).map(|(settled, received)| (settled.utc() - received.utc()).num_hours());
    let provider = decision.and_then(|told| told.provider.as_ref()).or(request.and_then(|told| told.provider.as_ref()));
    let reasons =
        decision.map_or(&[][..], |told| &told.reasons).iter().map(|reason: &AuthorizationReason| reason.as_str());
    let cells = vec![
        of.id.0.into(),
        of.program.as_str().into(),
        record.plan.as_str().into(),
        record.county.as_str().into(),
        request.map(|told| told.urgency.as_str()).into(),
        request.map(|told| told.requested_by.as_str()).into(),
        received.map(|at| at.utc()).into(),
        received.map(|at| at.day()).into(),
        joined(governing.iter().map(|due| due.clock.rule.as_str())).into(),
        due.map(|due| due.day()).into(),
        due.and_then(|due| due.at()).into(),
        due.map(|_| governing.iter().any(|due| due.is_binding)).into(),
        decision.map(|told| told.outcome.as_str()).into(),
        of.decisions.iter().any(|decision| decision.told.presumptive).into(),
        decision.map(|told| told.decided_at.utc()).into(),
        last.map(|decision| decision.day()).into(),
        hours.into(),
        due.zip(settled).map(|(due, at)| due.late_by_days(at)).into(),
        decision.and_then(|told| told.from).map(|day| day.0).into(),
        decision.and_then(|told| told.until).map(|day| day.0).into(),
        decision.and_then(|told| told.units).or(request.and_then(|told| told.units)).into(),
        joined(reasons).into(),
        provider.map(ToString::to_string).into(),
        of.referral().map(|id| id.0).into(),
        of.request.map(|(by, _)| by.id.0).into(),
        last.map(|decision| decision.by.id.0).into(),
    ];
    // An authorization's id comes from outside, so that two members, or two plans, may give the same one.
    Some(Row { key: format!("{}|{}|{}", record.subject, of.id, record.plan), member: record.subject.member(), cells })
}
