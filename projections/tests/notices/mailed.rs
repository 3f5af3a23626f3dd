//! Which notice belongs to which obligation, by when it is mailed, and the appeal.

use serde_json::json;

use crate::facts::id;
use crate::ledger::{Ledger, mailed};

fn served() -> Ledger {
    Ledger::default().enrolled("e", "ecm", "2023-03-01").started("e", "2023-03-08")
}

fn ended(reason: &str) -> Ledger {
    served().disenrolled("2024-02-16", "e", "2024-03-01", reason)
}

fn denied() -> Ledger {
    let asked = Ledger::default().asked("2024-02-28T09:00:00-08:00", "a", "ecm", "member");
    // A Friday.
    asked.decided("2024-03-01", "a", "ecm", "denied")
}

const MAILED: [&str; 5] = ["mail_by", "mailed_on", "effective_on", "late_by_days", "issued_notice"];

#[track_caller]
fn mailing(ledger: &Ledger, expected: &str) {
    assert_eq!(ledger.rows(&MAILED[..4]), [expected]);
}

#[test]
fn a_notice_of_discontinuation_is_mailed_ten_days_ahead() {
    mailing(&ended("goals_met"), "2024-02-20 - - -");
    let on = |mailed_on: &str| ended("goals_met").mailed("n", "ecm", "discontinuation", mailed_on, Some("2024-03-01"));
    mailing(&on("2024-02-20"), "2024-02-20 2024-02-20 2024-03-01 0");
    mailing(&on("2024-02-21"), "2024-02-20 2024-02-21 2024-03-01 1");
    mailing(&on("2024-02-10"), "2024-02-20 2024-02-10 2024-03-01 0");
    // A notice that names a later day is measured by it.
    let later = ended("goals_met").mailed("n", "ecm", "discontinuation", "2024-02-25", Some("2024-03-06"));
    mailing(&later, "2024-02-25 2024-02-25 2024-03-06 0");
    let none = ended("goals_met").mailed("n", "ecm", "discontinuation", "2024-02-25", None);
    mailing(&none, "2024-02-20 2024-02-25 - 5");
}

#[test]
fn a_notice_of_a_decision_is_mailed_within_two_business_days() {
    mailing(&denied(), "2024-03-05 - - -");
    mailing(&denied().mailed("n", "ecm", "denial", "2024-03-05", None), "2024-03-05 2024-03-05 - 0");
    mailing(&denied().mailed("n", "ecm", "denial", "2024-03-07", None), "2024-03-05 2024-03-07 - 2");
    let granted = Ledger::default().decided("2024-03-01", "a", "ecm", "approved");
    mailing(&granted, "- - - -");
    let withdrawn = served().disenrolled("2024-02-16", "e", "2024-03-01", "offering_withdrawn");
    assert_eq!(withdrawn.rows(&["notice", "mail_by"]), ["availability_change -", "discontinuation 2024-02-20"]);
}

/// Whether the notice may go out on the last day, with these facts on record.
fn same_day(reason: &str, kind: &str, at: &str, data: serde_json::Value) -> bool {
    let facts = served().tell(at, kind, data).disenrolled("2024-02-16", "e", "2024-03-01", reason);
    let facts = facts.mailed("n", "ecm", "discontinuation", "2024-03-01", Some("2024-03-01"));
    let mut rows = facts.rows(&["mail_by", "late_by_days"]);
    rows.retain(|row| row != "- -");
    assert!(["2024-03-01 0", "2024-02-20 10"].contains(&rows[0].as_str()), "{rows:?}");
    rows == ["2024-03-01 0"]
}

