//! The findings of services, units, agencies, care managers, sources, referrals and outreach; files and reports.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

mod agencies;
mod care_managers;
mod exports;
#[path = "../views/facts.rs"]
#[allow(dead_code, reason = "each test crate uses some of it")]
mod facts;
mod housing;
mod outreach;
mod referrals;
mod reports;
mod services;
mod sources;
mod units;

use facts::Facts;
use rollbook_projections::rules::finding::CODES;

const FINDING: &[&str] = &["code", "rule", "program", "from_on", "until_on"];

/// The findings of a code, each as its rule, program and days.
fn found(facts: &Facts, code: &str) -> Vec<String> {
    let told = facts.told("finding", FINDING);
    let known: Vec<&str> = CODES.iter().map(|code| code.code).collect();
    assert!(told.iter().all(|line| known.contains(&line.split(' ').next().unwrap())), "{told:?}");
    told.iter().filter_map(|line| line.strip_prefix(&format!("{code} "))).map(ToOwned::to_owned).collect()
}

#[track_caller]
fn finds(facts: &Facts, code: &str, expected: &[&str]) {
    assert_eq!(found(facts, code), expected, "{code}");
}

#[test]
fn every_code_is_there_once_and_says_something() {
    let codes: Vec<&str> = CODES.iter().map(|code| code.code).collect();
    assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    assert!(CODES.iter().all(|code| code.says.ends_with('.') && code.says.len() > 20));
    for vocabulary in ["duplicate_lcm", "sources_disagree", "determination_superseded", "clock_warning"] {
        assert!(codes.contains(&vocabulary), "{vocabulary}");
    }
}

#[test]
fn a_row_says_where_its_rule_is_written_and_what_it_rests_on() {
    let facts = Facts::default().enrolled("h", "housing_navigation", "2022-02-01");
    let facts = facts.enrolled("t", "tenancy_sustaining", "2022-05-01").enrolled("e", "ecm", "2022-05-01");
    let facts = facts.takes_part("chw", "2022-06-01", None);
    let told = facts.told("finding", &["code", "cite", "plan", "county", "about", "because"]);
    let ids = |events: [usize; 2]| events.map(|number| facts::id(&number.to_string()).to_string()).join(",");
    let chw = rollbook_projections::catalogue::cite("ELIG-28").unwrap();
    let (both, beside) = (ids([1, 2]), ids([3, 4]));
    let expected = [
        format!("duplicate_service {chw} la-care los-angeles chw {beside}"),
        format!("hn_tss_simultaneous - la-care los-angeles tenancy_sustaining {both}"),
    ];
    assert_eq!(told, expected);
}
