//! Members carried over from Whole Person Care and the Health Homes Program: domain/cases.md B5.

use rollbook_events::codes::Channel;
use serde_json::json;

use crate::told::{Told, member, nobody, of};

const DAY: &str = "2022-01-01";

/// In Whole Person Care until its last day but one, and in county case management.
fn client(until: Option<&str>) -> Told {
    member().takes_part("wpc", "2021-03-01", until).takes_part("icms_hfh", "2021-04-01", None)
}

#[test]
fn whole_person_care_on_the_last_day_of_2021_carries_over_into_ecm() {
    // B5-01, B5-02, GF-2
    for (until, expected) in [
        (None, "allow grandfathered_wpc"),
        (Some("2022-01-01"), "allow grandfathered_wpc"),
        (Some("2021-12-31"), "review needs_assessment"),
    ] {
        let told = member().takes_part("wpc", "2021-03-01", until);
        assert_eq!(told.on("ecm", DAY), expected, "{until:?}");
        assert_eq!(told.on("ecm", "2021-12-31"), "not_offered not_offered_yet");
    }
    let late = member().takes_part("wpc", "2022-01-01", None);
    assert_eq!(late.on("ecm", DAY), "review needs_assessment");
    assert!(member().takes_part("wpc", "2021-03-01", None).rules("ecm", DAY).contains("GF-2"));
}

#[test]
fn entry_criteria_are_waived_and_nothing_else() {
    // B5-06, GF-8, CON-28
    let child = member().takes_part("hhp", "2020-07-01", Some(DAY));
    let child = child.population("2021-12-15", "homelessness", Some(9), false);
    assert_eq!(child.on("ecm", DAY), "allow grandfathered_hhp");
    assert_eq!(child.clone().takes_part("mssp", DAY, None).on("ecm", DAY), "choose must_choose,grandfathered_hhp");
    assert_eq!(child.takes_part("pace", DAY, None).on("ecm", DAY), "exclude excluded_program");
    let ended = member().takes_part("hhp", "2020-07-01", Some("2021-12-31"));
    assert_eq!(ended.on("ecm", DAY), "review needs_assessment");
    // GF-9
    let without = nobody("la-care", "los-angeles").covered("inactive", "none", "2021-12-01");
    let without = without.takes_part("hhp", "2020-07-01", Some(DAY)).covered("managed_care", "none", "2022-03-01");
    assert_eq!(without.on("ecm", "2022-02-28"), "not_eligible medi_cal_inactive");
    assert_eq!(without.on("ecm", "2022-03-01"), "allow grandfathered_hhp");
}

#[test]
fn a_population_that_is_met_is_told_beside() {
    let told = member().takes_part("wpc", "2021-03-01", None).homeless("2022-02-01");
    assert_eq!(told.rules("ecm", "2022-01-31"), "EXC-1,GF-2");
    assert_eq!(told.rules("ecm", "2022-02-01"), "EXC-1,POF-3,GF-2");
}

#[test]
fn county_clients_are_carried_over_into_a_housing_support_by_how_they_were_housed() {
    // B5-03, B5-04, GF-3 to GF-6
    let (navigation, tenancy) = ("housing_navigation", "tenancy_sustaining");
    for (housed, carried, not) in [(false, navigation, tenancy), (true, tenancy, navigation)] {
        for until in [None, Some("2022-01-01")] {
            let told = client(until).housed(DAY, housed);
            let through = |program| told.through(Channel::DhsSubcontract, program, DAY);
            assert_eq!(through(carried), "(dhs_subcontract) allow grandfathered_wpc");
            assert_eq!(through(not), "(dhs_subcontract) review needs_assessment");
            // Through the plan it duplicates what the county gives.
            let direct = told.through(Channel::PlanDirect, carried, DAY);
            assert_eq!(direct, "(plan_direct) exclude excluded_program");
        }
    }
}

#[test]
fn the_three_days_are_asked_apart() {
    // CON-4
    let rules = |told: &Told| {
        let answer = told.rules("housing_navigation", DAY);
        ["GF-3", "GF-6"].into_iter().filter(|rule| answer.contains(rule)).collect::<Vec<_>>().join(",")
    };
    assert_eq!(rules(&client(None).housed(DAY, false)), "GF-3,GF-6");
    assert_eq!(rules(&client(Some("2022-01-01")).housed(DAY, false)), "GF-6");
    assert_eq!(rules(&client(Some("2021-12-31")).housed(DAY, false)), "");
    let clients = |wpc: &str, icms: (&str, Option<&str>)| {
        let told = member().takes_part("wpc", wpc, None).takes_part("icms_odr", icms.0, icms.1).housed(DAY, false);
        rules(&told)
    };
    assert_eq!(clients("2022-01-01", ("2021-05-01", None)), "GF-3");
    assert_eq!(clients("2021-03-01", ("2022-01-01", None)), "GF-3");
    assert_eq!(clients("2021-03-01", ("2021-12-31", None)), "GF-3,GF-6");
    assert_eq!(clients("2021-03-01", ("2022-01-02", None)), "");
    assert_eq!(clients("2021-03-01", ("2021-05-01", Some("2022-01-01"))), "GF-6");
    // No county client at all: into ECM, and into no housing support.
    let ecm = member().takes_part("wpc", "2021-03-01", None).housed(DAY, false);
    assert_eq!(ecm.on("ecm", DAY), "allow grandfathered_wpc");
    assert_eq!(ecm.on("housing_navigation", DAY), "review needs_assessment");
}