#[test]
fn on_the_last_day_a_notice_is_lawful_where_one_of_the_grounds_is_on_record() {
    let died = |on: &str| same_day("other", "member_died", on, json!({ "on": on }));
    assert!(died("2024-02-10") && died("2024-03-01") && !died("2024-03-02"));
    let wish = |at: &str, program: &str, signed: bool| {
        same_day("no_longer_wishes", "opted_out", at, json!({ "program": program, "by": "member", "signed": signed }))
    };
    assert!(wish("2024-02-10", "ecm", true) && wish("2023-03-01", "ecm", true));
    assert!(
        !wish("2024-02-10", "ecm", false) && !wish("2024-02-10", "respite", true) && !wish("2023-02-28", "ecm", true)
    );
    let returned = |reason: &str, on: &str, address: bool| {
        same_day(reason, "mail_returned", on, json!({ "on": on, "forwarding_address": address }))
    };
    assert!(returned("unable_to_contact", "2024-02-01", false) && returned("unresponsive", "2024-02-01", false));
    assert!(!returned("unable_to_contact", "2024-02-01", true) && !returned("goals_met", "2024-02-01", false));
    assert!(!returned("unable_to_contact", "2023-02-01", false), "before the enrollment");
    let nothing = |reason: &str| same_day(reason, "member_looked_up", "2024-02-01", json!({ "system": "hmis" }));
    assert!(nothing("moved_out_of_county") && nothing("moved_out_of_country") && !nothing("goals_met"));
}

#[test]
fn a_ground_of_another_plan_is_none() {
    let wish = json!({ "program": "ecm", "by": "member", "signed": true });
    let mail = json!({ "on": "2024-02-10", "forwarding_address": false });
    for (reason, kind, data) in [("no_longer_wishes", "opted_out", wish), ("unresponsive", "mail_returned", mail)] {
        let facts = served().tell_of("molina", "2024-02-10", "2024-02-10", kind, data);
        let facts = facts.disenrolled("2024-02-16", "e", "2024-03-01", reason);
        assert!(facts.rows(&["mail_by", "outcome"]).contains(&"2024-02-20 required".to_owned()));
    }
}

#[test]
fn a_ground_that_came_after_the_mailing_is_none() {
    let facts = ended("other").mailed("n", "ecm", "discontinuation", "2024-02-25", Some("2024-03-01"));
    let died = facts.tell("2024-02-27", "member_died", json!({ "on": "2024-02-27" }));
    let rows = died.rows(&["superseded_by", "mail_by", "late_by_days"]);
    assert!(rows.iter().all(|row| row.ends_with("2024-02-20 5")), "{rows:?}");
}

#[test]
fn a_notice_belongs_to_the_determination_it_names() {
    let both =
        ended("goals_met").enrolled("f", "ecm", "2024-04-01").disenrolled("2024-05-10", "f", "2024-06-01", "goals_met");
    let first = both.rows(&["from_on", "determination"])[0].split_once(' ').unwrap().1.to_owned();
    let mut named = mailed("n", "ecm", "discontinuation", "2024-05-15", Some("2024-06-01"));
    named["determination"] = first.into();
    let rows = both.tell("2024-05-15", "notice_issued", named).rows(&["from_on", "mailed_on"]);
    assert_eq!(rows, ["2024-03-01 2024-05-15", "2024-06-01 -"]);
}

#[test]
fn a_notice_that_names_none_goes_to_the_obligation_of_its_kind_that_has_none() {
    let twice =
        ended("goals_met").enrolled("f", "ecm", "2024-04-01").disenrolled("2024-05-10", "f", "2024-06-01", "goals_met");
    let rows = |ledger: &Ledger| ledger.rows(&["from_on", "issued_notice"]);
    let [first, second] = ["2024-03-01", "2024-06-01"];
    // By the day it names, else by the nearest day, else where there is none yet.
    let named = twice.clone().mailed("n", "ecm", "discontinuation", "2024-05-20", Some(first));
    assert_eq!(rows(&named), [format!("{first} {}", id("n")), format!("{second} -")]);
    let near = twice.clone().mailed("n", "ecm", "discontinuation", "2024-05-20", None);
    assert_eq!(rows(&near), [format!("{first} -"), format!("{second} {}", id("n"))]);
    let both = near.mailed("m", "ecm", "discontinuation", "2024-05-21", None);
    assert_eq!(rows(&both), [format!("{first} {}", id("m")), format!("{second} {}", id("n"))]);
    for (plan, program, kind) in
        [("la-care", "ecm", "denial"), ("la-care", "respite", "discontinuation"), ("molina", "ecm", "discontinuation")]
    {
        let other = mailed("n", program, kind, "2024-05-20", Some(first));
        let other = twice.clone().tell_of(plan, "2024-05-20", "2024-05-20", "notice_issued", other);
        assert_eq!(rows(&other), [format!("{first} -"), format!("{second} -")]);
    }
}

