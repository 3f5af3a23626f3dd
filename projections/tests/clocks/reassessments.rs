//! Reassessment: domain/cases.md B4.

use rollbook_projections::rules::findings::findings;
use serde_json::json;

use crate::facts::{Facts, built_in, id, laid};
use crate::said::{found, found_under};

const ROW: &[&str] = &["span_no", "due_on", "rule", "done_on", "outcome", "late_by_days", "earliest_on"];
const CLOCK: &[&str] = &["clock", "rule", "due_on", "met_on", "late_by_days", "earliest_on"];

fn enrolled_of(plan: &str, basis: &str, from: &str) -> Facts {
    let data = json!({
        "enrollment": id("e"), "program": "ecm", "basis": basis, "channel": "plan_direct",
        "provider": "sample-clinic", "from": from,
    });
    Facts::default().tell_of(plan, from, "enrolled", data)
}

fn transitioned(from: &str) -> Facts {
    enrolled_of("la-care", "grandfathered_wpc", from)
}

fn reassessed(facts: Facts, on: &str, outcome: &str) -> Facts {
    let mut data = json!({ "enrollment": id("e"), "on": on, "outcome": outcome });
    if outcome == "discontinue" {
        data["criteria"] = json!(["goals_met"]);
    }
    let plan = facts.0[0].envelope.plan.to_string();
    facts.tell_of(&plan, on, "reassessed", data)
}

#[test]
fn who_transitioned_is_reassessed_within_six_months() {
    for (case, from, due) in [
        ("B4-01", "2022-01-01", "2022-07-01"),
        ("B4-07, the end of the month", "2022-03-31", "2022-09-30"),
        ("B4-12, a Sunday", "2022-07-01", "2023-01-01"),
    ] {
        let facts = transitioned(from);
        assert_eq!(facts.told("clock", CLOCK), [format!("reassessment REAS-1 {due} - - -")], "{case}");
        assert_eq!(facts.told("reassessment", ROW), [format!("1 {due} REAS-1 - - - -")], "{case}");
    }
    let hhp = enrolled_of("la-care", "grandfathered_hhp", "2022-01-01");
    assert_eq!(hhp.told("clock", CLOCK), ["reassessment REAS-1 2022-07-01 - - -"]);
    let who = &["of", "program", "starts_on", "governing", "binding", "verified", "cite"];
    let expected = format!("{} ecm 2022-01-01 true true true 001_ba05d909fdf6f899.txt Q12, Q52", id("e"));
    assert_eq!(hhp.told("clock", who), [expected]);
}

#[test]
fn for_others_no_date_is_set() {
    // B4-09
    for basis in ["opt_in", "auto_dhs_match", "presumptive"] {
        let facts = enrolled_of("la-care", basis, "2022-01-01");
        assert!(facts.rows("clock").is_empty() && facts.rows("reassessment").is_empty(), "{basis}");
        let done = reassessed(reassessed(facts, "2022-02-01", "continue"), "2022-03-01", "continue");
        assert_eq!(done.told("reassessment", ROW), ["1 - - 2022-03-01 continue - -"], "{basis}");
        assert!(done.rows("clock").is_empty());
        assert_eq!(found(&done), [""; 0], "{basis}");
    }
}

