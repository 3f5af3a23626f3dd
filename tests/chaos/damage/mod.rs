//! The corruption campaign, `chaos damage`: a ledger's files rot in a few hundred ways. Whatever has an effect must be reported,
//! nothing may be recorded on top of it, and the runbook must bring everything back.
//!
//! Reading order: [`base`] (the ledger that is hurt, and the truth about it), [`case`] (one way of rotting, and what came of it),
//! [`judge`] (what the rot truly did, decided without the program), [`mend`] (the runbook).

pub mod base;
pub mod case;
pub mod judge;
pub mod mend;
pub mod views;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use futures_util::StreamExt;
use serde_json::json;

use self::base::Base;
use self::case::{Case, Outcome, Up};
use crate::chaos::tools::ledger::Program;
use crate::rollbook;

const EXAMPLES: &str = "\
Examples:
  chaos damage --count 200 --seed 1
  chaos damage --count 1 --seed 1 --from 137     case 137 of that campaign alone

Each case copies a ledger, turns bits, cuts, zeroes or deletes one to three of its files, and looks: does `rollbook verify` report \
it, does `rollbook up` refuse to build on it, does the runbook bring everything back? Exit code 1 where any does not.";

/// Hurts the files of a ledger in many ways, and looks what becomes of it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Damage {
    /// How many cases
    #[arg(long, value_name = "N", default_value_t = 200)]
    count: u64,
    /// What the cases are drawn from
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The first case's number
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,
    /// Cases at once
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// People of the county that the ledger is made of
    #[arg(long, value_name = "N", default_value_t = 300)]
    members: u32,
    /// Count it as a violation, too, where a start records on top of damage that lies where no start looks
    #[arg(long)]
    strict: bool,
    /// The program to try [default: the one beside this]
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// One JSON line a case, and one for all
    #[arg(long)]
    json: bool,
}

/// What came of a campaign.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Whether recording on top of damage is a violation even where no start looks for it.
    pub strict: bool,
    /// Cases run.
    pub cases: u64,
    /// Damage with an effect that `verify` reported.
    pub detected: u64,
    /// Damage without one, by a judge of our own.
    pub harmless: u64,
    /// Damage with an effect that `verify` did not report.
    pub missed: u64,
    /// Damage without an effect that `verify` reported all the same.
    pub cautious: u64,
    /// Starts that were refused, red, whole.
    pub refused: u64,
    /// Starts that came up and recorded nothing.
    pub red: u64,
    /// Starts that recorded with everything there.
    pub whole: u64,
    /// Starts that recorded on top of damage that `verify` reports and no start looks for.
    pub unseen: u64,
    /// Cases after which everything was as before.
    pub restored: u64,
    /// Cases with anything that must not be.
    pub violations: u64,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        self.cases += 1;
        match (outcome.effect.none(), outcome.reported) {
            (false, true) => self.detected += 1,
            (false, false) => self.missed += 1,
            (true, reported) => {
                self.harmless += 1;
                self.cautious += u64::from(reported);
            }
        }
        match &outcome.up {
            Up::Refused(_) => self.refused += 1,
            Up::Red(_) => self.red += 1,
            Up::Whole => self.whole += 1,
            Up::BesideViews(_) | Up::OnTop(_) => self.unseen += 1,
        }
        self.restored += u64::from(outcome.unmended.is_empty());
        self.violations += u64::from(!outcome.violations(self.strict).is_empty());
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "cases": self.cases, "detected": self.detected, "harmless": self.harmless, "missed": self.missed,
            "cautious": self.cautious, "refused": self.refused, "red": self.red, "whole": self.whole,
            "unseen": self.unseen, "restored": self.restored, "violations": self.violations,
        })
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} cases: {} with an effect, reported; {} with an effect, missed;",
            self.cases, self.detected, self.missed
        )?;
        writeln!(
            f,
            "  {} without one (streams and views equal to the truth), {} reported anyway",
            self.harmless, self.cautious
        )?;
        writeln!(
            f,
            "  started on it: {} refused, {} recorded nothing, {} recorded and were whole,",
            self.refused, self.red, self.whole
        )?;
        writeln!(f, "    {} recorded though something lay damaged where no start looks", self.unseen)?;
        write!(f, "  restored to nothing missing: {} of {}; violations: {}", self.restored, self.cases, self.violations)
    }
}

/// Runs a campaign and tells what came of it; whether nothing is wrong.
///
/// # Errors
/// Where something other than the damage is in the way.
#[expect(clippy::print_stdout, reason = "a command's answer goes to stdout")]
pub async fn run(damage: &Damage) -> anyhow::Result<bool> {
    let scratch = tempfile::Builder::new().prefix("rollbook-damage-").tempdir_in(case::scratch())?;
    let program = Program(damage.program.clone().unwrap_or_else(rollbook));
    let begun = Instant::now();
    let base = Base::make(&program, scratch.path(), damage.members, 7).await.context("no ledger to be hurt")?;
    let places = case::places(&base)?;
    eprintln!("a ledger of {} messages in {} files, made in {:?}", base.messages(), places.len(), begun.elapsed());
    let mut tally = Tally { strict: damage.strict, ..Tally::default() };
    let cases = (damage.from..damage.from + damage.count).map(|number| Case::draw(damage.seed, number, &places));
    let running = cases.map(|case| {
        let words = format!("case {}: {}", case.number, case.words());
        let run = case::run(&program, &base, case, scratch.path());
        async move { run.await.with_context(|| words) }
    });
    let mut outcomes = futures_util::stream::iter(running).buffer_unordered(damage.jobs.max(1));
    while let Some(outcome) = outcomes.next().await {
        let outcome = outcome?;
        tally.count(&outcome);
        if damage.json {
            println!("{}", line(&outcome, damage.strict));
        } else {
            eprintln!("{}", words(&outcome, damage.strict));
        }
    }
    if damage.json {
        println!("{}", json!({ "seed": damage.seed, "seconds": begun.elapsed().as_secs(), "tally": tally.json() }));
    } else {
        println!("seed {}, {} s\n{tally}", damage.seed, begun.elapsed().as_secs());
    }
    Ok(tally.violations == 0 && tally.cases > 0)
}

fn words(outcome: &Outcome, strict: bool) -> String {
    let violations = outcome.violations(strict);
    let verdict = match (outcome.effect.none(), outcome.reported) {
        (true, _) => "harmless",
        (false, true) => "detected",
        (false, false) => "MISSED",
    };
    let mut words = format!("{:>4} {verdict:<9} {}", outcome.case.number, outcome.case.words());
    for violation in violations {
        words += &format!("\n     VIOLATION {violation}");
    }
    words
}

fn line(outcome: &Outcome, strict: bool) -> serde_json::Value {
    json!({
        "case": outcome.case.number,
        "wounds": outcome.case.wounds.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "effect": outcome.effect.all().collect::<Vec<_>>(),
        "reported": outcome.reported,
        "said": outcome.said,
        "up": format!("{:?}", outcome.up),
        "violations": outcome.violations(strict),
    })
}
