//! The clocks of authorizations: domain/cases.md B7-01 to B7-13.

use rollbook_projections::rules::authorizations::{authorizations, expires_at};
use rollbook_projections::rules::facts::Facts as Known;
use serde_json::json;

use crate::facts::{Facts, built_in, id, laid};
use crate::said::{decided, request, requested};

const CLOCK: &[&str] = &["rule", "due_on", "governing"];
const HOURS: &[&str] = &["clock", "rule", "due_at", "governing", "binding"];
const GOVERNING: &[&str] = &["governing_rule", "due_on", "due_at", "binding"];

#[track_caller]
fn clocks(facts: &Facts, expected: &[&str]) {
    assert_eq!(facts.told("clock", CLOCK), expected);
}

#[test]
fn the_earliest_clock_governs_a_standard_request() {
    // B7-01, B7-06
    clocks(
        &requested("ecm", "standard", "2024-06-28T10:00:00-07:00"),
        &["CLK-6 2024-07-12 false", "CLK-6 extended 2024-07-26 false", "CLK-8 2024-07-08 true"],
    );
    // B7-03
    clocks(
        &requested("ecm", "standard", "2026-12-24T10:00:00-08:00"),
        &["CLK-6 2026-12-31 true", "CLK-6 extended 2027-01-14 false", "CLK-8 2027-01-04 false"],
    );
    // B7-05
    clocks(
        &requested("ecm", "standard", "2026-03-02T10:00:00-08:00"),
        &["CLK-6 2026-03-09 true", "CLK-6 extended 2026-03-23 false", "CLK-8 2026-03-09 true"],
    );
    // AUTH-4 speaks of Community Supports alone.
    let support = requested("tailored_meals", "standard", "2024-06-28T10:00:00-07:00");
    assert_eq!(support.told("authorization", GOVERNING), ["CLK-8,AUTH-4 2024-07-08 - true"]);
    let names = &["clock", "of", "starts_on", "calendar_checked", "verified", "cite"];
    assert_eq!(
        support.told("clock", names)[0],
        format!("authorization {} 2024-06-28 - false 42 CFR 438.210(d)(1)", id("a"))
    );
    assert_eq!(
        support.told("clock", names)[3],
        format!("authorization {} 2024-06-28 true true Health and Safety Code 1367.01(h)(1)", id("a"))
    );
}

#[test]
fn the_federal_clock_is_shorter_from_2026_on() {
    for (received, due) in [("2025-12-31T12:00:00-08:00", "2026-01-14"), ("2026-01-01T12:00:00-08:00", "2026-01-08")] {
        let told = requested("ecm", "standard", received).told("clock", CLOCK);
        assert!(told[0].starts_with(&format!("CLK-6 {due}")), "{told:?}");
    }
    // The day is California's, whatever day it is in UTC.
    let late = requested("ecm", "standard", "2026-01-01T06:00:00Z").told("clock", CLOCK);
    assert!(late[0].starts_with("CLK-6 2026-01-14"), "{late:?}");
}

#[test]
fn hours_elapse() {
    // B7-08
    let facts = requested("sobering_center", "expedited", "2024-05-10T22:30:00-07:00");
    assert_eq!(
        facts.told("clock", HOURS),
        [
            "authorization_expedited AUTH-5 2024-05-11T17:30:00+00:00 true false",
            "authorization_expedited CLK-7 2024-05-14T05:30:00+00:00 false true",
            "authorization_expedited CLK-7 extended 2024-05-28T05:30:00+00:00 false true",
        ]
    );
    assert_eq!(facts.told("authorization", GOVERNING), ["AUTH-5 2024-05-11 2024-05-11T17:30:00+00:00 false"]);
    // The instant falls on the day it is in California.
    assert_eq!(facts.told("clock", &["due_on"]), ["2024-05-11", "2024-05-13", "2024-05-27"]);
    // The night on which the clocks go forward is an hour shorter.
    let spring = requested("sobering_center", "expedited", "2024-03-09T22:30:00-08:00");
    assert_eq!(spring.told("authorization", &["due_at"]), ["2024-03-10T18:30:00+00:00"]);
    // ECM has no such example.
    let ecm = requested("ecm", "expedited", "2024-05-10T22:30:00-07:00");
    assert_eq!(ecm.told("authorization", GOVERNING), ["CLK-7 2024-05-13 2024-05-14T05:30:00+00:00 true"]);
}

