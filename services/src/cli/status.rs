//! `rollbook status`: where the ledger stands.

use serde_json::json;

use super::client::Connection;
use super::exit::Exit;
use super::output::Output;
use super::standing::Standing;
use super::table::{Row, render};

const EXAMPLES: &str = "\
Examples:
  rollbook status
  rollbook status --counts --json --url https://ledger.example.org";

/// Shows where the ledger stands: positions, lag, views, rulebook, settings of the log
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Status {
    /// Count the rows of each view, which takes a while on a large ledger
    #[arg(long)]
    counts: bool,
    /// The answer as the API gives it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Shows the status.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn run(status: &Status, output: &mut Output) -> anyhow::Result<Exit> {
    let standing = Standing::with(&status.connection.client()?, &[("counts", status.counts.to_string())]).await?;
    if status.json {
        output.line(&standing.answer)?;
    } else {
        let row = |(name, value)| Row::from_iter([("what".to_owned(), json!(name)), ("is".to_owned(), value)]);
        let rows: Vec<Row> = standing.fields().into_iter().map(row).collect();
        output.line(render(&rows, &[], output.terminal()))?;
    }
    output.flush()?;
    Ok(Exit::Done)
}
