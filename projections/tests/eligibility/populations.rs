//! Populations of Focus: which are open where, for whom and since when.

use serde_json::json;

use crate::told::{Told, member, of};

#[track_caller]
fn opens(told: Told, before: &str, first: &str, closed: &str) {
    assert_eq!(told.on("ecm", before), closed);
    assert_eq!(told.on("ecm", first), "allow");
}

const NOT_YET: &str = "not_offered not_offered_yet";

#[test]
fn los_angeles() {
    // POF-3
    for population in [
        "homelessness",
        "homeless_adult",
        "homeless_family",
        "avoidable_hospital_use",
        "serious_mental_health_or_sud",
        "transitioning_from_incarceration",
    ] {
        opens(member().population("2021-12-01", population, Some(45), true), "2021-12-31", "2022-01-01", NOT_YET);
    }
    // POF-4
    for population in ["long_term_care_risk", "nursing_facility_transition"] {
        opens(member().population("2022-05-01", population, Some(45), true), "2022-12-31", "2023-01-01", NOT_YET);
    }
    // POF-5
    for population in ["serious_mental_health_or_sud", "avoidable_hospital_use", "ccs", "child_welfare"] {
        opens(member().population("2022-05-01", population, Some(20), true), "2023-06-30", "2023-07-01", NOT_YET);
    }
    for population in ["homelessness", "transitioning_from_incarceration"] {
        opens(member().population("2021-12-01", population, Some(9), true), "2021-12-31", "2022-01-01", NOT_YET);
    }
    opens(member().population("2022-05-01", "birth_equity", Some(30), true), "2023-12-31", "2024-01-01", NOT_YET);
}

#[test]
fn other_counties() {
    // POF-9: counties of the second wave, half a year later.
    let cencal = || of("cencal", "santa-barbara");
    opens(cencal().homeless("2022-02-01"), "2022-06-30", "2022-07-01", NOT_YET);
    opens(of("iehp", "riverside").homeless("2021-12-01"), "2021-12-31", "2022-01-01", NOT_YET);
    opens(of("caloptima", "orange").homeless("2021-12-01"), "2021-12-31", "2022-01-01", NOT_YET);
    let ltc = cencal().population("2022-02-01", "long_term_care_risk", Some(80), true);
    opens(ltc, "2022-12-31", "2023-01-01", NOT_YET);
    // CON-8: by county.
    let incarceration = |told: Told| told.population("2022-05-01", "transitioning_from_incarceration", Some(31), true);
    assert_eq!(incarceration(member()).on("ecm", "2022-05-01"), "allow");
    opens(incarceration(of("iehp", "riverside")), "2023-12-31", "2024-01-01", NOT_YET);
}

#[test]
fn each_population_has_its_ages() {
    // POF-6, POF-7, on both sides of 21.
    let at_iehp = |population: &str, age| {
        let told = of("iehp", "riverside").population("2024-11-01", population, age, true);
        told.on("ecm", "2024-11-01")
    };
    for (population, child, adult) in [
        ("long_term_care_risk", "not_eligible age", "allow"),
        ("nursing_facility_transition", "not_eligible age", "allow"),
        ("homeless_adult", "not_eligible age", "allow"),
        ("ccs", "allow", "not_eligible age"),
        ("child_welfare", "allow", "not_eligible age"),
        ("homeless_family", "allow", "allow"),
        ("birth_equity", "allow", "allow"),
        ("serious_mental_health_or_sud", "allow", "allow"),
    ] {
        assert_eq!(at_iehp(population, Some(20)), child, "{population}");
        assert_eq!(at_iehp(population, Some(21)), adult, "{population}");
        assert_eq!(at_iehp(population, None), "allow", "{population}: an age nobody told of rules nothing out");
    }
}

#[test]
fn an_age_told_elsewhere_counts_where_the_assessment_has_none() {
    let aged = json!({ "program": "ecm", "pathway": "plan_data", "age_years": 12 });
    let told = of("iehp", "riverside").tell("2024-10-01", "member_identified", aged);
    let told = told.population("2024-11-01", "long_term_care_risk", None, true);
    assert_eq!(told.on("ecm", "2024-11-01"), "not_eligible age");
    // An age of later says nothing of before; the last one told has the word.
    let later = json!({ "age_years": 40 });
    let told = told.referred("2024-12-01", "ecm", later);
    assert_eq!(told.on("ecm", "2024-11-30"), "not_eligible age");
    assert_eq!(told.on("ecm", "2024-12-01"), "allow");
}

#[test]
fn one_population_is_enough() {
    // ELIG-5, ELIG-6
    let told = member().population("2022-05-01", "homelessness", Some(45), false);
    assert_eq!(told.on("ecm", "2022-05-01"), "not_eligible no_population_of_focus");
    assert_eq!(told.rules("ecm", "2022-05-01"), "ELIG-5");
    let told = told.population("2022-05-02", "serious_mental_health_or_sud", Some(45), true);
    assert_eq!(told.on("ecm", "2022-05-02"), "allow");
    // What is met and not open takes nothing away.
    let told = told.population("2022-05-03", "long_term_care_risk", Some(45), true);
    assert_eq!(told.on("ecm", "2022-05-03"), "allow");
    let told = told.population("2022-05-04", "serious_mental_health_or_sud", Some(45), false);
    assert_eq!(told.on("ecm", "2022-05-04"), NOT_YET);
}