#[test]
fn managed_care_of_that_day_belongs_to_one_of_them() {
    let told = |from: &str| {
        let told = nobody("la-care", "los-angeles").covered("managed_care", "none", from);
        let told = told.takes_part("wpc", "2022-01-01", None).takes_part("icms_hfh", "2021-04-01", None);
        told.housed(DAY, false).through(Channel::DhsSubcontract, "housing_navigation", "2022-02-01")
    };
    assert_eq!(told("2022-01-01"), "(dhs_subcontract) allow grandfathered_wpc");
    assert_eq!(told("2022-01-02"), "(dhs_subcontract) review needs_assessment");
}

#[test]
fn how_the_member_was_housed_is_asked_of_that_day() {
    let dhs = |told: Told| told.through(Channel::DhsSubcontract, "housing_navigation", DAY);
    let carried = "(dhs_subcontract) allow grandfathered_wpc";
    let not = "(dhs_subcontract) review needs_assessment";
    assert_eq!(dhs(client(None)), not, "nobody saw it");
    assert_eq!(dhs(client(None).housed("2021-11-01", false)), carried);
    assert_eq!(dhs(client(None).housed("2021-11-01", true).housed("2021-12-01", false)), carried);
    assert_eq!(dhs(client(None).housed("2022-01-02", false)), not);
    assert_eq!(dhs(client(None).housed(DAY, false).housed("2022-01-02", true)), carried);
    let elsewhere = of("molina", "san-diego").takes_part("wpc", "2021-03-01", None);
    let elsewhere = elsewhere.takes_part("icms_hfh", "2021-04-01", None).housed(DAY, false);
    assert_eq!(dhs(elsewhere), not, "a rule of the county's");
}

#[test]
fn what_an_entry_names_outright_does_not_turn_on_housing_gf_2() {
    // A plan's own entry may name a program outright and others by how the member was housed.
    let own = r#"
        plan = "la-care"
        [[eligibility.grandfathered]]
        rule = "own"
        predecessor = "wpc"
        held_on = "2021-12-31"
        into = ["ecm"]
        from = "2022-01-01"
        cite = "own"
        verified = true
        [eligibility.grandfathered.by_housing]
        on = "2022-01-01"
        unhoused = "housing_navigation"
        unhoused_rule = "GF-4"
        housed = "tenancy_sustaining"
        housed_rule = "GF-5"
    "#;
    let told = member().takes_part("wpc", "2021-03-01", None).by(own);
    assert!(told.rules("ecm", DAY).contains("own"), "{}", told.rules("ecm", DAY));
    assert!(!told.rules("housing_navigation", DAY).contains("own"), "nobody saw it");
    assert!(told.housed(DAY, false).rules("housing_navigation", DAY).contains("own"));
}

#[test]
fn health_homes_members_get_housing_support_through_the_plan() {
    // B5-08, GF-7
    let told = member().takes_part("hhp", "2020-07-01", Some(DAY)).housed(DAY, false);
    let expected = "(plan_direct) allow grandfathered_hhp | (dhs_subcontract) review needs_assessment";
    assert_eq!(told.on("housing_navigation", DAY), expected);
    assert_eq!(told.on("tenancy_sustaining", DAY), "review needs_assessment");
}

#[test]
fn who_left_and_comes_back_enters_like_anyone_else() {
    let told = member().takes_part("wpc", "2021-03-01", None);
    let basis = json!({ "basis": "grandfathered_wpc" });
    let left = told.clone().enrolled("e", "ecm", DAY, basis).disenrolled("e", "2022-03-19");
    assert_eq!(left.on("ecm", "2022-03-18"), "allow grandfathered_wpc");
    assert_eq!(left.on("ecm", "2022-03-19"), "review needs_assessment");
    let back = left.enrolled("f", "ecm", "2022-05-01", json!({}));
    assert_eq!(back.on("ecm", "2022-04-30"), "allow grandfathered_wpc", "as known later, it goes on");
    let other = told.enrolled("h", "tailored_meals", DAY, json!({})).disenrolled("h", "2022-02-01");
    assert_eq!(other.on("ecm", "2022-02-01"), "allow grandfathered_wpc");
}

#[test]
fn an_enrollment_that_rests_on_being_carried_over() {
    for (basis, reason) in [
        ("grandfathered_wpc", "allow grandfathered_wpc"),
        ("grandfathered_hhp", "allow grandfathered_hhp"),
        ("opt_in", "allow needs_assessment"),
        ("auto_dhs_match", "allow needs_assessment"),
        ("presumptive", "allow needs_assessment"),
    ] {
        let told = member().enrolled("e", "ecm", DAY, json!({ "basis": basis })).disenrolled("e", "2022-03-01");
        assert_eq!(told.on("ecm", DAY), reason);
        assert_eq!(told.on("ecm", "2022-03-01"), "review needs_assessment");
        assert_eq!(told.on("tailored_meals", DAY), "review needs_assessment");
    }
    let through = json!({ "basis": "grandfathered_wpc", "channel": "dhs_subcontract" });
    let told = member().enrolled("h", "housing_navigation", DAY, through);
    assert_eq!(
        told.through(Channel::DhsSubcontract, "housing_navigation", DAY),
        "(dhs_subcontract) allow grandfathered_wpc"
    );
    assert_eq!(told.through(Channel::PlanDirect, "housing_navigation", DAY), "(plan_direct) allow needs_assessment");
}
