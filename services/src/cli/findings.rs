//! `rollbook findings`: what a reader must look at.

use chrono::NaiveDate;

use super::ask::{AsOf, Question, Show, ask};
use super::client::Connection;
use super::exit::Exit;
use super::member::Member;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook findings --status active --plan la-care
  rollbook findings --code notice_missing --effective-at 2025-03-01 --all --format csv > missing.csv

With --effective-at and without --status the answer is every finding that concerns the day; without both it is every \
finding. `rollbook rulebook --findings` says what each code means.";

const COLUMNS: &[&str] = &["member", "code", "rule", "plan", "program", "about", "from_on", "until_on"];

/// Shows what must be looked at: code, rule, days, and the events it rests on
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Findings {
    /// Of this member alone: pseudonym, CIN, or - to read one of them from stdin
    #[arg(long)]
    member: Option<Member>,
    /// With these codes alone, as in notice_missing
    #[arg(long, value_name = "CODE,...")]
    code: Option<String>,
    /// By these rules alone, as in CLK-1
    #[arg(long, value_name = "RULE,...")]
    rule: Option<String>,
    /// Of this plan alone, as in la-care
    #[arg(long)]
    plan: Option<String>,
    /// In this county alone, as in los-angeles
    #[arg(long)]
    county: Option<String>,
    /// About this program alone, as in ecm
    #[arg(long)]
    program: Option<String>,
    /// How a finding stands on the day asked about, or today: active, ended, planned or any
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

/// Asks for findings.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn run(findings: &Findings, output: &mut Output) -> anyhow::Result<Exit> {
    let client = findings.connection.client()?;
    let mut query = findings.as_of.query();
    query.push(("effective_at", findings.effective_at.map(|day| day.to_string())));
    query.push(("code", findings.code.clone()));
    query.push(("rule", findings.rule.clone()));
    query.push(("plan", findings.plan.clone()));
    query.push(("county", findings.county.clone()));
    query.push(("program", findings.program.clone()));
    query.push(("status", findings.status.clone()));
    let member = match &findings.member {
        Some(member) => Some(member.id(&client).await?),
        None => None,
    };
    let path: &[&str] = match &member {
        Some(member) => &["v1", "members", member.as_str(), "findings"],
        None => &["v1", "findings"],
    };
    ask(&client, Question { path, query, columns: COLUMNS }, &findings.show, output).await
}
