//! The matcher: which rows match every key, and whether that is what was expected.

use chrono::NaiveDate;

use super::key::day;
use super::{Expectation, Row, Wanted};
use crate::scenario::ids::Ids;

/// What matching came to.
#[derive(Debug)]
pub struct Matching {
    /// Whether it is as expected.
    pub met: bool,
    /// What is wrong, where it is not.
    pub why: String,
    /// Rows that are of the matter, for the report.
    pub came: Vec<Row>,
}

/// Matches rows with an expectation: at least one must match every key; with `count`, just that many; where the word is
/// `none`, no row may match the other keys.
pub fn matching(expectation: &Expectation, rows: Vec<Row>, ids: &Ids) -> Matching {
    let spec = expectation.spec;
    let seen: Vec<Row> = rows.into_iter().filter(|row| (spec.stands)(expectation, row)).collect();
    let rows = (spec.gather)(expectation, seen.clone());
    let is_none = expectation.is_none();
    let as_of = expectation.day("as_of");
    let matches = |row: &&Row| {
        let keys = spec.keys().filter(|key| !(is_none && Some(key.name) == spec.none));
        keys.into_iter().all(|key| expectation.meets(key, row, ids))
            && as_of.is_none_or(|day| (spec.holds)(expectation, row, day))
    };
    let matched: Vec<&Row> = rows.iter().filter(matches).collect();
    let found = (spec.count)(&matched);
    let (met, why) = match (is_none, expectation.get("count")) {
        (true, _) => (matched.is_empty(), format!("{found} matched, and none may")),
        (false, Some(Wanted::Number(count))) => {
            (i64::try_from(found) == Ok(*count), format!("{found} matched, and {count} must"))
        }
        (false, Some(_) | None) => (!matched.is_empty(), "none matched".to_owned()),
    };
    let came =
        if is_none || found > 0 { matched.into_iter().cloned().collect() } else { of_the_matter(expectation, rows) };
    Matching { met, why, came }
}

/// The rows about the same program or code, else all of them.
fn of_the_matter(expectation: &Expectation, rows: Vec<Row>) -> Vec<Row> {
    let about = |row: &Row| {
        expectation
            .spec
            .about
            .iter()
            .all(|column| expectation.get(column).is_none_or(|wanted| wanted.is(row.get(*column))))
    };
    if rows.iter().any(about) { rows.into_iter().filter(|row| about(row)).collect() } else { rows }
}

/// Whether the row's span holds a day; where it has no first or last day it is open there.
pub(super) fn holds(row: &Row, on: NaiveDate) -> bool {
    day(row.get("from_on")).is_none_or(|from| from <= on) && day(row.get("until_on")).is_none_or(|until| on < until)
}

/// A plan, on whichever side of a pair.
pub(super) fn plan(wanted: &Wanted, row: &Row, _: &Ids) -> bool {
    ["plan", "plan_a", "plan_b"].iter().any(|column| wanted.is(row.get(*column)))
}
