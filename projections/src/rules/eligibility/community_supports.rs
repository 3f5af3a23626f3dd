//! A Community Support's three findings (ELIG-13), ages (SOB-2) and the lifetime limit of tenancy services (TSS-1 to
//! TSS-3), and who has asked for a program at all.

use chrono::{Months, NaiveDate};
use rollbook_events::codes::{AuthorizationOutcome, AuthorizationReason};
use rollbook_events::families::authorization::Authorization;
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::families::referral::{Referral, ServiceAssessed};
use rollbook_events::{Envelope, Event, Population, Program};

use super::Asked;
use super::limb::{Limb, Outcome, Reason, Weight};
use crate::rulebook::AgeLimit;
use crate::rules::tenancy::{Tenancy, tenancy_on, tenancy_uses};

pub(super) fn limbs<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Vec<Limb<'a>> {
    if !asked.is_community_support(day) {
        return Vec::new();
    }
    let limits = too_young(asked, day).into_iter().chain(lifetime(asked, day));
    limits.chain(std::iter::once(findings(asked, day))).collect()
}

/// The days that only this file knows of: the ends of tenancy services, and when an age must have been reached.
pub(super) fn days(asked: &Asked<'_, '_>) -> Vec<NaiveDate> {
    let ages = ages(asked).flat_map(|(on, known)| {
        let limits = limits(asked, on).filter(move |limit| known < limit.at_least);
        limits.filter_map(move |limit| reached(on, known, limit)).chain([on])
    });
    let mut days: Vec<NaiveDate> = ages.collect();
    if asked.program == Program::TenancySustaining {
        let known: Vec<NaiveDate> = asked.facts.standing.iter().map(|envelope| envelope.occurred_at.day()).collect();
        let rules = known.iter().map(|day| &asked.parameters(*day).tenancy);
        let uses = rules.flat_map(|rules| tenancy_uses(asked.facts, rules));
        days.extend(uses.flat_map(|one| [Some(one.span.from), one.span.until]).flatten());
    }
    days
}

/// ELIG-13: each of the three is a finding of its own; without them the decision on a request tells what was found.
fn findings<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Limb<'a> {
    let known = assessed(asked, day).map(|(by, found)| (by, missing(found)));
    let limb = match known.or_else(|| decided(asked, day)) {
        Some((by, missing)) if missing.is_empty() => Limb::new(Weight::Open, Outcome::Allow).because([by]),
        Some((by, missing)) => {
            let limb = Limb::new(Weight::Entry, Outcome::NotEligible).because([by]);
            missing.into_iter().fold(limb, Limb::reason)
        }
        None => {
            let claims = claims(asked, day);
            let limb = if claims.is_empty() {
                Limb::new(Weight::Question, Outcome::Review)
            } else {
                // Somebody asked, listed or enrolled the member, and nothing stands against it so far.
                Limb::new(Weight::Open, Outcome::Allow)
            };
            limb.reason(Reason::NeedsAssessment).because(claims.iter().map(|claim| claim.by))
        }
    };
    let source = asked.base().eligibility.determination.as_ref();
    source.into_iter().fold(limb, |limb, source| limb.rule(&source.rule, &source.cite))
}

/// The plan's own last assessment by a day, else that of another: the county assesses its own clients (CONS-5).
fn assessed<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Option<(&'a Envelope, &'a ServiceAssessed)> {
    let of_program = |envelope: &'a Envelope| {
        let Event::Referral(Referral::ServiceAssessed(found)) = &envelope.event else { return None };
        (found.program == asked.program).then_some((envelope, found))
    };
    let all = || asked.by(day).filter_map(of_program);
    all().rfind(|(by, _)| by.plan == *asked.plan).or_else(|| all().next_back())
}

fn missing(found: &ServiceAssessed) -> Vec<Reason> {
    let each = [
        (found.definition_met, Reason::DefinitionNotMet),
        (found.medically_appropriate, Reason::NotMedicallyAppropriate),
        (found.cost_effective, Reason::NotCostEffective),
    ];
    each.into_iter().filter(|(met, _)| !met).map(|(_, reason)| reason).collect()
}

/// What the plan's last decision on a request by a day says of the findings; nothing where it turns on something else.
fn decided<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Option<(&'a Envelope, Vec<Reason>)> {
    let mut decisions = asked.by(day).filter_map(|envelope| {
        let Event::Authorization(Authorization::AuthorizationDecided(decision)) = &envelope.event else { return None };
        let is_own = decision.program == asked.program && envelope.plan == *asked.plan;
        is_own.then_some((envelope, decision))
    });
    let (by, decision) = decisions.next_back()?;
    let reasons = decision.reasons.iter().filter_map(|reason| match reason {
        AuthorizationReason::DefinitionNotMet => Some(Reason::DefinitionNotMet),
        AuthorizationReason::NotMedicallyAppropriate => Some(Reason::NotMedicallyAppropriate),
        AuthorizationReason::NotCostEffective => Some(Reason::NotCostEffective),
        AuthorizationReason::NoPopulationOfFocus
        | AuthorizationReason::DocumentationMissing
        | AuthorizationReason::LifetimeLimit
        | AuthorizationReason::Coverage
        | AuthorizationReason::ExcludedProgram
        | AuthorizationReason::NotOffered
        | AuthorizationReason::InformationMissing
        | AuthorizationReason::Other => None,
    });
    let found: Vec<Reason> = reasons.collect();
    match decision.outcome {
        AuthorizationOutcome::Approved => Some((by, Vec::new())),
        AuthorizationOutcome::Denied if !found.is_empty() => Some((by, found)),
        AuthorizationOutcome::Denied | AuthorizationOutcome::Modified | AuthorizationOutcome::Deferred => None,
    }
}

