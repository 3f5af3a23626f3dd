//! `expect.notice`: the determinations that stand in `notice_determination`, counted by obligation.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{By, Expectation, Key, Kind, Row, Source, Spec, USUAL, Wanted};

/// The table.
pub const SPEC: Spec = Spec {
    name: "notice",
    source: Source::View {
        view: "notice_determination",
        path: &["notices"],
        query: &[("standing", "any"), ("voided", "any")],
    },
    keys: &[
        Key::same("program", Kind::Program),
        Key::same("outcome", Kind::Word(&["required", "not_required", "review", "none"])),
        Key::same("notice", Kind::Word(KINDS)),
        Key::new("voided", Kind::Yes, By::Column("voided")),
    ],
    none: Some("outcome"),
    stands,
    count,
    ..USUAL
};

const KINDS: &[&str] = &["denial", "modification", "deferral", "discontinuation", "availability_change"];

/// What was superseded stands no more, nor does what lost its trigger; the latter is told only to who asks for it.
fn stands(expectation: &Expectation, row: &Row) -> bool {
    let is_voided = row.get("voided").and_then(Value::as_bool).unwrap_or(false);
    match expectation.get("voided") {
        Some(Wanted::Yes(true)) => is_voided,
        Some(_) | None => !is_voided && row.get("superseded_by").is_none_or(Value::is_null),
    }
}

/// Several determinations may answer one obligation.
fn count(rows: &[&Row]) -> usize {
    let obligations: BTreeSet<String> =
        rows.iter().map(|row| row.get("obligation").map(ToString::to_string).unwrap_or_default()).collect();
    obligations.len()
}
