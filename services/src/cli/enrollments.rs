//! `rollbook enrollments`: the roll.

use chrono::NaiveDate;

use super::ask::{AsOf, Question, Show, ask};
use super::client::Connection;
use super::exit::Exit;
use super::member::Member;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook enrollments --plan la-care --program ecm --effective-at 2025-01-01
  rollbook enrollments --program ecm --all --format csv > ecm.csv

With --effective-at and without --status the answer is every span that covers the day; without both it is every span. \
`until_on` is the first day that is no longer covered.";

const COLUMNS: &[&str] =
    &["member", "program", "plan", "county", "provider", "status", "from_on", "until_on", "reason"];

/// Shows who is enrolled in what, by which plan, from when until when
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Enrollments {
    /// Of this member alone: pseudonym, CIN, or - to read one of them from stdin
    #[arg(long)]
    member: Option<Member>,
    /// Of this plan alone, as in la-care
    #[arg(long)]
    plan: Option<String>,
    /// In this program alone, as in ecm
    #[arg(long)]
    program: Option<String>,
    /// How a span stands on the day asked about, or today: active, ended, planned or any
    #[arg(long)]
    status: Option<String>,
    /// What is true on this day, as in 2025-01-31
    #[arg(long, value_name = "DAY")]
    effective_at: Option<NaiveDate>,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    show: Show,
    #[command(flatten)]
    connection: Connection,
}

/// Asks for enrollments.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn run(enrollments: &Enrollments, output: &mut Output) -> anyhow::Result<Exit> {
    let client = enrollments.connection.client()?;
    let mut query = enrollments.as_of.query();
    query.push(("effective_at", enrollments.effective_at.map(|day| day.to_string())));
    query.push(("plan", enrollments.plan.clone()));
    query.push(("program", enrollments.program.clone()));
    query.push(("status", enrollments.status.clone()));
    let member = match &enrollments.member {
        Some(member) => Some(member.id(&client).await?),
        None => None,
    };
    let path: &[&str] = match &member {
        Some(member) => &["v1", "members", member.as_str(), "enrollments"],
        None => &["v1", "enrollments"],
    };
    ask(&client, Question { path, query, columns: COLUMNS }, &enrollments.show, output).await
}