#[test]
fn a_notice_stays_with_what_was_determined_and_goes_first_to_what_stands() {
    let mailed = ended("goals_met").mailed("n", "ecm", "discontinuation", "2024-02-18", Some("2024-03-01"));
    let voided = mailed.voided("2024-04-01", 3);
    let rows = voided.rows(&["outcome", "voided", "mailed_on"]);
    assert_eq!(rows, ["not_required false -", "required true 2024-02-18"]);
    // Two ends on one day, of which one was voided: the notice is of the one that stands.
    let two = served().enrolled("f", "ecm", "2023-03-05").disenrolled("2024-02-10", "f", "2024-03-01", "goals_met");
    let two = two.disenrolled("2024-02-16", "e", "2024-03-01", "goals_met");
    let ended = two.facts.0.iter().position(|fact| fact.envelope.id.0 == id("4")).unwrap() + 1;
    let one = two.voided("2024-02-17", ended).mailed("n", "ecm", "discontinuation", "2024-02-18", Some("2024-03-01"));
    assert_eq!(one.rows(&["voided", "mailed_on"]).iter().filter(|row| *row == "true 2024-02-18").count(), 0);
    // The nearer of two ends turned out to be none, as service went on (NOA-1): the notice is of the other.
    let twice = self::ended("goals_met").enrolled("f", "ecm", "2024-04-01").disenrolled(
        "2024-05-10",
        "f",
        "2024-06-01",
        "goals_met",
    );
    let one = twice.enrolled("g", "ecm", "2024-06-01").mailed("n", "ecm", "discontinuation", "2024-05-20", None);
    assert_eq!(
        one.rows(&["outcome", "from_on", "mailed_on"]),
        ["not_required 2024-06-01 -", "required 2024-03-01 2024-05-20", "required 2024-06-01 -"]
    );
}

#[test]
fn a_notice_mailed_again_is_the_one_that_counts() {
    let again = denied().mailed("n", "ecm", "denial", "2024-03-05", None);
    let determination = again.rows(&["determination"])[0].clone();
    let mut second = mailed("m", "ecm", "denial", "2024-03-08", None);
    second["determination"] = determination.into();
    let again = again.tell("2024-03-08", "notice_issued", second);
    assert_eq!(again.rows(&["issued_notice"]), [id("m").to_string()]);
    let appeal = json!({ "appeal": id("p"), "notice": id("n"), "on": "2024-03-20" });
    assert_eq!(again.tell("2024-03-20", "appeal_filed", appeal).rows(&["appeal"]), [id("p").to_string()]);
}

#[test]
fn the_last_appeal_against_a_notice_and_how_it_ended() {
    let appeal = |ledger: Ledger, appeal: &str, notice: &str, on: &str| {
        ledger.tell(on, "appeal_filed", json!({ "appeal": id(appeal), "notice": id(notice), "on": on }))
    };
    let resolved = |ledger: Ledger, appeal: &str, on: &str, outcome: &str| {
        ledger.tell(on, "appeal_resolved", json!({ "appeal": id(appeal), "on": on, "outcome": outcome }))
    };
    let mailed = denied().mailed("n", "ecm", "denial", "2024-03-05", None);
    let rows = |ledger: &Ledger| ledger.rows(&["appeal", "appealed_on", "appeal_outcome"]);
    assert_eq!(rows(&appeal(mailed.clone(), "p", "m", "2024-03-20")), ["- - -"]);
    let filed = appeal(mailed, "p", "n", "2024-03-20");
    assert_eq!(rows(&filed), [format!("{} 2024-03-20 -", id("p"))]);
    let ended = resolved(resolved(filed, "p", "2024-04-02", "upheld"), "q", "2024-04-05", "withdrawn");
    assert_eq!(rows(&ended), [format!("{} 2024-03-20 upheld", id("p"))]);
    assert_eq!(
        rows(&resolved(ended.clone(), "p", "2024-04-10", "overturned")),
        [format!("{} 2024-03-20 overturned", id("p"))]
    );
    assert_eq!(rows(&appeal(ended, "q", "n", "2024-04-01")), [format!("{} 2024-04-01 withdrawn", id("q"))]);
}
