//! ECM's Populations of Focus: at least one met, and open in the county for the member's age (ELIG-5 to ELIG-8, POF-1 to
//! POF-9).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rollbook_events::families::referral::{PopulationAssessed, Referral};
use rollbook_events::{Envelope, Event, Population};

use super::Asked;
use super::community_supports::{age_on, claims};
use super::limb::{Limb, Outcome, Reason, Weight};
use crate::rulebook::{AgeGroup, PopulationRule};

/// Whether a population is open.
#[derive(Debug, Clone, Copy)]
pub(super) enum Open<'a> {
    /// By this entry; by none where the edition speaks of no population at all.
    Yes(Option<&'a PopulationRule>),
    /// Why not, and by which entry.
    No(Outcome, Reason, Option<&'a PopulationRule>),
}

/// Whether ECM has begun in the county: with the first population that is open there, for whomever.
pub(super) fn begun<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Option<Limb<'a>> {
    let entries = || asked.parameters(day).population.iter().chain(&asked.base().population);
    let here = || entries().filter(|entry| entry.is_of(asked.county));
    if entries().next().is_none() || here().any(|entry| entry.holds(day)) {
        return None;
    }
    let first = here().filter(|entry| day < entry.from.0).min_by_key(|entry| entry.from);
    let reason = if first.is_some() { Reason::NotOfferedYet } else { Reason::County };
    let limb = Limb::new(Weight::Offering, Outcome::NotOffered).reason(reason);
    Some(first.into_iter().fold(limb, |limb, entry| limb.rule(&entry.rule, &entry.cite)))
}

pub(super) fn limbs<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Vec<Limb<'a>> {
    let assessed = assessed(asked, day);
    let met: Vec<_> = assessed.iter().filter(|(_, of, assessment)| is_met(asked, *of, assessment, day)).collect();
    let judged = |(envelope, population, assessment): &&(&'a Envelope, Population, &'a PopulationAssessed)| {
        let age = assessment.age_years.or_else(|| age_on(asked, day));
        limb(open(asked, *population, age, day)).because([*envelope])
    };
    let mut limbs: Vec<Limb<'a>> = met.iter().copied().map(|of| judged(&of)).collect();
    // ELIG-5: one is enough, so that another that is not open takes nothing away.
    let opens = |limb: &Limb<'_>| limb.outcome == Outcome::Allow;
    if limbs.iter().any(opens) {
        limbs.retain(opens);
    }
    if met.is_empty() {
        limbs.extend(none_met(asked, &assessed, day));
    }
    if let Some(source) = asked.base().eligibility.population.as_ref() {
        limbs.iter_mut().filter(|limb| limb.rule.is_none()).for_each(|limb| {
            limb.rule = Some(&source.rule);
            limb.cites.push(&source.cite);
        });
    }
    limbs
}

/// What found the member to meet a population that is open on a day.
pub(super) fn met_on<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Option<&'a Envelope> {
    let met = assessed(asked, day).into_iter().find(|(_, population, assessment)| {
        let age = assessment.age_years.or_else(|| age_on(asked, day));
        is_met(asked, *population, assessment, day) && matches!(open(asked, *population, age, day), Open::Yes(_))
    });
    met.map(|(envelope, ..)| envelope)
}

/// The last word on each population by a day.
fn assessed<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Vec<(&'a Envelope, Population, &'a PopulationAssessed)> {
    let mut last = BTreeMap::new();
    for envelope in asked.by(day) {
        if let Event::Referral(Referral::PopulationAssessed(assessment)) = &envelope.event {
            last.insert(assessment.population, (envelope, assessment));
        }
    }
    last.into_iter().map(|(population, (envelope, assessment))| (envelope, population, assessment)).collect()
}

/// ELIG-8: where the definition lets a plan go below its numbers, its discretion meets it too.
fn is_met(asked: &Asked<'_, '_>, population: Population, assessment: &PopulationAssessed, day: NaiveDate) -> bool {
    let discretion = asked.parameters(day).eligibility.discretionary.as_ref();
    let may = discretion.is_some_and(|entry| entry.populations.contains(&population));
    assessment.met || (assessment.discretionary && may)
}

