//! `rollbook eligibility`: which programs a member may have, and why.

use chrono::NaiveDate;

use super::ask::{AsOf, Question, Show, ask};
use super::client::Connection;
use super::exit::Exit;
use super::member::Member;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook eligibility 018f3c1e-7a10-8c3d-9b4e-0123456789ab --program ecm --effective-at 2025-01-01
  rollbook eligibility - --plan la-care --county los-angeles --known-at 1200 < cin.txt

Without --program the answer is on ECM and every Community Support; without --plan and --county, on those of the member's \
last event. `rollbook rulebook explain` tells each rule.";

const COLUMNS: &[&str] = &["program", "channel", "plan", "county", "outcome", "reason", "rule", "from_on", "until_on"];

/// Shows which programs a member may have, from when until when, and why
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Eligibility {
    /// The member: pseudonym (a UUID), CIN, or - to read one of them from stdin
    member: Member,
    /// On these programs alone, as in ecm,housing_navigation
    #[arg(long, value_name = "PROGRAM,...")]
    program: Option<String>,
    /// Through this channel: plan_direct or dhs_subcontract
    #[arg(long)]
    channel: Option<String>,
    /// Of this plan, as in la-care
    #[arg(long)]
    plan: Option<String>,
    /// In this county, as in los-angeles
    #[arg(long)]
    county: Option<String>,
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

/// Asks for a member's eligibility.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn run(eligibility: &Eligibility, output: &mut Output) -> anyhow::Result<Exit> {
    let client = eligibility.connection.client()?;
    let mut query = eligibility.as_of.query();
    query.push(("effective_at", eligibility.effective_at.map(|day| day.to_string())));
    query.push(("program", eligibility.program.clone()));
    query.push(("channel", eligibility.channel.clone()));
    query.push(("plan", eligibility.plan.clone()));
    query.push(("county", eligibility.county.clone()));
    let member = eligibility.member.id(&client).await?;
    let path = ["v1", "members", member.as_str(), "eligibility"];
    ask(&client, Question { path: &path, query, columns: COLUMNS }, &eligibility.show, output).await
}
