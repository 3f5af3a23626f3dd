//! Whether a planted fault is seen.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

use super::{environments, probes};
use crate::chaos::tools::ledger::{Program, said};
use crate::rollbook;

/// Runs after which a fault counts as missed.
const MOST_SEEDS: u64 = 20;
/// Runs made at once.
const AT_ONCE: u64 = 2;

/// Who must see a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Seeded runs under a fault of the suite: one of these invariants must be violated.
    Runs {
        /// The fault's name.
        fault: &'static str,
        /// As in `I1`.
        invariants: &'static [&'static str],
    },
    /// The recorder refuses a server that flushes lazily; one that is not told of it loses what it acknowledged.
    LazyFlush,
    /// Views that were told of are gone after a power cut.
    PostgresFlush,
    /// The program refuses the server.
    OldServer,
    /// Views are projected past a hole.
    HoleInTheLog,
    /// What a person is called stands in a log.
    NameInALog,
    /// A denial has no determination beside it.
    Determined,
    /// The archive is not what the stream is.
    ArchiveWhole,
    /// A stream that has lost its end is recorded upon.
    ShorterThanAcknowledged,
    /// A segment that rots is not reported.
    SegmentRots,
}

/// What came of watching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It was seen; how.
    Yes(String),
    /// It was not; what was looked at.
    No(String),
    /// This machine lacks what it takes.
    Skipped(String),
}

/// What a probe finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probed {
    /// The promise is broken; how.
    Broken(String),
    /// It holds.
    Kept,
}

/// Looks whether a fault is seen: with the program it is planted in, or in an environment of its own.
///
/// # Errors
/// Where something else than the fault is in the way.
pub async fn watch(watch: &Watch, planted: Option<Program>) -> anyhow::Result<Seen> {
    let sound = Program(rollbook());
    let planted = planted.unwrap_or_else(|| sound.clone());
    Ok(match watch {
        Watch::Runs { fault, invariants } => runs(&planted, fault, invariants)?,
        Watch::LazyFlush => environments::lazy_flush(&sound).await?,
        Watch::PostgresFlush => environments::postgres_flush(&sound).await?,
        Watch::OldServer => environments::old_server(&sound).await?,
        Watch::HoleInTheLog => told(probes::hole(&planted).await?, probes::hole(&sound).await?)?,
        Watch::NameInALog => told(probes::names(&planted).await?, probes::names(&sound).await?)?,
        Watch::Determined => told(probes::determined(&planted).await?, probes::determined(&sound).await?)?,
        Watch::ArchiveWhole => told(probes::archive(&planted, &sound).await?, probes::archive(&sound, &sound).await?)?,
        Watch::ShorterThanAcknowledged => told(probes::shorter(&planted).await?, probes::shorter(&sound).await?)?,
        Watch::SegmentRots => told(probes::rotten(&planted, &sound).await?, probes::rotten(&sound, &sound).await?)?,
    })
}

/// A probe that finds fault with the sound program as well has seen nothing.
fn told(planted: Probed, sound: Probed) -> anyhow::Result<Seen> {
    match (planted, sound) {
        (_, Probed::Broken(how)) => bail!("the program without the fault breaks the promise, too: {how}"),
        (Probed::Broken(how), Probed::Kept) => Ok(Seen::Yes(how)),
        (Probed::Kept, Probed::Kept) => Ok(Seen::No("the promise holds all the same".to_owned())),
    }
}

/// Seeded runs of this very suite, beside the planted program, until one of the invariants is violated; the same seed must
/// violate none of them with the program as it is.
fn runs(planted: &Program, fault: &str, invariants: &[&str]) -> anyhow::Result<Seen> {
    let own = std::env::current_exe()?;
    let suite = beside(&planted.0)?;
    let mut first = 1;
    while first <= MOST_SEEDS {
        match violated(&suite, fault, first..first + AT_ONCE, invariants)? {
            Violated::No => first += AT_ONCE,
            Violated::Skipped(why) => return Ok(Seen::Skipped(why)),
            Violated::By { seed, what } => {
                if suite != own
                    && let Violated::By { what, .. } = violated(&own, fault, seed..seed + 1, invariants)?
                {
                    bail!("seed {seed} is violated without the fault, too: {what}");
                }
                return Ok(Seen::Yes(format!("seed {seed}: {what}")));
            }
        }
    }
    Ok(Seen::No(format!("{MOST_SEEDS} runs under {fault} violate none of {}", invariants.join(", "))))
}

/// What came of some seeds.
enum Violated {
    By { seed: u64, what: String },
    Skipped(String),
    No,
}

fn violated(suite: &Path, fault: &str, seeds: std::ops::Range<u64>, of: &[&str]) -> anyhow::Result<Violated> {
    let (jobs, seeds) = (AT_ONCE.to_string(), format!("{}..{}", seeds.start, seeds.end - 1));
    let mut command = Command::new(suite);
    command.args(["run", "--json", "--fault", fault, "--seeds", &seeds, "--jobs", &jobs]).stdin(Stdio::null());
    let output = command.output().context("the suite cannot be run")?;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let report: Value = serde_json::from_str(line).with_context(|| said(&output))?;
        let violations = report.get("violations").and_then(Value::as_array).cloned().unwrap_or_default();
        if report.get("verdict").and_then(Value::as_str) == Some("skipped") {
            return Ok(Violated::Skipped(violations.first().map(ToString::to_string).unwrap_or_default()));
        }
        let mut texts = violations.iter().filter_map(Value::as_str);
        if let Some(text) = texts.find(|text| of.iter().any(|of| text.starts_with(&format!("{of}:")))) {
            let seed = report.get("seed").and_then(Value::as_u64).context("a report without a seed")?;
            return Ok(Violated::By { seed, what: text.to_owned() });
        }
    }
    Ok(Violated::No)
}

/// The suite finds the program beside itself, so it is put there.
fn beside(program: &Path) -> anyhow::Result<std::path::PathBuf> {
    let own = std::env::current_exe()?;
    if program == rollbook() {
        return Ok(own);
    }
    let suite = program.with_file_name("chaos");
    std::fs::copy(own, &suite)?;
    Ok(suite)
}