#[test]
fn a_retrospective_request_has_thirty_days() {
    let facts = requested("sobering_center", "retrospective", "2024-01-31T12:00:00-08:00");
    assert_eq!(facts.told("clock", HOURS), ["retrospective CLK-11 - true true"]);
    assert_eq!(facts.told("clock", CLOCK), ["CLK-11 2024-03-01 true"]);
}

#[test]
fn a_deferral_in_time_moves_the_request_to_the_extended_clock() {
    // B7-12
    let facts = requested("ecm", "standard", "2024-06-28T10:00:00-07:00");
    let deferred = |at: &str| decided(facts.clone(), "deferred", at, json!({ "reasons": ["information_missing"] }));
    clocks(
        &deferred("2024-07-08T23:59:59-07:00"),
        &["CLK-6 2024-07-12 false", "CLK-6 extended 2024-07-26 true", "CLK-8 2024-07-08 false"],
    );
    // Too late, it moves nothing.
    clocks(
        &deferred("2024-07-09T00:00:00-07:00"),
        &["CLK-6 2024-07-12 false", "CLK-6 extended 2024-07-26 false", "CLK-8 2024-07-08 true"],
    );
    // Past an example and before what binds, it is in time.
    let urgent = requested("sobering_center", "expedited", "2024-05-10T22:30:00-07:00");
    let urgent = decided(urgent, "deferred", "2024-05-12T22:30:00-07:00", json!({ "program": "sobering_center" }));
    assert_eq!(urgent.told("authorization", GOVERNING), ["CLK-7 2024-05-27 2024-05-28T05:30:00+00:00 true"]);
    // What cannot be extended goes on as it was.
    let after = requested("sobering_center", "retrospective", "2024-01-31T12:00:00-08:00");
    let after = decided(after, "deferred", "2024-02-05T12:00:00-08:00", json!({ "program": "sobering_center" }));
    clocks(&after, &["CLK-11 2024-03-01 true"]);
    // An approval is no deferral.
    let approved = decided(facts.clone(), "approved", "2024-07-01T10:00:00-07:00", json!({}));
    assert_eq!(approved.told("authorization", GOVERNING), ["CLK-8 2024-07-08 - true"]);
}

#[test]
fn a_plans_own_holidays_are_its_calendar() {
    let rulebook = laid("calendar.holidays = [\"2024-07-04\", \"2024-07-05\"]");
    let facts = requested("ecm", "standard", "2024-06-28T10:00:00-07:00");
    assert_eq!(facts.told_under(&rulebook, "authorization", &["due_on"]), ["2024-07-09"]);
    let far = requested("ecm", "standard", "2030-12-30T10:00:00-08:00");
    assert_eq!(far.told("clock", &["rule", "calendar_checked"])[2], "CLK-8 false");
}

#[test]
fn a_row_tells_the_request_and_the_last_decision() {
    let mut asked = request("ecm", "standard", "2024-06-28T10:00:00-07:00");
    asked["units"] = 4.into();
    asked["provider"] = "asking-clinic".into();
    asked["referral"] = json!(id("r"));
    let facts = Facts::default().tell("2024-06-28", "authorization_requested", asked);
    let asked = &["program", "plan", "county", "urgency", "requested_by", "received_at", "received_on", "units"];
    assert_eq!(
        facts.told("authorization", asked),
        ["ecm la-care los-angeles standard provider 2024-06-28T17:00:00+00:00 2024-06-28 4"]
    );
    let links = &["provider", "referral", "request_event", "decision_event"];
    assert_eq!(facts.told("authorization", links), [format!("asking-clinic {} {} -", id("r"), id("1"))]);
    let nothing =
        &["outcome", "presumptive", "decided_at", "decided_on", "turnaround_hours", "late_by_days", "reasons"];
    assert_eq!(facts.told("authorization", nothing), ["- false - - - - -"]);
    let told = json!({ "reasons": ["coverage", "other"], "units": 2, "from": "2024-07-10", "until": "2025-01-10",
        "provider": "deciding-clinic" });
    // Told in the wrong order: the decision made last is the last.
    let facts = decided(facts, "modified", "2024-07-10T00:30:00-07:00", told);
    let facts = decided(facts, "denied", "2024-07-09T11:59:59-07:00", json!({ "reasons": ["coverage"] }));
    assert_eq!(
        facts.told("authorization", nothing),
        ["modified false 2024-07-10T07:30:00+00:00 2024-07-10 265 1 coverage,other"]
    );
    assert_eq!(facts.told("authorization", &["from_on", "until_on", "units"]), ["2024-07-10 2025-01-10 2"]);
    assert_eq!(facts.told("authorization", links), [format!("deciding-clinic {} {} {}", id("r"), id("1"), id("2"))]);
    assert_eq!(facts.told("clock", &["rule", "met_on", "late_by_days"])[2], "CLK-8 2024-07-09 1");
    assert_eq!(facts.told("clock", &["rule", "met_on", "late_by_days"])[0], "CLK-6 2024-07-09 0");
}

