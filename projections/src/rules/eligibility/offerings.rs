//! Whether a plan offers a Community Support in a county on a day (ELIG-15, ELIG-17, SOB-3). ECM is open where a
//! population is.

use chrono::NaiveDate;
use rollbook_events::{County, PlanCode, Program};

use super::Asked;
use super::limb::{Limb, Outcome, Reason, Weight};
use crate::rulebook::{Offering, Parameters};

/// Whether a service is offered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Offered<'a> {
    /// By this entry; by none where the edition does not speak of the service.
    Yes(Option<&'a Offering>),
    /// Why not, and by which entry.
    No(Reason, &'a Offering),
}

pub(super) fn limbs<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Vec<Limb<'a>> {
    let entries = offered(asked.parameters(day), asked.program, asked.plan, asked.county, day);
    let (limb, entry) = match entries {
        Offered::Yes(None) => return Vec::new(),
        Offered::Yes(Some(entry)) => (Limb::new(Weight::Open, Outcome::Allow), entry),
        Offered::No(reason, entry) => (Limb::new(Weight::Offering, Outcome::NotOffered).reason(reason), entry),
    };
    // A plan's own file need not cite anything.
    let limb = match &entry.rule {
        Some(rule) => Limb { rule: Some(rule), ..limb },
        None => Limb { rule: Some("ELIG-15"), ..limb },
    };
    vec![Limb { cites: entry.cite.iter().map(String::as_str).collect(), ..limb }]
}

/// The plan's own entries on a service, where it has any, else those on all plans.
pub(super) fn offered<'a>(
    parameters: &'a Parameters,
    program: Program,
    plan: &PlanCode,
    county: County,
    day: NaiveDate,
) -> Offered<'a> {
    let of_program = || parameters.offered.iter().filter(move |entry| entry.program == program);
    let own: Vec<_> = of_program().filter(|entry| entry.plan.as_ref() == Some(plan)).collect();
    let entries = if own.is_empty() { of_program().filter(|entry| entry.plan.is_none()).collect() } else { own };
    let here = |entry: &&&Offering| entry.county.is_none_or(|own| own == county);
    if let Some(entry) = entries.iter().filter(here).find(|entry| entry.holds(day)) {
        return Offered::Yes(Some(entry));
    }
    let later = |entry: &&&Offering| entry.from.is_some_and(|from| day < from.0);
    if let Some(entry) = entries.iter().filter(here).find(later) {
        return Offered::No(Reason::NotOfferedYet, entry);
    }
    if let Some(entry) = entries.iter().find(here) {
        return Offered::No(Reason::OfferingWithdrawn, entry);
    }
    entries.first().map_or(Offered::Yes(None), |entry| Offered::No(Reason::County, entry))
}
