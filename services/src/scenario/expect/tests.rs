use serde_json::{Value, json};
use toml::de::DeTable;

use super::*;
use crate::scenario::file::Case;

/// The one expectation of a text, written as it stands in a file.
fn expectation(text: &str) -> Expectation {
    let whole = DeTable::parse(text).unwrap();
    let mut top = Table::of(&whole);
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    read(top.take("expect").unwrap().table().unwrap(), &line).unwrap().remove(0)
}

fn row(value: Value) -> Row {
    serde_json::from_value(value).unwrap()
}

fn ids() -> Ids {
    let case = Case::parse("a.toml".as_ref(), "id = \"a\"", |_| Err(String::new())).unwrap();
    Ids::new(&case, "salt", &[])
}

fn met(text: &str, rows: &[Value]) -> bool {
    matching(&expectation(text), rows.iter().cloned().map(row).collect(), &ids()).met
}

fn span(program: &str, from: &str, until: Option<&str>) -> Value {
    json!({ "program": program, "plan": "la-care", "from_on": from, "until_on": until, "provider": "1234567893" })
}

#[test]
fn at_least_one_row_matches_every_key() {
    let rows = [span("ecm", "2022-01-01", None), span("respite", "2022-03-01", None)];
    let of = |keys: &str| met(&format!("[expect.enrollment]\n{keys}"), &rows);
    assert!(of("program = \"ecm\"\nfrom = 2022-01-01"));
    assert!(!of("program = \"ecm\"\nfrom = 2022-03-01"), "no one row matches both");
    assert!(of("provider = 1234567893"), "an NPI may be written as a number");
    assert!(of("plan = \"la-care\"") && !of("plan = \"anthem\""));
}

#[test]
fn with_a_count_just_that_many_match() {
    let rows = [span("ecm", "2022-01-01", Some("2022-02-01")), span("ecm", "2022-03-01", None)];
    let of = |count: u8| met(&format!("[expect.enrollment]\nprogram = \"ecm\"\ncount = {count}"), &rows);
    assert_eq!([of(1), of(2), of(3), of(0)], [false, true, false, false]);
    assert!(met("[expect.finding]\ncode = \"a\"\ncount = 0", &[json!({ "code": "b" })]));
    assert!(!met("[expect.finding]\ncode = \"a\"\ncount = 0", &[json!({ "code": "a" })]));
}

#[test]
fn none_says_that_no_row_matches_the_other_keys() {
    let rows = [span("ecm", "2022-01-01", Some("2022-02-01"))];
    let of = |keys: &str| met(&format!("[expect.enrollment]\nstatus = \"none\"\n{keys}"), &rows);
    assert!(!of("program = \"ecm\""), "a span that has ended is one");
    assert!(of("program = \"respite\""));
    assert!(of("program = \"ecm\"\nas_of = 2022-02-01"), "on the first day no longer covered there is none");
    assert!(!of("program = \"ecm\"\nas_of = 2022-01-31"));
}

#[test]
fn a_day_leaves_the_rows_whose_span_holds_it() {
    let rows = [span("ecm", "2022-01-01", Some("2022-02-01"))];
    let on = |day: &str| met(&format!("[expect.enrollment]\nprogram = \"ecm\"\nas_of = {day}"), &rows);
    assert_eq!(["2021-12-31", "2022-01-01", "2022-01-31", "2022-02-01"].map(on), [false, true, true, false]);
    assert!(met("[expect.notice]\nas_of = 2022-03-01", &[json!({ "from_on": "2022-02-01" })]), "no end is an open one");
}

#[test]
fn a_span_is_active_or_ended_by_its_own_end_or_on_the_day() {
    let ended = [span("ecm", "2022-01-01", Some("2022-02-01"))];
    let open = [span("ecm", "2022-01-01", None)];
    let is = |status: &str, day: &str, rows: &[Value]| {
        met(&format!("[expect.enrollment]\nstatus = \"{status}\"\n{day}"), rows)
    };
    assert!(is("ended", "", &ended) && !is("active", "", &ended));
    assert!(is("active", "", &open) && !is("ended", "", &open));
    assert!(is("active", "as_of = 2022-01-15", &ended) && !is("ended", "as_of = 2022-01-31", &ended));
    assert!(is("ended", "as_of = 2022-02-01", &ended) && !is("active", "as_of = 2022-02-01", &ended));
    assert!(
        met("[expect.enrollment]\nuntil = \"none\"", &open) && !met("[expect.enrollment]\nuntil = \"none\"", &ended)
    );
}

