//! How often a member had tenancy sustaining services, and whether once more is open (TSS-1 to TSS-3, CON-25).

use chrono::NaiveDate;
use rollbook_events::codes::AuthorizationOutcome;
use rollbook_events::families::authorization::{Authorization, AuthorizationDecided};
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::ids::{AuthorizationId, EnrollmentId};
use rollbook_events::{Envelope, Event, PlanCode, Program};

use super::facts::Facts;
use crate::rulebook::{CountsOn, TenancyRules};
use crate::spans::Span;

/// One duration, from whichever plan: the limit is on a lifetime.
#[derive(Debug, Clone)]
pub struct TenancyUse<'a> {
    /// The days.
    pub span: Span,
    /// The events it rests on.
    pub because: Vec<&'a Envelope>,
}

/// Whether once more is open on a day.
#[derive(Debug, Clone)]
pub enum Tenancy<'a> {
    /// No duration has ended, or no rule limits them.
    Open,
    /// One has ended, and it is documented what has changed: the documentation comes last.
    Extended(Vec<&'a Envelope>),
    /// One has ended, and nothing is documented.
    NeedsDocumentation(Vec<&'a Envelope>),
    /// None is left, whatever is documented.
    UsedUp(Vec<&'a Envelope>),
}

/// The durations a member had, in order of their days. What goes on without a gap, as with another provider or plan, is
/// one duration.
pub fn tenancy_uses<'a>(facts: &Facts<'a>, rules: &TenancyRules) -> Vec<TenancyUse<'a>> {
    let mut uses = match rules.counts_on {
        CountsOn::ServiceStarted => begun(facts),
        CountsOn::Approved => approved(facts),
    };
    uses.sort_by_key(|one| one.span);
    let mut merged: Vec<TenancyUse<'a>> = Vec::with_capacity(uses.len());
    for one in uses {
        match merged.last_mut() {
            Some(before) if before.span.until.is_none_or(|until| one.span.from <= until) => {
                before.span.until = before.span.until.zip(one.span.until).map(|(a, b)| a.max(b));
                before.because.extend(one.because);
            }
            _ => merged.push(one),
        }
    }
    merged
}

/// Whether once more is open on a day, by the durations that had ended by then.
pub fn tenancy_on<'a>(facts: &Facts<'a>, rules: &TenancyRules, day: NaiveDate) -> Tenancy<'a> {
    let mut ended = tenancy_uses(facts, rules);
    ended.retain(|one| one.span.until.is_some_and(|until| until <= day));
    let because = || ended.iter().flat_map(|one| one.because.iter().copied()).collect::<Vec<_>>();
    let (Some(limit), Some(last)) = (rules.limit, ended.last()) else { return Tenancy::Open };
    if ended.len() < limit {
        return Tenancy::Open;
    }
    if ended.len() >= limit + rules.extensions {
        return Tenancy::UsedUp(because());
    }
    match documented(facts, last.span.from, day) {
        Some(by) => Tenancy::Extended(because().into_iter().chain([by]).collect()),
        None => Tenancy::NeedsDocumentation(because()),
    }
}

/// Every enrollment in which service was begun, from that day to the last of the enrollment.
fn begun<'a>(facts: &Facts<'a>) -> Vec<TenancyUse<'a>> {
    let mut uses: Vec<((&'a PlanCode, EnrollmentId), TenancyUse<'a>)> = Vec::new();
    for of in facts.spans.iter().filter(|of| of.enrolled.program == Program::TenancySustaining) {
        let id = (&of.report.plan, of.enrolled.enrollment);
        if let Some((_, known)) = uses.iter_mut().find(|(known, _)| *known == id) {
            // Reinstated: the same duration goes on.
            known.span.until = of.span.until;
            continue;
        }
        let started = facts.standing.iter().filter_map(|envelope| {
            let Event::Enrollment(Enrollment::ServiceStarted(start)) = &envelope.event else { return None };
            (of.is_meant(envelope, start.enrollment) && of.span.holds(start.on.0)).then_some((start.on.0, *envelope))
        });
        if let Some((on, by)) = started.min_by_key(|(on, _)| *on) {
            let span = Span { from: on, until: of.span.until };
            uses.push((id, TenancyUse { span, because: vec![of.report, by] }));
        }
    }
    uses.into_iter().map(|(_, one)| one).collect()
}

/// Every authorization whose last word is an approval, to its last day or that of the enrollment under it.
fn approved<'a>(facts: &Facts<'a>) -> Vec<TenancyUse<'a>> {
    let mut last: Vec<(AuthorizationId, &'a Envelope, &'a AuthorizationDecided)> = Vec::new();
    for envelope in &facts.standing {
        let Event::Authorization(Authorization::AuthorizationDecided(decision)) = &envelope.event else { continue };
        if decision.program == Program::TenancySustaining {
            last.retain(|(id, by, _)| *id != decision.authorization || by.plan != envelope.plan);
            last.push((decision.authorization, envelope, decision));
        }
    }
    let granted = |outcome| matches!(outcome, AuthorizationOutcome::Approved | AuthorizationOutcome::Modified);
    let uses = last.into_iter().filter(|(.., decision)| granted(decision.outcome)).filter_map(|(id, by, decision)| {
        let from = decision.from.map_or(decision.decided_at.day(), |day| day.0);
        let under = facts.spans.iter().rev().find(|of| of.rests_on(by, id));
        let ends = [decision.until.map(|day| day.0), under.and_then(|of| of.span.until)];
        let span = Span::new(from, ends.into_iter().flatten().min())?;
        Some(TenancyUse { span, because: vec![by] })
    });
    uses.collect()
}

/// TSS-2: what says, after the last duration began and by the day, which conditions have changed.
fn documented<'a>(facts: &Facts<'a>, after: NaiveDate, day: NaiveDate) -> Option<&'a Envelope> {
    facts.standing.iter().copied().find(|envelope| {
        let Event::Authorization(told) = &envelope.event else { return false };
        let (program, conditions) = match told {
            Authorization::AuthorizationRequested(told) => (told.program, &told.changed_conditions),
            Authorization::AuthorizationDecided(told) => (told.program, &told.changed_conditions),
        };
        let on = envelope.occurred_at.day();
        program == Program::TenancySustaining && conditions.is_some() && after < on && on <= day
    })
}
