//! DUP-7: one agency under both contracts.

use serde_json::json;

use crate::facts::{Facts, id};
use crate::{finds, found};

const AGENCY: &str = "sample-clinic";

fn client(facts: Facts, program: &str, provider: Option<&str>, from: &str) -> Facts {
    let mut data = json!({ "program": program, "from": from, "evidence": "verified" });
    if let Some(provider) = provider {
        data["provider"] = provider.into();
    }
    facts.tell_of("la-county-dhs", from, "participation_reported", data)
}

fn navigation() -> Facts {
    Facts::default().enrolled("h", "housing_navigation", "2022-02-01")
}

fn both(facts: &Facts, expected: &[&str]) {
    finds(facts, "agency_overlap", expected);
    finds(facts, "double_billing", expected);
}

#[test]
fn one_agency_serves_the_client_under_both_contracts() {
    // B1-42
    for program in ["icms_hfh", "icms_odr"] {
        both(&client(navigation(), program, Some(AGENCY), "2022-05-01"), &["DUP-7 housing_navigation 2022-05-01 -"]);
    }
    // Another agency, one nobody named, no duplication of services, or the county's own channel.
    both(&client(navigation(), "icms_hfh", Some("other-agency"), "2022-05-01"), &[]);
    both(&client(navigation(), "icms_hfh", None, "2022-05-01"), &[]);
    both(&client(Facts::default().enrolled("e", "ecm", "2022-02-01"), "icms_hfh", Some(AGENCY), "2022-05-01"), &[]);
    let county = Facts::default().enrolled_through("dhs_subcontract", "h", "housing_navigation", "2022-02-01");
    both(&client(county, "icms_hfh", Some(AGENCY), "2022-05-01"), &[]);
    // From what excludes, the agency is no matter.
    both(&client(Facts::default().enrolled("e", "ecm", "2022-02-01"), "pace", Some(AGENCY), "2022-05-01"), &[]);
}

#[test]
fn only_the_days_on_which_both_are_the_agencys() {
    let assigned = |facts: Facts, provider: &str, from: &str| {
        facts.tell(from, "provider_assigned", json!({ "enrollment": id("h"), "provider": provider, "from": from }))
    };
    let facts = client(navigation(), "icms_hfh", Some(AGENCY), "2022-05-01");
    both(&assigned(facts.clone(), "other-agency", "2022-07-01"), &["DUP-7 housing_navigation 2022-05-01 2022-07-01"]);
    both(&assigned(facts.clone(), "other-agency", "2022-05-01"), &[]);
    let back = assigned(assigned(facts.clone(), "other-agency", "2022-07-01"), AGENCY, "2022-09-01");
    both(&back, &["DUP-7 housing_navigation 2022-05-01 2022-07-01", "DUP-7 housing_navigation 2022-09-01 -"]);
    // The same agency assigned again is one span.
    both(&assigned(facts, AGENCY, "2022-07-01"), &["DUP-7 housing_navigation 2022-05-01 -"]);
}

#[test]
fn units_of_both_sides_in_those_months_are_evidence_of_the_billing() {
    let units = |facts: Facts, plan: &str, program: &str, month: &str, units: u32, provider: &str| {
        let data = json!({
            "program": program, "month": month, "units": units, "outreach_units": 0, "provider": provider,
        });
        facts.tell_of(plan, "2022-08-01", "units_recorded", data)
    };
    let facts =
        client(navigation(), "icms_hfh", Some(AGENCY), "2022-05-01").disenrolled("2022-06-01", "h", "2022-06-01");
    let facts = units(facts, "la-care", "housing_navigation", "2022-05", 6, AGENCY); // 4
    let facts = units(facts, "la-county-dhs", "icms_hfh", "2022-05", 4, AGENCY); // 5
    let facts = units(facts, "la-county-dhs", "icms_hfh", "2022-06", 4, AGENCY);
    let facts = units(facts, "la-care", "housing_navigation", "2022-05", 6, "other-agency");
    let facts = units(facts, "la-care", "ecm", "2022-05", 6, AGENCY);
    let facts = units(facts, "la-county-dhs", "icms_hfh", "2022-05", 0, AGENCY);
    let because = |code: &str| {
        let told = facts.told("finding", &["code", "because"]);
        let line = told.iter().find_map(|line| line.strip_prefix(&format!("{code} "))).unwrap().to_owned();
        let mut ids: Vec<String> = line.split(',').map(ToOwned::to_owned).collect();
        ids.sort();
        ids
    };
    let mut expected: Vec<String> = ["1", "2", "4", "5"].map(|name| id(name).to_string()).to_vec();
    expected.sort();
    assert_eq!(because("double_billing"), expected);
    assert_eq!(because("agency_overlap").len(), 2);
    assert_eq!(found(&facts, "double_billing"), ["DUP-7 housing_navigation 2022-05-01 2022-06-01"]);
}
