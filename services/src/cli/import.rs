//! `rollbook import`: files into the ledger, each row accounted for.

mod report;
mod upload;

use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::NaiveDate;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use rollbook_events::intake::FileKind;
use rollbook_events::{County, PlanCode};

use super::client::Connection;
use super::exit::{Exit, Stop, report as say};
use super::output::Output;
use crate::import::State;
use upload::Sent;

const EXAMPLES: &str = "\
Examples:
  rollbook import outreach-tracker la-care-tracker-2024-07.xlsx --plan la-care
  rollbook import return-transmission rtf/*.csv --json > report.ndjson

Kinds:
  member-information    plan to provider, monthly: whom to reach (CSV, XLSX)
  outreach-tracker      provider to plan: attempts to reach members (CSV, XLSX)
  return-transmission   provider to plan, monthly: what became of each member (CSV, XLSX)
  events                submissions of the ledger's own vocabulary, one JSON object a line

Every row becomes events, is known already, or waits in a quarantine file with its column and reason. The same file twice \
changes nothing; after a broken connection or a killed ledger the same command goes on where it stopped.

Exit code: 0 every row is settled (quarantined ones included), 2 a file is unreadable or not of its kind, 3 the ledger is \
not there.";

/// Imports files as plans and providers send them
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Import {
    /// What kind of file
    #[arg(value_parser = kinds())]
    kind: FileKind,
    /// The files, imported in this order
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Whose record it is, where a file does not say, as in la-care
    #[arg(long, value_name = "CODE")]
    plan: Option<PlanCode>,
    /// The county, where a file does not say
    #[arg(long)]
    county: Option<County>,
    /// The day the file was made, where it does not say
    #[arg(long, value_name = "DAY")]
    produced_on: Option<NaiveDate>,
    /// One JSON report a file
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

fn kinds() -> impl TypedValueParser<Value = FileKind> {
    PossibleValuesParser::new(FileKind::ALL.iter().map(|kind| kind.as_str())).try_map(|text| text.parse::<FileKind>())
}

/// Imports the files, one after the other. A file that is none of its kind does not keep the next ones out.
///
/// # Errors
/// Where a file cannot be read, before any is imported; or the ledger is not there.
pub async fn run(import: &Import, output: &mut Output) -> anyhow::Result<Exit> {
    for file in &import.files {
        readable(file)?;
    }
    let client = import.connection.client()?;
    client.known().await?;
    let (mut exit, mut refused) = (Exit::Done, 0);
    for file in &import.files {
        match upload::import(&client, import, file, output).await {
            Ok(sent) => {
                exit = exit.or(told(import, &sent, output)?);
                // What stopped this file would stop the next ones.
                if exit == Exit::Unavailable {
                    break;
                }
            }
            Err(error) if Stop::is_about_input(&error) && import.files.len() > 1 => {
                say(&error.context(Stop::usage(format!("{} was not imported", file.display()))));
                exit = exit.or(Exit::Usage);
                refused += 1;
            }
            Err(error) => return Err(error),
        }
    }
    if refused > 0 {
        output.note(format_args!("{refused} of {} files were not imported", import.files.len()));
    }
    output.flush()?;
    Ok(exit)
}

fn readable(file: &Path) -> anyhow::Result<()> {
    let doing = || Stop::usage(format!("could not read {}: nothing was imported", file.display()));
    let opened = std::fs::File::open(file).with_context(doing)?;
    if opened.metadata().with_context(doing)?.is_file() {
        return Ok(());
    }
    Err(anyhow::anyhow!("it is no file").context(doing()))
}

fn told(import: &Import, sent: &Sent, output: &mut Output) -> anyhow::Result<Exit> {
    if import.json {
        output.line(serde_json::to_string(&sent.report)?)?;
    } else {
        output.line(report::told(sent).trim_end())?;
    }
    // Seen at once, also where the output is a file that somebody follows.
    output.flush()?;
    Ok(if sent.report.state == State::Completed { Exit::Done } else { Exit::Unavailable })
}
