//! `expect.outreach`: the episodes of `outreach_conversion`, one of them or their sum.

use serde_json::Value;

use super::{By, Expectation, Key, Kind, Row, Source, Spec, USUAL};

/// The table.
pub const SPEC: Spec = Spec {
    name: "outreach",
    source: Source::View { view: "outreach_conversion", path: &["outreach"], query: &[] },
    keys: &[
        Key::same("program", Kind::Program),
        Key::same("attempts", Kind::Number),
        Key::same("contacts", Kind::Number),
        Key::same("marketing", Kind::Number),
        Key::new(
            "not_counted",
            Kind::Texts,
            By::Fits(|wanted, row, _| wanted.is_among(row.get("not_counted_reasons"))),
        ),
        Key::same("exported", Kind::Number),
        Key::same("episode", Kind::Number),
        Key::new("first_attempt", Kind::Day, By::Column("first_attempt_on")),
        Key::new("first_contact", Kind::Day, By::Column("first_contact_on")),
    ],
    gather,
    ..USUAL
};

/// Columns that are added up.
const SUMS: &[&str] = &["attempts", "contacts", "marketing", "exported"];
/// Columns of which the first is taken.
const FIRSTS: &[&str] = &["first_attempt_on", "first_contact_on"];

/// Where no episode is named, all of the program and plan are one; where there is none, it is one of nothing. A `count` is
/// of episodes.
fn gather(expectation: &Expectation, rows: Vec<Row>) -> Vec<Row> {
    if expectation.get("episode").is_some() || expectation.get("count").is_some() {
        return rows;
    }
    let of = |row: &Row, key: &str| expectation.get(key).is_none_or(|wanted| wanted.is(row.get(key)));
    let rows: Vec<Row> = rows.into_iter().filter(|row| of(row, "program") && of(row, "plan")).collect();
    let mut sum = rows.first().cloned().unwrap_or_default();
    for key in ["program", "plan"] {
        if let Some(word) = expectation.word(key) {
            sum.insert(key.to_owned(), word.into());
        }
    }
    for column in SUMS {
        let added: i64 = rows.iter().filter_map(|row| row.get(*column)?.as_i64()).sum();
        sum.insert((*column).to_owned(), added.into());
    }
    for column in FIRSTS {
        let first = rows.iter().filter_map(|row| row.get(*column)?.as_str()).min();
        sum.insert((*column).to_owned(), first.map_or(Value::Null, Value::from));
    }
    let reasons: Vec<&str> = rows.iter().filter_map(|row| row.get("not_counted_reasons")?.as_str()).collect();
    sum.insert("not_counted_reasons".to_owned(), reasons.join(",").into());
    vec![sum]
}
