//! `rollbook restore`: the streams built again from their archive.

use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::HumanCount;
use serde_json::{Value, json};

use super::exit::{Exit, Stop};
use super::meter::Meter;
use super::output::Output;
use super::pace::duration;
use super::server::{Attached, Server};
use super::verify::archive;
use crate::archive::restore::{RestoreError, Restored, archived, confirm, restore};
use crate::archive::shelf::ShelfError;
use crate::archive::{Place, Shelf};

const EXAMPLES: &str = "\
Examples:
  rollbook restore --archive /mnt/archive --into ./rollbook-data
  rollbook restore --archive s3://ledger/archive --nats nats://10.0.0.5:4222 --replicas 3

It builds the four streams again in a server that has none, each message at the position it had, with its id and headers, \
reads all of them back, and compares counts and running hashes with the archive's. Killed or cut off, the same command goes \
on from where it was. A stream that holds anything else than the archive is refused and left as it is.

The archive does not hold the ledger's keys: without DATA/ledger.key no CIN leads to its member any more, and without \
DATA/wrapping.keys and the members' own keys nobody can read who anybody is. Keep copies of both, of token.key and tokens.json, and of what \
`rollbook identity backup-keys` writes, apart from the archive; `rollbook identity restore-keys` puts the last one back.";

/// Builds the streams again from their archive, in an empty server
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Restore {
    /// The archive: a folder, or s3://BUCKET/PREFIX
    #[arg(long, env = "ROLLBOOK_ARCHIVE", value_name = "ADDRESS")]
    archive: String,
    /// The data folder to restore into, whose private nats-server is started for as long as this takes
    #[arg(long, value_name = "DIR", conflicts_with = "nats", required_unless_present = "nats")]
    into: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
    /// The outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Restores, and prints what was restored.
///
/// # Errors
/// Where the archive or the server cannot be reached, is damaged, or holds something else.
pub async fn run(asked: &Restore, output: &mut Output) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let Some(place) = archive(Some(&asked.archive), None)? else {
        return Err(Stop::usage("there is nothing to restore from").next("name the archive").into());
    };
    let shelves = shelves(&place).await?;
    let data = asked.into.clone().unwrap_or_default();
    if let Some(into) = &asked.into {
        crate::up::make_folder(into)?;
    }
    let attached = asked.server.start_or_named(&data).await?;
    let restored = restore_all(&attached, &shelves, output).await;
    attached.end().await;
    let streams = restored?;
    let missing = asked.into.as_deref().map(missing_keys).unwrap_or_default();
    if asked.json {
        let seconds = begun.elapsed().as_secs_f64();
        output.line(json!({ "streams": streams, "seconds": seconds, "missing": missing }))?;
    } else {
        let text = |stream: &Value, name: &str| stream.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |stream: &Value, name: &str| stream.get(name).and_then(Value::as_u64).unwrap_or(0);
        for stream in &streams {
            let (messages, there) = (number(stream, "messages"), number(stream, "there_before"));
            let (name, hash) = (text(stream, "stream"), text(stream, "running_hash"));
            output.line(format_args!(
                "{name}: {} messages, {} of them there before; read back and equal, running hash {hash}",
                HumanCount(messages),
                HumanCount(there)
            ))?;
        }
        output.note(format_args!("in {}", duration(begun.elapsed())));
        say_what_is_missing(&missing, &data, output);
    }
    output.flush()?;
    Ok(Exit::Done)
}

/// The archives of the streams, of which the enrollment stream's must hold something.
async fn shelves(place: &std::sync::Arc<dyn Place>) -> anyhow::Result<Vec<(Shelf, u64)>> {
    let mut shelves = Vec::new();
    for spec in crate::log::StreamSpec::ALL {
        let shelf = Shelf::new(place.clone(), spec.name);
        let last = archived(&shelf).await.map_err(stop)?;
        shelves.push((shelf, last.0));
    }
    if shelves.iter().all(|(_, last)| *last == 0) {
        return Err(Stop::usage(format!("{} holds no archive", place.address())).next("name another address").into());
    }
    Ok(shelves)
}

async fn restore_all(attached: &Attached, shelves: &[(Shelf, u64)], output: &Output) -> anyhow::Result<Vec<Value>> {
    let logs = attached.create().await?;
    let mut streams = Vec::new();
    for ((_, log), (shelf, last)) in logs.iter().zip(shelves) {
        let stream = shelf.stream();
        let mut meter = Meter::new(output, format!("restoring {stream}"), "messages", *last);
        let restored = restore(log, shelf, |done| meter.at(done, done)).await;
        meter.finish();
        let restored: Restored = restored.map_err(stop)?;
        let mut meter = Meter::new(output, format!("reading {stream} back"), "messages", *last);
        let confirmed = confirm(log, stream, &restored, |done| meter.at(done, done)).await;
        meter.finish();
        confirmed.map_err(stop)?;
        streams.push(json!({
            "stream": stream,
            "messages": restored.last.0,
            "there_before": restored.there,
            "running_hash": restored.chain.hash().to_string(),
        }));
    }
    Ok(streams)
}

/// How a restoring that stopped ends the program.
fn stop(error: RestoreError) -> anyhow::Error {
    let how = match &error {
        RestoreError::Differs { .. } | RestoreError::Longer { .. } => {
            Stop::no("the streams were not restored").next("restore into an empty data folder or server")
        }
        RestoreError::Shelf { source: ShelfError::Place(_), .. }
        | RestoreError::Log { .. }
        | RestoreError::Append { .. } => {
            Stop::unavailable("the streams were not restored").next("try again: it goes on from where it was")
        }
        RestoreError::Shelf { .. } => Stop::no("the streams were not restored")
            .next("rollbook verify tells which segments are damaged; take them from another copy of the archive"),
        RestoreError::NotEqual { .. } | RestoreError::Settings { .. } => Stop::no("the streams were not restored")
            .next("restore into another server, and look after this one's disk"),
    };
    anyhow::Error::new(error).context(how)
}

/// What no archive holds and a ledger needs.
fn missing_keys(data: &Path) -> Vec<String> {
    let files = ["ledger.key", "token.key", "tokens.json", "wrapping.keys"];
    files.into_iter().filter(|file| !data.join(file).exists()).map(str::to_owned).collect()
}

fn say_what_is_missing(missing: &[String], data: &Path, output: &Output) {
    for file in missing {
        let why = match file.as_str() {
            "ledger.key" => {
                "without it no CIN leads to its member: put your copy there before the ledger starts, for a new key makes strangers of everyone"
            }
            "wrapping.keys" => {
                "without it nobody can read who anybody is: put your copy there, then your last backup of the members' keys (rollbook identity restore-keys)"
            }
            _ => "without it nobody's token is known any more: put your copy there, or issue new ones",
        };
        output.note(format_args!("missing: {}; {why}", data.join(file).display()));
    }
    if data.join("views.db").exists() {
        output.note(format_args!(
            "{} was made from the log that was: delete it unless rollbook verify --views finds it well",
            data.join("views.db").display()
        ));
    }
}
