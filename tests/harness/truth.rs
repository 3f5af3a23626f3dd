//! Comparing what a ledger answers with the totals that the sample county's own simulation knows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::ledger::Ledger;

/// The sample's truth.
///
/// # Panics
/// Where the file cannot be read.
pub fn read(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap()
}

/// Compares every total of the truth with what the ledger answers; gives the differences in words.
///
/// # Panics
/// Where the ledger does not answer.
pub async fn differences(ledger: &Ledger, truth: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: String, expected: &Value, found: u64| {
        if expected.as_u64() != Some(found) {
            differences.push(format!("{what}: the truth is {expected}, the ledger says {found}"));
        }
    };
    let mut enrolled: BTreeMap<String, BTreeMap<(String, String), BTreeSet<String>>> = BTreeMap::new();
    for total in truth["enrolled"].as_array().unwrap() {
        let day = total["on"].as_str().unwrap();
        if !enrolled.contains_key(day) {
            let mut by = BTreeMap::new();
            for row in ledger.rows(&format!("/v1/enrollments?effective_at={day}")).await {
                let members: &mut BTreeSet<String> = by.entry((text(&row, "plan"), text(&row, "program"))).or_default();
                members.insert(text(&row, "member"));
            }
            enrolled.insert(day.to_owned(), by);
        }
        let key = (text(total, "plan"), text(total, "program"));
        let found = enrolled[day].get(&key).map_or(0, BTreeSet::len);
        compare(format!("enrolled {day} {key:?}"), &total["members"], found as u64);
    }
    for total in truth["conflicts"].as_array().unwrap() {
        let (day, outcome) = (text(total, "on"), text(total, "outcome"));
        let rows = ledger.rows(&format!("/v1/conflicts?effective_at={day}&outcome={outcome}")).await;
        compare(format!("conflicts {day} {outcome}"), &total["open"], rows.len() as u64);
    }
    let sums = ledger.get("/v1/outreach/conversion?by=plan,program&limit=1000").await;
    for total in truth["outreach"].as_array().unwrap() {
        let key = (text(total, "plan"), text(total, "program"));
        let row = sums["data"].as_array().unwrap().iter().find(|row| (text(row, "plan"), text(row, "program")) == key);
        for measure in ["identified", "attempted", "attempts", "contacted", "enrolled"] {
            let found = row.and_then(|row| row[measure].as_u64()).unwrap_or(0);
            compare(format!("outreach {key:?} {measure}"), &total[measure], found);
        }
    }
    differences
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