#[test]
fn the_last_word_on_a_population_counts() {
    let told = member().homeless("2022-02-01").population("2022-08-01", "homelessness", Some(45), false);
    assert_eq!(
        told.spans("ecm"),
        [
            "2021-01-01 2022-01-01 not_offered not_offered_yet",
            "2022-01-01 2022-02-01 review needs_assessment",
            "2022-02-01 2022-08-01 allow",
            "2022-08-01 - not_eligible no_population_of_focus",
        ]
    );
}

#[test]
fn discretion_where_the_definition_leaves_it() {
    // ELIG-8
    let below = |population: &str, discretionary: bool| {
        let data = json!({ "population": population, "age_years": 45, "met": false, "discretionary": discretionary });
        member().tell("2022-05-01", "population_assessed", data)
    };
    assert_eq!(below("avoidable_hospital_use", true).on("ecm", "2022-05-01"), "allow");
    assert_eq!(below("avoidable_hospital_use", false).on("ecm", "2022-05-01"), "not_eligible no_population_of_focus");
    assert_eq!(below("homelessness", true).on("ecm", "2022-05-01"), "not_eligible no_population_of_focus");
}

#[test]
fn what_is_claimed_waits_for_an_assessment() {
    let claim =
        |told: Told, populations: &[&str]| told.referred("2022-05-02", "ecm", json!({ "populations": populations }));
    assert_eq!(claim(member(), &["homelessness"]).on("ecm", "2022-05-02"), "allow needs_assessment");
    // What is claimed is not open; another that is claimed is.
    assert_eq!(claim(member(), &["birth_equity"]).on("ecm", "2022-05-02"), NOT_YET);
    let both = claim(member(), &["birth_equity", "homelessness"]);
    assert_eq!(both.on("ecm", "2022-05-02"), "allow needs_assessment");
    // One was found not met, and another that is claimed nobody has looked at.
    let one = member().population("2022-05-01", "homelessness", Some(45), false);
    assert_eq!(claim(one.clone(), &["homelessness"]).on("ecm", "2022-05-02"), "not_eligible no_population_of_focus");
    assert_eq!(claim(one, &["serious_mental_health_or_sud"]).on("ecm", "2022-05-02"), "review needs_assessment");
    // A referral for something else claims nothing.
    let meals = member().referred("2022-05-02", "tailored_meals", json!({ "populations": ["homelessness"] }));
    assert_eq!(meals.on("ecm", "2022-05-02"), "review needs_assessment");
}

#[test]
fn who_asked_listed_approved_or_enrolled_has_claimed() {
    let instant = "2022-05-02T09:00:00-07:00";
    let request = json!({
        "authorization": crate::told::id("a"), "program": "ecm", "urgency": "standard", "received_at": instant,
        "requested_by": "member",
    });
    let decision = |outcome: &str| json!({ "authorization": crate::told::id("a"), "program": "ecm", "outcome": outcome, "decided_at": instant });
    let listed = json!({ "program": "ecm", "pathway": "assigned_list" });
    for (kind, data, expected) in [
        ("member_identified", listed, "allow needs_assessment"),
        ("authorization_requested", request, "allow needs_assessment"),
        ("authorization_decided", decision("approved"), "allow needs_assessment"),
        ("authorization_decided", decision("denied"), "review needs_assessment"),
    ] {
        let told = member().tell("2022-05-02", kind, data);
        assert_eq!(told.on("ecm", "2022-05-01"), "review needs_assessment", "{kind}");
        assert_eq!(told.on("ecm", "2022-05-02"), expected, "{kind}");
    }
    let enrolled = member().enrolled("e", "ecm", "2022-05-02", json!({})).disenrolled("e", "2022-06-01");
    assert_eq!(enrolled.on("ecm", "2022-05-31"), "allow needs_assessment");
    assert_eq!(enrolled.on("ecm", "2022-06-01"), "review needs_assessment");
}

#[test]
fn a_plan_may_add_populations_and_never_take_one_away() {
    // ELIG-7
    let narrow = r#"
        plan = "la-care"
        [[population]]
        rule = "own"
        population = "birth_equity"
        age_group = "child"
        from = "2022-06-01"
        cite = "own"
        verified = true
    "#;
    let told = member().homeless("2022-05-01").by(narrow);
    assert_eq!(told.on("ecm", "2022-05-01"), "allow");
    let added = member().population("2022-05-01", "birth_equity", Some(12), true).by(narrow);
    assert_eq!(added.on("ecm", "2022-05-31"), NOT_YET);
    assert_eq!(added.on("ecm", "2022-06-01"), "allow");
}
