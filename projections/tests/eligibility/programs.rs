//! Programs beside the one asked about: domain/cases.md B1, DUP and EXC.

use rollbook_events::codes::Channel;
use serde_json::json;

use crate::told::{Told, member};

fn homeless() -> Told {
    member().homeless("2022-01-10")
}

#[test]
fn what_a_program_beside_it_comes_to_for_ecm() {
    for (case, program, expected) in [
        ("B1-03", "icms_hfh", "allow_coordinated"),
        ("B1-04", "icms_odr", "allow_coordinated"),
        ("B1-14", "smhs_tcm", "allow_coordinated"),
        ("B1-15", "mssp", "choose must_choose"),
        ("B1-16", "alw", "choose must_choose"),
        ("B1-17", "hcba", "choose must_choose"),
        ("B1-18", "hiv_aids_waiver", "choose must_choose"),
        ("B1-19", "hcbs_dd", "choose must_choose"),
        ("EXC-12", "self_determination", "choose must_choose"),
        ("B1-21", "other_1915c_waiver", "choose must_choose"),
        ("B1-22", "basic_case_management", "choose must_choose"),
        ("B1-24", "complex_case_management", "choose must_choose"),
        ("B1-25", "cct", "choose must_choose"),
        ("B1-26", "pace", "exclude excluded_program"),
        ("EXC-4", "hospice", "exclude excluded_program"),
        ("B1-11", "tailored_meals", "allow"),
    ] {
        let told = homeless().takes_part(program, "2022-05-01", Some("2022-06-01"));
        assert_eq!(told.on("ecm", "2022-04-30"), "allow", "{case}");
        assert_eq!(told.on("ecm", "2022-05-01"), expected, "{case}");
        assert_eq!(told.on("ecm", "2022-05-31"), expected, "{case}");
        assert_eq!(told.on("ecm", "2022-06-01"), "allow", "{case}");
    }
}

#[test]
fn basic_case_management_until_the_end_of_2022() {
    // CON-11
    let told = homeless().takes_part("basic_case_management", "2022-05-01", None);
    assert_eq!(told.on("ecm", "2022-12-31"), "choose must_choose");
    assert_eq!(told.on("ecm", "2023-01-01"), "allow");
}

#[test]
fn health_worker_services_since_they_are_a_benefit() {
    // B1-49, ELIG-28: not before 2022-07-01.
    let told = homeless().takes_part("chw", "2022-06-01", None).enrolled("e", "ecm", "2022-02-01", json!({}));
    assert_eq!(told.on("ecm", "2022-06-30"), "allow");
    assert_eq!(told.on("ecm", "2022-07-01"), "allow_coordinated");
    assert_eq!(told.conflicts(), ["allow_coordinated ELIG-28 ecm chw 2022-07-01 -"]);
}

#[test]
fn housing_support_turns_on_the_channel() {
    // B1-05, B1-09, ELIG-4: through the plan it duplicates case management, through the county it does not.
    let yes = [true, true, true];
    for program in ["housing_navigation", "tenancy_sustaining"] {
        let told = member().assessed("2022-04-20", program, yes).takes_part("icms_odr", "2022-05-01", None);
        assert_eq!(told.on(program, "2022-04-30"), "allow", "{program}");
        assert_eq!(told.on(program, "2022-05-01"), "(plan_direct) exclude excluded_program | (dhs_subcontract) allow");
        assert_eq!(told.through(Channel::PlanDirect, program, "2022-05-01"), "(plan_direct) exclude excluded_program");
        assert_eq!(told.through(Channel::DhsSubcontract, program, "2022-05-01"), "(dhs_subcontract) allow");
        let rules = format!("DUP-4 | ELIG-2,DUP-5,{},ELIG-13", code(program));
        assert_eq!(told.rules(program, "2022-05-01"), rules);
    }
    let meals = member().assessed("2022-04-20", "tailored_meals", yes).takes_part("icms_hfh", "2022-05-01", None);
    assert_eq!(meals.on("tailored_meals", "2022-05-01"), "allow");
}