fn lifetime<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Option<Limb<'a>> {
    if asked.program != Program::TenancySustaining {
        return None;
    }
    let rules = &asked.parameters(day).tenancy;
    let refused = || Limb::new(Weight::Limit, Outcome::Deny);
    match tenancy_on(asked.facts, rules, day) {
        Tenancy::Open => None,
        Tenancy::Extended(because) => {
            let limb = Limb::new(Weight::Open, Outcome::Allow);
            Some(limb.rule(&rules.extension_rule, &rules.cite).because(because))
        }
        Tenancy::NeedsDocumentation(because) => {
            let limb = refused().reason(Reason::DocumentationMissing);
            Some(limb.rule(&rules.rule, &rules.cite).because(because))
        }
        Tenancy::UsedUp(because) => {
            let limb = refused().reason(Reason::LifetimeLimit);
            Some(limb.rule(&rules.last_rule, &rules.cite).because(because))
        }
    }
}

fn too_young<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Option<Limb<'a>> {
    let (on, known) = ages(asked).filter(|(on, _)| *on <= day).max_by_key(|(on, _)| *on)?;
    let limit = limits(asked, day).find(|limit| known < limit.at_least)?;
    // The last known age stands, but no longer than it can have lasted.
    let is_young = reached(on, known, limit).is_none_or(|reached| day < reached);
    is_young.then(|| Limb::new(Weight::Limit, Outcome::NotEligible).reason(Reason::Age).rule(&limit.rule, &limit.cite))
}

fn limits<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> impl Iterator<Item = &'a AgeLimit> {
    let (program, plan) = (asked.program, asked.plan.clone());
    let limits = asked.parameters(day).eligibility.age.iter();
    limits.filter(move |limit| limit.program == program && limit.plan.as_ref().is_none_or(|own| *own == plan))
}

/// The first day on which somebody of an age on a day must be old enough.
fn reached(on: NaiveDate, known: u8, limit: &AgeLimit) -> Option<NaiveDate> {
    on.checked_add_months(Months::new(12 * u32::from(limit.at_least.saturating_sub(known))))
}

/// The member's age by a day, as last told.
pub(super) fn age_on(asked: &Asked<'_, '_>, day: NaiveDate) -> Option<u8> {
    ages(asked).filter(|(on, _)| *on <= day).max_by_key(|(on, _)| *on).map(|(_, age)| age)
}

/// Every age that is told, with the day it is of.
fn ages(asked: &Asked<'_, '_>) -> impl Iterator<Item = (NaiveDate, u8)> {
    asked.facts.standing.iter().filter_map(|envelope| {
        if let Event::Enrollment(Enrollment::StayRecorded(stay)) = &envelope.event {
            return stay.age_years.map(|age| (stay.admitted_at.day(), age));
        }
        let Event::Referral(told) = &envelope.event else { return None };
        let age = match told {
            Referral::MemberIdentified(told) => told.age_years,
            Referral::PopulationAssessed(told) => told.age_years,
            Referral::ReferralReceived(told) => told.age_years,
            Referral::ServiceAssessed(_) | Referral::ReferralUpdated(_) => None,
        };
        age.map(|age| (envelope.occurred_at.day(), age))
    })
}

/// Somebody who asked for a program, listed the member for it, or enrolled them.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    pub by: &'a Envelope,
    /// The populations it names.
    pub populations: &'a [Population],
}

/// Who has asked by a day.
pub(super) fn claims<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Vec<Claim<'a>> {
    let told = asked.by(day).filter_map(|envelope| {
        let (program, populations) = claimed(&envelope.event)?;
        (program == asked.program).then_some(Claim { by: envelope, populations })
    });
    let enrolled = asked.facts.spans.iter().filter(|of| of.enrolled.program == asked.program && of.span.holds(day));
    told.chain(enrolled.map(|of| Claim { by: of.report, populations: &[] })).collect()
}

fn claimed(event: &Event) -> Option<(Program, &[Population])> {
    if let Event::Authorization(told) = event {
        return match told {
            Authorization::AuthorizationRequested(told) => Some((told.program, &[])),
            Authorization::AuthorizationDecided(told) => {
                (told.outcome == AuthorizationOutcome::Approved).then_some((told.program, &[]))
            }
        };
    }
    let Event::Referral(told) = event else { return None };
    match told {
        Referral::MemberIdentified(told) => Some((told.program, &told.populations)),
        Referral::ReferralReceived(told) => Some((told.program, &told.populations)),
        Referral::PopulationAssessed(_) | Referral::ServiceAssessed(_) | Referral::ReferralUpdated(_) => None,
    }
}
