//! A Community Support's three findings, ages, and the lifetime limit of tenancy services: domain/cases.md B6.

use serde_json::json;

use crate::told::{Told, id, member, of};

const YES: [bool; 3] = [true, true, true];

#[test]
fn each_of_the_three_findings_is_a_reason_of_its_own() {
    // ELIG-13
    for (findings, expected) in [
        (YES, "allow"),
        ([false, true, true], "not_eligible definition_not_met"),
        ([true, false, true], "not_eligible not_medically_appropriate"),
        ([true, true, false], "not_eligible not_cost_effective"),
        ([false, false, false], "not_eligible definition_not_met,not_medically_appropriate,not_cost_effective"),
    ] {
        let told = member().assessed("2022-05-01", "day_habilitation", findings);
        assert_eq!(told.on("day_habilitation", "2022-05-01"), expected);
        assert_eq!(told.on("day_habilitation", "2022-04-30"), "review needs_assessment");
        assert_eq!(told.on("respite", "2022-05-01"), "review needs_assessment");
    }
    let none = member().assessed("2022-05-01", "day_habilitation", [false, true, true]);
    assert_eq!(none.rules("day_habilitation", "2022-05-01"), "ELIG-13");
    let again = none.assessed("2022-06-01", "day_habilitation", YES);
    assert_eq!(again.on("day_habilitation", "2022-05-31"), "not_eligible definition_not_met");
    assert_eq!(again.on("day_habilitation", "2022-06-01"), "allow");
}

#[test]
fn a_plans_own_assessment_goes_before_that_of_another() {
    let no =
        json!({ "program": "respite", "definition_met": false, "medically_appropriate": true, "cost_effective": true });
    let county = member().tell_of("la-county-dhs", "2022-06-01", "service_assessed", no.clone());
    assert_eq!(county.on("respite", "2022-06-01"), "not_eligible definition_not_met");
    let own = member().assessed("2022-05-01", "respite", YES).tell_of("molina", "2022-06-01", "service_assessed", no);
    assert_eq!(own.on("respite", "2022-06-01"), "allow");
}

#[test]
fn without_an_assessment_the_decision_tells_what_was_found() {
    let decided = |plan: &str, outcome: &str, reasons: &[&str]| {
        let data = json!({
            "authorization": id("a"), "program": "respite", "outcome": outcome, "reasons": reasons,
            "decided_at": "2022-05-01T09:00:00-07:00",
        });
        member().referred("2022-04-01", "respite", json!({})).tell_of(plan, "2022-05-01", "authorization_decided", data)
    };
    for (outcome, reasons, expected) in [
        ("approved", &[][..], "allow"),
        ("denied", &["not_cost_effective", "other"][..], "not_eligible not_cost_effective"),
        ("denied", &["definition_not_met"][..], "not_eligible definition_not_met"),
        ("denied", &["not_medically_appropriate"][..], "not_eligible not_medically_appropriate"),
        ("denied", &["information_missing"][..], "allow needs_assessment"),
        ("deferred", &["not_cost_effective"][..], "allow needs_assessment"),
    ] {
        let told = decided("la-care", outcome, reasons);
        assert_eq!(told.on("respite", "2022-04-30"), "allow needs_assessment");
        assert_eq!(told.on("respite", "2022-05-01"), expected, "{outcome} {reasons:?}");
        assert_eq!(told.on("day_habilitation", "2022-05-01"), "review needs_assessment");
    }
    assert_eq!(
        decided("molina", "denied", &["definition_not_met"]).on("respite", "2022-05-01"),
        "allow needs_assessment"
    );
    let assessed = decided("la-care", "denied", &["definition_not_met"]).assessed("2022-04-02", "respite", YES);
    assert_eq!(assessed.on("respite", "2022-05-01"), "allow");
}

#[test]
fn ecm_alone_opens_nothing_and_a_referral_is_open_until_it_is_assessed() {
    // ELIG-14
    let told = member().homeless("2022-01-10").enrolled("e", "ecm", "2022-02-01", json!({}));
    assert_eq!(told.on("recuperative_care", "2022-05-01"), "review needs_assessment");
    let told = told.referred("2022-05-02", "recuperative_care", json!({}));
    assert_eq!(told.on("recuperative_care", "2022-05-01"), "review needs_assessment");
    assert_eq!(told.on("recuperative_care", "2022-05-02"), "allow needs_assessment");
}

