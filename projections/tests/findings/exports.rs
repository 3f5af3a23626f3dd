//! The outreach tracker file.

use rollbook_projections::exports::outreach_tracker::{HEADER, rows, text};
use rollbook_projections::rules::facts::Facts as Known;
use serde_json::json;

use crate::facts::{Facts, attempt, built_in, id};

/// The canonical text of L.A. Care's file of a month, without the member.
fn lines(facts: &Facts, plan: &str, month: &str) -> Vec<String> {
    let dossier = facts.dossier();
    let known = Known::of(&dossier, built_in());
    let rows = rows(&known, &plan.parse().unwrap(), month.parse().unwrap());
    let member = format!("{},", id("member"));
    text(&rows).lines().map(|line| line.strip_prefix(&member).unwrap().to_owned()).collect()
}

fn january(facts: &Facts) -> Vec<String> {
    lines(facts, "la-care", "2022-01")
}

fn listed() -> Facts {
    Facts::default().identified("2022-01-05")
}

#[test]
fn one_row_an_attempt_with_the_columns_of_the_file() {
    let mut call = attempt("phone", &[], "member");
    call["minutes"] = 12.into();
    call["staff"] = "clinical".into();
    call["provider"] = "1234567893".into();
    let facts = listed().tell("2022-01-12T10:00:00-08:00", "outreach_attempted", call).called("2022-01-10", "nobody");
    let expected = [
        "la-care,L.A. Care Health Plan,,,,,,Non-clinical,2022-01-10,Telephonic,N,",
        "la-care,L.A. Care Health Plan,,1234567893,,,,Clinical,2022-01-12,Telephonic,Y,12",
    ];
    assert_eq!(january(&facts), expected);
    assert_eq!(HEADER.len(), expected[0].split(',').count());
    for (channel, word) in [("in_person", "In-person"), ("text", "Text"), ("email", "Email"), ("portal", "Portal")] {
        let written = attempt(channel, &["individualized", "response_invited"], "nobody");
        let facts = listed().tell("2022-01-10", "outreach_attempted", written);
        assert_eq!(january(&facts), [format!("la-care,L.A. Care Health Plan,,,,,,Non-clinical,2022-01-10,{word},N,")]);
    }
    let spoken = attempt("robocall", &["live_staff"], "guardian");
    let facts = listed().tell("2022-01-10", "outreach_attempted", spoken);
    assert_eq!(january(&facts), ["la-care,L.A. Care Health Plan,,,,,,Non-clinical,2022-01-10,Robocall,Y,"]);
}

#[test]
fn only_what_belongs_into_the_file() {
    // OUT-4, B3-17, B3-19, B3-25
    assert_eq!(january(&listed().called("2022-01-04", "nobody")).len(), 0);
    assert_eq!(january(&listed().called("2022-01-05", "nobody")).len(), 1);
    assert_eq!(january(&Facts::default().called("2022-01-10", "nobody")).len(), 0);
    assert_eq!(january(&listed().enrolled("e", "ecm", "2022-01-08").called("2022-01-10", "member")).len(), 0);
    let letter = attempt("mail", &["individualized", "response_invited"], "nobody");
    assert_eq!(january(&listed().tell("2022-01-10", "outreach_attempted", letter)).len(), 0);
    // Another plan's, another program's.
    let facts = listed().called("2022-01-10", "nobody");
    assert_eq!(lines(&facts, "molina", "2022-01").len(), 0);
    let identified = json!({ "program": "housing_navigation", "pathway": "plan_data" });
    let mut call = attempt("phone", &[], "nobody");
    call["program"] = "housing_navigation".into();
    let other = Facts::default().tell("2022-01-05", "member_identified", identified);
    assert_eq!(january(&other.tell("2022-01-10", "outreach_attempted", call)).len(), 0);
}

#[test]
fn a_month_is_of_californias_days() {
    // 23:30 on January 31 is February in UTC.
    let facts = listed().called("2022-02-01T07:30:00Z", "nobody").called("2022-02-01T08:00:00Z", "nobody");
    assert_eq!(january(&facts).len(), 1);
    assert_eq!(lines(&facts, "la-care", "2022-02").len(), 1);
    assert_eq!(lines(&facts, "la-care", "2021-01").len(), 0);
}

#[test]
fn the_same_facts_are_the_same_bytes_and_a_corrected_one_is_not() {
    let facts = listed().called("2022-01-10", "nobody").called("2022-01-12", "member");
    let mut turned = facts.clone();
    turned.0.reverse();
    assert_eq!(january(&facts), january(&turned));
    assert_eq!(january(&facts.voided("2022-02-01", 2)).len(), 1);
}

#[test]
fn a_name_with_a_comma_stays_one_cell() {
    let renamed = rollbook_projections::Rulebook::built_in_text()
        .replace("name = \"L.A. Care Health Plan\"", "name = 'L.A. Care, \"the\" Plan'");
    let rulebook = rollbook_projections::Rulebook::parse(&renamed).unwrap();
    let dossier = listed().called("2022-01-10", "nobody").dossier();
    let known = Known::of(&dossier, &rulebook);
    let row = rows(&known, &"la-care".parse().unwrap(), "2022-01".parse().unwrap())[0];
    assert!(row.line().contains(",la-care,\"L.A. Care, \"\"the\"\" Plan\",,"), "{}", row.line());
    assert_eq!(row.member().map(|member| member.0), Some(id("member")));
}
