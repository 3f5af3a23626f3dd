//! The ledger that every case begins with, and the truth about it, read without the program.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};

use super::views::{self, Tables};
use crate::chaos::tools::ledger::{Program, said};
use crate::chaos::tools::nats::{Nats, Sync};
use crate::chaos::tools::streams::{self, Streams};
use crate::chaos::tools::{copy_folder, text};

/// The kinds of file of a county, in the order plans and providers send them.
const KINDS: [&str; 4] = ["member-information", "outreach-tracker", "return-transmission", "events"];

/// How long the archive and the views may take to hold all that was imported.
const SETTLED: Duration = Duration::from_secs(120);

/// A ledger that was stopped cleanly, and what it holds.
#[derive(Debug)]
pub struct Base {
    /// Its data folder; nobody opens it but to copy it.
    pub data: PathBuf,
    /// The copy of its keys that the runbook wants, made while it ran.
    pub keys: PathBuf,
    /// What its streams hold.
    pub streams: Streams,
    /// What its views' database holds.
    pub tables: Tables,
    /// What the program tells of its views.
    pub dumps: Vec<(String, String)>,
}

impl Base {
    /// Makes one through the program itself: a county of so many people, imported, archived, projected, stopped.
    ///
    /// # Errors
    /// Where the program does not do it.
    pub async fn make(program: &Program, folder: &Path, members: u32, seed: u64) -> anyhow::Result<Self> {
        let (county, data) = (folder.join("county"), folder.join("base"));
        std::fs::create_dir_all(&data)?;
        let (members, seed) = (members.to_string(), seed.to_string());
        program.ok(&data, &["sample", "--members", &members, "--seed", &seed, "--out", text(&county)?])?;
        let ledger = program.up(&data, &[])?.ledger()?;
        for kind in KINDS {
            let mut files: Vec<PathBuf> = std::fs::read_dir(&county)?.filter_map(|e| Some(e.ok()?.path())).collect();
            files.retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().contains(kind)));
            files.sort();
            let mut arguments = vec!["import", kind, "--quiet"];
            for file in &files {
                arguments.push(text(file)?);
            }
            program.ok(&data, &arguments)?;
        }
        ledger.caught_up(SETTLED).await?;
        let dumps = ledger.dumps(program)?;
        let keys = folder.join("identity-keys.ndjson");
        program.ok(&data, &["identity", "backup-keys", text(&keys)?])?;
        ledger.stop()?;
        let base = Self { streams: read_store(&data, folder).await?, tables: views::read(&data)?, dumps, data, keys };
        let verified = program.run(&base.data, &["verify", "--views", "--data", text(&base.data)?])?;
        if !verified.status.success() {
            bail!("the ledger is not whole before any damage: {}", said(&verified));
        }
        for stream in streams::STREAMS {
            let lines = base.streams.get(stream).map_or(0, |stream| stream.lines.len());
            if lines == 0 {
                bail!("the ledger has nothing on {stream}");
            }
        }
        Ok(base)
    }

    /// Events and other messages in all streams.
    pub fn messages(&self) -> usize {
        self.streams.values().map(|stream| stream.lines.len()).sum()
    }
}

/// How often a store is read before it counts as one that cannot be: a loaded machine is no damage.
const READINGS: u32 = 4;

/// Reads what the streams of a data folder hold, from a copy of its store, with a server of one's own.
///
/// # Errors
/// Where the server does not start on it or does not answer, again and again.
pub async fn read_store(data: &Path, scratch: &Path) -> anyhow::Result<Streams> {
    for _ in 1..READINGS {
        if let Ok(read) = read_copy(data, scratch).await {
            return Ok(read);
        }
    }
    read_copy(data, scratch).await
}

async fn read_copy(data: &Path, scratch: &Path) -> anyhow::Result<Streams> {
    let copy = tempfile::tempdir_in(scratch)?;
    let store = copy.path().join("store");
    copy_folder(&data.join("nats/store"), &store)?;
    let nats = Nats::start(&store, copy.path(), Sync::Always)?;
    let client = streams::connect(&nats.url(), None).await?;
    let read = streams::read(&client).await.context("the streams cannot be read")?;
    drop(client);
    drop(nats);
    Ok(read)
}
