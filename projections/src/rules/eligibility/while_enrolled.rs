//! What a reader must look at where somebody is enrolled, or was refused, against what the rules say of that day.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rollbook_events::codes::AuthorizationReason;
use rollbook_events::families::authorization::Authorization;
use rollbook_events::{Event, Program};

use super::limb::Reason;
use super::offerings::{Offered, offered};
use super::{Asked, coverage, populations};
use crate::enrollment_spans::EnrollmentSpan;
use crate::participations::{CoverageSpan, coverage_spans};
use crate::rulebook::CoverageCode;
use crate::rules::facts::Facts;
use crate::rules::finding::Finding;
use crate::spans::Span;

fn asked<'q, 'a>(facts: &'q Facts<'a>, of: &EnrollmentSpan<'a>, coverage: &'q [CoverageSpan<'a>]) -> Asked<'q, 'a> {
    let (plan, county) = (&of.report.plan, of.report.county);
    Asked { facts, program: of.enrolled.program, channel: None, plan, county, coverage }
}

/// AUTH-15: an authorization says that a service is necessary; what is paid turns on the coverage of the day.
pub fn without_coverage<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let reports = coverage_spans(&facts.standing);
    let bounds: Vec<NaiveDate> = reports.iter().flat_map(|of| [Some(of.span.from), of.span.until]).flatten().collect();
    let mut found = Vec::new();
    for of in &facts.spans {
        let asked = asked(facts, of, &reports);
        if asked.coverage_rule(CoverageCode::MediCalInactive, of.span.from).is_none() {
            continue;
        }
        let gap = |day| coverage::missing_on(&asked, day).is_some();
        for span in stretches(of.span, bounds.iter().copied(), gap) {
            let by = coverage::missing_on(&asked, span.from);
            let because = by.into_iter().chain([of.report]);
            found.push(Finding {
                because: because.map(|by| by.id).collect(),
                ..about(of, "coverage_gap", "AUTH-15", span)
            });
        }
    }
    found
}

/// ELIG-15, ELIG-17: a member is in a service on days on which the plan does not offer it, not there, or no longer.
pub fn without_offering<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for of in &facts.spans {
        let (program, plan, county) = (of.enrolled.program, &of.report.plan, of.report.county);
        let on = |day| match offered(facts.parameters(of.report, day), program, plan, county, day) {
            Offered::Yes(_) => None,
            Offered::No(reason, _) => Some(reason),
        };
        let headers = facts.rulebook.overlays().iter().flat_map(|overlay| [overlay.header.from, overlay.header.until]);
        let mut bounds: BTreeSet<NaiveDate> = headers.flatten().map(|day| day.0).collect();
        for day in bounds.iter().copied().chain([of.span.from]).collect::<Vec<_>>() {
            let entries = facts.parameters(of.report, day).offered.iter().filter(|entry| entry.program == program);
            bounds.extend(entries.flat_map(|entry| [entry.from, entry.until]).flatten().map(|day| day.0));
        }
        for (code, rule, withdrawn) in [("offering_withdrawn", "ELIG-17", true), ("not_offered", "ELIG-15", false)] {
            let is_so = |day| on(day).is_some_and(|reason| (reason == Reason::OfferingWithdrawn) == withdrawn);
            let spans = stretches(of.span, bounds.iter().copied(), is_so);
            found.extend(spans.into_iter().map(|span| about(of, code, rule, span)));
        }
    }
    found
}

/// ELIG-7: ECM was denied for want of a population that the member was found to meet, and that is open.
pub fn narrowed<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for envelope in &facts.standing {
        let Event::Authorization(Authorization::AuthorizationDecided(decision)) = &envelope.event else { continue };
        let is_for_want = decision.reasons.contains(&AuthorizationReason::NoPopulationOfFocus);
        if decision.program != Program::Ecm || !is_for_want {
            continue;
        }
        let day = envelope.occurred_at.day();
        let (plan, county) = (&envelope.plan, envelope.county);
        let asked = Asked { facts, program: Program::Ecm, channel: None, plan, county, coverage: &[] };
        if let Some(met) = populations::met_on(&asked, day) {
            found.push(Finding {
                code: "narrowed_by_plan",
                rule: "ELIG-7",
                of: envelope,
                program: Some(Program::Ecm),
                about: decision.authorization.to_string(),
                from: day,
                until: None,
                because: vec![met.id, envelope.id],
            });
        }
    }
    found
}

fn about<'a>(of: &EnrollmentSpan<'a>, code: &'static str, rule: &'static str, span: Span) -> Finding<'a> {
    Finding {
        code,
        rule,
        of: of.report,
        program: Some(of.enrolled.program),
        about: of.enrolled.enrollment.to_string(),
        from: span.from,
        until: span.until,
        because: vec![of.report.id],
    }
}

/// The unbroken stretches of a span on which something is so, which can change on these days alone.
fn stretches(span: Span, bounds: impl Iterator<Item = NaiveDate>, is_so: impl Fn(NaiveDate) -> bool) -> Vec<Span> {
    let mut days: BTreeSet<NaiveDate> = bounds.filter(|day| span.holds(*day)).collect();
    days.insert(span.from);
    let ends: Vec<Option<NaiveDate>> = days.iter().skip(1).map(|day| Some(*day)).chain([span.until]).collect();
    let mut found: Vec<Span> = Vec::new();
    for (from, until) in days.into_iter().zip(ends).filter(|(from, _)| is_so(*from)) {
        match found.last_mut() {
            Some(before) if before.until == Some(from) => before.until = until,
            _ => found.push(Span { from, until }),
        }
    }
    found
}