#[test]
fn the_last_day_is_in_time_and_earlier_is_allowed() {
    let facts = transitioned("2022-01-01");
    let at = |on: &str, outcome: &str| {
        let facts = reassessed(facts.clone(), on, outcome);
        (facts.told("reassessment", ROW)[0].clone(), found(&facts))
    };
    // B4-02, B4-04
    assert_eq!(at("2022-07-01", "continue"), ("1 2022-07-01 REAS-1 2022-07-01 continue 0 -".into(), vec![]));
    assert_eq!(at("2022-02-15", "step_down"), ("1 2022-07-01 REAS-1 2022-02-15 step_down 0 -".into(), vec![]));
    let late = |until: &str| vec![format!("reassessment_late REAS-1 2022-07-02 {until}")];
    let row = |on: &str, days: u8| format!("1 2022-07-01 REAS-1 {on} continue {days} -");
    assert_eq!(at("2022-07-02", "continue"), (row("2022-07-02", 1), late("2022-07-03")));
    assert_eq!(at("2022-07-03", "continue"), (row("2022-07-03", 2), late("2022-07-03")));
    assert_eq!(at("2022-07-11", "continue"), (row("2022-07-11", 10), late("2022-07-11")));
    // B4-15: an attempt at which nobody was reached is no reassessment.
    assert_eq!(at("2022-06-20", "not_reached"), ("1 2022-07-01 REAS-1 - not_reached - -".into(), late("-")));
    // The first that was done is the one that was due.
    let twice = reassessed(reassessed(facts.clone(), "2022-08-01", "continue"), "2022-05-01", "continue");
    assert_eq!(twice.told("clock", CLOCK), ["reassessment REAS-1 2022-07-01 2022-05-01 0 -"]);
    assert_eq!(twice.told("reassessment", ROW), ["1 2022-07-01 REAS-1 2022-05-01 continue 0 -"]);
    // Another enrollment's is none of this one's.
    let other = json!({ "enrollment": id("other"), "on": "2022-05-01", "outcome": "continue" });
    assert_eq!(found(&facts.tell("2022-05-01", "reassessed", other)), late("-"));
}

#[test]
fn an_enrollment_that_ended_is_late_no_longer() {
    let ended = |until: &str| found(&transitioned("2022-01-01").disenrolled(until, "e", until));
    // B4-13: goals met, the enrollment ends.
    assert_eq!(ended("2022-07-01"), [""; 0]);
    assert_eq!(ended("2022-07-02"), [""; 0]);
    assert_eq!(ended("2022-07-03"), ["reassessment_late REAS-1 2022-07-02 2022-07-03"]);
    let facts = reassessed(transitioned("2022-01-01"), "2022-06-15", "discontinue");
    assert_eq!(found(&facts.disenrolled("2022-07-01", "e", "2022-07-15")), [""; 0]);
}

#[test]
fn the_date_falls_to_the_span_that_had_begun_by_then() {
    let back = |from: &str| {
        let data = json!({ "enrollment": id("e"), "from": from, "reason": "appeal" });
        transitioned("2022-01-01").disenrolled("2022-03-01", "e", "2022-03-01").tell(from, "reinstated", data)
    };
    let due = |facts: &Facts| facts.told("reassessment", &["span_no", "from_on", "until_on", "due_on", "done_on"]);
    assert_eq!(due(&back("2022-05-01")), ["2 2022-05-01 - 2022-07-01 -"]);
    assert_eq!(due(&back("2022-07-01")), ["2 2022-07-01 - 2022-07-01 -"]);
    assert_eq!(due(&back("2022-07-02")), ["1 2022-01-01 2022-03-01 2022-07-01 -"]);
    assert_eq!(found(&back("2022-05-01")), ["reassessment_late REAS-1 2022-07-02 -"]);
    assert_eq!(found(&back("2022-08-01")), ["reassessment_late REAS-1 2022-08-01 -"]);
    // What is done later falls to the later span, and the date to the first of them.
    let facts = reassessed(reassessed(back("2022-08-01"), "2022-02-10", "continue"), "2022-09-01", "step_down");
    let told = facts.told("reassessment", &["span_no", "due_on", "done_on", "outcome", "reassessed_event"]);
    assert_eq!(
        told,
        [format!("1 2022-07-01 2022-02-10 continue {}", id("4")), format!("2 - 2022-09-01 step_down {}", id("5")),]
    );
    assert_eq!(facts.told("clock", CLOCK), ["reassessment REAS-1 2022-07-01 2022-02-10 0 -"]);
    // A reassessment dated before the enrollment falls to its first span.
    let early = reassessed(enrolled_of("la-care", "opt_in", "2022-01-01"), "2021-12-20", "continue");
    assert_eq!(early.told("reassessment", ROW), ["1 - - 2021-12-20 continue - -"]);
}

