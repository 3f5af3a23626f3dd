//! `rollbook rulebook explain`: one rule, whole: words, source, numbers over time, and the scenarios that exercise it.

use rollbook_projections::catalogue::{self, Rule};
use serde_json::{Value, json};

use super::super::client::Connection;
use super::super::exit::{Exit, Stop};
use super::super::output::Output;
use super::document::{told, wrapped};
use super::text;

const EXAMPLES: &str = "\
Examples:
  rollbook rulebook explain NOA-3
  rollbook rulebook explain AUTH-5 --adopted --json

With --adopted it tells every edition that the ledger adopted, with the day and what it says under the rule.";

/// Explains a rule: what it says, where it is written, its editions over time, the scenarios that exercise it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// The rule's id in the catalogue, as in NOA-3
    #[arg(value_name = "ID")]
    id: String,
    /// Of the ledger's own editions, not the one this program was built with
    #[arg(long)]
    adopted: bool,
    /// As one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// An edition and its text.
struct Edition {
    head: String,
    text: String,
}

/// Explains.
///
/// # Errors
/// Where there is no such rule, or the ledger cannot answer.
pub async fn run(explain: &Explain, output: &mut Output) -> anyhow::Result<Exit> {
    let Some(rule) = catalogue::find(&explain.id) else {
        let stop = Stop::no(format!("there is no rule {} in the catalogue", explain.id));
        return Err(stop.next(near(&explain.id)).into());
    };
    let editions = if explain.adopted { adopted(&explain.connection).await? } else { vec![built_in()?] };
    if explain.json {
        output.line(as_json(rule, &editions)?)?;
    } else {
        in_words(rule, &editions, output)?;
    }
    output.flush()?;
    Ok(Exit::Done)
}

/// The ids a reader may have meant.
fn near(id: &str) -> String {
    let family = id.split(['-', '_']).next().unwrap_or_default().to_ascii_uppercase();
    let of = |rule: &&Rule| rule.id.split('-').next() == Some(&family);
    let ids: Vec<&str> = catalogue::rules().iter().filter(of).map(|rule| rule.id.as_str()).collect();
    if ids.is_empty() { "`rollbook rulebook coverage` lists every rule".to_owned() } else { ids.join(", ") }
}

fn built_in() -> anyhow::Result<Edition> {
    let text = rollbook_projections::Rulebook::built_in_text();
    let rulebook = text::parse(text)?;
    Ok(Edition { head: format!("built in: {}", rulebook.id()), text: text.to_owned() })
}

/// Every edition the ledger adopted, oldest first.
async fn adopted(connection: &Connection) -> anyhow::Result<Vec<Edition>> {
    let client = connection.client()?;
    let answer = client.json(client.get(&["v1", "rulebook", "editions"], &[])).await?;
    let mut editions = Vec::new();
    for edition in answer.get("data").and_then(Value::as_array).into_iter().flatten() {
        let word = |name: &str| edition.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let position = edition.get("adopted_at").and_then(Value::as_u64).unwrap_or(0);
        let query = [("known_at", position.to_string())];
        let whole = client.json(client.get(&["v1", "rulebook"], &query)).await?;
        let text = whole.pointer("/data/text").and_then(Value::as_str).unwrap_or_default().to_owned();
        let head = format!(
            "{}, adopted {} at position {position} by {}: {}",
            word("id"),
            word("recorded_at"),
            word("by"),
            word("reason")
        );
        editions.push(Edition { head, text });
    }
    Ok(editions)
}

fn in_words(rule: &Rule, editions: &[Edition], output: &mut Output) -> anyhow::Result<()> {
    let mut before = None;
    for edition in editions {
        let rulebook = text::parse(&edition.text)?;
        let entries = rulebook.entries(rule);
        output.line(&edition.head)?;
        // An edition that says the same as the one before is named and not told again.
        if before.as_ref() == Some(&entries) {
            output.line("           as before")?;
        } else {
            output.line(told(rule, &rulebook))?;
        }
        before = Some(entries);
    }
    let scenarios: Vec<&str> = catalogue::scenarios(&rule.id).collect();
    let scenarios = if scenarios.is_empty() { "none".to_owned() } else { scenarios.join(", ") };
    output.line(wrapped("scenarios  ", &scenarios))
}

fn as_json(rule: &Rule, editions: &[Edition]) -> anyhow::Result<Value> {
    let mut told = Vec::new();
    for edition in editions {
        let rulebook = text::parse(&edition.text)?;
        let entries: Vec<Value> = rulebook
            .entries(rule)
            .iter()
            .map(|entry| json!({ "file": entry.file, "key": entry.key, "says": entry.says }))
            .collect();
        told.push(json!({ "edition": edition.head, "hash": rulebook.hash().to_string(), "entries": entries }));
    }
    let scenarios: Vec<&str> = catalogue::scenarios(&rule.id).collect();
    Ok(json!({ "rule": rule, "editions": told, "scenarios": scenarios }))
}