#[test]
fn a_decision_without_a_request_has_no_clock() {
    let facts = decided(Facts::default(), "approved", "2024-07-10T00:30:00-07:00", json!({ "referral": id("r") }));
    let columns = &["program", "received_at", "governing_rule", "due_on", "binding", "outcome", "late_by_days"];
    assert_eq!(facts.told("authorization", columns), ["ecm - - - - approved -"]);
    assert_eq!(facts.told("authorization", &["referral"]), [id("r").to_string()]);
    assert!(facts.rows("clock").is_empty());
    // Of several decisions, the last names the program and the referral.
    let later = json!({ "program": "tailored_meals", "referral": id("s") });
    let facts = decided(facts, "approved", "2024-07-11T00:30:00-07:00", later);
    assert_eq!(facts.told("authorization", &["program", "referral"]), [format!("tailored_meals {}", id("s"))]);
}

#[test]
fn a_request_reported_again_is_a_later_word() {
    let facts = requested("ecm", "standard", "2024-06-28T10:00:00-07:00");
    let again = request("ecm", "expedited", "2024-06-28T10:00:00-07:00");
    let facts = facts.tell("2024-06-29", "authorization_requested", again);
    assert_eq!(facts.told("authorization", &["urgency", "governing_rule"]), ["expedited CLK-7"]);
    let mut other = request("ecm", "standard", "2024-06-28T10:00:00-07:00");
    other["authorization"] = json!(id("b"));
    let facts = facts.tell("2024-06-29", "authorization_requested", other);
    assert_eq!(facts.told("authorization", &["urgency"]), ["expedited", "standard"]);
}

#[test]
fn an_undecided_request_expires_with_its_binding_clock() {
    let expiry = |facts: &Facts| {
        let dossier = facts.dossier();
        let known = Known::of(&dossier, built_in());
        let all = authorizations(&known);
        let at = expires_at(&known, all[0].id);
        assert_eq!(at, all[0].expires_at());
        (at.map(|at| at.to_rfc3339()), all[0].expired_at().is_some())
    };
    // A day is over at midnight in California.
    let facts = requested("ecm", "standard", "2024-06-28T10:00:00-07:00");
    let midnight = Some("2024-07-09T07:00:00+00:00".to_owned());
    assert_eq!(expiry(&facts), (midnight.clone(), true));
    let at = |at: &str| decided(facts.clone(), "denied", at, json!({}));
    assert_eq!(expiry(&at("2024-07-08T23:59:59-07:00")), (midnight.clone(), false));
    assert_eq!(expiry(&at("2024-07-09T00:00:00-07:00")), (midnight, true));
    // The example of twelve hours expires nothing; 72 hours do.
    let urgent = requested("sobering_center", "expedited", "2024-05-10T22:30:00-07:00");
    assert_eq!(expiry(&urgent), (Some("2024-05-14T05:30:00+00:00".to_owned()), true));
    let without = decided(Facts::default(), "denied", "2024-07-01T10:00:00-07:00", json!({}));
    assert_eq!(expiry(&without), (None, false));
}
