//! `rollbook notices`: whether Notices of Action are required, what became of them, and why.

mod explain;

use chrono::NaiveDate;
use clap::Subcommand;

use super::ask::{AsOf, Question, Show, ask};
use super::client::Connection;
use super::exit::Exit;
use super::member::Member;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook notices 018f3c1e-7a10-8c3d-9b4e-0123456789ab
  rollbook notices --outcome required --issued false --due-before 2025-03-01
  rollbook notices explain 018f3c1e-7a10-7c3d-9b4e-000000000001 --reproduce

Without --standing and --voided the answer is every determination that stands. A request that ran out undecided has a row \
from that day on; its `determination` is empty until an event tells of it.";

const COLUMNS: &[&str] = &[
    "member",
    "determination",
    "program",
    "plan",
    "outcome",
    "notice",
    "limbs",
    "rule",
    "from_on",
    "mail_by",
    "mailed_on",
    "late_by_days",
];

/// Shows whether Notices of Action are required, by when they were due and whether they were mailed, or explains one
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Notices {
    #[command(subcommand)]
    what: Option<What>,
    /// Of this member alone: pseudonym (a UUID), CIN, or - to read one of them from stdin
    member: Option<Member>,
    /// Of this plan alone, as in la-care
    #[arg(long)]
    plan: Option<String>,
    /// In this county alone, as in los-angeles
    #[arg(long)]
    county: Option<String>,
    /// For this program alone, as in ecm
    #[arg(long)]
    program: Option<String>,
    /// With this outcome alone: required, not_required or review
    #[arg(long)]
    outcome: Option<String>,
    /// Of this kind of notice alone: denial, modification, deferral, discontinuation or availability_change
    #[arg(long)]
    notice: Option<String>,
    /// Whether a notice was mailed
    #[arg(long, value_name = "true|false")]
    issued: Option<bool>,
    /// To be mailed before this day
    #[arg(long, value_name = "DAY")]
    due_before: Option<NaiveDate>,
    /// Whether the notice was mailed too late
    #[arg(long, value_name = "true|false")]
    late: Option<bool>,
    /// Whether the event that raised the question was voided: true, false or any [default: false]
    #[arg(long)]
    voided: Option<String>,
    /// Whether nothing has taken its place: true, false or any [default: true]
    #[arg(long)]
    standing: Option<String>,
    /// That concern this day or one before it, as in 2025-01-31
    #[arg(long, value_name = "DAY")]
    effective_at: Option<NaiveDate>,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    show: Show,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    Explain(explain::Explain),
}

/// Asks for determinations, or for the reasoning of one.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn run(notices: &Notices, output: &mut Output) -> anyhow::Result<Exit> {
    if let Some(What::Explain(verb)) = &notices.what {
        return explain::run(verb, output).await;
    }
    let client = notices.connection.client()?;
    let mut query = notices.as_of.query();
    query.push(("effective_at", notices.effective_at.map(|day| day.to_string())));
    query.push(("plan", notices.plan.clone()));
    query.push(("county", notices.county.clone()));
    query.push(("program", notices.program.clone()));
    query.push(("outcome", notices.outcome.clone()));
    query.push(("notice", notices.notice.clone()));
    query.push(("issued", notices.issued.map(|yes| yes.to_string())));
    query.push(("due_before", notices.due_before.map(|day| day.to_string())));
    query.push(("late", notices.late.map(|yes| yes.to_string())));
    query.push(("voided", notices.voided.clone()));
    query.push(("standing", notices.standing.clone()));
    let member = match &notices.member {
        Some(member) => Some(member.id(&client).await?),
        None => None,
    };
    let path: &[&str] = match &member {
        Some(member) => &["v1", "members", member.as_str(), "notices"],
        None => &["v1", "notices"],
    };
    ask(&client, Question { path, query, columns: COLUMNS }, &notices.show, output).await
}
