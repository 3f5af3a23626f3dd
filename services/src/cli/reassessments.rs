//! `rollbook reassessments`: by when members are to be reassessed, and when they were.

use chrono::NaiveDate;

use super::ask::{AsOf, Question, Show, ask};
use super::client::Connection;
use super::exit::Exit;
use super::member::Member;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook reassessments --plan la-care --done false --due-before 2022-08-01
  rollbook reassessments --member - --json < cin.txt

`earliest_on` is the first day on which the next reassessment would not be too frequent, where the plan has such a rule.";

const COLUMNS: &[&str] = &[
    "member",
    "program",
    "plan",
    "basis",
    "from_on",
    "until_on",
    "due_on",
    "rule",
    "done_on",
    "outcome",
    "late_by_days",
];

/// Shows by when members are to be reassessed, and when they were
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Reassessments {
    /// Of this member alone: pseudonym, CIN, or - to read one of them from stdin
    #[arg(long)]
    member: Option<Member>,
    /// Of this plan alone, as in la-care
    #[arg(long)]
    plan: Option<String>,
    /// For this program alone, as in ecm
    #[arg(long)]
    program: Option<String>,
    /// Whether it is on record as done
    #[arg(long, value_name = "true|false")]
    done: Option<bool>,
    /// To be done before this day
    #[arg(long, value_name = "DAY")]
    due_before: Option<NaiveDate>,
    /// Whether it was done after its last day
    #[arg(long, value_name = "true|false")]
    late: Option<bool>,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    show: Show,
    #[command(flatten)]
    connection: Connection,
}

/// Asks for reassessments.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn run(reassessments: &Reassessments, output: &mut Output) -> anyhow::Result<Exit> {
    let client = reassessments.connection.client()?;
    let mut query = reassessments.as_of.query();
    query.push(("plan", reassessments.plan.clone()));
    query.push(("program", reassessments.program.clone()));
    query.push(("done", reassessments.done.map(|yes| yes.to_string())));
    query.push(("due_before", reassessments.due_before.map(|day| day.to_string())));
    query.push(("late", reassessments.late.map(|yes| yes.to_string())));
    let member = match &reassessments.member {
        Some(member) => Some(member.id(&client).await?),
        None => None,
    };
    let path: &[&str] = match &member {
        Some(member) => &["v1", "members", member.as_str(), "reassessments"],
        None => &["v1", "reassessments"],
    };
    ask(&client, Question { path, query, columns: COLUMNS }, &reassessments.show, output).await
}