fn limb(open: Open<'_>) -> Limb<'_> {
    let (limb, entry) = match open {
        Open::Yes(entry) => (Limb::new(Weight::Open, Outcome::Allow), entry),
        Open::No(outcome, reason, entry) => (Limb::new(Weight::Entry, outcome).reason(reason), entry),
    };
    entry.into_iter().fold(limb, |limb, entry| limb.rule(&entry.rule, &entry.cite))
}

/// What the entries say of a population in the county on a day. ELIG-7: a plan may not narrow them, so that what the
/// edition itself opens stays open.
pub(super) fn open<'a>(asked: &Asked<'_, 'a>, population: Population, age: Option<u8>, day: NaiveDate) -> Open<'a> {
    let entries: Vec<&'a PopulationRule> =
        asked.parameters(day).population.iter().chain(&asked.base().population).collect();
    if entries.is_empty() {
        return Open::Yes(None);
    }
    let here: Vec<_> = entries.into_iter().filter(|e| e.population == population && e.is_of(asked.county)).collect();
    let adult = asked.parameters(day).eligibility.adult.as_ref().map(|adult| adult.from_years);
    let fits = |entry: &&&PopulationRule| match (entry.age_group, age, adult) {
        // An age nobody told of rules nothing out.
        (AgeGroup::Any, ..) | (_, None, _) | (_, _, None) => true,
        (AgeGroup::Adult, Some(age), Some(adult)) => age >= adult,
        (AgeGroup::Child, Some(age), Some(adult)) => age < adult,
    };
    if let Some(entry) = here.iter().filter(fits).find(|entry| entry.holds(day)) {
        return Open::Yes(Some(entry));
    }
    let later = here.iter().filter(fits).filter(|entry| day < entry.from.0).min_by_key(|entry| entry.from);
    if let Some(entry) = later {
        return Open::No(Outcome::NotOffered, Reason::NotOfferedYet, Some(entry));
    }
    match here.first() {
        Some(entry) if here.iter().any(|entry| fits(&entry)) => {
            Open::No(Outcome::NotOffered, Reason::OfferingWithdrawn, Some(entry))
        }
        Some(entry) => Open::No(Outcome::NotEligible, Reason::Age, Some(entry)),
        None => Open::No(Outcome::NotOffered, Reason::County, None),
    }
}

/// None is met: because none was found, or because nobody has looked.
fn none_met<'a>(
    asked: &Asked<'_, 'a>,
    assessed: &[(&'a Envelope, Population, &'a PopulationAssessed)],
    day: NaiveDate,
) -> Vec<Limb<'a>> {
    let claims = claims(asked, day);
    let claimed = claims.iter().flat_map(|claim| claim.populations.iter().map(|of| (claim.by, *of)));
    let unassessed: Vec<_> = claimed.filter(|(_, of)| assessed.iter().all(|(_, known, _)| known != of)).collect();
    if !assessed.is_empty() && unassessed.is_empty() {
        let not_met = Limb::new(Weight::Entry, Outcome::NotEligible).reason(Reason::NoPopulationOfFocus);
        return vec![not_met.because(assessed.iter().map(|(envelope, ..)| *envelope))];
    }
    let age = age_on(asked, day);
    let closed: Vec<_> = unassessed.iter().map(|(by, of)| (by, open(asked, *of, age, day))).collect();
    if !closed.is_empty() && closed.iter().all(|(_, open)| matches!(open, Open::No(..))) {
        return closed.into_iter().map(|(by, open)| limb(open).because([*by])).collect();
    }
    let limb = if claims.is_empty() || !assessed.is_empty() {
        Limb::new(Weight::Question, Outcome::Review)
    } else {
        // Somebody asked, listed or enrolled the member, and nothing stands against it so far.
        Limb::new(Weight::Open, Outcome::Allow)
    };
    vec![limb.reason(Reason::NeedsAssessment).because(claims.iter().map(|claim| claim.by))]
}
