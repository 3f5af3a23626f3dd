//! The command line: one file a verb. `main` parses, calls [`run`] and ends with its exit code.
//!
//! Reading order: [`exit`] (how a verb ends), [`output`] (where it writes), [`client`] (whom it asks), [`ask`] (what
//! the verbs that ask have in common), then the verbs.

pub mod ask;
pub mod calling;
pub mod client;
pub mod exit;
pub mod folder;
pub mod guards;
pub mod log_access;
pub mod logging;
pub mod member;
pub mod meter;
pub mod output;
pub mod pace;
pub mod secret;
pub mod server;
pub mod standing;
pub mod table;
pub mod wrapping_keys;

pub mod authorizations;
pub mod bench;
pub mod clocks;
pub mod conflicts;
pub mod doctor;
pub mod dump;
pub mod eligibility;
pub mod enrollments;
pub mod feed;
pub mod findings;
pub mod history;
pub mod identity;
pub mod import;
pub mod notices;
pub mod outreach;
pub mod print;
pub mod reassessments;
pub mod rebuild;
pub mod restore;
pub mod rulebook;
pub mod sample;
pub mod scenario;
pub mod status;
pub mod streams;
pub mod token;
pub mod traces;
pub mod up;
pub mod verify;

use clap::{Parser, Subcommand};

use exit::{Exit, report};
use logging::Logging;
use output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook up --demo
  rollbook enrollments --plan la-care --program ecm --effective-at 2025-01-01

Address and token of a ledger on this machine are found in its data folder, ./rollbook-data unless --data says otherwise.

Exit codes: 0 done, 1 the answer is no, 2 bad usage or unreadable input, 3 a service is unavailable.";

/// Rollbook: who is enrolled in which CalAIM program, since when, on whose word
#[derive(Debug, Parser)]
#[command(name = "rollbook", version, max_term_width = 110, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// Data and errors only: no progress, no notes
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(flatten)]
    logging: Logging,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Up(up::Up),
    Serve(up::Serve),
    Import(import::Import),
    Sample(sample::Sample),
    Scenario(scenario::Scenario),
    History(history::History),
    Enrollments(enrollments::Enrollments),
    Conflicts(conflicts::Conflicts),
    Eligibility(eligibility::Eligibility),
    Notices(notices::Notices),
    Findings(findings::Findings),
    Authorizations(authorizations::Authorizations),
    Reassessments(reassessments::Reassessments),
    Clocks(clocks::Clocks),
    Outreach(outreach::Outreach),
    Feed(feed::Feed),
    Status(status::Status),
    Streams(streams::Streams),
    Rebuild(rebuild::Rebuild),
    Dump(dump::Dump),
    Bench(bench::Bench),
    Verify(verify::Verify),
    Restore(restore::Restore),
    Doctor(doctor::Doctor),
    Identity(identity::Identity),
    Token(token::Token),
    Rulebook(rulebook::Rulebook),
    Schema(print::Schema),
    /// Prints the API as an OpenAPI document
    #[command(after_help = "Examples:\n  rollbook openapi\n  rollbook openapi > openapi.json")]
    Openapi,
    /// Prints the contract of the feed as an AsyncAPI document
    #[command(after_help = "Examples:\n  rollbook asyncapi\n  rollbook asyncapi > asyncapi.json")]
    Asyncapi,
}

/// Does what was asked and tells how that ended; what went wrong is said on stderr.
pub async fn run(cli: Cli) -> Exit {
    let mut output = Output::new(cli.quiet);
    let default = if matches!(cli.verb, Verb::Up(_) | Verb::Serve(_)) {
        "info"
    } else if matches!(cli.verb, Verb::Bench(_)) {
        // Connections come and go with what is measured; what fails ends the measurement.
        "error"
    } else {
        "warn"
    };
    let (traces, done) = match cli.logging.begin(default) {
        Ok(traces) => (traces, done(&cli, &mut output).await),
        Err(error) => (None, Err(error)),
    };
    if let Some(traces) = traces {
        traces.end().await;
    }
    match done {
        Ok(exit) => exit,
        Err(error) => {
            report(&error);
            Exit::of(&error)
        }
    }
}

