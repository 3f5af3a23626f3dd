//! `rollbook rulebook compare`: what a file would change, before it is adopted; nothing is touched.

use std::path::PathBuf;

use anyhow::Context;
use rollbook_projections::rulebook::Overlay;
use serde_json::Value;

use super::super::client::{Connection, lines};
use super::super::exit::{Exit, Stop};
use super::super::meter::Meter;
use super::super::output::Output;
use super::super::standing::Standing;
use super::{lint, text};

const EXAMPLES: &str = "\
Examples:
  rollbook rulebook compare la-care-2026.toml
  rollbook rulebook compare --built-in --json

Every member is replayed under the file, laid over the rulebook in force, and under the rulebook in force itself. Listed is \
what would read differently: the determination, conflict or finding, the member, and why.";

/// Lists which determinations, conflicts and findings would differ under a file, with members and reasons
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Compare {
    /// The plan's file, TOML
    #[arg(value_name = "FILE", required_unless_present = "built_in")]
    file: Option<PathBuf>,
    /// The edition this program was built with
    #[arg(long, conflicts_with = "file")]
    built_in: bool,
    /// One JSON object a difference
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Compares.
///
/// # Errors
/// Where the file is none, or the ledger cannot answer.
pub async fn run(compare: &Compare, output: &mut Output) -> anyhow::Result<Exit> {
    let former = text::parse(&text::in_force(Some(&compare.connection)).await?)?;
    let other = match &compare.file {
        None => text::with_built_in(&former)?,
        Some(file) => {
            let overlay = Overlay::parse(&lint::name(file), &lint::read(file)?)
                .with_context(|| Stop::usage(format!("{} is no file of a plan", file.display())).about_input())?;
            former.text_with(&overlay)
        }
    };
    let client = compare.connection.client()?;
    let events = Standing::of(&client).await?.position;
    let request = client.request(reqwest::Method::POST, &["v1", "rulebook", "compare"], &[]);
    let answer = client.send(request.header("content-type", "application/toml").body(other)).await?;
    let mut meter = Meter::new(output, "comparing", "events", events);
    let mut done = None;
    let mut told = lines(answer);
    while let Some(line) = told.next_line().await.context(Stop::unavailable("the comparison broke off"))? {
        let line: Value = serde_json::from_str(&line).context("the ledger's answer could not be read")?;
        let count = |of: &Value| of.get("events").and_then(Value::as_u64).unwrap_or(0);
        if let Some(difference) = line.get("difference") {
            output.line(if compare.json { difference.to_string() } else { shown(difference) })?;
        } else if let Some(progress) = line.get("progress") {
            meter.at(count(progress), count(progress));
        } else {
            done = line.get("done").cloned();
        }
    }
    meter.finish();
    let done = done.ok_or_else(|| Stop::unavailable("the comparison broke off").next("is the ledger running?"))?;
    let number = |name: &str| done.get(name).and_then(Value::as_u64).unwrap_or(0);
    output.note(format_args!(
        "{} differences among {} members and {} events",
        number("differences"),
        number("members"),
        number("events")
    ));
    output.flush()?;
    Ok(Exit::Done)
}

fn shown(difference: &Value) -> String {
    let word = |name: &str| difference.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{}  {}  {}\n    {}", word("member"), word("view"), word("key"), word("reason"))
}
