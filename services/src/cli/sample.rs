//! `rollbook sample`: a made-up county, as files.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{HumanCount, ProgressBar};

use super::exit::{Exit, Stop};
use super::meter::PLAIN_EVERY;
use super::output::Output;
use crate::sample::{FileKind, Settings, Written, write_county};

const EXAMPLES: &str = "\
Examples:
  rollbook sample --members 5000 --seed 1 --out county
  rollbook sample --members 200000 --seed 7 --out big --force

The people are made up and obviously so. The files are what several plans would send, with their mess: other headers, \
repeats, late and corrected facts. truth.json says what a ledger must answer that read them all. One seed is one county for \
ever.";

/// Writes a made-up county as the files that plans send, and what is true of it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Sample {
    /// How many people live in it
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    members: u32,
    /// Which county
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The folder to write to; it is made
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write into a folder that holds something already
    #[arg(long)]
    force: bool,
}

/// Writes the county.
///
/// # Errors
/// Where the folder holds something already, or a file cannot be written.
pub fn run(sample: &Sample, output: &mut Output) -> anyhow::Result<Exit> {
    if !sample.force {
        empty(&sample.out)?;
    }
    let bar = (!output.quiet() && std::io::stderr().is_terminal()).then(ProgressBar::new_spinner);
    if let Some(bar) = &bar {
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_message("simulating");
    }
    let settings = Settings { members: sample.members, seed: sample.seed, out: sample.out.clone() };
    let (mut files, mut last) = (0, Instant::now());
    let written = write_county(&settings, &mut |name| {
        files += 1;
        if let Some(bar) = &bar {
            bar.set_message(Cow::Owned(format!("{files} files, the last one {name}")));
        } else if last.elapsed() >= PLAIN_EVERY {
            last = Instant::now();
            output.note(format_args!("{files} files, the last one {name}"));
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    told(&written?, &sample.out, output)?;
    Ok(Exit::Done)
}

fn empty(out: &Path) -> anyhow::Result<()> {
    let mut entries = match std::fs::read_dir(out) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("could not look into {}", out.display()))?,
    };
    if entries.next().is_none() {
        return Ok(());
    }
    let stop = Stop::usage(format!("{} holds something already", out.display()));
    Err(stop.next("name another folder, or give --force to write into this one").into())
}

fn told(written: &Written, out: &Path, output: &mut Output) -> anyhow::Result<()> {
    for kind in [FileKind::MemberInformation, FileKind::OutreachTracker, FileKind::ReturnTransmission, FileKind::Events]
    {
        let of_kind = || written.files.iter().filter(|(of, _, _)| *of == kind);
        let rows: u64 = of_kind().map(|(_, _, rows)| rows).sum();
        output.line(format_args!("{:>4} {} files, {} rows", of_kind().count(), kind.name(), HumanCount(rows)))?;
    }
    output.line(format_args!("truth in {}", written.truth.display()))?;
    output.flush()?;
    let name = FileKind::MemberInformation.name();
    output.note(format_args!("load them kind by kind, as in: rollbook import {name} {}/*-{name}-*", out.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(empty(folder.path()).is_ok() && empty(&folder.path().join("new")).is_ok());
        std::fs::write(folder.path().join("a.csv"), "mine").unwrap();
        assert_eq!(Exit::of(&empty(folder.path()).unwrap_err()), Exit::Usage);
    }
}
