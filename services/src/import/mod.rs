//! Importing a file: spooled, read row by row, recorded in chunks, and every row accounted for on `INTAKE`.
//!
//! A chunk is settled in three steps: who people are, what happened, what became of each row. Each step says the same
//! again without harm, so an import that was killed anywhere is begun again after the last settled row and comes to the
//! same end.

mod outcome;
mod purge;
mod quarantine;
mod rows;
mod run;
mod state;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rollbook_events::families::rules::Rules;
use rollbook_events::intake::{FileKind, RowCounts};
use rollbook_events::{Actor, Event, Hash, MemberId, PlanCode};
use rollbook_projections::Rulebook;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::files::Defaults;
use crate::identity_index::IdentityIndex;
use crate::identity_index::destroying::Called;
use crate::ledger_key::LedgerKey;
use crate::log::Log;
use crate::recorder::Recorder;

/// Different reasons that a report lists; what is beyond is counted as others.
const MOST_REASONS: usize = 50;

/// A file that was spooled whole.
#[derive(Debug, Clone)]
pub struct Upload {
    /// What kind of file.
    pub kind: FileKind,
    /// Its own name, without a folder.
    pub name: String,
    /// What it leaves out.
    pub defaults: Defaults,
    /// Where it lies; it is removed once it is done.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: Hash,
    /// How long it is.
    pub bytes: u64,
    /// Who brought it.
    pub actor: Actor,
    /// The one record that its rows may stand in, where it is not any.
    pub only: Option<PlanCode>,
}

/// Where an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Rows are being read.
    Running,
    /// Every row is settled.
    Completed,
    /// It stopped; the same file again goes on where it stopped.
    Failed,
}

/// Rows that were quarantined for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reason {
    /// The column.
    pub column: Option<String>,
    /// Why, without a value.
    pub reason: String,
    /// How many rows.
    pub rows: u64,
}

/// How far an import is; the last one it gives is its report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// The organization that brought it; empty where nothing of it is on `INTAKE` yet.
    #[serde(skip)]
    pub by: String,
    /// SHA-256 of the file: its name on `INTAKE`.
    pub sha256: String,
    /// The file's name.
    pub name: String,
    /// The file's kind.
    pub kind: String,
    /// Where it is.
    pub state: State,
    /// Whether the ledger had this very file whole before: then nothing was done.
    pub already: bool,
    /// Rows settled, by outcome.
    pub rows: u64,
    /// Rows that became events.
    pub recorded: u64,
    /// Rows the ledger already held.
    pub duplicate: u64,
    /// Rows that wait for a person.
    pub quarantined: u64,
    /// Events the recorded rows became.
    pub events: u64,
    /// Identities written.
    pub identities: u64,
    /// Bytes read of the file.
    pub bytes_read: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// The last position written, to ask the views for with `at_least`.
    pub position: u64,
    /// Why rows were quarantined.
    pub reasons: Vec<Reason>,
    /// Where on the server the quarantined rows lie, readable by the ledger's user alone.
    pub quarantine: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Progress {
    fn counts(&self) -> RowCounts {
        RowCounts {
            rows: self.rows,
            recorded: self.recorded,
            duplicate: self.duplicate,
            quarantined: self.quarantined,
            events: self.events,
        }
    }

    fn set_counts(&mut self, counts: RowCounts) {
        self.rows = counts.rows;
        self.recorded = counts.recorded;
        self.duplicate = counts.duplicate;
        self.quarantined = counts.quarantined;
        self.events = counts.events;
    }

    /// Notes rows that wait for a person, and where they lie.
    fn note_waiting(&mut self, path: &Path, lines: &[quarantine::Line]) {
        for line in lines {
            self.note_reason(line.column.as_deref(), &line.reason);
            self.quarantine = Some(path.display().to_string());
        }
    }

    fn note_reason(&mut self, column: Option<&str>, reason: &str) {
        let same = |known: &&mut Reason| known.column.as_deref() == column && known.reason == reason;
        if let Some(known) = self.reasons.iter_mut().find(same) {
            known.rows += 1;
        } else if self.reasons.len() < MOST_REASONS {
            self.reasons.push(Reason { column: column.map(str::to_owned), reason: reason.to_owned(), rows: 1 });
        }
    }
}

