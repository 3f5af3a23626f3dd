//! What later facts change: a determination supersedes another, and the same fact twice changes nothing.

use std::collections::BTreeSet;

use crate::facts::id;
use crate::ledger::Ledger;

fn ended() -> Ledger {
    let served = Ledger::default().enrolled("e", "ecm", "2022-03-01").started("e", "2022-03-08");
    served.disenrolled("2022-11-08", "e", "2022-12-01", "goals_met")
}

const WHOLE: [&str; 4] = ["outcome", "limbs", "supersedes", "voided"];

#[test]
fn the_same_fact_told_twice_changes_nothing() {
    let once = ended();
    assert_eq!(once.clone().disenrolled("2022-11-09", "e", "2022-12-01", "goals_met").last(), once.last() + 1);
    // A later last day is the same answer, for another day.
    let moved = once.clone().disenrolled("2022-11-09", "e", "2022-12-15", "goals_met");
    assert_eq!(moved.rows(&["from_on", "mail_by"]), ["2022-12-15 2022-12-05"]);
    assert_eq!(moved.last(), once.last() + 1);
}

#[test]
fn a_voided_trigger_withdraws_what_it_asked_for() {
    let voided = ended().voided("2022-11-10", 3);
    assert_eq!(
        voided.rows(&WHOLE),
        [format!("not_required trigger_voided {} false", id("4")), "required services_discontinued - true".to_owned(),]
    );
    assert_eq!(voided.rows(&["superseded_by", "outcome", "because"])[0], format!("- not_required {}", id("5")));
    assert_eq!(voided.rows(&["superseded_by", "outcome"])[1], format!("{} required", id("6")));
    assert_eq!(voided.found("determination_superseded"), ["2022-11-10 -"]);
    // A voiding that is itself voided brings it back.
    let again = voided.voided("2022-11-12", 5);
    assert_eq!(again.stand(), ["required discontinuation services_discontinued NOA-1"]);
}

#[test]
fn a_successor_takes_the_place_of_what_was_voided() {
    let voided = ended().voided("2022-11-10", 3);
    let again = voided.disenrolled("2022-11-11", "e", "2022-12-15", "coverage_lost");
    assert_eq!(again.stand(), ["review discontinuation services_discontinued,coverage_lost NOA-7"]);
    assert_eq!(again.rows(&["obligation"]).iter().collect::<BTreeSet<_>>().len(), 1);
}

#[test]
fn a_voided_enrollment_takes_its_end_with_it() {
    assert_eq!(ended().voided("2022-11-10", 1).stand(), ["not_required - overtaken NOA-1"]);
}

#[test]
fn evidence_that_was_voided_is_replaced_though_the_answer_stays() {
    let voided = ended().voided("2022-11-10", 2);
    let rows = voided.rows(&["supersedes", "outcome", "because"]);
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().any(|row| *row == format!("{} required {},{}", id("4"), id("1"), id("3"))), "{rows:?}");
    assert!(voided.found("determination_superseded").is_empty(), "the answer is the same");
}

#[test]
fn each_request_that_an_opt_out_withdraws_is_withdrawn_on_its_own() {
    let two =
        Ledger::default().referred("2022-03-01", "r", "ecm", "member").referred("2022-03-02", "s", "ecm", "provider");
    let both = two.opted_out("2022-03-05", "ecm", false);
    assert_eq!(both.stand(), ["not_required - declined NOA-5"; 2]);
    let one = both.voided("2022-03-06", 2);
    assert_eq!(one.stand(), ["not_required - declined NOA-5", "not_required - overtaken NOA-1"]);
}

#[test]
fn a_determination_about_what_another_dossier_holds_is_left_alone() {
    let facts = ended();
    let mut parted = facts.clone();
    parted.facts.0.remove(2);
    let settled = parted.clone().settled(crate::ledger::noon("2022-12-01"));
    assert_eq!(settled.last(), parted.last());
    assert_eq!(settled.rows(&["obligation", "from_on"]), ["- 2022-11-08"]);
}

#[test]
fn requests_that_share_a_referral_are_told_apart_by_what_is_their_own() {
    let named = |at: &str, authorization: &str| {
        let mut data = crate::ledger::asked(&format!("{at}T09:00:00-08:00"), authorization, "ecm", "member");
        data["referral"] = serde_json::json!(id("r"));
        data
    };
    let referred = Ledger::default().referred("2022-03-01", "r", "ecm", "member");
    let both = referred.tell("2022-03-01", "authorization_requested", named("2022-03-01", "a"));
    let both = both.tell("2022-03-02", "authorization_requested", named("2022-03-02", "b"));
    let declined = both.opted_out("2022-03-03", "ecm", false);
    assert_eq!(declined.stand(), ["not_required - declined NOA-5"; 2]);
    let again = declined.clone().settled(crate::ledger::noon("2022-03-03"));
    assert_eq!(again.last(), declined.last());
    let keys = [
        format!("requested|la-care|ecm|authorization|{}", id("a")),
        format!("requested|la-care|ecm|authorization|{}", id("b")),
    ];
    let mut rows = declined.rows(&["obligation"]);
    rows.sort();
    let mut keys = keys.to_vec();
    keys.sort();
    assert_eq!(rows, keys);
}

#[test]
fn two_determinations_that_turn_out_to_be_about_one_request_are_told_apart_by_their_events() {
    // Given up twice, in two episodes; then it comes to light that the member had asked before either (NOA-1).
    let twice = Ledger::default().given_up("2022-04-15").called("2022-05-05", "nobody").given_up("2022-06-15");
    let columns = ["trigger", "outcome", "limbs", "superseded_by"];
    assert_eq!(twice.rows(&columns).len(), 2);
    let asked = twice.referred("2022-02-01", "r", "ecm", "member");
    let (first, second) = (id("1"), id("4"));
    let told: Vec<String> = asked.rows(&columns).into_iter().map(|row| row.replace(" -", "")).collect();
    // The request's own answer takes the place of what was said of the event it rests on.
    let by = |trigger| {
        let rows = asked.rows(&["trigger", "superseded_by", "determination"]);
        let last = rows.into_iter().find(|row| row.starts_with(&format!("{trigger} - "))).unwrap();
        last.rsplit(' ').next().unwrap().to_owned()
    };
    let expected = [
        format!("{first} not_required not_requested {}", by(first)),
        format!("{first} not_required overtaken"),
        format!("{second} not_required not_requested {}", by(second)),
        format!("{second} required request_not_granted"),
    ];
    assert_eq!(told.iter().collect::<BTreeSet<_>>(), expected.iter().collect());
}

#[test]
fn who_is_enrolled_from_the_day_of_declining_has_overtaken_it() {
    // NOA-5: what was declined before the enrollment began was declined.
    let declined = Ledger::default().asked("2022-03-01T09:00:00-08:00", "a", "ecm", "member");
    let declined = declined.opted_out("2022-03-05", "ecm", false);
    for (from, expected) in [
        ("2022-03-04", "not_required - overtaken NOA-1"),
        ("2022-03-05", "not_required - overtaken NOA-1"),
        ("2022-03-06", "not_required - declined NOA-5"),
    ] {
        assert_eq!(declined.clone().enrolled("e", "ecm", from).stand(), [expected], "{from}");
    }
}
