//! `rollbook verify`: streams, archive, chains, feed and views compared with one another.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use indicatif::HumanCount;
use rollbook_projections::store::Views;
use serde_json::json;

use super::exit::{Exit, Stop};
use super::folder::Folder;
use super::meter::Meter;
use super::output::Output;
use super::pace::duration;
use super::secret::Secret;
use super::server::{Attached, Server};
use super::wrapping_keys::WrappingKeysFile;
use crate::archive::{Address, Place};
use crate::error_chain::chain;
use crate::identity_keys::{KeyStore, WrappingKeys};
use crate::log::StreamSpec;
use crate::verify::finding::{REBUILD, Report};
use crate::verify::{Wanted, receipt, verify};

const EXAMPLES: &str = "\
Examples:
  rollbook verify
  rollbook verify --views --data /srv/rollbook --archive s3://ledger/archive
  rollbook verify --nats nats://10.0.0.5:4222 --database postgres://reader@db/rollbook --archive /mnt/archive --json

It reads every message of the four streams and looks whether positions run without a gap, whether each can be read and \
names its member's event before it, whether the archive's segments are whole, follow one another and hold the same, and \
whether event_history does; whether each message of the feed is what the log's event at its position says, with the number and \
the receipt of its plan; and whether every sealed identity opens with its member's key, and those that were destroyed have \
none (with --nats that needs a recorder's nkey and --wrapping-keys). --views also folds the whole log anew beside the views and compares every row of every view.

A ledger that runs may go on running. Where none runs, the data folder's nats-server is started for as long as this takes; \
it mends its own indexes as it starts, so copy a damaged folder first where it is to be looked at later.

Exit code 0: all well; 1: something was found, and each finding says where, what, and what to do; 3: the server does not \
answer.";

/// Compares streams, archive, chains, feed and views with one another
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Verify {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    server: Server,
    /// Database of the views, or none to leave them out [default: SQLite in the data folder; with --nats: none]
    #[arg(long, env = "ROLLBOOK_DATABASE", value_name = "URL|none", hide_env_values = true)]
    database: Option<Secret>,
    /// The archive: a folder, s3://BUCKET/PREFIX, or none to leave it out [default: the data folder's; with --nats: none]
    #[arg(long, env = "ROLLBOOK_ARCHIVE", value_name = "ADDRESS|none")]
    archive: Option<String>,
    #[command(flatten)]
    wrapping: WrappingKeysFile,
    /// Fold the whole log anew and compare every row of every view
    #[arg(long)]
    views: bool,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

/// Verifies, and prints what was checked and what was found.
///
/// # Errors
/// Where the server or the archive cannot be reached.
pub async fn run(asked: &Verify, output: &mut Output) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let data = asked.folder.path();
    if asked.server.nats.is_none() && !data.join("nats").is_dir() {
        let what = format!("{} holds no ledger", data.display());
        return Err(Stop::usage(what).next("name the data folder with --data, or a server with --nats").into());
    }
    let place = archive(asked.archive.as_deref(), asked.server.nats.is_none().then_some(data))?;
    // Keys are the recorder's alone.
    let service = if asked.wrapping.named().is_some() { "recorder" } else { "archiver" };
    let attached = asked.server.attach_as(data, service).await?;
    let report = compare(asked, &attached, place, output).await;
    attached.end().await;
    let report = report?;
    if asked.json {
        let told = json!({ "all_well": report.all_well(), "seconds": begun.elapsed().as_secs_f64(), "report": report });
        output.line(told)?;
    } else {
        print(&report, output)?;
        output.note(format_args!("in {}", duration(begun.elapsed())));
    }
    output.flush()?;
    Ok(if report.all_well() { Exit::Done } else { Exit::No })
}

/// The archive asked for, else that of the data folder.
pub(super) fn archive(asked: Option<&str>, data: Option<&Path>) -> anyhow::Result<Option<Arc<dyn Place>>> {
    let address: Address = match (asked, data) {
        (Some("none"), _) | (None, None) => return Ok(None),
        (Some(address), _) => {
            address.parse().with_context(|| Stop::usage(format!("{address} is no address of an archive")))?
        }
        (None, Some(data)) => Address::Folder(data.join("archive")),
    };
    Ok(Some(address.open().context(Stop::usage("the archive's address cannot be used"))?))
}

async fn compare(
    asked: &Verify,
    attached: &Attached,
    archive: Option<Arc<dyn Place>>,
    output: &Output,
) -> anyhow::Result<Report> {
    let streams = attached.open().await?;
    let (views, mut found) = views(asked).await;
    let scratch = match (asked.views, &views) {
        (true, Some(_)) => Some(Scratch::make(asked.folder.path())?),
        _ => None,
    };
    let fold_in = scratch.as_ref().map(|scratch| scratch.0.clone());
    let db = views.as_ref().map(|views| views.live().db());
    let keys = keys(asked, attached).await?;
    let feed = Some(attached.one(StreamSpec::FEED).await?);
    let wanted = Wanted { streams, feed, keys, archive, views: db, fold_in };
    let mut meter: Option<(String, Meter)> = None;
    let mut told = |what: &str, done: u64, all: u64| {
        if meter.as_ref().is_none_or(|(before, _)| before != what) {
            if let Some((_, meter)) = meter.take() {
                meter.finish();
            }
            meter = Some((what.to_owned(), Meter::new(output, what, "events", all)));
        }
        if let Some((_, meter)) = &mut meter {
            meter.at(done, done);
        }
    };
    let mut report = verify(&wanted, &mut told).await;
    if let (Ok(report), None) = (&mut report, &asked.server.nats)
        && let Err(error) = receipt::check(asked.folder.path(), &wanted.streams, report).await
    {
        report.note(format!("the receipt could not be compared: {}", chain(&error)));
    }
    if let Some((_, meter)) = meter {
        meter.finish();
    }
    if let Some(views) = &views {
        views.close().await;
    }
    let mut report = report.context(
        Stop::unavailable("the verification could not be brought to its end")
            .next("see that the server runs, and try again"),
    )?;
    report.found += found.found;
    report.findings.append(&mut found.findings);
    report.notes.append(&mut found.notes);
    Ok(report)
}

/// The keys of identities, where the keys are there that they are wrapped with.
async fn keys(asked: &Verify, attached: &Attached) -> anyhow::Result<Option<KeyStore>> {
    let beside = asked.server.nats.is_none().then(|| asked.wrapping.or_in(asked.folder.path()));
    let Some(path) = asked.wrapping.named().or(beside.filter(|path| path.exists())) else { return Ok(None) };
    let wrapping = WrappingKeys::read(&path).context(Stop::usage("the wrapping keys cannot be used"))?;
    Ok(Some(KeyStore::new(Arc::new(attached.keys().await?), wrapping)))
}

/// The database of the views, where one is asked for; that it cannot be opened is a finding like any other.
async fn views(asked: &Verify) -> (Option<Views>, Report) {
    let mut report = Report::default();
    let file = asked.folder.path().join("views.db");
    let named = |name: &str| name.starts_with("views") && name.ends_with(".db");
    let mut files = std::fs::read_dir(asked.folder.path()).into_iter().flatten().filter_map(Result::ok);
    let any = files.any(|file| file.file_name().to_str().is_some_and(named));
    let address = match (&asked.database, &asked.server.nats) {
        (Some(address), _) if address.expose() == "none" => return (None, report),
        (Some(address), _) => address.expose().to_owned(),
        (None, Some(_)) => {
            report.note("no --database was named: the views were not looked at");
            return (None, report);
        }
        // Opening it would make it.
        (None, None) if !any => {
            report.found(
                "the views",
                format!("{} is not there", file.display()),
                "rollbook up makes them anew from the log",
            );
            return (None, report);
        }
        (None, None) => format!("sqlite://{}", file.display()),
    };
    match Views::open(&address).await {
        Ok(views) => (Some(views), report),
        Err(error) => {
            report.found(
                "the views",
                chain(&error),
                format!("{REBUILD}; or, with the ledger stopped, delete the file"),
            );
            (None, report)
        }
    }
}

/// A folder for the clean fold, gone when this is.
struct Scratch(PathBuf);

impl Scratch {
    fn make(data: &Path) -> anyhow::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let folder = data.join(format!("verify-{}", std::process::id()));
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.with_context(|| format!("could not make {} for the clean fold", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of it is told by its name.
        _ = std::fs::remove_dir_all(&self.0);
    }
}

fn print(report: &Report, output: &mut Output) -> anyhow::Result<()> {
    for checked in &report.checked {
        output.line(format_args!("{}: {} {}", checked.place, HumanCount(checked.count), checked.what))?;
    }
    for note in &report.notes {
        output.line(format_args!("note: {note}"))?;
    }
    for finding in &report.findings {
        output.line(format_args!("FOUND {}: {}\n      next: {}", finding.place, finding.what, finding.next))?;
    }
    let listed = u64::try_from(report.findings.len()).unwrap_or(u64::MAX);
    if report.found > listed {
        output.line(format_args!("and {} findings more", HumanCount(report.found - listed)))?;
    }
    match report.found {
        0 => output.line("all well"),
        found => output.line(format_args!("{} found", HumanCount(found))),
    }
}
