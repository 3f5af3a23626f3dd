//! What became of a row, from what the recorder answered.

use anyhow::anyhow;
use rollbook_events::Hash;
use rollbook_events::intake::{RowOutcome, RowSettled};

use super::quarantine::Line;
use super::rows::{Row, What};
use crate::identity_index::News;
use crate::recorder::{Receipt, RecordError, Recording};

/// What became of a row.
pub(super) struct Outcome {
    pub(super) row: RowSettled,
    raw: String,
    /// Whether it told anything new of its person.
    pub(super) news: bool,
    /// The last position of its events.
    pub(super) position: u64,
}

impl Outcome {
    /// Its line in the quarantine file, where it waits for a person.
    pub(super) fn line(&self, file: &str) -> Option<Line> {
        (self.row.outcome == RowOutcome::Quarantined).then(|| Line {
            file: file.to_owned(),
            row: self.row.row,
            column: self.row.column.clone(),
            reason: self.row.reason.clone().unwrap_or_default(),
            raw: self.raw.clone(),
        })
    }
}

/// What became of a row. Only what may pass is a failure; what is wrong with the row itself is its quarantine.
pub(super) fn outcome(
    row: Row,
    result: Option<(Option<News>, Result<Recording, RecordError>)>,
    file: Hash,
) -> anyhow::Result<Outcome> {
    let quarantined = |row: Row, column: Option<String>, reason: String, news: bool| Outcome {
        row: RowSettled {
            row: row.row,
            outcome: RowOutcome::Quarantined,
            events: Vec::new(),
            column,
            reason: Some(reason),
        },
        raw: row.raw,
        news,
        position: 0,
    };
    let (news, result) = match (&row.what, result) {
        (What::Quarantined(why), _) => {
            let why = why.clone();
            return Ok(quarantined(row, why.column, why.reason, false));
        }
        (What::Statement(_) | What::Submission(_), Some(result)) => result,
        (What::Statement(_) | What::Submission(_), None) => return Err(anyhow!("a row was not answered")),
    };
    let is_news = news == Some(News::New);
    let recording = match result {
        Ok(recording) => recording,
        Err(RecordError::NotSubmitted(why)) => return Ok(quarantined(row, why.column, why.reason, is_news)),
        Err(RecordError::Rejected { rejection, .. }) => {
            let reason = format!("{}: {}", rejection.code, rejection.detail);
            return Ok(quarantined(row, Some(rejection.field), reason, is_news));
        }
        Err(RecordError::TooMany) => {
            return Ok(quarantined(
                row,
                None,
                "too_large: becomes more events than one batch holds".to_owned(),
                is_news,
            ));
        }
        Err(
            error @ (RecordError::Unknown
            | RecordError::Stayed { .. }
            | RecordError::Unavailable { .. }
            | RecordError::Stopped),
        ) => {
            return Err(error.into());
        }
    };
    let here = |receipt: &Receipt| {
        !receipt.known
            || receipt
                .source
                .as_ref()
                .is_some_and(|source| source.file_sha256 == Some(file) && source.row == Some(row.row))
    };
    // A row that was recorded before a kill is recorded, not a duplicate of itself.
    let recorded = recording.receipts.iter().any(here)
        || (recording.receipts.is_empty() && matches!(news, Some(News::New | News::SaidHere)));
    let outcome = if recorded { RowOutcome::Recorded } else { RowOutcome::Duplicate };
    let position = recording.receipts.iter().map(|receipt| receipt.position.0).max().unwrap_or(0);
    let events = recording.receipts.iter().map(|receipt| receipt.id).collect();
    let row_settled = RowSettled { row: row.row, outcome, events, column: None, reason: None };
    Ok(Outcome { row: row_settled, raw: String::new(), news: is_news, position })
}
