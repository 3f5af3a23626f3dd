//! `rollbook bench`: how fast it is here, measured side by side with what is possible here at most.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};

use super::exit::{Exit, Stop};
use super::output::Output;
use super::secret::Secret;
use super::table;
use crate::bench::figure::Figure;
use crate::bench::verdict::verdicts;
use crate::bench::{GROWTH, NAMES, Settings, run as measure};

const EXAMPLES: &str = "\
Examples:
  rollbook bench --members 10000
  rollbook bench --members 100000 --json > figures.ndjson
  rollbook bench --only raw_batch,import --members 20000
  rollbook bench --grow --only import,project_sqlite,query_point

It starts a nats-server that flushes always, databases and the ledger's parts in a temporary folder, on loopback, and \
removes them. Files of a sample county are imported; beyond 100,000 members the same lives follow under other pseudonyms. \
A flush to disk costs fortyfold more on one machine or hour than on another: compare figures of one run, as the ratios at \
the end do. PostgreSQL's figures need its programs (initdb, postgres) or --postgres.";

/// Measures the ledger on this machine
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Bench {
    /// Members of the ledger; several sizes with commas, one ledger after the other
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "10000", value_parser = clap::value_parser!(u32).range(20..))]
    members: Vec<u32>,
    /// How each figure grows: from 10,000 to 100,000 to 1,000,000 members
    #[arg(long, conflicts_with = "members")]
    grow: bool,
    /// Which sample county
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// These figures alone
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = PossibleValuesParser::new(NAMES))]
    only: Vec<String>,
    /// A PostgreSQL whose views may be emptied [default: one of its own]
    #[arg(long, value_name = "URL", hide_env_values = true)]
    postgres: Option<Secret>,
    /// The folder of PostgreSQL's programs [default: the newest in /usr/lib/postgresql]
    #[arg(long, env = "ROLLBOOK_TEST_PG_BIN", value_name = "DIR")]
    postgres_bin: Option<PathBuf>,
    /// The nats-server to run [default: the one on PATH]
    #[arg(long, env = "ROLLBOOK_NATS_SERVER", value_name = "PATH")]
    nats_server: Option<PathBuf>,
    /// One JSON line a figure
    #[arg(long)]
    json: bool,
}

/// Measures.
///
/// # Errors
/// Where a server does not start, or something that is measured fails.
pub async fn run(bench: &Bench, output: &mut Output) -> anyhow::Result<Exit> {
    let settings = Settings {
        members: if bench.grow { GROWTH.to_vec() } else { bench.members.clone() },
        seed: bench.seed,
        only: bench.only.clone(),
        postgres: bench.postgres.as_ref().map(|url| url.expose().to_owned()),
        postgres_programs: bench.postgres_bin.iter().cloned().collect(),
        nats_server: bench.nats_server.clone(),
    };
    let bar = (!output.quiet() && std::io::stderr().is_terminal()).then(ProgressBar::new_spinner);
    if let Some(bar) = &bar {
        bar.enable_steady_tick(Duration::from_millis(120));
    }
    let (quiet, figures, json) = (output.quiet(), Mutex::new(Vec::new()), bench.json);
    let say = |text: &str| match &bar {
        Some(bar) => bar.set_message(text.to_owned()),
        None if !quiet => eprintln!("{text}"),
        None => {}
    };
    let mut tell = |figure: Figure| {
        if json {
            output.line(serde_json::to_string(&figure)?)?;
            // Seen at once: the next figure may take minutes.
            output.flush()?;
        }
        if let Ok(mut figures) = figures.lock() {
            figures.push(figure);
        }
        Ok(())
    };
    // Ended from outside, everything that was started ends too, because it is dropped.
    let ended = tokio::select! {
        ended = measure(&settings, &say, &mut tell) => ended,
        () = crate::up::told_to_end() => Err(Stop::no("broken off").into()),
    };
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    ended?;
    let figures = figures.into_inner().unwrap_or_default();
    if !json {
        output.line(told(&figures))?;
    }
    output.note(judged(&figures));
    output.flush()?;
    Ok(Exit::Done)
}

