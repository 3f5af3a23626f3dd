//! `rollbook clocks`: every clock of the rules.

use chrono::NaiveDate;

use super::ask::{AsOf, Question, Show, ask};
use super::client::Connection;
use super::exit::Exit;
use super::member::Member;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook clocks --governing true --met false --due-before 2025-03-01
  rollbook clocks --clock notice_advance --late true --all > late.ndjson

Where several clocks run for one matter, `governing` marks the one that ends first. `rollbook rulebook explain` tells each \
rule.";

const COLUMNS: &[&str] =
    &["member", "clock", "rule", "plan", "program", "starts_on", "due_on", "governing", "met_on", "late_by_days"];

/// Shows every clock: since when it runs, when it has run out, when it was met
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Clocks {
    /// Of this member alone: pseudonym, CIN, or - to read one of them from stdin
    #[arg(long)]
    member: Option<Member>,
    /// These clocks alone, as in notice_advance
    #[arg(long, value_name = "CLOCK,...")]
    clock: Option<String>,
    /// Set by these rules alone, as in CLK-6
    #[arg(long, value_name = "RULE,...")]
    rule: Option<String>,
    /// Of this plan alone, as in la-care
    #[arg(long)]
    plan: Option<String>,
    /// For this program alone, as in ecm
    #[arg(long)]
    program: Option<String>,
    /// Whether it is the one that counts among those of its matter
    #[arg(long, value_name = "true|false")]
    governing: Option<bool>,
    /// That run out before this day
    #[arg(long, value_name = "DAY")]
    due_before: Option<NaiveDate>,
    /// Whether what it waits for is on record
    #[arg(long, value_name = "true|false")]
    met: Option<bool>,
    /// Whether that came late
    #[arg(long, value_name = "true|false")]
    late: Option<bool>,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    show: Show,
    #[command(flatten)]
    connection: Connection,
}

/// Asks for clocks.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn run(clocks: &Clocks, output: &mut Output) -> anyhow::Result<Exit> {
    let client = clocks.connection.client()?;
    let mut query = clocks.as_of.query();
    query.push(("clock", clocks.clock.clone()));
    query.push(("rule", clocks.rule.clone()));
    query.push(("plan", clocks.plan.clone()));
    query.push(("program", clocks.program.clone()));
    query.push(("governing", clocks.governing.map(|yes| yes.to_string())));
    query.push(("due_before", clocks.due_before.map(|day| day.to_string())));
    query.push(("met", clocks.met.map(|yes| yes.to_string())));
    query.push(("late", clocks.late.map(|yes| yes.to_string())));
    let member = match &clocks.member {
        Some(member) => Some(member.id(&client).await?),
        None => None,
    };
    let path: &[&str] = match &member {
        Some(member) => &["v1", "members", member.as_str(), "clocks"],
        None => &["v1", "clocks"],
    };
    ask(&client, Question { path, query, columns: COLUMNS }, &clocks.show, output).await
}
