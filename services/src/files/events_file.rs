//! A file of submissions, one JSON object a line.

use rollbook_events::{Hash, Source, Submission};

use super::{Quarantine, RawRow, keys};

/// The system a line is from, where it does not say so itself.
const SYSTEM: &str = "events-file";

/// Reads one line as a submission. What it leaves out about where it was read is filled in, and an id where it has none,
/// so that the same file again is the same events.
///
/// # Errors
/// Why it is no submission, with the field as the column.
pub fn read_event_line(row: &RawRow, file: Hash) -> Result<Submission, Quarantine> {
    let mut submission = Submission::parse(row.raw.as_bytes()).map_err(|rejection| Quarantine {
        column: (!rejection.field.is_empty()).then_some(rejection.field),
        reason: format!("{}: {}", rejection.code, rejection.detail),
    })?;
    let (system, external_id) = match submission.source.take() {
        Some(source) => (source.system, source.external_id),
        None => (SYSTEM.to_owned(), None),
    };
    submission.source = Some(Source { system, file_sha256: Some(file), row: Some(row.row), external_id });
    submission.id = submission.id.or_else(|| Some(keys::line(file, row.row)));
    Ok(submission)
}
