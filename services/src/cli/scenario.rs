//! `rollbook scenario`: rule files, run and judged.

use std::path::PathBuf;

use super::client::Connection;
use super::exit::Exit;
use super::folder::Folder;
use super::meter::Meter;
use super::output::Output;
use super::secret::CallersToken;
use crate::scenario::file::Case;
use crate::scenario::pure::Pure;
use crate::scenario::report::{self, Tally};
use crate::scenario::run::{Verdict, Way, run as run_case};
use crate::scenario::server::Server;
use crate::scenario::{Unreadable, find};

const EXAMPLES: &str = "\
Examples:
  rollbook scenario tests/scenarios
  rollbook scenario tests/scenarios/notices --server http://127.0.0.1:8080

A scenario is a TOML file: dated facts in, expected outcomes out. Folders are read with all their *.toml, but for folders \
named `rulebooks`. Without --server nothing is started and nothing is kept.

With --server the facts are recorded in that ledger, about members made up for the run, and stay there: take one that is \
for trying things out. An `at` that lies ahead of today is sent as today, because a ledger refuses what has not happened yet; \
`actor` is the token's. A scenario with a rulebook of its own runs after those without: its rulebook is adopted, and the \
former one again when all are done.

Exit codes: 0 all passed, 1 a case failed, 2 a file cannot be read, 3 the ledger is unavailable.";

/// Runs rule files, and says which cases come out as expected
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Scenario {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run against the ledger at this address
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    #[command(flatten)]
    token: CallersToken,
    #[command(flatten)]
    folder: Folder,
    /// One JSON object a case
    #[arg(long)]
    json: bool,
}

/// Runs the files.
///
/// # Errors
/// Where the ledger is not there; that a case fails or a file cannot be read is the exit code's to say.
pub async fn run(scenario: &Scenario, output: &mut Output) -> anyhow::Result<Exit> {
    let (files, mut unreadable) = find::files(&scenario.paths);
    let mut cases = Vec::with_capacity(files.len());
    for file in files {
        match Case::read(&file) {
            Ok(case) => cases.push(case),
            Err(wrong) => unreadable.push(wrong),
        }
    }
    for wrong in &unreadable {
        name(wrong, scenario.json, output)?;
    }
    let tally = match &scenario.server {
        None => all(&cases, &mut Pure::new()?, scenario.json, output).await?,
        Some(url) => {
            let connection = Connection::to(url.clone(), scenario.token.clone(), scenario.folder.clone());
            let mut server = Server::new(connection.client()?)?;
            if !server.is_built_in().await? {
                output.note("the rulebook of this ledger is not the one this program was built with");
            }
            // Those with a rulebook of their own come last, those with the same one together.
            cases.sort_by_cached_key(|case| case.overlay.as_ref().map(|overlay| overlay.text.clone()));
            let ran = all(&cases, &mut server, scenario.json, output).await;
            server.restore().await?;
            ran?
        }
    };
    if scenario.json {
        output.note(tally.told());
    } else {
        output.line(tally.told())?;
    }
    output.flush()?;
    let failed = if tally.failed > 0 { Exit::No } else { Exit::Done };
    Ok(if unreadable.is_empty() { failed } else { Exit::Usage })
}

fn name(wrong: &Unreadable, json: bool, output: &mut Output) -> anyhow::Result<()> {
    if json {
        output.line(report::unreadable_json(wrong))?;
    }
    super::exit::report(&anyhow::Error::new(wrong.clone()));
    Ok(())
}

async fn all(cases: &[Case], way: &mut impl Way, json: bool, output: &mut Output) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    // On a terminal the lines themselves tell how it comes along.
    let mut meter = (!output.terminal()).then(|| Meter::new(output, "scenarios", "cases", count(cases.len())));
    for (index, case) in cases.iter().enumerate() {
        let verdict: Verdict = run_case(case, way).await?;
        tally.add(&verdict);
        match json {
            true => output.line(report::json(case, &verdict))?,
            false => output.line(report::told(case, &verdict))?,
        }
        match &mut meter {
            Some(meter) => meter.at(count(index + 1), count(index + 1)),
            None => output.flush()?,
        }
    }
    meter.into_iter().for_each(Meter::finish);
    Ok(tally)
}
