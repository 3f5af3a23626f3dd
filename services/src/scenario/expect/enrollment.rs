//! `expect.enrollment`: the spans of `current_enrollment`.

use chrono::NaiveDate;

use super::key::day;
use super::{By, Expectation, Key, Kind, Row, Source, Spec, USUAL};

/// The table.
pub const SPEC: Spec = Spec {
    name: "enrollment",
    source: Source::View { view: "current_enrollment", path: &["enrollments"], query: &[] },
    keys: &[
        Key::same("program", Kind::Program),
        // How a span stands depends on the day that is asked about, which `stands` and `holds` know.
        Key::new("status", Kind::Word(&["none", "active", "ended"]), By::Apart),
        Key::new("from", Kind::Day, By::Column("from_on")),
        Key::new("until", Kind::End, By::Column("until_on")),
        Key::same("basis", Kind::Text),
        Key::same("channel", Kind::Text),
        Key::same("provider", Kind::Text),
        Key::same("reason", Kind::Text),
    ],
    none: Some("status"),
    stands,
    holds,
    ..USUAL
};

/// Without a day, a span is ended that has an end.
fn stands(expectation: &Expectation, row: &Row) -> bool {
    let ends = day(row.get("until_on")).is_some();
    match (expectation.word("status"), expectation.day("as_of")) {
        (Some("active"), None) => !ends,
        (Some("ended"), None) => ends,
        _ => true,
    }
}

/// On a day, a span is ended whose end has come.
fn holds(expectation: &Expectation, row: &Row, on: NaiveDate) -> bool {
    match expectation.word("status") {
        Some("ended") => day(row.get("until_on")).is_some_and(|until| until <= on),
        _ => super::matching::holds(row, on),
    }
}