fn code(program: &str) -> &'static str {
    if program == "housing_navigation" { "CS-HTNS" } else { "CS-HTSS" }
}

#[test]
fn a_rule_that_names_a_channel_names_that_of_the_other_side_too() {
    // Asked about the county's program: what runs beside it runs through a channel of its own.
    let through = |channel: &str| {
        let told = member().enrolled("h", "housing_navigation", "2022-05-01", json!({ "channel": channel }));
        told.on("icms_hfh", "2022-05-01")
    };
    assert_eq!(through("plan_direct"), "exclude excluded_program");
    assert_eq!(through("dhs_subcontract"), "allow");
}

#[test]
fn ecm_beside_housing_support_is_coordinated_both_ways() {
    // B1-01, B1-02
    let yes = [true, true, true];
    for program in ["housing_navigation", "tenancy_sustaining"] {
        let told = homeless().enrolled("h", program, "2022-05-01", json!({}));
        assert_eq!(told.on("ecm", "2022-05-01"), "allow_coordinated");
        let told = member().assessed("2022-04-20", program, yes).enrolled("e", "ecm", "2022-05-01", json!({}));
        assert_eq!(told.on(program, "2022-05-01"), "allow_coordinated");
    }
}

#[test]
fn what_the_member_chose_settles_it() {
    let chosen = |told: Told, on: &str, chosen: &str, given_up: &[&str]| {
        told.tell(on, "program_chosen", json!({ "chosen": chosen, "given_up": given_up }))
    };
    let both = homeless().takes_part("mssp", "2022-05-01", Some("2022-08-01"));
    // B1-45
    let ecm = chosen(both.clone(), "2022-05-20", "ecm", &["mssp"]);
    assert_eq!(ecm.on("ecm", "2022-05-19"), "choose must_choose");
    assert_eq!(ecm.on("ecm", "2022-05-20"), "allow");
    assert_eq!(chosen(both.clone(), "2022-05-20", "ecm", &[]).on("ecm", "2022-05-20"), "allow");
    // B1-44, and what settles nothing: another pair, the other program, a choice of before or after.
    for (on, picked, given_up) in [
        ("2022-05-20", "mssp", ["ecm"]),
        ("2022-05-20", "ecm", ["alw"]),
        ("2022-05-20", "alw", ["mssp"]),
        ("2022-04-30", "ecm", ["mssp"]),
    ] {
        let told = chosen(both.clone(), on, picked, &given_up);
        assert_eq!(told.on("ecm", "2022-06-01"), "choose must_choose", "{on} {picked} {given_up:?}");
    }
    let changed = chosen(ecm, "2022-06-10", "mssp", &["ecm"]);
    assert_eq!(changed.on("ecm", "2022-06-09"), "allow");
    assert_eq!(changed.on("ecm", "2022-06-10"), "choose must_choose");
    // From what excludes there is nothing to choose.
    let pace = chosen(homeless().takes_part("pace", "2022-05-01", None), "2022-05-20", "ecm", &["pace"]);
    assert_eq!(pace.on("ecm", "2022-05-20"), "exclude excluded_program");
}

