//! `rollbook conflicts`: services that may not run at once, or only with care.

use chrono::NaiveDate;

use super::ask::{AsOf, Question, Show, ask};
use super::client::Connection;
use super::exit::Exit;
use super::member::Member;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook conflicts --outcome conflict --effective-at 2025-03-01
  rollbook conflicts --member - --known-at 1200 < cin.txt

With --effective-at and without --status the answer is every overlap that holds on the day. `rollbook rulebook` prints \
the rules that the column `rule` names.";

const COLUMNS: &[&str] =
    &["member", "outcome", "rule", "program_a", "plan_a", "program_b", "plan_b", "from_on", "until_on", "resolution"];

/// Shows who is in two services that may not run at once, or only with care, and by which rule
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Conflicts {
    /// Of this member alone: pseudonym, CIN, or - to read one of them from stdin
    #[arg(long)]
    member: Option<Member>,
    /// Of this plan alone, as in la-care
    #[arg(long)]
    plan: Option<String>,
    /// With this program on either side, as in ecm
    #[arg(long)]
    program: Option<String>,
    /// How an overlap stands on the day asked about, or today: active, ended, planned or any
    #[arg(long)]
    status: Option<String>,
    /// With this outcome alone: conflict, choose, exclude, not_eligible, duplicate_enrollment, allow_coordinated, review;
    /// or any [default: all but allow_coordinated]
    #[arg(long)]
    outcome: Option<String>,
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

/// Asks for conflicts.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn run(conflicts: &Conflicts, output: &mut Output) -> anyhow::Result<Exit> {
    let client = conflicts.connection.client()?;
    let mut query = conflicts.as_of.query();
    query.push(("effective_at", conflicts.effective_at.map(|day| day.to_string())));
    query.push(("plan", conflicts.plan.clone()));
    query.push(("program", conflicts.program.clone()));
    query.push(("status", conflicts.status.clone()));
    query.push(("outcome", conflicts.outcome.clone()));
    let member = match &conflicts.member {
        Some(member) => Some(member.id(&client).await?),
        None => None,
    };
    let path: &[&str] = match &member {
        Some(member) => &["v1", "members", member.as_str(), "conflicts"],
        None => &["v1", "conflicts"],
    };
    ask(&client, Question { path, query, columns: COLUMNS }, &conflicts.show, output).await
}
