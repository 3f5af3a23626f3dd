//! Whether an answer shows just what a cell of the matrix says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::small_ledger::{COUNTY, LIVES, Life, OWN_PLAN, pseudonym};
use super::table::{Caller, Cell};

/// The number of the member that a relation is to, for a caller; one of whom nothing is known is none.
pub fn member(caller: &Caller, relation: &str) -> u64 {
    match (caller.role.as_str(), relation) {
        ("county", "own") => 5,
        ("county", "shared") => 6,
        (_, "own") => 1,
        (_, "shared") => 2,
        (_, "formerly") => 3,
        (_, "other") => 4,
        _ => 99,
    }
}

/// The record that is a caller's own.
pub fn own_plan(caller: &Caller) -> &'static str {
    if caller.role == "county" { COUNTY } else { OWN_PLAN }
}

/// The lives of a member that a cell shows.
pub fn lives(caller: &Caller, cell: &Cell) -> Vec<&'static Life> {
    let number = member(caller, &cell.relation);
    let shown = |life: &&Life| {
        let only_own = ["own", "outcome"].contains(&cell.sees.as_str()) && !sees_all(caller);
        life.member == number && (!only_own || life.plan == own_plan(caller))
    };
    LIVES.iter().filter(shown).collect()
}

fn sees_all(caller: &Caller) -> bool {
    ["auditor", "owner"].contains(&caller.role.as_str())
}

/// Which fields of a row are there.
#[derive(Debug, serde::Deserialize)]
struct Fields {
    shown: Vec<String>,
    hidden: Vec<String>,
}

fn fields(of: &str, sees: &str) -> Fields {
    let all: BTreeMap<String, BTreeMap<String, Fields>> = toml::from_str(include_str!("fields.toml")).unwrap();
    let sees = if sees == "own" { "whole" } else { sees };
    all.into_iter()
        .find(|(name, _)| name == of)
        .and_then(|(_, sets)| sets.into_iter().find(|(name, _)| name == sees))
        .unwrap()
        .1
}

fn check_fields(of: &str, cell: &Cell, row: &Value) {
    let Fields { shown, hidden } = fields(of, &cell.sees);
    for name in shown {
        assert!(!row[&name].is_null(), "{cell:?}: {name} is not there\n{row}");
    }
    for name in hidden {
        assert!(row.get(&name).is_some_and(Value::is_null), "{cell:?}: {name} is there\n{row}");
    }
}

/// Rows of a list, all of it or one member's.
pub fn rows(caller: &Caller, cell: &Cell, rows: &[Value]) {
    let who = pseudonym(member(caller, &cell.relation));
    let of_member: Vec<&Value> = rows.iter().filter(|row| row["member"] == who.as_str()).collect();
    if cell.route.contains("{member}") {
        assert_eq!(of_member.len(), rows.len(), "{cell:?}: of another member");
    }
    if cell.route.ends_with("/conflicts") {
        return conflicts(caller, cell, &of_member);
    }
    if cell.sensitivity != "-" {
        return events(caller, cell, &of_member);
    }
    let mut plans: Vec<&str> = of_member.iter().map(|row| row["plan"].as_str().unwrap()).collect();
    plans.sort_unstable();
    plans.dedup();
    let mut expected: Vec<&str> = lives(caller, cell).iter().map(|life| life.plan).collect();
    expected.sort_unstable();
    if cell.sees == "nothing" {
        expected.clear();
    }
    // An answer on eligibility is on one plan at a time.
    if cell.route.ends_with("/eligibility") && cell.sees == "whole" {
        assert_eq!(plans.len(), 1, "{cell:?}");
    } else {
        assert_eq!(plans, expected, "{cell:?}");
    }
}

fn events(caller: &Caller, cell: &Cell, of_member: &[&Value]) {
    let wanted: Vec<String> = lives(caller, cell).iter().map(|life| life.attempt(&cell.sensitivity)).collect();
    let found: Vec<&&Value> = of_member.iter().filter(|row| wanted.iter().any(|id| row["id"] == id.as_str())).collect();
    if cell.sees == "nothing" {
        assert!(of_member.is_empty(), "{cell:?}: {of_member:?}");
        return;
    }
    assert_eq!(found.len(), wanted.len(), "{cell:?}");
    if ["own", "outcome"].contains(&cell.sees.as_str()) && !sees_all(caller) {
        assert!(of_member.iter().all(|row| row["plan"] == own_plan(caller)), "{cell:?}");
    }
    let of = if cell.route.ends_with("/attempts") { "attempts" } else { "events" };
    for row in found {
        check_fields(of, cell, row);
    }
}

fn conflicts(caller: &Caller, cell: &Cell, of_member: &[&Value]) {
    if cell.sees == "nothing" {
        assert!(of_member.is_empty(), "{cell:?}: {of_member:?}");
        return;
    }
    assert!(!of_member.is_empty(), "{cell:?}");
    for row in of_member {
        check_fields("conflicts", cell, row);
        if cell.sees == "shared" {
            for side in ["a", "b"] {
                let is_own = row[format!("plan_{side}")] == own_plan(caller);
                for field in ["program", "channel", "provider", "evidence"] {
                    let name = format!("{field}_{side}");
                    assert_eq!(row[&name].is_null(), !is_own, "{cell:?}: {name}\n{row}");
                }
            }
        }
    }
}

/// Sums of outreach.
pub fn sums(caller: &Caller, cell: &Cell, rows: &[Value]) {
    assert!(!rows.is_empty(), "{cell:?}");
    let is_own = |row: &Value| row["plan"] == own_plan(caller);
    match cell.sees.as_str() {
        "whole" => assert!(rows.iter().any(is_own) && !rows.iter().all(is_own), "{cell:?}"),
        "own" => assert!(rows.iter().all(|row| is_own(row) && row["identified"].is_i64()), "{cell:?} {rows:?}"),
        "suppressed" => {
            assert!(rows.iter().all(is_own), "{cell:?}");
            for name in ["identified", "attempted", "attempts", "contacted", "contacts", "enrolled", "opted_out"] {
                assert!(rows.iter().all(|row| row[name].is_null()), "{cell:?}: {rows:?}");
            }
        }
        sees => panic!("{sees}"),
    }
}
