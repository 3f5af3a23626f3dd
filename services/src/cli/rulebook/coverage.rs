//! `rollbook rulebook coverage`: every rule of the sources in one table, and what is missing.

use std::collections::BTreeMap;

use rollbook_projections::catalogue::{self, HeldAs, Rule};
use serde_json::{Value, json};

use super::super::exit::Exit;
use super::super::output::Output;
use super::super::table::render;

const EXAMPLES: &str = "\
Examples:
  rollbook rulebook coverage
  rollbook rulebook coverage --missing
  rollbook rulebook coverage --json

A rule or parameter without a scenario, and a scenario that names no rule of the catalogue, are missing: then the exit \
code is 1.";

/// Lists every rule of the sources: what the ledger makes of it, where it is written, which scenarios exercise it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Coverage {
    /// Only what is missing
    #[arg(long)]
    missing: bool,
    /// One JSON object a rule
    #[arg(long)]
    json: bool,
}

/// Lists.
///
/// # Errors
/// Where the output fails.
pub fn run(coverage: &Coverage, output: &mut Output) -> anyhow::Result<Exit> {
    let missing: Vec<&Rule> = catalogue::rules().iter().filter(|rule| is_missing(rule)).collect();
    let unknown: Vec<&str> = catalogue::exercised().filter(|id| catalogue::find(id).is_none()).collect();
    let shown: Vec<&Rule> = if coverage.missing { missing.clone() } else { catalogue::rules().iter().collect() };
    if coverage.json {
        for rule in &shown {
            let scenarios: Vec<&str> = catalogue::scenarios(&rule.id).collect();
            output.line(json!({ "rule": rule, "scenarios": scenarios }))?;
        }
    } else {
        let rows: Vec<_> = shown.iter().map(|rule| row(rule)).collect();
        output.line(render(&rows, &["rule", "held as", "held at", "cite", "scenarios"], output.terminal()))?;
        output.line(format_args!("\n{}", summary(missing.len(), unknown.len())))?;
    }
    for id in &unknown {
        output.note(format_args!("{id}: a scenario names this rule, and the catalogue does not know it"));
    }
    output.flush()?;
    Ok(if missing.is_empty() && unknown.is_empty() { Exit::Done } else { Exit::No })
}

/// What has an effect must be exercised; what is a word of the vocabulary is, by being read.
fn is_missing(rule: &Rule) -> bool {
    matches!(rule.held_as, HeldAs::Rule | HeldAs::Parameter) && catalogue::scenarios(&rule.id).next().is_none()
}

fn row(rule: &Rule) -> serde_json::Map<String, Value> {
    let scenarios: Vec<&str> = catalogue::scenarios(&rule.id).collect();
    let told = [
        ("rule", json!(rule.id)),
        ("held as", json!(rule.held_as.as_str())),
        ("held at", json!(rule.held_at)),
        ("cite", json!(rule.cite.join("; "))),
        ("scenarios", json!(scenarios.join(", "))),
    ];
    told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn summary(missing: usize, unknown: usize) -> String {
    let mut by: BTreeMap<HeldAs, usize> = BTreeMap::new();
    for rule in catalogue::rules() {
        *by.entry(rule.held_as).or_default() += 1;
    }
    let told: Vec<String> = by.iter().map(|(held, count)| format!("{count} {}", held.as_str())).collect();
    let all = catalogue::rules().len();
    format!("{all} rows: {}; {missing} without a scenario, {unknown} named and unknown", told.join(", "))
}
