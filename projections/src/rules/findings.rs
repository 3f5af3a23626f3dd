//! Every rule that finds something, in one list. A new one is a function in its family's file and a line here.

use super::facts::Facts;
use super::finding::{Find, Finding};
use super::{
    agencies, appeals, authorizations, care_managers, eligibility, housing, notices, outreach_findings, reassessment,
    referrals, services, sources, stays, units,
};

/// The rules that find something.
pub const ALL: &[Find] = &[
    appeals::find,
    authorizations::find,
    reassessment::find,
    agencies::one_agency_on_both_sides,
    care_managers::two_at_once,
    housing::without_own_authorization,
    housing::wrong_channel,
    outreach_findings::attempts_to_look_at,
    referrals::loops,
    services::beside_one_another,
    services::cut_off_by_days,
    services::ended_for_no_known_reason,
    sources::different_ends,
    stays::beyond_limits,
    units::months_to_look_at,
    notices::findings::determined,
    notices::findings::alternatives,
    notices::findings::given_up,
    eligibility::findings::of_overlaps,
    eligibility::findings::unverified,
    eligibility::findings::discretionary,
    eligibility::findings::transition,
    eligibility::while_enrolled::without_coverage,
    eligibility::while_enrolled::without_offering,
    eligibility::while_enrolled::narrowed,
];

/// Every finding of a member, in an order that only the facts decide.
///
/// Two rules, or two reports of one thing, may find the same: it is one finding, which rests on all of their events.
pub fn findings<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found: Vec<Finding<'a>> = ALL.iter().flat_map(|find| find(facts)).collect();
    found.sort_by(|x, y| same(x).cmp(&same(y)));
    found.dedup_by(|later, first| {
        let is_same = same(later) == same(first);
        if is_same {
            let more = later.because.iter().filter(|id| !first.because.contains(id)).copied().collect::<Vec<_>>();
            first.because.extend(more);
        }
        is_same
    });
    found
}

/// What makes two findings one.
fn same<'f>(finding: &'f Finding<'_>) -> impl Ord + use<'f> {
    let of = finding.of;
    (finding.code, finding.program, of.plan.as_str(), finding.about.as_str(), finding.from, of.subject)
}