/// Why an import could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is none of its kind; the columns it lacks are named.
    #[error("{0}")]
    File(String),
    /// The log could not be read or written.
    #[error("the ledger cannot import now")]
    Unavailable {
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Imports files, one run a file however often it is sent. Cheap to clone.
#[derive(Clone)]
pub struct Importer {
    inner: Arc<Inner>,
}

struct Inner {
    intake: Arc<dyn Log>,
    enrollment: Arc<dyn Log>,
    recorder: Recorder,
    identities: IdentityIndex,
    key: LedgerKey,
    data: PathBuf,
    running: Mutex<HashMap<Hash, watch::Receiver<Progress>>>,
    /// The rulebook that was last in force: to read it again for every file would cost more than a small file does.
    rulebook: Mutex<Option<Arc<Rulebook>>>,
    beginning: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Importer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Importer").finish_non_exhaustive()
    }
}

impl Importer {
    /// An importer over the streams `INTAKE` and `ENROLLMENT` that keeps its spool and its quarantine in a data folder.
    pub fn new(
        [intake, enrollment]: [Arc<dyn Log>; 2],
        recorder: Recorder,
        identities: IdentityIndex,
        key: LedgerKey,
        data: PathBuf,
    ) -> Self {
        let (running, beginning) = (Mutex::new(HashMap::new()), tokio::sync::Mutex::new(()));
        let inner = Inner {
            intake,
            enrollment,
            recorder,
            identities,
            key,
            data,
            running,
            rulebook: Mutex::new(None),
            beginning,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Removes what a killed program left in the spool: its importer will be sent the file again.
    pub fn clear_spool(&self) {
        let Ok(entries) = std::fs::read_dir(self.spool()) else { return };
        entries.filter_map(Result::ok).for_each(|entry| unspool(&entry.path()));
    }

    /// The folder where uploads are spooled, readable by the ledger's user alone.
    pub fn spool(&self) -> PathBuf {
        self.inner.data.join("spool")
    }

    /// Begins an import, or joins the one that runs for the same bytes; a file that is done is answered at once.
    ///
    /// # Errors
    /// Where the file is none of its kind, or the ledger cannot be reached.
    pub async fn import(&self, upload: Upload) -> Result<watch::Receiver<Progress>, ImportError> {
        run::begin(&self.inner, upload).await
    }

    /// Takes what quarantined rows say of these members out of this program's quarantine; how many rows that were. Rows whose
    /// CIN cannot be read are found by name alone.
    ///
    /// # Errors
    /// Where a file cannot be read or written.
    pub async fn purge(&self, members: HashSet<MemberId>, called: Called) -> std::io::Result<u64> {
        let (folder, key) = (self.inner.data.join("quarantine"), self.inner.key.clone());
        let purging = move || {
            let whom = purge::Whom { members: &members, called: &called, key: &key };
            purge::purge(&folder, &whom)
        };
        tokio::task::spawn_blocking(purging).await.map_err(std::io::Error::other)?
    }

    /// What is known of a file by its hash: its report so far.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub async fn report(&self, sha256: Hash) -> Result<Option<Progress>, ImportError> {
        let running = self.inner.running.lock().ok();
        if let Some(progress) = running.and_then(|running| running.get(&sha256).map(|report| report.borrow().clone())) {
            return Ok(Some(progress));
        }
        state::report(&*self.inner.intake, sha256).await
    }
}

impl Inner {
    /// The rulebook in force: the registry of plans stands in it.
    async fn rulebook(&self) -> Result<Arc<Rulebook>, Box<dyn std::error::Error + Send + Sync>> {
        let last = self.enrollment.last("enrollment.rulebook").await?.ok_or("no rulebook was adopted")?;
        let envelope = crate::projector::recorded(&last)?.envelope;
        let Event::Rules(Rules::RulebookAdopted(adopted)) = &envelope.event else {
            return Err(format!("{} stands where the rulebook should", envelope.event.name()).into());
        };
        let last = self.rulebook.lock().ok().and_then(|last| last.clone());
        if let Some(last) = last.filter(|last| last.hash() == adopted.hash) {
            return Ok(last);
        }
        let rulebook = Arc::new(Rulebook::parse(adopted.text.as_str())?);
        if let Ok(mut last) = self.rulebook.lock() {
            *last = Some(rulebook.clone());
        }
        Ok(rulebook)
    }

    fn quarantine_path(&self, sha256: Hash) -> PathBuf {
        self.data.join("quarantine").join(format!("{sha256}.ndjson"))
    }
}

/// Removes a spooled file; one that is gone already is gone.
fn unspool(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(error = %error, "could not remove a spooled file");
    }
}
