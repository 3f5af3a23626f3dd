//! Every rule that finds something, in one list. A new one is a function in its family's file and a line here.

use super::facts::Facts;
use super::finding::{Find, Finding};

/// The rules that find something.
pub const ALL: &[Find] = &[super::authorizations::find, super::appeals::find, super::reassessment::find];

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