#[test]
fn sobering_centers_are_for_people_from_eighteen() {
    // B6-09, SOB-2
    let aged = |age: u8| {
        let told = of("iehp", "riverside").assessed("2024-05-01", "sobering_center", YES);
        told.referred("2024-05-10", "sobering_center", json!({ "age_years": age }))
    };
    assert_eq!(aged(18).on("sobering_center", "2024-05-10"), "allow");
    let young = aged(17);
    assert_eq!(young.on("sobering_center", "2024-05-09"), "allow");
    assert_eq!(young.on("sobering_center", "2024-05-10"), "not_eligible age");
    assert_eq!(young.rules("sobering_center", "2024-05-10"), "SOB-2");
    // It stands until a later one is told, or must have been outgrown.
    assert_eq!(young.on("sobering_center", "2025-05-09"), "not_eligible age");
    assert_eq!(young.on("sobering_center", "2025-05-10"), "allow");
    assert_eq!(aged(16).on("sobering_center", "2025-05-10"), "not_eligible age");
    assert_eq!(aged(16).on("sobering_center", "2026-05-10"), "allow");
    assert_eq!(aged(17).on("asthma_remediation", "2024-05-10"), "review needs_assessment");
    let stay = json!({
        "program": "sobering_center", "provider": "sample-center", "age_years": 18,
        "admitted_at": "2024-05-11T20:00:00-07:00", "discharged_at": "2024-05-12T08:00:00-07:00",
    });
    let told = young.tell("2024-05-12", "stay_recorded", stay);
    assert_eq!(told.on("sobering_center", "2024-05-10"), "not_eligible age");
    assert_eq!(told.on("sobering_center", "2024-05-11"), "allow");
}

#[test]
fn an_age_limit_of_a_plan_is_of_that_plan() {
    let file = r#"
        plan = "la-care"
        [[eligibility.age]]
        program = "respite"
        plan = "la-care"
        at_least = 60
        rule = "own"
        cite = "own"
        verified = true
    "#;
    let at = |plan| {
        let told = of(plan, "los-angeles").assessed("2022-05-01", "respite", YES).by(file);
        told.referred("2022-05-02", "respite", json!({ "age_years": 59 })).on("respite", "2022-05-02")
    };
    assert_eq!(at("la-care"), "not_eligible age");
    assert_eq!(at("molina"), "allow");
}

fn tenancy(told: Told, enrollment: &str, from: &str, until: &str) -> Told {
    let told = told.enrolled(enrollment, "tenancy_sustaining", from, json!({})).started(enrollment, from);
    told.disenrolled(enrollment, until)
}

fn requested(told: Told, at: &str, conditions: Option<&str>) -> Told {
    let mut data = json!({
        "authorization": id(at), "program": "tenancy_sustaining", "urgency": "standard", "requested_by": "member",
        "received_at": format!("{at}T09:00:00-08:00"),
    });
    if let Some(conditions) = conditions {
        data["changed_conditions"] = conditions.into();
    }
    told.tell(at, "authorization_requested", data)
}

fn approved(told: Told, at: &str, more: serde_json::Value) -> Told {
    let mut data = json!({
        "authorization": id(at), "program": "tenancy_sustaining", "outcome": "approved",
        "decided_at": format!("{at}T09:00:00-08:00"),
    });
    for (key, value) in more.as_object().unwrap() {
        data[key] = value.clone();
    }
    told.tell(at, "authorization_decided", data)
}

fn found() -> Told {
    member().assessed("2022-01-10", "tenancy_sustaining", YES)
}

const TSS: &str = "tenancy_sustaining";

#[test]
fn once_in_a_lifetime_and_once_more_with_documentation() {
    // B6-01, B6-02, TSS-1 to TSS-3
    assert_eq!(found().on(TSS, "2022-01-10"), "allow");
    let once = tenancy(found(), "t", "2022-02-01", "2022-10-01");
    assert_eq!(once.on(TSS, "2022-09-30"), "allow");
    assert_eq!(once.on(TSS, "2022-10-01"), "deny documentation_missing");
    assert_eq!(once.rules(TSS, "2022-10-01"), "TSS-1");
    let asked = requested(once.clone(), "2023-02-01", None);
    assert_eq!(asked.on(TSS, "2023-02-01"), "deny documentation_missing");
    let documented = requested(once, "2023-02-01", Some("a new income"));
    assert_eq!(documented.on(TSS, "2023-01-31"), "deny documentation_missing");
    assert_eq!(documented.on(TSS, "2023-02-01"), "allow");
    assert!(documented.rules(TSS, "2023-02-01").split(',').any(|rule| rule == "TSS-2"));
    let twice = tenancy(documented, "u", "2023-02-10", "2023-08-10");
    assert_eq!(twice.on(TSS, "2023-08-09"), "allow");
    assert_eq!(twice.on(TSS, "2023-08-10"), "deny lifetime_limit");
    assert_eq!(twice.rules(TSS, "2023-08-10"), "TSS-3");
    assert_eq!(requested(twice, "2023-10-02", Some("moved")).on(TSS, "2023-10-02"), "deny lifetime_limit");
}

#[test]
fn documentation_of_before_documents_nothing_of_after() {
    let told = requested(found(), "2022-02-01", Some("first words"));
    let told = tenancy(told, "t", "2022-02-01", "2022-10-01");
    assert_eq!(told.on(TSS, "2022-10-01"), "deny documentation_missing");
    let told = requested(told, "2022-02-02", Some("while it ran"));
    assert_eq!(told.on(TSS, "2022-10-01"), "allow");
    let decided = tenancy(found(), "t", "2022-02-01", "2022-10-01");
    let decided = approved(decided, "2022-11-01", json!({ "changed_conditions": "new lease" }));
    assert_eq!(decided.on(TSS, "2022-10-31"), "deny documentation_missing");
    assert_eq!(decided.on(TSS, "2022-11-01"), "allow");
    let other = json!({
        "authorization": id("x"), "program": "respite", "urgency": "standard", "requested_by": "member",
        "received_at": "2022-11-01T09:00:00-08:00", "changed_conditions": "of another service",
    });
    let told = tenancy(found(), "t", "2022-02-01", "2022-10-01").tell("2022-11-01", "authorization_requested", other);
    assert_eq!(told.on(TSS, "2022-11-01"), "deny documentation_missing");
}

