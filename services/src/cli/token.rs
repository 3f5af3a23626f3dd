//! `rollbook token`: who may call, by tokens that the ledger issues itself.

use anyhow::Context;
use rollbook_events::Sensitivity;
use serde_json::json;

use super::exit::{Exit, Stop};
use super::folder::Folder;
use super::output::Output;
use super::table::{Row, render};
use crate::caller::Role;
use crate::clock;
use crate::tokens::{Kept, List, Local, MOST_DAYS, Whom};

const EXAMPLES: &str = "\
Examples:
  rollbook token issue --name intake --org la-care --role recorder > intake.token
  rollbook token revoke intake

The ledger keeps a list and no token: a token is printed once, and a lost one is revoked and issued anew. A running ledger \
takes up both without a restart. These verbs work on the data folder, so they run on the ledger's own machine. A production \
profile takes none of these tokens.";

/// Issues, lists and revokes the tokens of those who may call
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Token {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Verb {
    /// Makes a token, a signed JWT, and prints it, once
    #[command(after_help = "\
Examples:
  rollbook token issue --name intake --org la-care --role recorder > intake.token
  rollbook token issue --name jdoe --org la-county-dhs --role county --id jane.doe --rights part2,hiv --days 30

Roles: recorder, provider, plan_compliance, plan_reporting, county, auditor, subscriber, operator, owner. An owner may do everything.")]
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
    /// The caller's organization, as in la-care, or a provider's NPI; it stands in every event the caller records
    #[arg(long)]
    org: String,
    /// The role the caller acts in
    #[arg(long)]
    role: Role,
    /// The sensitive events that the caller may see whole, with commas: part2, hiv, minor
    #[arg(long, value_delimiter = ',', value_name = "RIGHTS")]
    rights: Vec<Sensitivity>,
    /// The person or program within the organization [default: the token's name]
    #[arg(long)]
    id: Option<String>,
    /// How many days it holds
    #[arg(long, default_value_t = 90, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_DAYS)))]
    days: u16,
    #[command(flatten)]
    folder: Folder,
}

/// Does what was asked.
///
/// # Errors
/// Where there is no such data folder, or its list cannot be read or written.
pub fn run(token: &Token, output: &mut Output) -> anyhow::Result<Exit> {
    let exit = match &token.verb {
        Verb::Issue(issue) => issued(issue, output),
        Verb::List { json, folder } => listed(*json, folder, output),
        Verb::Revoke { name, folder } => revoked(name, folder, output),
    }?;
    output.flush()?;
    Ok(exit)
}

/// The data folder, which must be there.
fn data(folder: &Folder) -> anyhow::Result<&std::path::Path> {
    let data = folder.path();
    if data.is_dir() {
        return Ok(data);
    }
    let stop = Stop::usage(format!("there is no ledger in {}", data.display()));
    Err(stop.next("name its data folder with --data; `rollbook up` makes one").into())
}

fn issued(issue: &Issue, output: &mut Output) -> anyhow::Result<Exit> {
    let id = issue.id.clone().unwrap_or_else(|| issue.name.clone());
    let mut rights = issue.rights.clone();
    rights.sort_unstable();
    rights.dedup();
    let whom = Whom { org: issue.org.clone(), id, role: issue.role, rights };
    let local = Local::open(data(&issue.folder)?)?;
    let token = local.issue(&issue.name, &whom, issue.days, false, clock::now()).context("no token was issued")?;
    output.line(token)?;
    output.note("this is the only time it is printed; a ledger in production does not take it");
    Ok(Exit::Done)
}

fn listed(as_json: bool, folder: &Folder, output: &mut Output) -> anyhow::Result<Exit> {
    let all = List::of(data(folder)?).all()?;
    let rows: Vec<Row> = all.iter().map(row).collect();
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

fn row(kept: &Kept) -> Row {
    let rights: Vec<&str> = kept.rights.iter().map(|right| right.as_str()).collect();
    // One of the first release is in the list and taken no more.
    let expires = match (&kept.id, kept.expires) {
        (Some(_), Some(expires)) => expires.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        (Some(_) | None, _) => "taken no more: issue it anew".to_owned(),
    };
    let columns = [
        ("name", kept.name.clone()),
        ("org", kept.actor.org.clone()),
        ("id", kept.actor.id.clone()),
        ("role", kept.actor.role.clone()),
        ("rights", rights.join(",")),
        ("expires", expires),
    ];
    columns.into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect()
}

fn revoked(name: &str, folder: &Folder, output: &mut Output) -> anyhow::Result<Exit> {
    if List::of(data(folder)?).revoke(name)? {
        output.note(format_args!("{name} is revoked"));
        return Ok(Exit::Done);
    }
    Err(Stop::no(format!("there is no token named {name}")).next("`rollbook token list` names them all").into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::tokens::Tokens;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        token: Token,
    }

    fn ran(folder: &std::path::Path, arguments: &[&str]) -> anyhow::Result<Exit> {
        let data = ["--data", folder.to_str().unwrap()];
        let line = Line::try_parse_from(["token"].iter().chain(arguments).chain(&data))?;
        run(&line.token, &mut Output::to(std::io::sink()))
    }

    #[tokio::test]
    async fn a_token_is_issued_and_revoked_in_the_data_folder_of_a_running_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let running = Tokens::of(folder.path()).unwrap();
        let whom = Whom { org: "la-care".into(), id: "x".into(), role: Role::Recorder, rights: vec![Sensitivity::Hiv] };
        let token = Local::open(folder.path()).unwrap().issue("x", &whom, 1, false, clock::now()).unwrap();
        let known = running.known(&token, clock::now()).await.unwrap();
        assert!(known.caller.rights.cover(Sensitivity::Hiv) && !known.caller.rights.cover(Sensitivity::Part2));
        assert_eq!(ran(folder.path(), &["revoke", "x"]).unwrap(), Exit::Done);
        assert!(running.known(&token, clock::now()).await.is_err());

        let issue = ["issue", "--name", "intake", "--org", "la-care", "--role", "recorder", "--rights", "part2,minor"];
        assert_eq!(ran(folder.path(), &issue).unwrap(), Exit::Done);
        let kept = List::of(folder.path()).all().unwrap()[0].clone();
        assert_eq!((kept.actor.id.as_str(), kept.rights.len()), ("intake", 2));
        assert_eq!(Exit::of(&ran(folder.path(), &issue).unwrap_err()), Exit::Usage);
        assert_eq!(ran(folder.path(), &["revoke", "intake"]).unwrap(), Exit::Done);
        assert_eq!(Exit::of(&ran(folder.path(), &["revoke", "intake"]).unwrap_err()), Exit::No);
        assert_eq!(Exit::of(&ran(&folder.path().join("none"), &["list"]).unwrap_err()), Exit::Usage);
    }

    #[test]
    fn a_list_of_the_first_release_is_read_and_its_tokens_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let old = json!([{ "name": "intake", "actor": { "org": "la-care", "id": "intake", "role": "analyst" }, "sha256": "0".repeat(64) }]);
        std::fs::write(folder.path().join("tokens.json"), old.to_string()).unwrap();
        assert_eq!(ran(folder.path(), &["list"]).unwrap(), Exit::Done);
        let issue = ["issue", "--name", "other", "--org", "la-care", "--role", "recorder"];
        assert_eq!(ran(folder.path(), &issue).unwrap(), Exit::Done);
        let all = List::of(folder.path()).all().unwrap();
        assert_eq!(all.iter().map(row).filter(|row| row["expires"] == "taken no more: issue it anew").count(), 1);
        assert_eq!(all.len(), 2);
    }
}
