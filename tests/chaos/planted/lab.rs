//! What probes and environments have in common: events that any ledger takes, and small ledgers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::chaos::tools::ledger::{Ledger, Program};
use crate::chaos::tools::nats::Nats;
use crate::chaos::tools::text;

/// How long a small ledger may take for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An event about a member of its own.
pub fn event(number: u64) -> Value {
    json!({ "kind": "member_looked_up", "member": format!("0b0b0b0b-0b0b-8b0b-8b0b-{number:012x}"), "plan": "la-care",
            "county": "los-angeles", "occurred_at": "2024-02-01", "data": { "system": "hmis" } })
}

/// Records events one by one, and gives the positions that were acknowledged.
///
/// # Errors
/// Where the ledger does not answer at all.
pub async fn record(ledger: &Ledger, numbers: std::ops::Range<u64>) -> anyhow::Result<Vec<u64>> {
    let mut positions = Vec::new();
    for number in numbers {
        let (code, answer) = ledger.post("/v1/events", &event(number)).await?;
        if code == 201 {
            positions.extend(answer.get("position").and_then(Value::as_u64));
        }
    }
    Ok(positions)
}

/// The options by which a part reaches a server, blind for how it flushes unless `told`.
pub fn options(nats: &Nats, database: &str, told: bool) -> Vec<String> {
    let mut options = vec!["--nats".to_owned(), nats.url(), "--database".to_owned(), database.to_owned()];
    if told {
        options.extend(["--monitoring".to_owned(), nats.monitoring_url()]);
    }
    options.extend(["--create-streams", "--least-free", "1MB", "--least-free-percent", "0"].map(str::to_owned));
    options
}

/// A SQLite database in a folder.
pub fn sqlite(folder: &Path, name: &str) -> String {
    format!("sqlite://{}", folder.join(name).display())
}

/// Starts a part.
///
/// # Errors
/// Where it refuses.
pub fn part(program: &Program, data: &Path, part: &str, options: &[String]) -> anyhow::Result<Ledger> {
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    program.start(data, &["serve", part], &options)?.ledger()
}

/// Imports a small county's member information into a running ledger.
///
/// # Errors
/// Where the program does not.
pub async fn county(program: &Program, ledger: &Ledger, folder: &Path) -> anyhow::Result<()> {
    let county = folder.join("county");
    program.ok(ledger.data(), &["sample", "--members", "150", "--seed", "11", "--out", text(&county)?])?;
    let files = std::fs::read_dir(&county)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = files.filter(|file| file.to_string_lossy().contains("member-information")).collect();
    files.sort();
    let mut arguments = vec!["import", "member-information", "--quiet"];
    for file in files.iter().take(12) {
        arguments.push(text(file)?);
    }
    program.ok(ledger.data(), &arguments)?;
    ledger.caught_up(PATIENCE).await.map(drop)
}

/// The largest file of a kind in a folder.
///
/// # Errors
/// Where there is none.
pub fn largest(folder: &Path, named: &str) -> anyhow::Result<PathBuf> {
    let mut waiting = vec![folder.to_owned()];
    let mut found: Vec<(u64, PathBuf)> = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                waiting.push(entry.path());
            } else if entry.path().to_string_lossy().contains(named) {
                found.push((entry.metadata()?.len(), entry.path()));
            }
        }
    }
    let Some((_, path)) = found.into_iter().max() else { bail!("{} has no {named}", folder.display()) };
    Some(path).context("no file")
}
