//! Reading the rows of a file ahead of their recording, in a thread of its own: reading a file blocks.

use std::sync::Arc;

use rollbook_events::identity::{Identity, IdentitySource};
use rollbook_events::intake::FileKind;
use rollbook_events::{Hash, MemberId, PlanCode, Subject, Submission, Whom};
use rollbook_projections::Rulebook;
use tokio::sync::mpsc;

use super::Upload;
use crate::files::{self, FileError, FileReader, RawRow, Repeats, Statement};
use crate::identity_index::Told;
use crate::ledger_key::LedgerKey;
use crate::recorder::{NotSubmitted, Work};

/// Rows of one chunk, which are settled together.
pub(super) const ROWS_IN_A_CHUNK: usize = rollbook_events::intake::MOST_ROWS_SETTLED;

/// A row as it was read.
pub(super) struct Row {
    pub(super) row: u32,
    pub(super) raw: String,
    pub(super) what: What,
}

/// What a row turned out to be.
pub(super) enum What {
    /// A row of a table that says something of somebody.
    Statement(Arc<Statement>),
    /// A submission of the vocabulary.
    Submission(Box<Submission>),
    /// A row that cannot be read without a guess.
    Quarantined(NotSubmitted),
}

/// Some rows, and how far into the file they reach.
pub(super) struct Chunk {
    pub(super) rows: Vec<Row>,
    pub(super) bytes_read: u64,
    /// The row where the file breaks off, so that it is not whole.
    pub(super) broken_at: Option<u32>,
}

/// Opens the file and says how its header was understood; the rows past `settled` then come in chunks.
pub(super) fn read(
    upload: &Upload,
    settled: u32,
    rulebook: &Rulebook,
    opened: tokio::sync::oneshot::Sender<Result<Vec<String>, FileError>>,
    chunks: &mpsc::Sender<Chunk>,
) {
    let mut reader = match files::open(&upload.path, &upload.name, upload.kind) {
        Ok(reader) => reader,
        Err(error) => {
            // Nobody waits any more where the caller went away.
            _ = opened.send(Err(error));
            return;
        }
    };
    _ = opened.send(Ok(reader.profile().describe()));
    let plans = |text: &str| rulebook.plan_by_name(text).map(|plan| plan.code.clone());
    let mut rows = Vec::with_capacity(ROWS_IN_A_CHUNK);
    let mut repeats = Repeats::default();
    let mut broken_at = None;
    while let Some((row, breaks_off)) = next(&mut reader, upload, &plans, &mut repeats) {
        broken_at = broken_at.or(breaks_off.then_some(row.row));
        // Rows that are settled are read all the same: what repeats what is counted from the file's first row.
        if row.row <= settled {
            continue;
        }
        rows.push(row);
        if rows.len() == ROWS_IN_A_CHUNK {
            let full = std::mem::replace(&mut rows, Vec::with_capacity(ROWS_IN_A_CHUNK));
            if chunks.blocking_send(Chunk { rows: full, bytes_read: reader.bytes_read(), broken_at: None }).is_err() {
                return;
            }
        }
    }
    _ = chunks.blocking_send(Chunk { rows, bytes_read: upload.bytes, broken_at });
}

fn next(
    reader: &mut FileReader,
    upload: &Upload,
    plans: &dyn Fn(&str) -> Option<PlanCode>,
    repeats: &mut Repeats,
) -> Option<(Row, bool)> {
    let row = match reader.next_row()? {
        Ok(row) => row,
        Err(bad) => {
            let what = What::Quarantined(NotSubmitted { column: None, reason: bad.reason });
            return Some((Row { row: bad.row, raw: bad.raw, what }, bad.breaks_off));
        }
    };
    let what = understand(reader, upload, &row, plans, repeats).unwrap_or_else(|quarantine| {
        What::Quarantined(NotSubmitted { column: quarantine.column, reason: quarantine.reason })
    });
    Some((Row { row: row.row, raw: row.raw, what }, false))
}

fn understand(
    reader: &FileReader,
    upload: &Upload,
    row: &RawRow,
    plans: &dyn Fn(&str) -> Option<PlanCode>,
    repeats: &mut Repeats,
) -> Result<What, files::Quarantine> {
    if upload.kind == FileKind::Events {
        let submission = files::read_event_line(row, upload.sha256)?;
        may_stand(upload, submission.whom != Whom::Rulebook, &submission.plan)?;
        return Ok(What::Submission(Box::new(submission)));
    }
    let mut statement = files::read_row(reader.profile(), row, &upload.defaults, plans)?;
    may_stand(upload, true, &statement.plan)?;
    repeats.number(&mut statement);
    Ok(What::Statement(Arc::new(statement)))
}

/// Whether a row may stand in the record that it names: of a row that may not, nothing is recorded, nor who it is about.
fn may_stand(upload: &Upload, is_of_a_member: bool, plan: &PlanCode) -> Result<(), files::Quarantine> {
    match &upload.only {
        Some(only) if only != plan || !is_of_a_member => Err(files::Quarantine {
            column: None,
            reason: "not_yours: the row is of another organization's record than the token's".to_owned(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// What a row asks of the ledger: who is told of, and what is to be recorded.
pub(super) fn ask(
    row: &Row,
    upload: &Upload,
    key: &LedgerKey,
    rulebook: &Arc<Rulebook>,
) -> Option<(Option<Told>, Work)> {
    let source = |system: &str| IdentitySource {
        system: system.to_owned(),
        file_sha256: Some(upload.sha256),
        row: Some(row.row),
    };
    match &row.what {
        What::Quarantined(_) => None,
        What::Statement(statement) => {
            let member = key.member(&statement.cin);
            let told = Told { member, identity: statement.identity.clone(), source: source(upload.kind.as_str()) };
            Some((Some(told), from_statement(member, statement.clone(), upload.sha256, rulebook.clone())))
        }
        What::Submission(submission) => {
            let (subject, told) = match &submission.whom {
                Whom::Rulebook => (Subject::Rulebook, None),
                Whom::Member(member) => (Subject::Member(*member), None),
                Whom::Cin(cin) => {
                    let member = key.member(cin);
                    let told = Told { member, identity: Identity::of(cin.clone()), source: source("events") };
                    (Subject::Member(member), Some(told))
                }
            };
            Some((told, Work::Given(vec![(subject, (**submission).clone())])))
        }
    }
}

fn from_statement(member: MemberId, statement: Arc<Statement>, file: Hash, rulebook: Arc<Rulebook>) -> Work {
    Work::Row {
        member,
        make: Box::new(move |dossier| {
            let only_county =
                |plan: &PlanCode| rulebook.plan_by_name(plan.as_str()).and_then(|plan| plan.only_county());
            files::submissions(&statement, member, dossier, file, &only_county)
                .map_err(|quarantine| NotSubmitted { column: quarantine.column, reason: quarantine.reason })
        }),
    }
}
