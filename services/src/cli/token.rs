//! `rollbook token`: who may call.

use anyhow::Context;
use rollbook_events::Actor;
use serde_json::json;

use super::exit::{Exit, Stop};
use super::folder::Folder;
use super::output::Output;
use super::table::{Row, render};
use crate::tokens::Tokens;

const EXAMPLES: &str = "\
Examples:
  rollbook token issue --name intake --org la-care --role recorder > intake.token
  rollbook token revoke intake

The ledger keeps a token's hash alone: it is printed once, and a lost one is revoked and issued anew. A running ledger \
takes up both without a restart. These verbs work on the data folder, so they run on the ledger's own machine.";

/// Issues, lists and revokes the tokens of those who may call
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Token {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Verb {
    /// Makes a token and prints it, once
    #[command(after_help = "\
Examples:
  rollbook token issue --name intake --org la-care --role recorder > intake.token
  rollbook token issue --name jdoe --org la-county-dhs --role analyst --id jane.doe --data /srv/rollbook")]
    Issue(Issue),
    /// Lists the tokens: names and callers, no token
    #[command(after_help = "Examples:\n  rollbook token list\n  rollbook token list --json --data /srv/rollbook")]
    List {
        /// A JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        folder: Folder,
    },
    /// Takes a token away, at once
    #[command(
        after_help = "Examples:\n  rollbook token revoke intake\n  rollbook token revoke jdoe --data /srv/rollbook"
    )]
    Revoke {
        /// The token's name
        name: String,
        #[command(flatten)]
        folder: Folder,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct Issue {
    /// What an operator calls it
    #[arg(long)]
    name: String,
    /// The caller's organization, as in la-care; it stands in every event the caller records
    #[arg(long)]
    org: String,
    /// The role the caller acts in
    #[arg(long)]
    role: String,
    /// The person or program within the organization [default: the token's name]
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    folder: Folder,
}

/// Issues, lists or revokes.
///
/// # Errors
/// Where the data folder is none, or cannot be written.
pub fn run(token: &Token, output: &mut Output) -> anyhow::Result<Exit> {
    let exit = match &token.verb {
        Verb::Issue(issue) => issued(issue, output),
        Verb::List { json, folder } => listed(*json, folder, output),
        Verb::Revoke { name, folder } => revoked(name, folder, output),
    }?;
    output.flush()?;
    Ok(exit)
}

fn tokens(folder: &Folder) -> anyhow::Result<Tokens> {
    let data = folder.path();
    if data.is_dir() {
        return Ok(Tokens::of(data));
    }
    let stop = Stop::usage(format!("there is no ledger in {}", data.display()));
    Err(stop.next("name its data folder with --data; `rollbook up` makes one").into())
}

fn issued(issue: &Issue, output: &mut Output) -> anyhow::Result<Exit> {
    let id = issue.id.clone().unwrap_or_else(|| issue.name.clone());
    let actor = Actor { org: issue.org.clone(), id, role: issue.role.clone() };
    let token = tokens(&issue.folder)?.issue(&issue.name, actor).context("no token was issued")?;
    output.line(token)?;
    output.note("this is the only time it is printed");
    Ok(Exit::Done)
}

fn listed(as_json: bool, folder: &Folder, output: &mut Output) -> anyhow::Result<Exit> {
    let mut rows = Vec::new();
    for kept in tokens(folder)?.list()? {
        let columns = [("name", kept.name), ("org", kept.actor.org), ("id", kept.actor.id), ("role", kept.actor.role)];
        rows.push(columns.into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect::<Row>());
    }
    if as_json {
        for row in rows {
            output.line(serde_json::to_string(&row)?)?;
        }
    } else if rows.is_empty() {
        output.line("no tokens")?;
    } else {
        output.line(render(&rows, &[], output.terminal()))?;
    }
    Ok(Exit::Done)
}

fn revoked(name: &str, folder: &Folder, output: &mut Output) -> anyhow::Result<Exit> {
    if tokens(folder)?.revoke(name)? {
        output.note(format_args!("{name} is revoked"));
        return Ok(Exit::Done);
    }
    Err(Stop::no(format!("there is no token named {name}")).next("`rollbook token list` names them all").into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        token: Token,
    }

    fn ran(folder: &std::path::Path, arguments: &[&str]) -> anyhow::Result<Exit> {
        let data = ["--data", folder.to_str().unwrap()];
        let line = Line::parse_from(["token"].iter().chain(arguments).chain(&data));
        run(&line.token, &mut Output::to(std::io::sink()))
    }

    #[test]
    fn a_token_is_issued_and_revoked_in_the_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let issue = ["issue", "--name", "intake", "--org", "la-care", "--role", "recorder"];
        assert_eq!(ran(folder.path(), &issue).unwrap(), Exit::Done);
        assert_eq!(Tokens::of(folder.path()).list().unwrap()[0].actor.id, "intake");
        assert_eq!(Exit::of(&ran(folder.path(), &issue).unwrap_err()), Exit::Usage);
        assert_eq!(ran(folder.path(), &["revoke", "intake"]).unwrap(), Exit::Done);
        assert_eq!(Exit::of(&ran(folder.path(), &["revoke", "intake"]).unwrap_err()), Exit::No);
        assert_eq!(Exit::of(&ran(&folder.path().join("none"), &["list"]).unwrap_err()), Exit::Usage);
    }
}
