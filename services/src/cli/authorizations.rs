//! `rollbook authorizations`: what was asked for, what was decided, and how long that took.

use chrono::NaiveDate;

use super::ask::{AsOf, Question, Show, ask};
use super::client::Connection;
use super::exit::Exit;
use super::member::Member;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook authorizations --plan la-care --decided false --due-before 2025-03-01
  rollbook authorizations --late true --all --format csv > late.csv

Rows hold days: what is undecided and past its day is `--decided false --due-before` the day you ask on.";

const COLUMNS: &[&str] = &[
    "member",
    "authorization_id",
    "program",
    "plan",
    "urgency",
    "received_on",
    "due_on",
    "outcome",
    "decided_on",
    "late_by_days",
];

/// Shows what was asked for, what was decided, and whether in time
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Authorizations {
    /// Of this member alone: pseudonym, CIN, or - to read one of them from stdin
    #[arg(long)]
    member: Option<Member>,
    /// Of this plan alone, as in la-care
    #[arg(long)]
    plan: Option<String>,
    /// For this program alone, as in ecm
    #[arg(long)]
    program: Option<String>,
    /// Asked for with this urgency alone: standard, expedited or retrospective
    #[arg(long)]
    urgency: Option<String>,
    /// Last decided so: approved, modified, denied or deferred
    #[arg(long)]
    outcome: Option<String>,
    /// Naming this provider alone, by NPI or code
    #[arg(long)]
    provider: Option<String>,
    /// Whether a decision is on record
    #[arg(long, value_name = "true|false")]
    decided: Option<bool>,
    /// Whose governing clock runs out before this day
    #[arg(long, value_name = "DAY")]
    due_before: Option<NaiveDate>,
    /// Whether the decision came after that clock
    #[arg(long, value_name = "true|false")]
    late: Option<bool>,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    show: Show,
    #[command(flatten)]
    connection: Connection,
}

/// Asks for authorizations.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn run(authorizations: &Authorizations, output: &mut Output) -> anyhow::Result<Exit> {
    let client = authorizations.connection.client()?;
    let mut query = authorizations.as_of.query();
    query.push(("plan", authorizations.plan.clone()));
    query.push(("program", authorizations.program.clone()));
    query.push(("urgency", authorizations.urgency.clone()));
    query.push(("outcome", authorizations.outcome.clone()));
    query.push(("provider", authorizations.provider.clone()));
    query.push(("decided", authorizations.decided.map(|yes| yes.to_string())));
    query.push(("due_before", authorizations.due_before.map(|day| day.to_string())));
    query.push(("late", authorizations.late.map(|yes| yes.to_string())));
    let member = match &authorizations.member {
        Some(member) => Some(member.id(&client).await?),
        None => None,
    };
    let path: &[&str] = match &member {
        Some(member) => &["v1", "members", member.as_str(), "authorizations"],
        None => &["v1", "authorizations"],
    };
    ask(&client, Question { path, query, columns: COLUMNS }, &authorizations.show, output).await
}
