//! What is to be looked at in an authorization.

use rollbook_events::codes::{AuthorizationOutcome, Urgency};

use super::{Authorization, Decision};
use crate::rulebook::Retrospective;
use crate::rules::clocks::{Due, late_until};
use crate::rules::facts::Facts;
use crate::rules::finding::{Finding, evidence};

/// Every finding about a member's authorizations.
pub fn find<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for authorization in facts.authorizations() {
        found.extend(late(authorization));
        found.extend(warning(authorization));
        found.extend(presumptive(authorization));
        found.extend(retrospective(authorization));
    }
    found
}

/// CLK-6 to CLK-11: a binding clock passed before the request was settled; it stands while nobody settles it.
fn late<'a>(of: &Authorization<'a>) -> Option<Finding<'a>> {
    let due = of.binding()?;
    of.expired_at()?;
    passed(of, "authorization_late", &due.clock.rule, due.due)
}

/// CON-14: the earliest clock that does not bind passed before the request was settled.
fn warning<'a>(of: &Authorization<'a>) -> Option<Finding<'a>> {
    let examples = of.due.iter().filter(|due| due.applies && !due.is_binding);
    let due = examples.min_by_key(|due| due.due.passes_at())?;
    let in_time = of.settled().is_some_and(|decision| due.due.is_met_at(decision.told.decided_at));
    if in_time { None } else { passed(of, "clock_warning", &due.clock.rule, due.due) }
}

fn passed<'a>(of: &Authorization<'a>, code: &'static str, rule: &'a str, due: Due) -> Option<Finding<'a>> {
    let (by, _) = of.request?;
    let settled = of.settled();
    let from = due.late_from();
    Some(Finding {
        code,
        rule,
        of: by,
        program: Some(of.program),
        about: of.id.to_string(),
        from,
        until: late_until(from, settled.map(Decision::day)),
        because: evidence(std::iter::once(by).chain(settled.map(|decision| decision.by))),
    })
}

/// AUTH-7: a provider approved what its plan has not opened to it; the plan's own decision ends the matter.
fn presumptive<'a>(of: &Authorization<'a>) -> Option<Finding<'a>> {
    let decision = of.decisions.iter().find(|decision| decision.is_unauthorized)?;
    let from = decision.day();
    Some(Finding {
        code: "unauthorized_presumptive",
        rule: "AUTH-7",
        of: decision.by,
        program: Some(decision.told.program),
        about: of.id.to_string(),
        from,
        until: late_until(from, of.settled().map(Decision::day)),
        because: vec![decision.by.id],
    })
}

/// CLK-11: approved for days before the request, or before the decision where no request is on record, of a service that
/// the plan does not approve after the fact.
fn retrospective<'a>(of: &Authorization<'a>) -> Option<Finding<'a>> {
    let rules = &of.parameters.retrospective;
    if *rules == Retrospective::default() || rules.services.contains(&of.program) {
        return None;
    }
    let decision = of.decisions.iter().find(|decision| is_retrospective(of, decision))?;
    Some(Finding {
        code: "unauthorized_service",
        rule: "CLK-11",
        of: decision.by,
        program: Some(of.program),
        about: of.id.to_string(),
        from: decision.told.from.map_or_else(|| decision.day(), |from| from.0),
        until: None,
        because: evidence(of.request.iter().map(|(by, _)| *by).chain([decision.by])),
    })
}

fn is_retrospective(of: &Authorization<'_>, decision: &Decision<'_>) -> bool {
    let told = decision.told;
    let is_granted = matches!(told.outcome, AuthorizationOutcome::Approved | AuthorizationOutcome::Modified);
    let asked = of.request.map_or_else(|| decision.day(), |(_, request)| request.received_at.day());
    let was_given = of.request.is_some_and(|(_, request)| request.urgency == Urgency::Retrospective);
    is_granted && !told.presumptive && (was_given || told.from.is_some_and(|from| from.0 < asked))
}
