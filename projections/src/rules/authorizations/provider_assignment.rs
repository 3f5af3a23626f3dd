//! CON-27: where a plan allows a time until a provider is assigned, that clock runs beside the one of the decision.

use super::Authorization;
use crate::rulebook::Unit;
use crate::rules::business_days::add_business_days;
use crate::rules::clocks::{Clock, Due, calendar_checked, days_late};
use crate::rules::facts::Facts;

/// The clock of a request until its member is enrolled at a provider.
pub(super) fn clock<'a>(facts: &Facts<'a>, authorization: &Authorization<'a>) -> Option<Clock<'a>> {
    let (by, told) = authorization.request?;
    let rule = authorization.parameters.authorization.assignment.as_ref()?;
    if !rule.programs.is_empty() && !rule.programs.contains(&told.program) {
        return None;
    }
    let calendar = &authorization.parameters.calendar;
    let received = told.received_at.day();
    let due = add_business_days(received, rule.business_days.into(), calendar);
    // An enrollment names its provider. One that names its authorization is this one's alone.
    let assigned = facts.spans.iter().filter(|span| {
        let of = span.enrolled;
        span.rests_on(by, told.authorization)
            || (of.authorization.is_none()
                && of.program == told.program
                && span.report.plan == by.plan
                && received <= span.report.occurred_at.day())
    });
    let met_on = assigned.map(|span| span.report.occurred_at.day()).min();
    Some(Clock {
        clock: "provider_assignment",
        of: authorization.id.to_string(),
        by,
        program: Some(told.program),
        rule: &rule.rule,
        is_extended: false,
        starts_on: received,
        due: Some(Due::Day(due)),
        is_governing: true,
        is_binding: true,
        met_on,
        late_by_days: met_on.map(|met| days_late(due, met)),
        earliest_on: None,
        cite: &rule.cite,
        is_verified: rule.verified,
        is_calendar_checked: calendar_checked(Unit::BusinessDays, received, Due::Day(due), calendar),
    })
}
