//! What a plan offers where and when.

use std::sync::Arc;

use rollbook_projections::Rulebook;

use crate::told::{Told, of, with_overlay};

const YES: [bool; 3] = [true, true, true];

fn at(plan: &'static str, county: &'static str, program: &str) -> Told {
    of(plan, county).assessed("2021-06-01", program, YES)
}

#[track_caller]
fn offered_from(told: &Told, program: &str, before: &str, first: &str) {
    assert_eq!(told.on(program, before), "not_offered not_offered_yet", "{program}");
    assert_eq!(told.on(program, first), "allow", "{program}");
}

#[test]
fn caloptima_no_sooner_than() {
    for (program, before, first) in [
        ("housing_navigation", "2021-12-31", "2022-01-01"),
        ("housing_deposit", "2021-12-31", "2022-01-01"),
        ("tenancy_sustaining", "2021-12-31", "2022-01-01"),
        ("recuperative_care", "2021-12-31", "2022-01-01"),
        ("post_hospitalization_housing", "2022-06-30", "2022-07-01"),
        ("day_habilitation", "2022-06-30", "2022-07-01"),
        ("personal_care", "2022-06-30", "2022-07-01"),
        ("tailored_meals", "2022-06-30", "2022-07-01"),
        ("sobering_center", "2022-06-30", "2022-07-01"),
        ("respite", "2022-12-31", "2023-01-01"),
        ("assisted_living_transition", "2022-12-31", "2023-01-01"),
        ("home_transition", "2022-12-31", "2023-01-01"),
        ("home_modification", "2022-12-31", "2023-01-01"),
        ("asthma_remediation", "2022-12-31", "2023-01-01"),
    ] {
        offered_from(&at("caloptima", "orange", program), program, before, first);
        offered_from(&at("la-care", "los-angeles", program), program, "2021-12-31", "2022-01-01");
    }
    offered_from(&at("la-care", "los-angeles", "transitional_rent"), "transitional_rent", "2025-06-30", "2025-07-01");
}

#[test]
fn iehp_has_sobering_centers_in_riverside_alone() {
    // SOB-3, B6-14
    let program = "sobering_center";
    offered_from(&at("iehp", "riverside", program), program, "2021-12-31", "2022-01-01");
    let elsewhere = at("iehp", "san-bernardino", program);
    assert_eq!(elsewhere.on(program, "2024-05-10"), "not_offered county");
    assert_eq!(elsewhere.rules(program, "2024-05-10"), "SOB-3");
    assert_eq!(at("molina", "san-bernardino", program).on(program, "2024-05-10"), "allow");
}

#[test]
fn a_plans_own_file_takes_the_place_of_the_edition() {
    // ELIG-17
    let file = r#"
        plan = "la-care"
        county = "los-angeles"
        [[offered]]
        program = "day_habilitation"
        from = "2022-03-01"
        until = "2024-07-01"
    "#;
    let told = at("la-care", "los-angeles", "day_habilitation").by(file);
    offered_from(&told, "day_habilitation", "2022-02-28", "2022-03-01");
    assert_eq!(told.on("day_habilitation", "2024-06-30"), "allow");
    assert_eq!(told.on("day_habilitation", "2024-07-01"), "not_offered offering_withdrawn");
    assert_eq!(told.rules("day_habilitation", "2024-07-01"), "ELIG-15");
    let other = at("molina", "los-angeles", "day_habilitation").by(file);
    assert_eq!(other.on("day_habilitation", "2024-07-01"), "allow");
}

#[test]
fn a_file_that_begins_later_says_nothing_of_before() {
    let file = r#"
        plan = "la-care"
        from = "2023-01-01"
        [[offered]]
        program = "respite"
        county = "orange"
    "#;
    let told = at("la-care", "los-angeles", "respite").by(file);
    assert_eq!(told.on("respite", "2022-12-31"), "allow");
    assert_eq!(told.on("respite", "2023-01-01"), "not_offered county");
}

#[test]
fn a_word_on_a_contradiction_is_typed() {
    let refused = |text: &str| with_overlay(text).unwrap_err();
    assert!(refused("[disputed]\nCON-1 = \"forbid\"").contains("unknown variant `forbid`"));
    let bad = ["CON-", "CON-x", "EXC-1", "1"].map(|id| refused(&format!("[disputed]\n\"{id}\" = \"allow\"")));
    assert!(bad.iter().all(|error| error.contains("expected the id of a contradiction, as CON-1")), "{bad:?}");
    assert!(with_overlay("[disputed]\nCON-12 = \"allow\"").is_ok());
    assert!(refused("[tenancy]\ncounts_on = \"requested\"").contains("unknown variant `requested`"));
}

#[test]
fn what_an_older_text_does_not_say_it_does_not_decide() {
    let mut text: toml::Table = toml::from_str(Rulebook::built_in_text()).unwrap();
    for key in ["population", "offered", "eligibility", "tenancy", "contradiction"] {
        assert!(text.remove(key).is_some(), "{key}");
    }
    let older = Arc::new(Rulebook::parse(&toml::to_string(&text).unwrap()).unwrap());
    let mut told = of("la-care", "los-angeles").population("2021-06-01", "birth_equity", Some(9), true);
    told = told.assessed("2021-06-01", "tenancy_sustaining", YES).takes_part("wpc", "2021-03-01", None);
    told.rulebook = older;
    assert_eq!(told.on("ecm", "2021-05-31"), "review needs_assessment");
    assert_eq!(told.on("ecm", "2021-06-01"), "allow");
    assert_eq!(told.on("tenancy_sustaining", "2021-06-01"), "allow");
}
