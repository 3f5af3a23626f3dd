//! What single plans say of clocks.

use serde_json::json;

use crate::facts::{Facts, id, laid};
use crate::said::request;

const CLOCK: &[&str] = &["clock", "rule", "due_on", "governing", "met_on", "late_by_days"];

fn asked_of(plan: &str, program: &str, urgency: &str) -> Facts {
    let received = "2024-06-28T10:00:00-07:00";
    Facts::default().tell_of(plan, received, "authorization_requested", request(program, urgency, received))
}

fn enrolled_of(facts: Facts, plan: &str, at: &str, program: &str, authorization: Option<&str>) -> Facts {
    let mut data = json!({
        "enrollment": id(at), "program": program, "basis": "opt_in", "channel": "plan_direct",
        "provider": "sample-clinic", "from": at,
    });
    if let Some(authorization) = authorization {
        data["authorization"] = json!(id(authorization));
    }
    facts.tell_of(plan, at, "enrolled", data)
}

#[test]
fn iehp_decides_an_expedited_request_within_72_hours() {
    // AUTH-6: its own clock beside the federal one, and both govern.
    let facts = asked_of("iehp", "ecm", "expedited");
    assert_eq!(facts.told("authorization", &["governing_rule", "due_on"]), ["AUTH-6,CLK-7 2024-07-01"]);
    assert_eq!(asked_of("la-care", "ecm", "expedited").told("authorization", &["governing_rule"]), ["CLK-7"]);
    assert_eq!(asked_of("iehp", "ecm", "standard").told("authorization", &["governing_rule"]), ["CLK-8"]);
}

#[test]
fn a_plans_clock_has_the_word_over_one_of_its_rule() {
    let shorter = laid(
        "[[authorization.plan_clock]]\nrule = \"CLK-8\"\nurgency = \"standard\"\namount = 3\nunit = \"business_days\"\n\
         issuer = \"plan\"\ncite = \"policy\"\nverified = true",
    );
    let told = asked_of("la-care", "ecm", "standard").told_under(&shorter, "clock", CLOCK);
    assert_eq!(told[2], "authorization CLK-8 2024-07-03 true - -");
    assert_eq!(told.len(), 3);
}

#[test]
fn cencal_allows_ten_business_days_until_a_provider_is_assigned() {
    // CON-27, E-17: both clocks are shown.
    let of = |facts: &Facts| facts.told("clock", CLOCK).into_iter().find(|row| row.starts_with("provider"));
    let asked = asked_of("cencal", "ecm", "standard");
    let open = Some("provider_assignment CON-27 2024-07-15 true - -".to_owned());
    assert_eq!(of(&asked), open);
    assert_eq!(asked.told("authorization", &["governing_rule", "due_on"]), ["CLK-8 2024-07-08"]);
    assert_eq!(of(&asked_of("cencal", "tailored_meals", "standard")), None);
    assert_eq!(of(&asked_of("la-care", "ecm", "standard")), None);
    let met = |on: &str, late: &str| Some(format!("provider_assignment CON-27 2024-07-15 true {on} {late}"));
    let enrolled = |plan, at, program, by| of(&enrolled_of(asked.clone(), plan, at, program, by));
    assert_eq!(enrolled("cencal", "2024-07-15", "ecm", None), met("2024-07-15", "0"));
    assert_eq!(enrolled("cencal", "2024-07-17", "ecm", None), met("2024-07-17", "2"));
    assert_eq!(enrolled("cencal", "2024-06-28", "ecm", None), met("2024-06-28", "0"));
    let twice = enrolled_of(asked.clone(), "cencal", "2024-07-12", "ecm", None);
    assert_eq!(of(&enrolled_of(twice, "cencal", "2024-07-20", "ecm", None)), met("2024-07-12", "0"));
    // An enrollment of another program, plan, authorization or time is not what it waits for.
    assert_eq!(enrolled("cencal", "2024-06-27", "ecm", None), open);
    assert_eq!(enrolled("la-care", "2024-07-15", "ecm", None), open);
    assert_eq!(enrolled("cencal", "2024-07-15", "tailored_meals", None), open);
    assert_eq!(enrolled("cencal", "2024-07-15", "ecm", Some("b")), open);
    assert_eq!(enrolled("cencal", "2024-06-27", "ecm", Some("a")), met("2024-06-27", "0"));
}
