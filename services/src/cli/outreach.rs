//! `rollbook outreach`: attempts, and how they turn into enrollment.

use chrono::NaiveDate;

use super::ask::{AsOf, Question, Show, ask};
use super::client::Connection;
use super::exit::Exit;
use super::member::Member;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook outreach --by plan,program
  rollbook outreach --attempts --plan la-care --all > attempts.ndjson

Attempts, contacts and enrollments are separate measures: an attempt may reach nobody, and a member may enroll without one.";

const EPISODES: &[&str] = &[
    "program",
    "plan",
    "month",
    "identified_on",
    "attempts",
    "contacts",
    "first_contact_on",
    "enrolled_on",
    "opted_out_on",
];

const ATTEMPTS: &[&str] =
    &["member", "occurred_on", "program", "plan", "provider", "channel", "reached", "counts", "reason"];

/// Shows how outreach turns into enrollment, or the attempts themselves
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Outreach {
    /// Sum by these: plan, program, county, provider, population, channel, month
    #[arg(long, value_name = "COLUMN,...", default_value = "plan,program", conflicts_with_all = ["member", "attempts"])]
    by: String,
    /// Outreach to this member, episode by episode: pseudonym, CIN, or - to read one of them from stdin
    #[arg(long)]
    member: Option<Member>,
    /// Each attempt, and whether it counts
    #[arg(long)]
    attempts: bool,
    /// Of this plan alone, as in la-care
    #[arg(long)]
    plan: Option<String>,
    /// For this program alone, as in ecm
    #[arg(long)]
    program: Option<String>,
    /// Only attempts made by the end of this day
    #[arg(long, value_name = "DAY", requires = "attempts")]
    effective_at: Option<NaiveDate>,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    show: Show,
    #[command(flatten)]
    connection: Connection,
}

/// Asks for outreach.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn run(outreach: &Outreach, output: &mut Output) -> anyhow::Result<Exit> {
    let client = outreach.connection.client()?;
    let mut query = outreach.as_of.query();
    query.push(("effective_at", outreach.effective_at.map(|day| day.to_string())));
    query.push(("plan", outreach.plan.clone()));
    query.push(("program", outreach.program.clone()));
    let member = match &outreach.member {
        Some(member) => Some(member.id(&client).await?),
        None => None,
    };
    let (path, columns): (Vec<&str>, &[&str]) = match (&member, outreach.attempts) {
        (Some(member), true) => (vec!["v1", "members", member.as_str(), "outreach", "attempts"], ATTEMPTS),
        (Some(member), false) => (vec!["v1", "members", member.as_str(), "outreach"], EPISODES),
        (None, true) => (vec!["v1", "outreach", "attempts"], ATTEMPTS),
        (None, false) => {
            query.push(("by", Some(outreach.by.clone())));
            (vec!["v1", "outreach", "conversion"], &[])
        }
    };
    ask(&client, Question { path: &path, query, columns }, &outreach.show, output).await
}
