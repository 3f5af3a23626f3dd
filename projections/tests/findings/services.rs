//! Services beside one another, cut off by days, ended for no known reason, and stays.

use serde_json::json;

use crate::facts::{Facts, id};
use crate::finds;

#[test]
fn navigation_and_sustaining_services_at_once() {
    // B1-48
    let facts = Facts::default().enrolled("h", "housing_navigation", "2022-02-01");
    let both = facts.clone().enrolled("t", "tenancy_sustaining", "2022-05-01");
    finds(&both, "hn_tss_simultaneous", &["B1-48 housing_navigation 2022-05-01 -"]);
    let ended = both.clone().disenrolled("2022-06-01", "h", "2022-06-01");
    finds(&ended, "hn_tss_simultaneous", &["B1-48 housing_navigation 2022-05-01 2022-06-01"]);
    finds(&both.disenrolled("2022-05-01", "h", "2022-05-01"), "hn_tss_simultaneous", &[]);
    finds(&facts.clone().enrolled("e", "ecm", "2022-05-01"), "hn_tss_simultaneous", &[]);
    // A change of channel does not make two matters of one.
    let data = json!({ "enrollment": id("h"), "provider": "x1", "channel": "dhs_subcontract", "from": "2022-06-01" });
    let facts = facts.tell("2022-06-01", "provider_assigned", data).enrolled("t", "tenancy_sustaining", "2022-05-01");
    finds(&facts, "hn_tss_simultaneous", &["B1-48 housing_navigation 2022-05-01 -"]);
}

#[test]
fn a_return_after_a_gap_is_a_matter_of_its_own() {
    let facts = Facts::default().enrolled("h", "housing_navigation", "2022-02-01");
    let facts = facts.disenrolled("2022-04-01", "h", "2022-04-01").enrolled("t", "tenancy_sustaining", "2022-03-01");
    let again = json!({ "enrollment": id("h"), "from": "2022-06-01", "reason": "appeal" });
    let facts = facts.tell("2022-06-01", "reinstated", again);
    let expected = ["B1-48 housing_navigation 2022-03-01 2022-04-01", "B1-48 housing_navigation 2022-06-01 -"];
    finds(&facts, "hn_tss_simultaneous", &expected);
}

#[test]
fn community_health_workers_beside_ecm() {
    // B1-49, ELIG-28
    let ecm = Facts::default().enrolled("e", "ecm", "2022-02-01");
    let facts = ecm.clone().takes_part("chw", "2022-08-01", None);
    finds(&facts, "duplicate_service", &["ELIG-28 ecm 2022-08-01 -"]);
    finds(
        &ecm.disenrolled("2022-07-20", "e", "2022-08-01").takes_part("chw", "2022-08-01", None),
        "duplicate_service",
        &[],
    );
}

fn ended(reason: &str) -> Facts {
    let facts = Facts::default().enrolled("r", "recuperative_care", "2023-05-01");
    let data = json!({ "enrollment": id("r"), "until": "2023-05-15", "reason": reason });
    facts.tell("2023-05-12", "disenrolled", data)
}

#[test]
fn an_end_at_a_number_of_days() {
    // B6-15, RC-1
    finds(&ended("day_limit"), "categorical_limit", &["AUTH-11 recuperative_care 2023-05-15 -"]);
    finds(&ended("goals_met"), "categorical_limit", &[]);
    finds(&ended("unknown"), "categorical_limit", &[]);
    let again = json!({ "enrollment": id("r"), "from": "2023-05-14", "reason": "appeal" });
    finds(&ended("day_limit").tell("2023-05-14", "reinstated", again), "categorical_limit", &[]);
}

#[test]
fn an_end_for_a_reason_nobody_knows() {
    // E-3
    finds(&ended("unknown"), "incomplete", &["E-3 recuperative_care 2023-05-15 -"]);
    finds(&ended("other"), "incomplete", &[]);
    finds(&ended("day_limit"), "incomplete", &[]);
}

fn stay(program: &str, age: Option<u8>, from: &str, until: &str) -> Facts {
    let mut data = json!({ "program": program, "provider": "x1", "admitted_at": from, "discharged_at": until });
    if let Some(age) = age {
        data["age_years"] = age.into();
    }
    Facts::default().tell_of("iehp", until, "stay_recorded", data)
}

#[test]
fn a_stay_must_be_shorter_than_a_day() {
    let at_eight = |until: &str| stay("sobering_center", Some(34), "2024-05-10T20:00:00-07:00", until);
    // B6-11, B6-12
    finds(&at_eight("2024-05-11T19:59:00-07:00"), "stay_too_long", &[]);
    finds(&at_eight("2024-05-11T20:00:00-07:00"), "stay_too_long", &["SOB-1 sobering_center 2024-05-10 2024-05-12"]);
    let long = stay("recuperative_care", Some(34), "2024-05-10T20:00:00-07:00", "2024-05-20T20:00:00-07:00");
    finds(&long, "stay_too_long", &[]);
    // In the night that is an hour shorter, 24 hours by the clock are 23.
    let spring = stay("sobering_center", None, "2024-03-09T20:00:00-08:00", "2024-03-10T20:00:00-07:00");
    finds(&spring, "stay_too_long", &[]);
    let autumn = stay("sobering_center", None, "2024-11-02T20:00:00-07:00", "2024-11-03T19:00:00-08:00");
    finds(&autumn, "stay_too_long", &["SOB-1 sobering_center 2024-11-02 2024-11-04"]);
}

#[test]
fn a_stay_is_for_adults() {
    let aged = |program: &str, age| stay(program, age, "2024-05-10T20:00:00-07:00", "2024-05-11T08:00:00-07:00");
    // B6-09, SOB-2
    finds(&aged("sobering_center", Some(17)), "age_limit", &["SOB-2 sobering_center 2024-05-10 2024-05-12"]);
    finds(&aged("sobering_center", Some(18)), "age_limit", &[]);
    finds(&aged("sobering_center", None), "age_limit", &[]);
    finds(&aged("respite", Some(17)), "age_limit", &[]);
}

#[test]
fn two_stays_of_a_day_are_two_matters() {
    let one = stay("sobering_center", Some(17), "2024-05-10T01:00:00-07:00", "2024-05-10T08:00:00-07:00");
    let two = stay("sobering_center", Some(17), "2024-05-10T20:00:00-07:00", "2024-05-10T22:00:00-07:00");
    let mut data = serde_json::to_value(&two.0[0].envelope.event).unwrap();
    data["provider"] = "x2".into();
    finds(
        &one.tell_of("iehp", "2024-05-10", "stay_recorded", data),
        "age_limit",
        &["SOB-2 sobering_center 2024-05-10 2024-05-11"; 2],
    );
}
