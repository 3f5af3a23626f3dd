//! `rollbook history`: every event of a member.

use chrono::NaiveDate;

use super::ask::{AsOf, Question, Show, ask};
use super::client::Connection;
use super::exit::Exit;
use super::member::Member;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook history 018f3c1e-7a10-8c3d-9b4e-0123456789ab
  rollbook history - --known-at 2025-01-31T12:00:00Z < cin.txt

A CIN is sent in the body of a request and stands in no address and no log. On the command line other users of this \
machine may see it; `-` reads it from stdin.";

const COLUMNS: &[&str] =
    &["position", "occurred_on", "kind", "program", "plan", "actor_org", "source_system", "recorded_at", "voided_by"];

/// Shows every event of a member: who said what, when it was true and when it became known
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct History {
    /// The member: pseudonym (a UUID), CIN, or - to read one of them from stdin
    member: Member,
    /// Only what had happened by the end of this day
    #[arg(long, value_name = "DAY")]
    effective_at: Option<NaiveDate>,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    show: Show,
    #[command(flatten)]
    connection: Connection,
}

/// Asks for a member's history.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn run(history: &History, output: &mut Output) -> anyhow::Result<Exit> {
    let client = history.connection.client()?;
    let member = history.member.id(&client).await?;
    let path = ["v1", "members", member.as_str(), "history"];
    let mut query = history.as_of.query();
    query.push(("effective_at", history.effective_at.map(|day| day.to_string())));
    let question = Question { path: &path, query, columns: COLUMNS };
    ask(&client, question, &history.show, output).await
}
