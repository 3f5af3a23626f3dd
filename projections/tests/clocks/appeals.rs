//! The clocks of appeals: domain/cases.md B7-15 to B7-19.

use rollbook_projections::rules::findings::findings;
use serde_json::{Value, json};

use crate::facts::{Facts, built_in, id, laid};
use crate::said::{found, found_under};

const DAY: &[&str] = &["clock", "rule", "due_on", "governing", "met_on", "late_by_days"];

fn issued(kind: &str, mailed: &str, effective: Option<&str>) -> Facts {
    let mut data = json!({ "notice": id("n"), "program": "ecm", "kind": kind, "mailed_on": mailed });
    if let Some(effective) = effective {
        data["effective_on"] = effective.into();
    }
    Facts::default().tell(mailed, "notice_issued", data)
}

fn filed(facts: Facts, on: &str, more: Value) -> Facts {
    let mut data = json!({ "appeal": id("p"), "notice": id("n"), "on": on });
    for (key, value) in more.as_object().unwrap() {
        data[key] = value.clone();
    }
    facts.tell(on, "appeal_filed", data)
}

fn resolved(facts: Facts, on: &str, outcome: &str) -> Facts {
    facts.tell(on, "appeal_resolved", json!({ "appeal": id("p"), "on": on, "outcome": outcome }))
}

fn of(facts: &Facts, clock: &str) -> Vec<String> {
    facts.told("clock", DAY).into_iter().filter(|row| row.starts_with(clock)).collect()
}

#[test]
fn the_clocks_of_a_notice_and_of_an_appeal_against_it_are_of_its_program() {
    // CLK-12, CLK-13, CLK-15, CLK-16
    let facts = issued("discontinuation", "2024-01-31", Some("2024-02-20"));
    let told = resolved(filed(facts, "2024-02-05", json!({})), "2024-02-20", "upheld");
    let mut programs = told.told("clock", &["clock", "program", "of"]);
    programs.retain(|row| !row.starts_with("notice_advance"));
    programs.dedup();
    let expected = [
        format!("aid_paid_pending ecm {}", id("n")),
        format!("appeal_filing ecm {}", id("n")),
        format!("appeal_resolution ecm {}", id("p")),
        format!("state_hearing ecm {}", id("p")),
    ];
    assert_eq!(programs, expected);
    // An appeal against a notice that is not on record is of none.
    let unknown = filed(Facts::default(), "2024-02-05", json!({})).told("clock", &["clock", "program"]);
    assert!(unknown.iter().all(|row| row == "appeal_resolution -"), "{unknown:?}");
}

#[test]
fn an_appeal_is_filed_within_sixty_days_of_the_date_on_the_notice() {
    // B7-15: from the notice of 2024-01-31 on.
    let facts = issued("denial", "2024-01-31", None);
    assert_eq!(of(&facts, "appeal_filing"), ["appeal_filing CLK-12 2024-03-31 true - -"]);
    let last = filed(facts.clone(), "2024-03-31", json!({}));
    assert_eq!(of(&last, "appeal_filing"), ["appeal_filing CLK-12 2024-03-31 true 2024-03-31 0"]);
    assert_eq!(found(&resolved(last, "2024-04-01", "upheld")), [""; 0]);
    let late = filed(facts.clone(), "2024-04-02", json!({}));
    assert_eq!(of(&late, "appeal_filing"), ["appeal_filing CLK-12 2024-03-31 true 2024-04-02 2"]);
    assert_eq!(found(&resolved(late, "2024-04-03", "upheld")), ["appeal_filed_late CLK-12 2024-04-02 -"]);
    // The first of several is the one that counts; another notice's is none.
    let twice = filed(facts.clone(), "2024-03-01", json!({}));
    let twice = filed(twice, "2024-02-20", json!({ "appeal": id("q") }));
    let twice = filed(twice, "2024-02-10", json!({ "appeal": id("o"), "notice": id("other") }));
    assert_eq!(of(&twice, "appeal_filing"), ["appeal_filing CLK-12 2024-03-31 true 2024-02-20 0"]);
    let plan = laid(
        "[appeals.filing]\nrule = \"CLK-12\"\namount = 90\nunit = \"calendar_days\"\nissuer = \"plan\"\ncite = \"policy\"\n\
         verified = true",
    );
    let late = resolved(filed(facts, "2024-04-30", json!({})), "2024-05-01", "upheld");
    assert_eq!(found_under(&plan, &late), [""; 0]);
    // No member's benefit is decided on by a change of what is offered.
    assert!(issued("availability_change", "2024-01-31", Some("2024-03-01")).rows("clock").is_empty());
}

