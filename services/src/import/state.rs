//! Where a file stands, as its last event on `INTAKE` says.

use rollbook_events::Hash;
use rollbook_events::intake::{IntakeEvent, RowCounts};

use super::{ImportError, Progress, State};
use crate::log::Log;

/// Where a file stands.
#[derive(Debug, Clone)]
pub(super) enum Stand {
    /// It never came in.
    New,
    /// It came in, and these rows of it are settled.
    Partly { settled: u32, counts: RowCounts },
    /// All of it is settled.
    Whole { counts: RowCounts },
}

/// The subject of a file's events.
pub(super) fn subject(sha256: Hash) -> String {
    format!("intake.{sha256}")
}

/// Where a file stands.
pub(super) async fn stand(intake: &dyn Log, sha256: Hash) -> Result<Stand, ImportError> {
    let unavailable = |source: Box<dyn std::error::Error + Send + Sync>| ImportError::Unavailable { source };
    let last = intake.last(&subject(sha256)).await.map_err(|error| unavailable(Box::new(error)))?;
    let Some(last) = last else { return Ok(Stand::New) };
    match serde_json::from_slice(&last.body).map_err(|error| unavailable(Box::new(error)))? {
        IntakeEvent::FileReceived { .. } => Ok(Stand::Partly { settled: 0, counts: RowCounts::default() }),
        IntakeEvent::RowsSettled { rows, counts, .. } => {
            Ok(Stand::Partly { settled: rows.last().map_or(0, |row| row.row), counts })
        }
        IntakeEvent::FileCompleted { counts, .. } => Ok(Stand::Whole { counts }),
    }
}

/// The organization that brought a file, where it ever came in.
pub(super) async fn by(intake: &dyn Log, sha256: Hash) -> Result<Option<String>, ImportError> {
    let unavailable = |source: Box<dyn std::error::Error + Send + Sync>| ImportError::Unavailable { source };
    let first = intake.first(&subject(sha256)).await.map_err(|error| unavailable(Box::new(error)))?;
    let Some(first) = first else { return Ok(None) };
    match serde_json::from_slice(&first.body).map_err(|error| unavailable(Box::new(error)))? {
        IntakeEvent::FileReceived { by, .. } => Ok(by.split('/').next().map(str::to_owned)),
        // What came before was lost, so that it is nobody's.
        IntakeEvent::RowsSettled { .. } | IntakeEvent::FileCompleted { .. } => Ok(Some(String::new())),
    }
}

/// The report of a file, where it ever came in.
pub(super) async fn report(intake: &dyn Log, sha256: Hash) -> Result<Option<Progress>, ImportError> {
    let (state, counts) = match stand(intake, sha256).await? {
        Stand::New => return Ok(None),
        Stand::Partly { counts, .. } => (State::Failed, counts),
        Stand::Whole { counts } => (State::Completed, counts),
    };
    let mut progress = blank(sha256);
    progress.by = by(intake, sha256).await?.unwrap_or_default();
    progress.state = state;
    progress.set_counts(counts);
    Ok(Some(progress))
}

/// A report that says nothing yet.
pub(super) fn blank(sha256: Hash) -> Progress {
    Progress {
        by: String::new(),
        sha256: sha256.to_string(),
        name: String::new(),
        kind: String::new(),
        state: State::Running,
        already: false,
        rows: 0,
        recorded: 0,
        duplicate: 0,
        quarantined: 0,
        events: 0,
        identities: 0,
        bytes_read: 0,
        bytes: 0,
        position: 0,
        reasons: Vec::new(),
        quarantine: None,
        error: None,
    }
}
