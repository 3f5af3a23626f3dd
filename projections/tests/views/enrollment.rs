//! `current_enrollment`: spans, and what belongs to each.

use serde_json::json;

use crate::facts::{Facts, id};

const SPAN: &[&str] = &["span_no", "program", "from_on", "until_on", "reason"];
const WHO: &[&str] = &["span_no", "channel", "provider", "lead_care_manager"];

fn ecm() -> Facts {
    Facts::default().enrolled("e", "ecm", "2022-02-01")
}

#[track_caller]
fn spans(facts: &Facts, expected: &[&str]) {
    assert_eq!(facts.told("current_enrollment", SPAN), expected);
}

fn reinstated(facts: Facts, at: &str, from: &str) -> Facts {
    facts.tell(at, "reinstated", json!({ "enrollment": id("e"), "from": from, "reason": "appeal" }))
}

#[test]
fn an_enrollment_is_open_until_it_ends() {
    spans(&ecm(), &["1 ecm 2022-02-01 - -"]);
    spans(&ecm().disenrolled("2022-05-02", "e", "2022-05-01"), &["1 ecm 2022-02-01 2022-05-01 goals_met"]);
}

#[test]
fn a_reinstatement_opens_the_next_span() {
    let ended = ecm().disenrolled("2022-05-02", "e", "2022-05-01");
    let again = reinstated(ended, "2022-06-01", "2022-06-01");
    spans(&again, &["1 ecm 2022-02-01 2022-05-01 goals_met", "2 ecm 2022-06-01 - -"]);
    let ended = again.disenrolled("2022-09-01", "e", "2022-09-01");
    spans(&ended, &["1 ecm 2022-02-01 2022-05-01 goals_met", "2 ecm 2022-06-01 2022-09-01 goals_met"]);
}

#[test]
fn a_reinstatement_before_the_end_takes_effect_withdraws_the_end() {
    let ended = ecm().disenrolled("2022-03-15", "e", "2022-04-01");
    spans(&reinstated(ended, "2022-03-25", "2022-03-25"), &["1 ecm 2022-02-01 - -"]);
}

#[test]
fn reinstating_what_never_ended_changes_nothing() {
    let facts = reinstated(ecm(), "2022-03-01", "2022-03-01").disenrolled("2022-05-02", "e", "2022-05-01");
    spans(&facts, &["1 ecm 2022-02-01 2022-05-01 goals_met"]);
}

#[test]
fn an_end_as_of_the_first_day_leaves_no_span() {
    spans(&ecm().disenrolled("2022-02-10", "e", "2022-02-01"), &[]);
    let facts = reinstated(ecm().disenrolled("2022-02-10", "e", "2022-02-01"), "2022-02-12", "2022-02-01");
    spans(&facts, &["1 ecm 2022-02-01 - -"]);
}

#[test]
fn the_last_word_stands() {
    let twice = ecm().disenrolled("2022-05-02", "e", "2022-05-01").disenrolled("2022-05-10", "e", "2022-04-01");
    spans(&twice, &["1 ecm 2022-02-01 2022-04-01 goals_met"]);
    spans(&ecm().enrolled("e", "ecm", "2022-02-15"), &["1 ecm 2022-02-15 - -"]);
    spans(&ecm().enrolled("e", "ecm", "2022-02-15").voided("2022-03-01", 2), &["1 ecm 2022-02-01 - -"]);
}

#[test]
fn an_end_told_before_its_enrollment_ends_it() {
    let facts = Facts::default().disenrolled("2022-01-20", "e", "2022-05-01").enrolled("e", "ecm", "2022-02-01");
    spans(&facts, &["1 ecm 2022-02-01 2022-05-01 goals_met"]);
    spans(&Facts::default().disenrolled("2022-01-20", "e", "2022-05-01"), &[]);
}

#[test]
fn the_latest_assignments_are_shown_and_one_that_ended_gives_way() {
    let assigned = |facts: Facts, provider: &str, from: &str, until: Option<&str>| {
        let mut data = json!({ "enrollment": id("e"), "provider": provider, "from": from });
        if let Some(until) = until {
            data["until"] = until.into();
        }
        facts.tell(from, "provider_assigned", data)
    };
    let facts = assigned(ecm(), "other-clinic", "2022-04-01", None);
    assert_eq!(facts.told("current_enrollment", WHO), ["1 plan_direct other-clinic -"]);
    let facts = assigned(facts, "stand-in", "2022-05-01", Some("2022-06-01"));
    assert_eq!(facts.told("current_enrollment", WHO), ["1 plan_direct other-clinic -"]);
    let manager = json!({ "enrollment": id("e"), "manager": "m7", "from": "2022-04-01" });
    let facts = facts.tell("2022-04-01", "lead_care_manager_assigned", manager);
    let switch =
        json!({ "enrollment": id("e"), "provider": "icms", "from": "2022-07-01", "channel": "dhs_subcontract" });
    let facts = facts.tell("2022-07-01", "provider_assigned", switch);
    assert_eq!(facts.told("current_enrollment", WHO), ["1 dhs_subcontract icms m7"]);
    // Each serves on its own days: who stands in for a month, and who is named for later, on no day but those.
    let days = |facts: &Facts| facts.told("assignment", &["from_on", "until_on", "provider"]);
    let until_july = ["2022-02-01 2022-04-01 sample-clinic", "2022-04-01 2022-05-01 other-clinic"];
    let from_may = ["2022-05-01 2022-06-01 stand-in", "2022-06-01 2022-07-01 other-clinic", "2022-07-01 - icms"];
    assert_eq!(days(&facts), [&until_july[..], &from_may].concat());
    let ended = facts.disenrolled("2022-05-20", "e", "2022-05-15");
    assert_eq!(ended.told("current_enrollment", WHO), ["1 plan_direct stand-in m7"]);
    assert_eq!(days(&ended), [&until_july[..], &["2022-05-01 2022-05-15 stand-in"]].concat());
}

#[test]
fn a_voided_voiding_leaves_room_for_another() {
    let facts = ecm().voided("2022-03-01", 1);
    spans(&facts, &[]);
    let facts = facts.voided("2022-03-02", 2);
    spans(&facts, &["1 ecm 2022-02-01 - -"]);
    spans(&facts.clone().voided("2022-03-03", 1), &[]);
    // Voiding the voiding of the voiding brings the first voiding back.
    spans(&facts.voided("2022-03-03", 3), &[]);
}
