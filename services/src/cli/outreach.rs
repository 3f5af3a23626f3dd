//! `rollbook outreach`: attempts, and how they turn into enrollment.

use super::ask::{AsOf, Question, Show, ask};
use super::client::Connection;
use super::exit::Exit;
use super::member::Member;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook outreach --by plan,program
  rollbook outreach --attempts --plan la-care --all > attempts.ndjson

Attempts, contacts and enrollments are separate measures: one attempt may reach nobody, and a member may enroll without
one.";

/// Shows how outreach turns into enrollment, or the attempts themselves
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Outreach {
    /// Sum by these columns
    #[arg(long, value_name = "COLUMN,...", default_value = "plan,program", conflicts_with_all = ["member", "attempts"])]
    by: String,
    /// Outreach to this member: pseudonym, CIN, or - to read one of them from stdin
    #[arg(long, conflicts_with = "attempts")]
    member: Option<Member>,
    /// Each attempt
    #[arg(long)]
    attempts: bool,
    /// Of this plan alone, as in la-care
    #[arg(long)]
    plan: Option<String>,
    /// For this program alone, as in ecm
    #[arg(long)]
    program: Option<String>,
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
    query.push(("plan", outreach.plan.clone()));
    query.push(("program", outreach.program.clone()));
    let member = match &outreach.member {
        Some(member) => Some(member.id(&client).await?),
        None => None,
    };
    let path: &[&str] = match &member {
        Some(member) => &["v1", "members", member.as_str(), "outreach"],
        None if outreach.attempts => &["v1", "outreach", "attempts"],
        None => {
            query.push(("by", Some(outreach.by.clone())));
            &["v1", "outreach", "conversion"]
        }
    };
    ask(&client, Question { path, query, columns: &[] }, &outreach.show, output).await
}