#[test]
fn a_notice_told_again_is_a_later_word() {
    let facts = issued("denial", "2024-01-31", None);
    let data = json!({ "notice": id("n"), "program": "ecm", "kind": "denial", "mailed_on": "2024-02-01" });
    let facts = facts.tell("2024-02-02", "notice_issued", data);
    assert_eq!(of(&facts, "appeal_filing"), ["appeal_filing CLK-12 2024-04-01 true - -"]);
}

#[test]
fn an_appeal_is_resolved_within_thirty_days() {
    // B7-16
    let facts = filed(issued("denial", "2024-03-01", None), "2024-03-04", json!({}));
    assert_eq!(
        of(&facts, "appeal_resolution"),
        ["appeal_resolution CLK-13 2024-04-03 true - -", "appeal_resolution CLK-13 extended 2024-04-17 false - -"]
    );
    assert_eq!(found(&facts), ["appeal_late CLK-13 2024-04-04 -"]);
    let at = |on| resolved(facts.clone(), on, "overturned");
    assert_eq!(found(&at("2024-04-03")), [""; 0]);
    assert_eq!(found(&at("2024-04-04")), ["appeal_late CLK-13 2024-04-04 2024-04-05"]);
    assert_eq!(found(&at("2024-04-20")), ["appeal_late CLK-13 2024-04-04 2024-04-20"]);
    assert_eq!(
        of(&at("2024-04-18"), "appeal_resolution"),
        [
            "appeal_resolution CLK-13 2024-04-03 true 2024-04-18 15",
            "appeal_resolution CLK-13 extended 2024-04-17 false 2024-04-18 1",
        ]
    );
    // A later word on the same appeal, and on the same resolution.
    let again = filed(at("2024-04-20"), "2024-04-01", json!({}));
    assert_eq!(found(&again), [""; 0]);
    let earlier = resolved(at("2024-04-02"), "2024-04-03", "overturned");
    assert_eq!(of(&earlier, "appeal_resolution")[0], "appeal_resolution CLK-13 2024-04-03 true 2024-04-03 0");
}

#[test]
fn an_expedited_appeal_has_72_hours() {
    let hours = &["clock", "rule", "due_at", "due_on", "starts_on"];
    let more = json!({ "expedited": true, "received_at": "2024-03-08T22:30:00-08:00" });
    let facts = filed(issued("denial", "2024-03-01", None), "2024-03-08", more);
    let told = facts.told("clock", hours);
    // The clocks go forward in between: 72 hours end an hour later by the clock.
    assert_eq!(told[1], "appeal_resolution CLK-13 2024-03-12T06:30:00+00:00 2024-03-11 2024-03-08");
    assert_eq!(told[2], "appeal_resolution CLK-13 extended 2024-03-26T06:30:00+00:00 2024-03-25 2024-03-08");
    assert_eq!(found(&resolved(facts.clone(), "2024-03-11", "upheld")), [""; 0]);
    let late = resolved(facts, "2024-03-12", "withdrawn");
    assert_eq!(found(&late), ["appeal_late CLK-13 2024-03-12 2024-03-13"]);
    // Without the hour of receipt they end with the last day they can reach.
    let facts = filed(issued("denial", "2024-03-01", None), "2024-03-08", json!({ "expedited": true }));
    assert_eq!(facts.told("clock", hours)[1], "appeal_resolution CLK-13 - 2024-03-11 2024-03-08");
    // The hour of an appeal that is not expedited changes nothing.
    let more = json!({ "received_at": "2024-03-03T22:30:00-08:00" });
    let facts = filed(issued("denial", "2024-03-01", None), "2024-03-04", more);
    assert_eq!(facts.told("clock", hours)[1], "appeal_resolution CLK-13 - 2024-04-03 2024-03-04");
}

