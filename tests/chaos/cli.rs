//! `chaos run`, `chaos list`, `chaos damage`.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Parser, Subcommand};
use futures_util::StreamExt;

use super::plan::Plan;
use super::run::{self, Report};
use super::{check, faults};

const EXAMPLES: &str = "\
Examples:
  chaos run --seeds 1..100
  chaos run --seed 17 --verbose --keep /tmp/chaos
  chaos run --seeds 1..20 --fault kill-nats --json
  chaos run --plan tests/chaos/bugbase/NAME.toml
  chaos list

A run is one ledger of real processes on loopback, clients that record and ask, faults that strike, a healing, and every
invariant checked. The same seed is the same plan. Exit codes: 0 all hold, 1 one is violated, 2 bad usage.";

/// Breaks ledgers on purpose, and looks whether every promise holds
#[derive(Debug, Parser)]
#[command(name = "chaos", after_help = EXAMPLES, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Runs seeds, one JSON line each with --json
    Run(Run),
    Damage(super::damage::Damage),
    Planted(super::planted::Planted),
    /// Lists the faults and the invariants
    List,
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Seeds from the first to the last, as in 1..500
    #[arg(long, value_name = "FIRST..LAST")]
    seeds: Option<Seeds>,
    /// One seed
    #[arg(long, value_name = "SEED", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Plans from files, as bugbase/ holds them
    #[arg(long, value_name = "FILE", num_args = 1..)]
    plan: Vec<PathBuf>,
    /// This fault alone
    #[arg(long, value_name = "NAME")]
    fault: Option<String>,
    /// Runs at once
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// A JSON line a run
    #[arg(long)]
    json: bool,
    /// Where to leave the files of a run that violates something
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// The plan of each run, before it
    #[arg(long)]
    verbose: bool,
}

#[derive(Debug, Clone)]
struct Seeds(RangeInclusive<u64>);

impl FromStr for Seeds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once("..").ok_or("expected FIRST..LAST, as in 1..500")?;
        let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
        Ok(Self(number(first)?..=number(last.trim_start_matches('='))?))
    }
}

/// A plan that once found something, and what.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Bug {
    /// One sentence.
    pub why: String,
    /// The run.
    pub plan: Plan,
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::List => {
            list();
            Ok(true)
        }
        Verb::Run(verb) => until_told(run_all(&verb)),
        Verb::Damage(verb) => until_told(in_words(super::damage::run(&verb))),
        Verb::Planted(verb) => until_told(in_words(super::planted::run(&verb))),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

/// Does it, or ends when it is told to; everything that was started ends with what holds it.
fn until_told(doing: impl Future<Output = Result<bool, String>>) -> Result<bool, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::select! {
            done = doing => done,
            () = told_to_end() => Err("interrupted".to_owned()),
        }
    })
}

async fn in_words(doing: impl Future<Output = anyhow::Result<bool>>) -> Result<bool, String> {
    doing.await.map_err(|error| format!("{error:#}"))
}

async fn told_to_end() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[expect(clippy::print_stdout, reason = "a list for a person")]
fn list() {
    println!("Faults");
    for fault in faults::ALL {
        println!("  {:<20} {}", fault.name(), fault.about());
    }
    println!("\nInvariants");
    for check in check::ALL {
        println!("  {:<20} {}", check.invariant, check.about);
    }
    println!("  {:<20} after the healing new commands succeed and are shown within {} s", "I13", run::HEALED.as_secs());
    println!("  {:<20} nobody's name, number or token stands in a log", "I15");
}

async fn run_all(verb: &Run) -> Result<bool, String> {
    let mut plans = Vec::new();
    for path in &verb.plan {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let bug: Bug = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        plans.push(bug.plan);
    }
    let seeds = match (&verb.seeds, verb.seed) {
        (Some(Seeds(seeds)), _) => seeds.clone(),
        (None, Some(seed)) => seed..=seed,
        (None, None) if !plans.is_empty() => RangeInclusive::new(1, 0),
        (None, None) => return Err("name --seeds, --seed or --plan".to_owned()),
    };
    for seed in seeds {
        plans.push(Plan::of(seed, verb.fault.as_deref())?);
    }
    let (mut violated, mut skipped, all) = (0, 0, plans.len());
    let mut reports = futures_util::stream::iter(plans)
        .map(|plan| {
            if verb.verbose {
                eprintln!("{}", toml::to_string(&plan).unwrap());
            }
            one(plan, verb.keep.clone())
        })
        .buffer_unordered(verb.jobs.max(1));
    while let Some(report) = reports.next().await {
        violated += u32::from(report.verdict == "violated");
        skipped += u32::from(report.verdict == "skipped");
        tell(&report, verb.json);
    }
    eprintln!("{all} runs, {violated} violated, {skipped} skipped");
    Ok(violated == 0)
}

/// A run in a task of its own, so that a fault of the suite itself ends one run and not all.
async fn one(plan: Plan, keep: Option<PathBuf>) -> Report {
    tokio::spawn(run::run(plan.clone(), keep)).await.unwrap_or_else(|error| Report::broken(&plan, &error.to_string()))
}

#[expect(clippy::print_stdout, reason = "a line a run, for a person or a machine")]
fn tell(report: &Report, json: bool) {
    if json {
        println!("{}", serde_json::to_string(report).unwrap());
        return;
    }
    let [start, work, heal, check] = report.ms;
    println!(
        "seed {:>4} {:<9} {:<14} ok {:>3} failed {:>3} unknown {:>3} events {:>4} restarts {:>2} {start}+{work}+{heal}+{check} ms {:?}",
        report.seed,
        report.verdict,
        report.shape,
        report.ok,
        report.failed,
        report.unknown,
        report.events,
        report.restarts,
        report.faults
    );
    for violation in &report.violations {
        println!("    {violation}");
    }
}