#[test]
fn what_was_never_begun_uses_up_nothing_unless_the_plan_counts_approvals() {
    // B6-05
    let never = approved(found(), "2022-02-01", json!({ "from": "2022-03-01", "until": "2022-09-01" }));
    assert_eq!(never.on(TSS, "2022-09-01"), "allow");
    let counts = "plan = \"la-care\"\n[tenancy]\ncounts_on = \"approved\"";
    let by = never.by(counts);
    assert_eq!(by.on(TSS, "2022-08-31"), "allow");
    assert_eq!(by.on(TSS, "2022-09-01"), "deny documentation_missing");
    let not_begun = found().enrolled("t", TSS, "2022-02-01", json!({})).disenrolled("t", "2022-10-01");
    assert_eq!(not_begun.on(TSS, "2022-10-01"), "allow");
    let elsewhere = not_begun.clone().started("t", "2022-10-01");
    assert_eq!(elsewhere.on(TSS, "2022-10-01"), "allow", "begun after the end is not begun");
    assert_eq!(not_begun.started("u", "2022-03-01").on(TSS, "2022-10-01"), "allow", "another's beginning");
}

#[test]
fn an_approval_lasts_as_it_says_or_as_the_enrollment_under_it() {
    let counts = "[tenancy]\ncounts_on = \"approved\"";
    let ends = |more: serde_json::Value| approved(found(), "2022-02-01", more).by(counts);
    assert_eq!(ends(json!({})).on(TSS, "2030-01-01"), "allow", "it has no end");
    let under = ends(json!({})).enrolled("t", TSS, "2022-03-01", json!({ "authorization": id("2022-02-01") }));
    let under = under.disenrolled("t", "2022-06-01");
    assert_eq!(under.on(TSS, "2022-05-31"), "allow");
    assert_eq!(under.on(TSS, "2022-06-01"), "deny documentation_missing");
    let modified = ends(json!({ "outcome": "modified", "until": "2022-07-01" }));
    assert_eq!(modified.on(TSS, "2022-07-01"), "deny documentation_missing");
    let denied = ends(json!({ "outcome": "denied", "until": "2022-07-01" }));
    assert_eq!(denied.on(TSS, "2022-07-01"), "allow");
    let other = ends(json!({ "program": "respite", "until": "2022-07-01" }));
    assert_eq!(other.on(TSS, "2022-07-01"), "allow");
    // The last word on an authorization counts.
    let twice = approved(
        ends(json!({ "until": "2022-07-01" })),
        "2022-02-02",
        json!({ "authorization": id("2022-02-01"), "outcome": "denied" }),
    );
    assert_eq!(twice.on(TSS, "2022-07-01"), "allow");
}

#[test]
fn what_goes_on_without_a_gap_is_one_duration() {
    let told = tenancy(tenancy(found(), "t", "2022-02-01", "2022-06-01"), "u", "2022-06-01", "2022-10-01");
    assert_eq!(told.on(TSS, "2022-10-01"), "deny documentation_missing");
    let apart = tenancy(tenancy(found(), "t", "2022-02-01", "2022-06-01"), "u", "2022-06-02", "2022-10-01");
    assert_eq!(apart.on(TSS, "2022-10-01"), "deny lifetime_limit");
    let within = tenancy(tenancy(found(), "t", "2022-02-01", "2022-10-01"), "u", "2022-03-01", "2022-04-01");
    assert_eq!(within.on(TSS, "2022-09-30"), "allow");
    assert_eq!(within.on(TSS, "2022-10-01"), "deny documentation_missing");
    let returned = tenancy(found(), "t", "2022-02-01", "2022-06-01");
    let back = json!({ "enrollment": id("t"), "from": "2022-08-01", "reason": "appeal" });
    let returned = returned.tell("2022-08-01", "reinstated", back).disenrolled("t", "2022-10-01");
    assert_eq!(returned.on(TSS, "2022-10-01"), "deny documentation_missing");
}

#[test]
fn the_limit_is_on_tenancy_services_alone() {
    let told = member().assessed("2022-01-10", "housing_navigation", YES);
    let told = told.enrolled("h", "housing_navigation", "2022-02-01", json!({})).started("h", "2022-02-01");
    assert_eq!(told.disenrolled("h", "2022-10-01").on("housing_navigation", "2022-10-01"), "allow");
    let limitless = tenancy(found(), "t", "2022-02-01", "2022-10-01").by("[tenancy]\nlimit = 3");
    assert_eq!(limitless.on(TSS, "2022-10-01"), "allow");
}
