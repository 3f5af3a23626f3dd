//! Active Medi-Cal managed care (ELIG-1, ELIG-2, EXC-1, EXC-2), and Medicare products beside it (EXC-3, EXC-5, EXC-17 to
//! EXC-20).

use chrono::NaiveDate;
use rollbook_events::Envelope;
use rollbook_events::codes::MediCal;

use super::limb::{Limb, Outcome, Reason, Weight};
use super::{Asked, programs};
use crate::participations::{CoverageSpan, codes};
use crate::rulebook::{CoverageCode, Selector};

/// What the reports come to on a day.
enum Status<'s, 'a> {
    /// A report holds the day.
    Reported(&'s CoverageSpan<'a>),
    /// The last report has ended, and nothing follows it.
    Ended(&'s CoverageSpan<'a>),
    /// Nobody has reported anything that early.
    Unknown,
}

pub(super) fn limbs<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Vec<Limb<'a>> {
    let Some(rule) = asked.coverage_rule(CoverageCode::MediCalInactive, day) else { return Vec::new() };
    let mut limbs = vec![match status(asked, day) {
        Status::Unknown => {
            Limb::new(Weight::Question, Outcome::Review).reason(Reason::CoverageUnknown).rule(&rule.id, &rule.cite)
        }
        Status::Ended(last) => Limb::new(Weight::Coverage, Outcome::NotEligible)
            .reason(if is_elsewhere(asked, day) { Reason::PlanChanged } else { Reason::MediCalInactive })
            .rule(&rule.id, &rule.cite)
            .because([last.evidence]),
        Status::Reported(now) => match now.report.medi_cal {
            MediCal::ManagedCare => {
                Limb::new(Weight::Open, Outcome::Allow).rule(&rule.id, &rule.cite).because([now.evidence])
            }
            MediCal::Inactive => Limb::new(Weight::Coverage, Outcome::NotEligible)
                .reason(Reason::MediCalInactive)
                .rule(&rule.id, &rule.cite)
                .because([now.evidence]),
            MediCal::FeeForService => {
                let rule = asked.coverage_rule(CoverageCode::FeeForService, day).unwrap_or(rule);
                Limb::new(Weight::Coverage, Outcome::NotEligible)
                    .reason(Reason::FeeForService)
                    .rule(&rule.id, &rule.cite)
                    .because([now.evidence])
            }
        },
    }];
    for of in asked.coverage.iter().filter(|of| of.span.holds(day)) {
        let [_, medicare] = codes(of.report);
        let product = medicare.map(Selector::Coverage);
        limbs.extend(product.into_iter().flat_map(|product| {
            programs::against(asked, product, None, day)
                .map(|pair| programs::limb(asked, pair, day).because([of.evidence]))
        }));
    }
    limbs
}

/// Whether the member was in managed care on a day, by the reports this plan would go by.
pub(super) fn is_managed_care(asked: &Asked<'_, '_>, day: NaiveDate) -> bool {
    matches!(status(asked, day), Status::Reported(now) if now.report.medi_cal == MediCal::ManagedCare)
}

/// Whether another plan has the member in managed care on a day.
fn is_elsewhere(asked: &Asked<'_, '_>, day: NaiveDate) -> bool {
    asked.coverage.iter().any(|of| of.report.medi_cal == MediCal::ManagedCare && of.span.holds(day))
}

/// The report by which a member is known not to be in managed care on a day.
pub(super) fn missing_on<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Option<&'a Envelope> {
    match status(asked, day) {
        Status::Reported(now) if now.report.medi_cal == MediCal::ManagedCare => None,
        Status::Reported(of) | Status::Ended(of) => Some(of.evidence),
        Status::Unknown => None,
    }
}

/// The plan's own word, once it has spoken, else the last word of the others.
fn status<'s, 'a>(asked: &Asked<'s, 'a>, day: NaiveDate) -> Status<'s, 'a> {
    let begun = |of: &&CoverageSpan<'a>| of.span.from <= day;
    let own: Vec<_> = asked.coverage.iter().filter(begun).filter(|of| of.evidence.plan == *asked.plan).collect();
    let reports = if own.is_empty() { asked.coverage.iter().filter(begun).collect() } else { own };
    let latest = |reports: &mut dyn Iterator<Item = &'s CoverageSpan<'a>>| reports.max_by_key(|of| of.span.from);
    let holding = latest(&mut reports.iter().copied().filter(|of| of.span.holds(day)));
    match (holding, latest(&mut reports.iter().copied())) {
        (Some(now), _) => Status::Reported(now),
        (None, Some(last)) => Status::Ended(last),
        (None, None) => Status::Unknown,
    }
}
