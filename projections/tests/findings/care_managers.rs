//! ROLE-15, ROLE-17.

use serde_json::json;

use crate::facts::{Facts, id};
use crate::finds;

fn ecm() -> Facts {
    Facts::default().enrolled("e", "ecm", "2022-03-01")
}

fn led(facts: Facts, enrollment: &str, manager: &str, from: &str, until: Option<&str>) -> Facts {
    led_as_told(from, facts, enrollment, manager, from, until)
}

fn led_as_told(at: &str, facts: Facts, enrollment: &str, manager: &str, from: &str, until: Option<&str>) -> Facts {
    let mut data = json!({ "enrollment": id(enrollment), "manager": manager, "from": from });
    if let Some(until) = until {
        data["until"] = until.into();
    }
    facts.tell(at, "lead_care_manager_assigned", data)
}

#[test]
fn two_managers_who_lead_on_the_same_days() {
    let first = led(ecm(), "e", "a", "2022-03-08", None);
    finds(&first, "duplicate_lcm", &[]);
    let both = led(first.clone(), "e", "b", "2022-05-01", Some("2022-06-01"));
    finds(&both, "duplicate_lcm", &["ROLE-15 ecm 2022-05-01 2022-06-01"]);
    assert_eq!(both.told("finding", &["about"]), ["a b"]);
    finds(&led(first.clone(), "e", "b", "2022-05-01", None), "duplicate_lcm", &["ROLE-15 ecm 2022-05-01 -"]);
    // One after the other, the same one again, and days on which nobody is enrolled.
    let ended = led(ecm(), "e", "a", "2022-03-08", Some("2022-05-01"));
    finds(&led(ended.clone(), "e", "b", "2022-05-01", None), "duplicate_lcm", &[]);
    finds(&led(ended, "e", "b", "2022-04-30", None), "duplicate_lcm", &["ROLE-15 ecm 2022-04-30 2022-05-01"]);
    finds(&led(first.clone(), "e", "a", "2022-05-01", None), "duplicate_lcm", &[]);
    let left = first.disenrolled("2022-05-01", "e", "2022-05-01");
    finds(&led(left.clone(), "e", "b", "2022-05-01", None), "duplicate_lcm", &[]);
    finds(&led(left, "e", "b", "2022-04-29", None), "duplicate_lcm", &["ROLE-15 ecm 2022-04-29 2022-05-01"]);
}

#[test]
fn an_assignment_told_again_with_its_end_is_the_same_one() {
    let facts = led(led(ecm(), "e", "a", "2022-03-08", None), "e", "b", "2022-05-01", None);
    let same = led_as_told("2022-05-02", facts.clone(), "e", "a", "2022-03-08", Some("2022-05-01"));
    finds(&same, "duplicate_lcm", &[]);
    let other = led_as_told("2022-05-02", facts, "e", "a", "2022-03-09", Some("2022-05-01"));
    finds(&other, "duplicate_lcm", &["ROLE-15 ecm 2022-05-01 -"]);
}

#[test]
fn the_managers_of_two_enrollments() {
    let facts = led(ecm().enrolled("f", "ecm", "2022-04-01"), "e", "a", "2022-03-08", None);
    finds(&led(facts.clone(), "f", "b", "2022-04-01", None), "duplicate_lcm", &["ROLE-15 ecm 2022-04-01 -"]);
    finds(&led(facts, "f", "a", "2022-04-01", None), "duplicate_lcm", &[]);
    // Whoever leads in another program is another program's.
    let facts = led(ecm().enrolled("h", "housing_navigation", "2022-04-01"), "e", "a", "2022-03-08", None);
    finds(&led(facts, "h", "b", "2022-04-01", None), "duplicate_lcm", &[]);
    // Nobody leads in an enrollment that nobody reported.
    finds(&led(led(ecm(), "e", "a", "2022-03-08", None), "x", "b", "2022-05-01", None), "duplicate_lcm", &[]);
}

#[test]
fn a_file_names_who_leads_now() {
    let first = led(ecm(), "e", "a", "2022-03-08", None).read_from("rtf", true);
    let next = led(first.clone(), "e", "b", "2022-05-01", None);
    finds(&next, "duplicate_lcm", &["ROLE-15 ecm 2022-05-01 -"]);
    finds(&next.clone().read_from("portal", false), "duplicate_lcm", &["ROLE-15 ecm 2022-05-01 -"]);
    finds(&next.read_from("rtf", true), "duplicate_lcm", &[]);
    // An end that somebody gave stands, and two names from one day are two.
    let ended = led(ecm(), "e", "a", "2022-03-08", Some("2022-07-01"));
    let next = led(ended, "e", "b", "2022-05-01", None).read_from("rtf", true);
    finds(&next, "duplicate_lcm", &["ROLE-15 ecm 2022-05-01 2022-07-01"]);
    let same = led(first.clone(), "e", "b", "2022-03-08", None).read_from("rtf", true);
    finds(&same, "duplicate_lcm", &["ROLE-15 ecm 2022-03-08 -"]);
    // The next file ends what the one before began, at its own day.
    let third = led(led(first, "e", "b", "2022-05-01", None).read_from("rtf", true), "e", "c", "2022-06-01", None);
    finds(&third.clone().read_from("rtf", true), "duplicate_lcm", &[]);
    finds(&third, "duplicate_lcm", &["ROLE-15 ecm 2022-06-01 -"]);
    let other = led(ecm().enrolled("f", "ecm", "2022-03-01"), "f", "a", "2022-03-08", None);
    let other = led(other, "e", "b", "2022-05-01", None).read_from("rtf", true);
    finds(&other, "duplicate_lcm", &["ROLE-15 ecm 2022-05-01 -"]);
}
