//! `expect.conflict`: the overlaps of `duplication_conflict`, whichever side a program stands on.

use serde_json::Value;

use super::{By, Key, Kind, Row, Source, Spec, USUAL, Wanted};
use crate::scenario::ids::Ids;

/// The table.
pub const SPEC: Spec = Spec {
    name: "conflict",
    // Left to itself the API leaves out what may run with care.
    source: Source::View { view: "duplication_conflict", path: &["conflicts"], query: &[("outcome", "any")] },
    keys: &[
        Key::new("programs", Kind::Pair, By::Fits(pair)),
        Key::same("outcome", Kind::Word(OUTCOMES)),
        Key::new("from", Kind::Day, By::Column("from_on")),
        Key::new("until", Kind::End, By::Column("until_on")),
    ],
    none: Some("outcome"),
    about: &[],
    ..USUAL
};

const OUTCOMES: &[&str] = &[
    "conflict",
    "allow_coordinated",
    "choose",
    "exclude",
    "duplicate_enrollment",
    "none",
    "not_eligible",
    "review",
    "allow",
];

fn pair(wanted: &Wanted, row: &Row, _: &Ids) -> bool {
    let side = |column: &str| row.get(column).and_then(Value::as_str).unwrap_or_default();
    let (a, b) = (side("program_a"), side("program_b"));
    matches!(wanted.texts(), [one, other] if (one == a && other == b) || (one == b && other == a))
}
