//! Every rule that finds something, in one list. A new one is a function in its family's file and a line here.

use super::facts::Facts;
use super::finding::{Find, Finding};

/// The rules that find something.
pub const ALL: &[Find] = &[super::authorizations::find, super::appeals::find, super::reassessment::find];

/// Every finding of a member, in an order that only the facts decide.
pub fn findings<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found: Vec<Finding<'a>> = ALL.iter().flat_map(|find| find(facts)).collect();
    found.sort_by(|x, y| (x.code, x.program, &x.about, x.from).cmp(&(y.code, y.program, &y.about, y.from)));
    found
}