/// The figures as a table: all there is of one ledger, or one column a ledger.
fn told(figures: &[Figure]) -> String {
    let sizes: BTreeSet<u32> = figures.iter().map(|figure| figure.members).collect();
    let rows: Vec<table::Row> =
        if sizes.len() > 1 { growth(figures, &sizes) } else { figures.iter().map(row).collect() };
    table::render(&rows, &[], false)
}

fn row(figure: &Figure) -> table::Row {
    let pace = figure.more.get("at_per_s").map(|pace| format!(" at {pace}")).unwrap_or_default();
    let row = json!({
        "bench": format!("{}{pace}", figure.bench), "per_s": figure.rate().map(f64::round), "p50_ms": figure.p50_ms, "p99_ms": figure.p99_ms,
        "rss_mb": figure.rss_mb, "cpu_s": figure.cpu_s, "n": figure.n,
    });
    if let Value::Object(row) = row { row } else { Map::new() }
}

/// A figure a row, and for each size its rate, its 99th percentile and its memory.
fn growth(figures: &[Figure], sizes: &BTreeSet<u32>) -> Vec<table::Row> {
    let mut rows: Vec<table::Row> = Vec::new();
    let mut names: Vec<Value> = Vec::new();
    for figure in figures {
        let name = row(figure).remove("bench").unwrap_or_default();
        let place = names.iter().position(|known| *known == name).unwrap_or_else(|| {
            names.push(name.clone());
            let mut row = Map::from_iter([("bench".to_owned(), name)]);
            for what in ["per_s", "p99_ms", "rss_mb"] {
                row.extend(sizes.iter().map(|size| (format!("{what}@{size}"), Value::Null)));
            }
            rows.push(row);
            rows.len() - 1
        });
        let values = [
            ("per_s", figure.rate().map(f64::round).into()),
            ("p99_ms", figure.p99_ms.into()),
            ("rss_mb", Value::from(figure.rss_mb)),
        ];
        if let Some(row) = rows.get_mut(place) {
            row.extend(values.map(|(what, value): (&str, Value)| (format!("{what}@{}", figure.members), value)));
        }
    }
    rows
}

/// What the figures come to, for a person.
fn judged(figures: &[Figure]) -> String {
    let rows: Vec<table::Row> = verdicts(figures)
        .into_iter()
        .map(|verdict| {
            let met = if verdict.met { "met" } else { "missed" };
            Map::from_iter([
                ("ratio".to_owned(), Value::from(verdict.what)),
                ("found".to_owned(), Value::from(verdict.found)),
                ("wanted".to_owned(), Value::from(verdict.wanted)),
                ("".to_owned(), Value::from(met)),
            ])
        })
        .collect();
    if rows.is_empty() { String::new() } else { format!("\n{}", table::render(&rows, &[], false)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(bench: &'static str, members: u32, rate: u64) -> Figure {
        Figure::events(bench, members, rate, Duration::from_secs(1))
    }

    #[test]
    fn one_ledger_is_a_row_a_figure_and_several_are_a_column_each() {
        let one = told(&[figure("import", 50, 700), figure("lag", 50, 9).and("at_per_s", 100)]);
        assert!(one.starts_with(" bench       per_s") && one.contains("lag at 100"), "{one}");
        let several = told(&[figure("import", 50, 700), figure("import", 500, 800)]);
        assert!(several.contains("per_s@50") && several.contains("per_s@500") && several.contains("800"), "{several}");
        assert_eq!(several.lines().count(), 2);
    }

    #[test]
    fn a_person_is_told_what_was_missed() {
        let judged = judged(&[figure("import", 50, 100), figure("raw_batch", 50, 1_000)]);
        assert!(judged.contains("import to raw_batch") && judged.contains("missed"), "{judged}");
        assert_eq!(super::judged(&[]), "");
    }
}
