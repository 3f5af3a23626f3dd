//! B8-06: two sources on one thing.

use serde_json::json;

use crate::facts::{Facts, id};
use crate::finds;

fn told(facts: Facts, plan: &str, at: &str, from: &str, until: Option<&str>) -> Facts {
    let mut data = json!({ "program": "icms_hfh", "from": from, "evidence": "verified" });
    if let Some(until) = until {
        data["until"] = until.into();
    }
    facts.tell_of(plan, at, "participation_reported", data)
}

fn county(until: Option<&str>) -> Facts {
    told(Facts::default(), "la-county-dhs", "2022-07-05", "2022-01-15", until)
}

#[test]
fn two_sources_give_different_ends() {
    let plan = |facts, at, until| told(facts, "la-care", at, "2022-01-15", until);
    let both = plan(county(Some("2022-07-01")), "2022-07-20", Some("2022-09-01"));
    let expected: &[&str] = &["B8-06 icms_hfh 2022-07-01 2022-09-01"];
    finds(&both, "sources_disagree", expected);
    assert_eq!(both.told("finding", &["plan", "about"]), ["la-care la-county-dhs 2022-01-15"]);
    finds(&plan(county(Some("2022-09-01")), "2022-07-20", Some("2022-07-01")), "sources_disagree", expected);
    finds(&plan(county(Some("2022-07-01")), "2022-07-20", Some("2022-07-01")), "sources_disagree", &[]);
    // Who spoke before the end need not have known of it.
    finds(&plan(county(Some("2022-07-01")), "2022-06-30", None), "sources_disagree", &[]);
    finds(&plan(county(Some("2022-07-01")), "2022-07-01", None), "sources_disagree", &["B8-06 icms_hfh 2022-07-01 -"]);
    finds(&plan(county(None), "2022-07-20", Some("2022-07-05")), "sources_disagree", &["B8-06 icms_hfh 2022-07-05 -"]);
    finds(&plan(county(None), "2022-07-20", Some("2022-07-06")), "sources_disagree", &[]);
    finds(&plan(county(None), "2022-07-20", None), "sources_disagree", &[]);
    // Two parts that do not touch are two, and so are two programs.
    let later = told(county(Some("2022-07-01")), "la-care", "2022-09-01", "2022-07-01", Some("2022-09-01"));
    finds(&later, "sources_disagree", &[]);
    let other = json!({ "program": "icms_odr", "from": "2022-01-15", "until": "2022-09-01", "evidence": "verified" });
    finds(&county(Some("2022-07-01")).tell("2022-07-20", "participation_reported", other), "sources_disagree", &[]);
}

#[test]
fn one_sources_later_word_takes_the_place_of_its_earlier_one() {
    let facts = told(county(Some("2022-07-01")), "la-county-dhs", "2022-09-05", "2022-01-15", Some("2022-09-01"));
    finds(&facts, "sources_disagree", &[]);
    // Through another system it is another source.
    finds(&facts.read_from("champ", false), "sources_disagree", &["B8-06 icms_hfh 2022-07-01 2022-09-01"]);
    let suspected =
        json!({ "program": "icms_hfh", "from": "2022-01-15", "until": "2022-09-01", "evidence": "suspected" });
    finds(&county(Some("2022-07-01")).tell("2022-07-20", "participation_reported", suspected), "sources_disagree", &[]);
    let plan = told(county(Some("2022-07-01")), "la-care", "2022-07-20", "2022-01-15", Some("2022-09-01"));
    let ruled_out = json!({ "program": "icms_hfh", "from": "2022-01-15", "evidence": "ruled_out" });
    finds(&plan.tell("2022-07-21", "participation_reported", ruled_out), "sources_disagree", &[]);
}

#[test]
fn an_enrollment_and_a_report_of_it() {
    let enrolled = Facts::default().enrolled("e", "ecm", "2022-01-01");
    let report = |facts: Facts, until: &str| facts.takes_part("ecm", "2022-01-01", Some(until));
    let ended = enrolled.clone().disenrolled("2022-05-01", "e", "2022-05-01");
    finds(&report(ended.clone(), "2022-06-01"), "sources_disagree", &["B8-06 ecm 2022-05-01 2022-06-01"]);
    finds(&report(ended.clone(), "2022-05-01"), "sources_disagree", &[]);
    // The plan enrolled the member before anybody could know of the end.
    finds(&report(enrolled, "2022-06-01"), "sources_disagree", &[]);
    // Two enrollments are two.
    let data = json!({
        "enrollment": id("f"), "program": "ecm", "basis": "opt_in", "channel": "plan_direct", "provider": "x1",
        "from": "2022-02-01",
    });
    let two = ended.tell_of("molina", "2022-02-01", "enrolled", data);
    let end = json!({ "enrollment": id("f"), "until": "2022-08-01", "reason": "goals_met" });
    finds(&two.tell_of("molina", "2022-08-01", "disenrolled", end), "sources_disagree", &[]);
}

#[test]
fn whoever_runs_the_program_has_the_word() {
    let conflicts = |facts: Facts| {
        let facts = facts.enrolled("h", "housing_navigation", "2022-07-10");
        facts.told("duplication_conflict", &["plan_b", "from_on", "until_on"])
    };
    let plan = |facts, from| told(facts, "la-care", "2022-07-20", from, Some("2022-09-01"));
    assert!(conflicts(plan(county(Some("2022-07-01")), "2022-01-15")).is_empty());
    assert_eq!(conflicts(plan(Facts::default(), "2022-01-15")), ["la-care 2022-07-10 2022-09-01"]);
    // Of days that the county says nothing of, the plan's word is all there is.
    assert_eq!(conflicts(plan(county(Some("2022-07-01")), "2022-07-01")), ["la-care 2022-07-10 2022-09-01"]);
    assert_eq!(conflicts(county(Some("2022-08-01"))), ["la-county-dhs 2022-07-10 2022-08-01"]);
    // A program of nobody's in particular is held as everybody tells it.
    let mssp = |facts: Facts, plan: &str| {
        facts.tell_of(
            plan,
            "2022-05-01",
            "participation_reported",
            json!({ "program": "mssp", "from": "2022-05-01", "evidence": "verified" }),
        )
    };
    let facts = mssp(mssp(Facts::default().enrolled("e", "ecm", "2022-02-01"), "la-county-dhs"), "molina");
    assert_eq!(facts.told("duplication_conflict", &["plan_b"]), ["la-county-dhs", "molina"]);
}
