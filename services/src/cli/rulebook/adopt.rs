//! `rollbook rulebook adopt`: a plan's file, or a newer built-in edition, into force. Every member is derived anew.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::HumanCount;
use reqwest::Method;
use rollbook_projections::Rulebook;
use rollbook_projections::rulebook::Overlay;
use serde_json::{Value, json};

use super::super::client::{Client, Connection};
use super::super::exit::{Exit, Stop};
use super::super::meter::PLAIN_EVERY;
use super::super::output::Output;
use super::super::standing::Standing;
use super::{lint, text};
use crate::clock;

const EXAMPLES: &str = "\
Examples:
  rollbook rulebook adopt la-care-2026.toml --reason \"policy 12 of 2026\"
  rollbook rulebook adopt --built-in --reason \"edition of the new program\"

A file is laid over the rulebook in force, in place of the one of its name. From the position of this event on every answer \
follows the new rules; what was decided before stays as it was decided, and `--known-at` still tells it. \
`rollbook rulebook compare` shows beforehand what would change.";

/// Between two looks at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Puts a plan's file in force, which is an event, and waits until every member is derived anew
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Adopt {
    /// The plan's file, TOML
    #[arg(value_name = "FILE", required_unless_present = "built_in")]
    file: Option<PathBuf>,
    /// The edition this program was built with, under the plans' files that are in force
    #[arg(long, conflicts_with = "file")]
    built_in: bool,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    connection: Connection,
}

/// Adopts.
///
/// # Errors
/// Where the file says what it may not, or the ledger refuses or cannot be reached.
pub async fn run(adopt: &Adopt, output: &mut Output) -> anyhow::Result<Exit> {
    let client = adopt.connection.client()?;
    let former = text::parse(&text::in_force(Some(&adopt.connection)).await?)?;
    let text = match &adopt.file {
        Some(file) => with_file(&former, file, output)?,
        None => Some(text::with_built_in(&former)?),
    };
    let Some(text) = text else { return Ok(Exit::No) };
    let rulebook = text::parse(&text)?;
    if rulebook.hash() == former.hash() {
        output.line(format_args!("already in force: {}", rulebook.hash()))?;
        output.flush()?;
        return Ok(Exit::Done);
    }
    let position = submit(&client, &rulebook, &adopt.reason).await?;
    derived(&client, position, output).await?;
    output.line(format_args!("in force from position {position}: {} {}", rulebook.id(), rulebook.hash()))?;
    output.flush()?;
    Ok(Exit::Done)
}

/// The text with a plan's file; none where the file says what it may not, which is told.
fn with_file(former: &Rulebook, file: &std::path::Path, output: &mut Output) -> anyhow::Result<Option<String>> {
    let written = lint::read(file)?;
    let overlay = Overlay::parse(&lint::name(file), &written)
        .with_context(|| Stop::usage(format!("{} is no file of a plan", file.display())).about_input())?;
    let refused = former.refusals(&overlay);
    for refusal in &refused {
        output.line(format_args!("{}:{}: {}", file.display(), refusal.at.line, refusal.at.problem))?;
    }
    output.flush()?;
    Ok(refused.is_empty().then(|| former.text_with(&overlay)))
}

async fn submit(client: &Client, rulebook: &Rulebook, reason: &str) -> anyhow::Result<u64> {
    let now = clock::now();
    let body = json!({
        "kind": "rulebook_adopted", "plan": "dhcs", "county": "sacramento",
        "occurred_at": rollbook_events::pacific_day(&now).to_string(),
        "data": { "hash": rulebook.hash().to_string(), "text": rulebook.text(), "reason": reason },
    });
    let answer = client.json(client.request(Method::POST, &["v1", "events"], &[]).json(&body)).await?;
    answer.pointer("/data/0/position").and_then(Value::as_u64).context("the ledger's answer names no position")
}

/// Waits until the views stand at the adoption, telling how many members are derived.
async fn derived(client: &Client, position: u64, output: &Output) -> anyhow::Result<()> {
    let mut told = 0;
    let mut last = Instant::now();
    loop {
        let standing = Standing::of(client).await.context(
            Stop::unavailable("the derivation could not be watched")
                .next("it goes on by itself as long as the ledger runs: look with rollbook status"),
        )?;
        let done = standing.data().get("rederived").and_then(Value::as_u64).unwrap_or(0);
        if standing.position >= position {
            return Ok(());
        }
        if done > told && last.elapsed() >= PLAIN_EVERY {
            output.note(format_args!("{} members derived anew", HumanCount(done)));
            (told, last) = (done, Instant::now());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
