//! What a run came to: a line a case, for a failed one what was expected, what came and what is behind it; or an object a
//! case.

use serde_json::{Value, json};

use super::Unreadable;
use super::expect::Row;
use super::file::Case;
use super::run::{Failure, Verdict};

/// Rows of a failed case that are listed.
const MOST_ROWS: usize = 8;

/// How many cases passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// As expected.
    pub passed: usize,
    /// Not so.
    pub failed: usize,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, verdict: &Verdict) {
        match verdict.failures.is_empty() {
            true => self.passed += 1,
            false => self.failed += 1,
        }
    }

    /// The closing line.
    pub fn told(self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }
}

/// A case in words.
pub fn told(case: &Case, verdict: &Verdict) -> String {
    let word = if verdict.failures.is_empty() { "ok  " } else { "FAIL" };
    let mut text = format!("{word} {:<7} {}", case.id, case.title).trim_end().to_owned();
    if !verdict.failures.is_empty() {
        text += &format!("\n     {}", case.file.display());
    }
    for failure in &verdict.failures {
        text += &format!("\n     expected  {}\n     but       {}", failure.expected, failure.why);
        for row in failure.came.iter().take(MOST_ROWS) {
            text += &format!("\n     came      {}", in_words(row, verdict));
        }
        if failure.came.len() > MOST_ROWS {
            text += &format!("\n               and {} rows more", failure.came.len() - MOST_ROWS);
        }
        if failure.came.is_empty() {
            text += "\n     came      nothing";
        }
    }
    text
}

/// A row without what is empty, each event with the file's word for it.
fn in_words(row: &Row, verdict: &Verdict) -> String {
    let shown = row.iter().filter(|(key, value)| !value.is_null() && !["member", "event"].contains(&key.as_str()));
    let pairs = shown.map(|(key, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let ids = value.split([',', '[', ']', '"']).filter_map(|id| verdict.names.get(id.trim()));
        let names: Vec<&str> = ids.map(String::as_str).collect();
        if names.is_empty() { format!("{key}={value}") } else { format!("{key}={value} ({})", names.join("; ")) }
    });
    pairs.collect::<Vec<_>>().join(" ")
}

/// A case as JSON.
pub fn json(case: &Case, verdict: &Verdict) -> Value {
    let failure = |failure: &Failure| json!({ "line": failure.line, "expected": failure.expected, "why": failure.why, "came": failure.came });
    json!({
        "id": case.id,
        "title": case.title,
        "file": case.file,
        "rules": case.rules,
        "cites": case.cites,
        "basis": case.basis,
        "outcome": if verdict.failures.is_empty() { "passed" } else { "failed" },
        "failures": verdict.failures.iter().map(failure).collect::<Vec<_>>(),
        "events": verdict.names,
    })
}

/// An unreadable file as JSON.
pub fn unreadable_json(unreadable: &Unreadable) -> Value {
    json!({
        "file": unreadable.file,
        "line": unreadable.line,
        "outcome": "unreadable",
        "problem": unreadable.problem,
    })
}
