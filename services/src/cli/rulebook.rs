//! `rollbook rulebook`: the rules, for people: read, explained, checked, compared and put in force.

mod adopt;
mod compare;
mod coverage;
mod document;
mod explain;
mod lint;
mod text;

use clap::Subcommand;

use super::client::Connection;
use super::exit::Exit;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook rulebook
  rollbook rulebook --adopted --text
  rollbook rulebook explain NOA-3
  rollbook rulebook lint la-care-2026.toml

Without --adopted it speaks of the rulebook this program was built with, which a new ledger adopts. Explanations, `compare` \
and `adopt` of a ledger speak of the one that stands in its log.";

/// Prints the rulebook as a document, explains a rule, checks a plan's file, or puts one in force
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Rulebook {
    #[command(subcommand)]
    what: Option<What>,
    /// As it is adopted: TOML, to the byte
    #[arg(long, conflicts_with = "findings")]
    text: bool,
    /// The codes of findings, and what each says
    #[arg(long)]
    findings: bool,
    /// The one in force in the ledger, not the one this program was built with
    #[arg(long)]
    adopted: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    Explain(explain::Explain),
    Coverage(coverage::Coverage),
    Lint(lint::Lint),
    Adopt(adopt::Adopt),
    Compare(compare::Compare),
}

/// Does what was asked.
///
/// # Errors
/// Where a file or a ledger cannot be read, or a rule is unknown.
pub async fn run(rulebook: &Rulebook, output: &mut Output) -> anyhow::Result<Exit> {
    match &rulebook.what {
        Some(What::Explain(verb)) => explain::run(verb, output).await,
        Some(What::Coverage(verb)) => coverage::run(verb, output),
        Some(What::Lint(verb)) => lint::run(verb, output),
        Some(What::Adopt(verb)) => adopt::run(verb, output).await,
        Some(What::Compare(verb)) => compare::run(verb, output).await,
        None if rulebook.findings => document::findings(output),
        None => {
            let text = text::in_force(rulebook.adopted.then_some(&rulebook.connection)).await?;
            if rulebook.text { document::as_adopted(&text, output) } else { document::run(&text, output) }
        }
    }
}