#[test]
fn at_caloptima_not_more_often_than_every_six_months() {
    let facts = reassessed(enrolled_of("caloptima", "grandfathered_wpc", "2022-01-01"), "2022-07-01", "continue");
    assert_eq!(facts.told("clock", CLOCK), ["reassessment REAS-1 2022-07-01 2022-07-01 0 2023-01-01"]);
    assert_eq!(facts.told("reassessment", ROW), ["1 2022-07-01 REAS-1 2022-07-01 continue 0 2023-01-01"]);
    // B4-11
    assert_eq!(found(&again_of(&facts, "2023-01-01")), [""; 0]);
    assert_eq!(found(&again_of(&facts, "2022-12-31")), ["too_frequent REAS-4 2022-12-31 -"]);
    assert_eq!(again_of(&facts, "2022-12-31").told("clock", &["earliest_on"]), ["2023-06-30"]);
    // An attempt that reached nobody is none; another day's report of the same day is one reassessment.
    let data = json!({ "enrollment": id("e"), "on": "2022-09-01", "outcome": "not_reached" });
    assert_eq!(found(&facts.clone().tell_of("caloptima", "2022-09-01", "reassessed", data)), [""; 0]);
    let data = json!({ "enrollment": id("e"), "on": "2022-07-01", "outcome": "step_down" });
    let same = facts.clone().tell_of("caloptima", "2022-07-05", "reassessed", data);
    assert_eq!(found(&same), [""; 0]);
    assert_eq!(same.told("reassessment", &["outcome"]), ["step_down"]);
    // Elsewhere no interval is set, until the plan sets one.
    let care = reassessed(reassessed(transitioned("2022-01-01"), "2022-06-01", "continue"), "2022-07-01", "continue");
    assert_eq!(found(&care), [""; 0]);
    let plan = laid("reassessment.min_interval_months = 3");
    assert_eq!(found_under(&plan, &care), ["too_frequent REAS-4 2022-07-01 -"]);
}

fn again_of(facts: &Facts, on: &str) -> Facts {
    let data = json!({ "enrollment": id("e"), "on": on, "outcome": "continue" });
    facts.clone().tell_of("caloptima", on, "reassessed", data)
}

#[test]
fn where_only_an_interval_is_set_the_clock_tells_the_first_day_again() {
    let facts = enrolled_of("caloptima", "opt_in", "2022-01-01");
    assert!(facts.rows("clock").is_empty());
    let facts = again_of(&again_of(&facts, "2022-03-15"), "2022-10-01");
    assert_eq!(facts.told("clock", CLOCK), ["reassessment REAS-4 - 2022-10-01 - 2023-04-01"]);
    assert_eq!(facts.told("clock", &["cite", "verified"]), ["004_fee5f0d092ef9eec.txt Q14 true"]);
    assert_eq!(facts.told("reassessment", ROW), ["1 - - 2022-10-01 continue - 2023-04-01"]);
}

#[test]
fn one_that_ends_the_service_names_the_criteria() {
    let facts = enrolled_of("la-care", "opt_in", "2022-01-01");
    assert_eq!(found(&reassessed(facts.clone(), "2022-05-01", "discontinue")), [""; 0]);
    let data = |outcome: &str| json!({ "enrollment": id("e"), "on": "2022-05-01", "outcome": outcome });
    let without = facts.clone().tell("2022-05-01", "reassessed", data("discontinue"));
    assert_eq!(found(&without), ["incomplete REAS-3 2022-05-01 -"]);
    assert_eq!(found(&facts.tell("2022-05-01", "reassessed", data("continue"))), [""; 0]);
}

#[test]
fn a_finding_names_what_it_rests_on() {
    let facts = reassessed(enrolled_of("caloptima", "grandfathered_wpc", "2022-01-01"), "2022-08-01", "continue");
    let facts = again_of(&facts, "2022-09-01");
    let dossier = facts.dossier();
    let known = rollbook_projections::rules::facts::Facts::of(&dossier, built_in());
    let told: Vec<_> = findings(&known)
        .into_iter()
        .map(|f| (f.code, f.about, f.because.iter().map(|event| event.0).collect::<Vec<_>>()))
        .collect();
    let e = id("e").to_string();
    assert_eq!(
        told,
        [
            ("reassessment_late", e.clone(), vec![id("1"), id("2")]),
            ("too_frequent", format!("{e} 2022-09-01"), vec![id("2"), id("3")]),
        ]
    );
}