#[test]
fn a_pair_has_no_first_side() {
    let rows = [json!({ "outcome": "exclude", "program_a": "ecm", "program_b": "pace", "plan_a": "x", "plan_b": "y" })];
    let of = |keys: &str| met(&format!("[expect.conflict]\n{keys}"), &rows);
    assert!(of("programs = [\"ecm\", \"pace\"]") && of("programs = [\"pace\", \"ecm\"]\noutcome = \"exclude\""));
    assert!(!of("programs = [\"ecm\", \"hospice\"]") && !of("programs = [\"ecm\", \"ecm\"]"));
    assert!(of("programs = [\"ecm\", \"hospice\"]\noutcome = \"none\""));
    assert!(of("plan = \"y\"") && !of("plan = \"z\""));
    let twice = [json!({ "outcome": "duplicate_enrollment", "program_a": "ecm", "program_b": "ecm" })];
    assert!(met("[expect.conflict]\nprograms = [\"ecm\", \"ecm\"]\noutcome = \"duplicate_enrollment\"", &twice));
    let coverage = [json!({ "outcome": "not_eligible", "program_a": "ecm", "program_b": "fee_for_service" })];
    assert!(met("[expect.conflict]\nprograms = [\"ecm\", \"fee_for_service\"]", &coverage));
}

#[test]
fn only_determinations_that_stand_are_seen_and_obligations_are_counted() {
    let notice = |obligation: &str, outcome: &str, superseded: Value, voided: bool| json!({ "program": "ecm", "obligation": obligation, "outcome": outcome, "superseded_by": superseded, "voided": voided });
    let rows = [
        notice("a", "required", Value::Null, false),
        notice("a", "review", Value::Null, false),
        notice("b", "required", json!("x"), false),
        notice("c", "required", json!("y"), true),
        notice("c", "not_required", Value::Null, false),
    ];
    let of = |keys: &str| met(&format!("[expect.notice]\n{keys}"), &rows);
    assert!(of("outcome = \"required\"\ncount = 1") && of("count = 2"));
    assert!(of("outcome = \"required\"\nvoided = true\ncount = 1"));
    assert!(of("voided = false\ncount = 2"));
    assert!(!of("outcome = \"none\"") && of("program = \"respite\"\noutcome = \"none\""));
}

#[test]
fn episodes_are_summed_unless_one_is_named_or_they_are_counted() {
    let episode = |number: u8, attempts: u8, first: Value, reasons: Value| {
        json!({ "program": "ecm", "plan": "la-care", "episode": number, "attempts": attempts, "contacts": 1,
                "first_attempt_on": first, "not_counted_reasons": reasons })
    };
    let rows = [
        episode(1, 2, json!("2022-02-01"), json!("mail_not_counted,robocall_without_staff")),
        episode(2, 3, json!("2022-01-15"), Value::Null),
        json!({ "program": "respite", "episode": 1, "attempts": 9 }),
    ];
    let of = |keys: &str| met(&format!("[expect.outreach]\n{keys}"), &rows);
    assert!(of("program = \"ecm\"\nattempts = 5\ncontacts = 2\nfirst_attempt = 2022-01-15"));
    assert!(of("program = \"ecm\"\nnot_counted = \"robocall_without_staff\"") && !of("not_counted = \"robocall\""));
    assert!(of("program = \"ecm\"\nepisode = 1\nattempts = 2") && !of("program = \"ecm\"\nepisode = 1\nattempts = 5"));
    assert!(of("program = \"ecm\"\ncontacts = 1\ncount = 2"));
    assert!(met("[expect.outreach]\nprogram = \"ecm\"\nplan = \"la-care\"\nattempts = 0", &[]), "nothing is none");
    assert!(!met("[expect.outreach]\nprogram = \"ecm\"\nattempts = 1", &[]));
}

#[test]
fn a_clock_is_due_on_a_day_or_at_an_instant() {
    let id = ids().meanings("a1");
    let rows = [
        json!({ "clock": "authorization", "rule": "CLK-6", "governing": true, "due_on": "2022-03-08", "of": id[0] }),
        json!({ "clock": "authorization", "rule": "CLK-8", "governing": false, "due_on": "2022-03-09" }),
        json!({ "clock": "authorization_expedited", "rule": "CLK-7", "due_at": "2022-03-05T03:30:00Z" }),
    ];
    let of = |keys: &str| met(&format!("[expect.clock]\n{keys}"), &rows);
    assert!(of("governing = \"CLK-6\"\ndue = 2022-03-08") && !of("governing = \"CLK-8\""));
    assert!(of("due = 2022-03-09"), "the clocks that do not govern are there too");
    assert!(of("due = \"2022-03-04T19:30:00-08:00\"") && !of("due = \"2022-03-04T19:30:01-08:00\""));
    assert!(of("clock = \"authorization_expedited\"\ndue = 2022-03-04"), "the Pacific day of the instant");
    assert!(of("of = \"a1\"\ngoverning = \"CLK-6\"") && !of("of = \"a2\""));
}

#[test]
fn reasons_and_citations_are_looked_for_among_those_told() {
    let rows = [json!({ "outcome": "not_eligible", "reason": "age,county", "cites": "S3 p. 2; S0 Q5" })];
    let of = |keys: &str| met(&format!("[expect.eligibility]\nprogram = \"ecm\"\n{keys}"), &rows);
    assert!(of("reason = \"county\"") && of("reason = [\"age\", \"county\"]") && !of("reason = \"count\""));
    assert!(of("cites = \"S0 Q5\"") && !of("cites = \"S4\""));
}