#[test]
fn a_suspicion_of_a_referral_stands_until_somebody_settles_it() {
    // B1-43
    let suspect = json!({ "suspected_programs": ["mssp"], "populations": ["homelessness"] });
    let told = homeless().referred("2022-05-02", "ecm", suspect);
    assert_eq!(told.on("ecm", "2022-05-01"), "allow");
    assert_eq!(told.on("ecm", "2022-05-02"), "unverified suspected");
    assert_eq!(told.rules("ecm", "2022-05-02"), "DUP-11,EXC-1,POF-3");
    let report = |told: &Told, at: &str, evidence: &str, from: Option<&str>| {
        let mut data = json!({ "program": "mssp", "evidence": evidence });
        if let Some(from) = from {
            data["from"] = from.into();
        }
        told.clone().tell_of("la-county-dhs", at, "participation_reported", data)
    };
    assert_eq!(report(&told, "2022-05-02", "ruled_out", None).on("ecm", "2022-05-02"), "allow");
    assert_eq!(report(&told, "2022-05-01", "ruled_out", None).on("ecm", "2022-05-02"), "unverified suspected");
    assert_eq!(report(&told, "2022-05-09", "suspected", None).on("ecm", "2022-05-10"), "unverified suspected");
    let verified = report(&told, "2022-05-09", "verified", Some("2022-05-05"));
    assert_eq!(verified.on("ecm", "2022-05-04"), "allow");
    assert_eq!(verified.on("ecm", "2022-05-05"), "choose must_choose");
    // What may run beside ECM needs no verification.
    let harmless = homeless().referred("2022-05-02", "ecm", json!({ "suspected_programs": ["smhs_tcm"] }));
    assert_eq!(harmless.on("ecm", "2022-05-02"), "allow");
    let excluding = homeless().referred("2022-05-02", "ecm", json!({ "suspected_programs": ["hospice"] }));
    assert_eq!(excluding.on("ecm", "2022-05-02"), "unverified suspected");
}

#[test]
fn a_suspicion_of_a_report_stands_on_its_own_days() {
    let report = |told: Told, plan: &str, at: &str, mut data: serde_json::Value, evidence: &str| {
        data["program"] = "pace".into();
        data["evidence"] = evidence.into();
        told.tell_of(plan, at, "participation_reported", data)
    };
    let days = json!({ "from": "2022-05-01", "until": "2022-06-01" });
    let told = report(homeless(), "molina", "2022-05-10", days.clone(), "suspected");
    for (on, expected) in [
        ("2022-04-30", "allow"),
        ("2022-05-01", "unverified suspected"),
        ("2022-05-31", "unverified suspected"),
        ("2022-06-01", "allow"),
    ] {
        assert_eq!(told.on("ecm", on), expected, "{on}");
    }
    let bare = report(homeless(), "molina", "2022-05-10", json!({}), "suspected");
    assert_eq!(bare.on("ecm", "2022-05-09"), "allow");
    assert_eq!(bare.on("ecm", "2022-05-10"), "unverified suspected");
    // A later word of the same plan on the same first day, or on the program as a whole, takes its place.
    assert_eq!(
        report(told.clone(), "molina", "2022-06-02", days.clone(), "ruled_out").on("ecm", "2022-05-10"),
        "allow"
    );
    assert_eq!(report(told.clone(), "molina", "2022-06-02", json!({}), "ruled_out").on("ecm", "2022-05-10"), "allow");
    let verified = report(told.clone(), "molina", "2022-06-02", days, "verified");
    assert_eq!(verified.on("ecm", "2022-05-10"), "exclude excluded_program");
    let other_days = json!({ "from": "2022-04-01", "until": "2022-04-10" });
    let other = report(told.clone(), "molina", "2022-06-02", other_days, "ruled_out");
    assert_eq!(other.on("ecm", "2022-05-10"), "unverified suspected");
    let other_plan = report(told, "anthem", "2022-06-02", json!({}), "ruled_out");
    assert_eq!(other_plan.on("ecm", "2022-05-10"), "unverified suspected");
}

#[test]
fn an_open_question_weighs_more_than_a_suspicion_and_that_more_than_a_choice() {
    let told = homeless().takes_part("mssp", "2022-05-01", None).takes_part("smhs_tcm", "2022-05-01", None);
    assert_eq!(told.on("ecm", "2022-05-01"), "choose must_choose");
    let told = told.referred("2022-05-02", "ecm", json!({ "suspected_programs": ["alw"] }));
    assert_eq!(told.on("ecm", "2022-05-02"), "unverified suspected,must_choose");
    let told = told.covered("managed_care", "other_medicare_advantage", "2022-05-03");
    assert_eq!(told.on("ecm", "2022-05-03"), "review disputed,suspected,must_choose");
}