async fn done(cli: &Cli, output: &mut Output) -> anyhow::Result<Exit> {
    match &cli.verb {
        Verb::Up(verb) => up::up(verb).await,
        Verb::Serve(verb) => up::serve(verb).await,
        Verb::Import(verb) => import::run(verb, output).await,
        Verb::Sample(verb) => sample::run(verb, output),
        Verb::Scenario(verb) => scenario::run(verb, output).await,
        Verb::History(verb) => history::run(verb, output).await,
        Verb::Enrollments(verb) => enrollments::run(verb, output).await,
        Verb::Conflicts(verb) => conflicts::run(verb, output).await,
        Verb::Eligibility(verb) => eligibility::run(verb, output).await,
        Verb::Notices(verb) => notices::run(verb, output).await,
        Verb::Findings(verb) => findings::run(verb, output).await,
        Verb::Authorizations(verb) => authorizations::run(verb, output).await,
        Verb::Reassessments(verb) => reassessments::run(verb, output).await,
        Verb::Clocks(verb) => clocks::run(verb, output).await,
        Verb::Outreach(verb) => outreach::run(verb, output).await,
        Verb::Feed(verb) => feed::run(verb, output).await,
        Verb::Status(verb) => status::run(verb, output).await,
        Verb::Streams(verb) => streams::run(verb, output).await,
        Verb::Rebuild(verb) => rebuild::run(verb, output).await,
        Verb::Dump(verb) => dump::run(verb, output).await,
        Verb::Bench(verb) => bench::run(verb, output).await,
        Verb::Verify(verb) => verify::run(verb, output).await,
        Verb::Restore(verb) => restore::run(verb, output).await,
        Verb::Doctor(verb) => doctor::run(verb, output).await,
        Verb::Identity(verb) => identity::run(verb, output).await,
        Verb::Token(verb) => token::run(verb, output),
        Verb::Rulebook(verb) => rulebook::run(verb, output).await,
        Verb::Schema(verb) => print::schema(verb, output),
        Verb::Openapi => print::openapi(output),
        Verb::Asyncapi => print::asyncapi(output),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::*;

    #[test]
    fn verify_cli() {
        Cli::command().debug_assert();
    }

    fn every_verb(command: &Command, seen: &mut Vec<Command>) {
        for verb in command.get_subcommands() {
            seen.push(verb.clone());
            every_verb(verb, seen);
        }
    }

    #[test]
    fn every_verb_says_what_it_does_and_teaches_by_two_examples() {
        let mut verbs = Vec::new();
        every_verb(&Cli::command(), &mut verbs);
        for verb in verbs {
            let name = verb.get_name().to_owned();
            assert!(verb.get_about().is_some(), "{name} says nothing");
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.matches("\n  rollbook ").count() >= 2, "{name} has no two examples");
        }
    }

    /// The words of a line as a shell takes them: what stands in quotes is one.
    fn words(line: &str) -> Vec<&str> {
        let parts = line.split('"').enumerate();
        parts.flat_map(|(n, part)| if n % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }).collect()
    }

    #[test]
    fn the_examples_are_read_as_they_stand() {
        let mut verbs = vec![Cli::command()];
        every_verb(&Cli::command(), &mut verbs);
        for verb in verbs {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter_map(|line| line.strip_prefix("  rollbook ")) {
                let words = words(line).into_iter().take_while(|word| !["|", ">", "<"].contains(word));
                let parsed = Cli::try_parse_from(std::iter::once("rollbook").chain(words));
                assert!(parsed.is_ok(), "{line}: {}", parsed.map(|_| ()).unwrap_err());
            }
        }
    }
}