#[test]
fn aid_goes_on_where_it_is_asked_for_by_the_later_of_two_days() {
    // B7-18
    let facts = issued("discontinuation", "2024-02-20", Some("2024-03-11"));
    assert_eq!(of(&facts, "aid"), ["aid_paid_pending CLK-15 2024-03-11 true - -"]);
    let later = issued("discontinuation", "2024-03-05", Some("2024-03-11"));
    assert_eq!(of(&later, "aid"), ["aid_paid_pending CLK-15 2024-03-15 true - -"]);
    let unknown = issued("discontinuation", "2024-03-05", None);
    assert_eq!(of(&unknown, "aid"), ["aid_paid_pending CLK-15 2024-03-15 true - -"]);
    let aid = json!({ "aid_paid_pending": true });
    let asked = filed(filed(facts.clone(), "2024-03-01", json!({})), "2024-03-12", aid);
    assert_eq!(of(&asked, "aid"), ["aid_paid_pending CLK-15 2024-03-11 true 2024-03-12 1"]);
    let first = filed(asked, "2024-03-08", json!({ "aid_paid_pending": true, "appeal": id("q") }));
    assert_eq!(of(&first, "aid"), ["aid_paid_pending CLK-15 2024-03-11 true 2024-03-08 0"]);
    assert_eq!(of(&filed(facts, "2024-03-01", json!({})), "aid"), ["aid_paid_pending CLK-15 2024-03-11 true - -"]);
    // Nothing goes on that never began.
    for kind in ["denial", "deferral"] {
        assert_eq!(of(&issued(kind, "2024-02-20", Some("2024-03-11")), "aid"), [""; 0], "{kind}");
    }
    assert_eq!(of(&issued("modification", "2024-02-20", Some("2024-03-11")), "aid").len(), 1);
    assert_eq!(of(&issued("modification", "2024-02-20", None), "aid"), [""; 0]);
    let other = filed(
        issued("discontinuation", "2024-02-20", Some("2024-03-11")),
        "2024-03-01",
        json!({ "aid_paid_pending": true, "notice": id("other") }),
    );
    assert_eq!(of(&other, "aid"), ["aid_paid_pending CLK-15 2024-03-11 true - -"]);
}

#[test]
fn a_hearing_may_be_asked_for_where_the_plan_was_upheld() {
    // B7-19
    let facts = filed(issued("denial", "2024-03-01", None), "2024-03-04", json!({}));
    let at = |outcome| of(&resolved(facts.clone(), "2024-03-15", outcome), "state");
    assert_eq!(at("upheld"), ["state_hearing CLK-16 2024-07-13 true - -"]);
    assert_eq!(at("overturned"), [""; 0]);
    assert_eq!(at("withdrawn"), [""; 0]);
    let row =
        resolved(facts.clone(), "2024-03-15", "upheld").told("clock", &["of", "program", "verified", "starts_on"]);
    assert!(row.contains(&format!("{} ecm false 2024-03-15", id("p"))), "{row:?}");
}

#[test]
fn an_appeal_against_a_notice_that_is_not_on_record_is_still_timed() {
    let facts = filed(Facts::default(), "2024-03-04", json!({}));
    assert_eq!(facts.told("clock", &["program", "rule"]), ["- CLK-13", "- CLK-13 extended"]);
    assert_eq!(found(&facts), ["appeal_late CLK-13 2024-04-04 -"]);
}

#[test]
fn a_finding_names_what_it_rests_on() {
    let facts = filed(issued("denial", "2024-01-01", None), "2024-03-04", json!({}));
    let facts = resolved(facts, "2024-04-20", "upheld");
    let dossier = facts.dossier();
    let known = rollbook_projections::rules::facts::Facts::of(&dossier, built_in());
    let told: Vec<_> = findings(&known)
        .into_iter()
        .map(|f| (f.code, f.about, f.because.iter().map(|event| event.0).collect::<Vec<_>>()))
        .collect();
    let about = id("p").to_string();
    assert_eq!(
        told,
        [("appeal_filed_late", about.clone(), vec![id("1"), id("2")]), ("appeal_late", about, vec![id("2"), id("3")]),]
    );
}
