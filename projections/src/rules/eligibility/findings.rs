//! What a reader must look at in what a member is in, was found to be, or was listed for.

use chrono::NaiveDate;
use rollbook_events::codes::IdentificationPathway;
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::families::referral::{MemberIdentified, Referral};
use rollbook_events::{Envelope, Event, PlanCode, Program};

use super::offerings::{Offered, offered};
use super::programs::suspicions;
use crate::participations::What;
use crate::rulebook::{Outcome, Selector};
use crate::rules::duplication::{Overlap, Verdict, overlaps};
use crate::rules::facts::Facts;
use crate::rules::finding::Finding;

/// Beside the rows of `duplication_conflict`: what the member must choose (DUP-9), what excludes ECM (DUP-10), and what a
/// rule flags, as a class that does not name the program (EXC-13).
pub fn of_overlaps<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let found = overlaps(&facts.standing, &facts.held, facts.rulebook);
    found.iter().flat_map(|overlap| of_overlap(facts, overlap)).collect()
}

fn of_overlap<'a>(facts: &Facts<'a>, overlap: &Overlap<'_>) -> Vec<Finding<'a>> {
    let Verdict::Pair(pair, outcome) = overlap.verdict else { return Vec::new() };
    let code = match outcome {
        Outcome::Choose if overlap.choice.is_none() => Some("choose_program"),
        Outcome::Exclude => Some("exclusion_found"),
        Outcome::Choose
        | Outcome::Allow
        | Outcome::AllowCoordinated
        | Outcome::Conflict
        | Outcome::NotEligible
        | Outcome::Review => None,
    };
    let (a, b) = (overlap.a, overlap.b);
    // What is handed on outlives the overlap: the rule and the event themselves.
    let rule = facts.rulebook.pairs().iter().find(|known| known.id == pair.id);
    let of = facts.standing.iter().copied().find(|envelope| envelope.id == a.evidence.id);
    let Some((rule, of)) = rule.zip(of) else { return Vec::new() };
    let program = match a.what {
        What::Program(program) => Some(program),
        What::Coverage(_) => None,
    };
    let codes = code.into_iter().chain(pair.flag.map(|flag| flag.as_str()));
    let finding = |code| Finding {
        code,
        rule: &rule.id,
        of,
        program,
        about: format!("{}|{}", a.identity, b.identity),
        from: overlap.span.from,
        until: overlap.span.until,
        because: vec![a.evidence.id, b.evidence.id],
    };
    codes.map(finding).collect()
}

/// DUP-11: a suspicion that would matter to what the member is in or was referred to, until somebody settles it.
pub fn unverified<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let matters = |of: Program, suspected: Program| {
        facts.rulebook.pairs().iter().any(|pair| {
            pair.a.meets(Selector::of(of))
                && pair.b.meets(Selector::of(suspected))
                && matches!(pair.outcome, Outcome::Choose | Outcome::Exclude | Outcome::Conflict)
        })
    };
    let mut found = Vec::new();
    for suspicion in suspicions(facts) {
        let referred = if let Event::Referral(Referral::ReferralReceived(referral)) = &suspicion.evidence.event {
            Some(referral.program)
        } else {
            None
        };
        let enrolled = facts.spans.iter().filter(|of| of.span.overlap(suspicion.span).is_some());
        let mut concerned = referred.into_iter().chain(enrolled.map(|of| of.enrolled.program));
        if let Some(program) = concerned.find(|program| matters(*program, suspicion.program)) {
            found.push(Finding {
                code: "unverified_program",
                rule: "DUP-11",
                of: suspicion.evidence,
                program: Some(program),
                about: suspicion.program.to_string(),
                from: suspicion.span.from,
                until: suspicion.span.until,
                because: vec![suspicion.evidence.id],
            });
        }
    }
    found
}

/// ELIG-8: authorized below the numbers, which a plan may do and a reader should see.
pub fn discretionary<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let assessed = facts.standing.iter().filter_map(|envelope| {
        let Event::Referral(Referral::PopulationAssessed(assessment)) = &envelope.event else { return None };
        assessment.discretionary.then_some((*envelope, assessment.population))
    });
    let finding = |(envelope, population): (&'a Envelope, rollbook_events::Population)| Finding {
        code: "discretionary_threshold",
        rule: "ELIG-8",
        of: envelope,
        program: Some(Program::Ecm),
        about: population.to_string(),
        from: envelope.occurred_at.day(),
        until: None,
        because: vec![envelope.id],
    };
    assessed.map(finding).collect()
}

/// GF-10, CON-17: a member of the transition list whom the plan has not moved to the Community Support it offers in place
/// of what they had; or who was listed for one that it does not offer.
pub fn transition<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found: Vec<Finding<'a>> = Vec::new();
    for envelope in &facts.standing {
        let Event::Referral(Referral::MemberIdentified(listed)) = &envelope.event else { continue };
        let finding = listed_for(facts, envelope, listed);
        // Listed twice, as in two months' files, is listed once.
        let known = |of: &Finding<'_>| found.iter().any(|old| (old.of.plan == of.of.plan) && old.about == of.about);
        found.extend(finding.filter(|finding| !known(finding)));
    }
    found
}

fn listed_for<'a>(facts: &Facts<'a>, envelope: &'a Envelope, listed: &'a MemberIdentified) -> Option<Finding<'a>> {
    let base = facts.rulebook.base();
    let transition = base.eligibility.transition.as_ref()?;
    let is_service = base.offered.iter().any(|offering| offering.program == listed.program);
    if listed.pathway != IdentificationPathway::TransitionList || !is_service {
        return None;
    }
    let from = transition.on.0.max(envelope.occurred_at.day());
    let parameters = facts.parameters(envelope, from);
    let is_offered =
        matches!(offered(parameters, listed.program, &envelope.plan, envelope.county, from), Offered::Yes(_));
    let until = if is_offered { answered(facts, &envelope.plan, listed.program) } else { None };
    if until.is_some_and(|until| until <= from) {
        return None;
    }
    Some(Finding {
        code: if is_offered { "transition_list_deviation" } else { "transition_not_offered" },
        rule: &transition.rule,
        of: envelope,
        program: Some(listed.program),
        about: listed.program.to_string(),
        from,
        until,
        because: vec![envelope.id],
    })
}

/// The first day on which the plan had the member in the service, or the member had declined it.
fn answered(facts: &Facts<'_>, plan: &PlanCode, program: Program) -> Option<NaiveDate> {
    let own = facts.spans.iter().filter(|of| of.enrolled.program == program && of.report.plan == *plan);
    let declined = facts.standing.iter().filter_map(|envelope| {
        let Event::Enrollment(Enrollment::OptedOut(out)) = &envelope.event else { return None };
        (out.program == program && envelope.plan == *plan).then(|| envelope.occurred_at.day())
    });
    own.map(|of| of.span.from).chain(declined).min()
}
