//! Housing supports: what needs its own authorization (HD-1), and what the county delivers for its own clients (DUP-5).

use chrono::NaiveDate;
use rollbook_events::codes::{AuthorizationOutcome, Basis, Channel};
use rollbook_events::families::authorization::{Authorization, AuthorizationDecided};
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::{Envelope, Event, Program};

use super::facts::Facts;
use super::finding::{Finding, evidence};
use super::units::month_of;
use crate::enrollment_spans::{EnrollmentSpan, Segment};
use crate::participations::{Held, What};
use crate::rulebook::CountyChannel;
use crate::spans::Span;

/// HD-1, AUTH-9, B6-07: a deposit given or billed without an authorization of its own; that of housing navigation or
/// tenancy sustaining services never implies it.
pub fn without_own_authorization<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let approved = approvals(&facts.standing);
    let mut found = Vec::new();
    let mut check = |by: &'a Envelope, program: Program, about: String, days: Span, first: Span| {
        let needs = &facts.parameters(by, days.from).services.own_authorization.programs;
        let is_covered = |(of, span): &(&Envelope, Span)| {
            of.plan == by.plan && of.event.program() == Some(program) && span.overlap(first).is_some()
        };
        if needs.contains(&program) && !approved.iter().any(is_covered) {
            let (code, rule, because) = ("unauthorized_service", "HD-1", evidence([by]));
            let (program, from, until) = (Some(program), days.from, days.until);
            found.push(Finding { code, rule, of: by, program, about, from, until, because });
        }
    };
    for of in &facts.spans {
        // A service begins under its authorization; that it runs out later is the authorization's own matter.
        let first = Span { from: of.span.from, until: of.span.from.succ_opt() };
        check(of.report, of.enrolled.program, of.enrolled.enrollment.to_string(), of.span, first);
    }
    for envelope in &facts.standing {
        if let Event::Enrollment(Enrollment::UnitsRecorded(e)) = &envelope.event
            && e.units > 0
            && let Some(month) = month_of(e.month)
        {
            check(envelope, e.program, e.month.to_string(), month, month);
        }
    }
    found
}

/// The days that each authorization approves, by the last word on it.
fn approvals<'a>(standing: &[&'a Envelope]) -> Vec<(&'a Envelope, Span)> {
    let mut last: Vec<(&'a Envelope, &'a AuthorizationDecided)> = Vec::new();
    for envelope in standing {
        if let Event::Authorization(Authorization::AuthorizationDecided(decided)) = &envelope.event {
            last.retain(|(by, other)| by.plan != envelope.plan || other.authorization != decided.authorization);
            last.push((*envelope, decided));
        }
    }
    let is_granted = |decided: &AuthorizationDecided| {
        matches!(decided.outcome, AuthorizationOutcome::Approved | AuthorizationOutcome::Modified)
    };
    let granted = last.into_iter().filter(|(_, decided)| is_granted(decided));
    granted.filter_map(|(by, decided)| Some((by, days_of(decided)?))).collect()
}

/// An approval that names no first day has none before which it does not hold.
fn days_of(decided: &AuthorizationDecided) -> Option<Span> {
    Span::new(decided.from.map_or(NaiveDate::MIN, |day| day.0), decided.until.map(|day| day.0))
}

/// DUP-5, CON-5, GF-6: the county's channel is for the county's clients, and theirs is the county's channel where the
/// county enrolled them, or they came with it from Whole Person Care.
pub fn wrong_channel<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for of in &facts.spans {
        for segment in &of.segments {
            let rules = &facts.parameters(of.report, segment.span.from).services.county_channel;
            if rules.programs.contains(&of.enrolled.program) {
                judge(facts, of, segment, rules, &mut found);
            }
        }
    }
    found
}

fn judge<'a>(
    facts: &Facts<'a>,
    of: &EnrollmentSpan<'a>,
    segment: &Segment<'a>,
    rules: &CountyChannel,
    found: &mut Vec<Finding<'a>>,
) {
    let is_client =
        |held: &&Held<'a>| matches!(held.what, What::Program(program) if rules.clients_of.contains(&program));
    let client: Vec<(Span, &'a Envelope)> =
        facts.held.iter().filter(is_client).map(|held| (held.span, held.evidence)).collect();
    let finding = |rule, span: Span, because| Finding {
        code: "wrong_channel",
        rule,
        of: of.report,
        program: Some(of.enrolled.program),
        about: of.enrolled.enrollment.to_string(),
        from: span.from,
        until: span.until,
        because,
    };
    match segment.channel {
        Channel::DhsSubcontract => {
            let alone =
                segment.span.cut_by(&client).filter(|part| !client.iter().any(|(days, _)| days.holds(part.from)));
            found.extend(alone.map(|part| finding("DUP-5", part, evidence([of.report]))));
        }
        Channel::PlanDirect => match of.enrolled.basis {
            Basis::AutoDhsMatch => found.push(finding("CON-5", segment.span, evidence([of.report]))),
            Basis::GrandfatheredWpc => {
                let before = client.iter().find(|(days, _)| days.holds(of.enrolled.from.0));
                found.extend(before.map(|(_, by)| finding("GF-6", segment.span, evidence([of.report, *by]))));
            }
            Basis::OptIn | Basis::GrandfatheredHhp | Basis::Presumptive => {}
        },
    }
}
