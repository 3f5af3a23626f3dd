//! One import from its first row to its last.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use rollbook_events::intake::{IntakeEvent, RowCounts, RowOutcome, RowSettled};
use rollbook_events::{Hash, Instant};
use rollbook_projections::Rulebook;
use tokio::sync::{mpsc, oneshot, watch};

use super::quarantine::{Line, Quarantine};
use super::rows::{self, Chunk, Row, What};
use super::state::{self, Stand};
use super::{ImportError, Inner, Progress, State, Upload, unspool};
use crate::clock;
use crate::identity_index::News;
use crate::log::Message;
use crate::recorder::{Receipt, RecordError, Recording};

/// Chunks read ahead, and chunks recorded at once.
const CHUNKS_AHEAD: usize = 3;
/// Event ids in one `rows_settled`; 39 bytes each, under the stream's limit on a message.
const MOST_IDS: usize = 5_000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Begins an import, or joins the one that runs.
pub(super) async fn begin(inner: &Arc<Inner>, upload: Upload) -> Result<watch::Receiver<Progress>, ImportError> {
    let unavailable = |source: Failure| ImportError::Unavailable { source };
    if let Ok(running) = inner.running.lock()
        && let Some(progress) = running.get(&upload.sha256)
    {
        unspool(&upload.path);
        return Ok(progress.clone());
    }
    inner.identities.caught_up().await.map_err(|error| unavailable(Box::new(error)))?;
    let rulebook = Arc::new(inner.rulebook().await.map_err(unavailable)?);
    let stand = state::stand(&*inner.intake, upload.sha256).await?;
    let mut progress = state::blank(upload.sha256);
    progress.name = upload.name.clone();
    progress.kind = upload.kind.as_str().to_owned();
    progress.bytes = upload.bytes;
    let settled = match stand {
        Stand::Whole { counts } => {
            unspool(&upload.path);
            progress.set_counts(counts);
            (progress.already, progress.state, progress.bytes_read) = (true, State::Completed, upload.bytes);
            let path = inner.quarantine_path(upload.sha256);
            let (_, waiting) = Quarantine::resume(path, u32::MAX).map_err(|error| unavailable(Box::new(error)))?;
            progress.note_waiting(&inner.quarantine_path(upload.sha256), &waiting);
            return Ok(watch::channel(progress).1);
        }
        Stand::New => None,
        Stand::Partly { settled, counts } => {
            progress.set_counts(counts);
            Some(settled)
        }
    };
    let (opened, header) = oneshot::channel();
    let (send, chunks) = mpsc::channel(CHUNKS_AHEAD);
    let (reading, read_under) = (upload.clone(), rulebook.clone());
    tokio::task::spawn_blocking(move || rows::read(&reading, settled.unwrap_or(0), &read_under, opened, &send));
    let profile = match header.await {
        Ok(Ok(profile)) => profile,
        Ok(Err(error)) => {
            unspool(&upload.path);
            return Err(ImportError::File(crate::error_chain::chain(&error)));
        }
        Err(error) => return Err(unavailable(Box::new(error))),
    };
    let (report, watched) = watch::channel(progress);
    if let Ok(mut running) = inner.running.lock() {
        running.insert(upload.sha256, watched.clone());
    }
    let run = Run { inner: inner.clone(), upload, rulebook, report };
    tokio::spawn(run.settle_file(settled, profile, chunks));
    Ok(watched)
}

struct Run {
    inner: Arc<Inner>,
    upload: Upload,
    rulebook: Arc<Rulebook>,
    report: watch::Sender<Progress>,
}

impl Run {
    async fn settle_file(self, settled: Option<u32>, profile: Vec<String>, chunks: mpsc::Receiver<Chunk>) {
        let ended = self.settle_all(settled, profile, chunks).await;
        if let Ok(mut running) = self.inner.running.lock() {
            running.remove(&self.upload.sha256);
        }
        unspool(&self.upload.path);
        self.report.send_modify(|progress| match &ended {
            Ok(()) => progress.state = State::Completed,
            Err(error) => {
                let error = crate::error_chain::chain(&**error);
                tracing::error!(error, file.sha256 = %self.upload.sha256, "an import stopped");
                progress.state = State::Failed;
                progress.error = Some(error);
            }
        });
    }

    async fn settle_all(
        &self,
        settled: Option<u32>,
        profile: Vec<String>,
        chunks: mpsc::Receiver<Chunk>,
    ) -> Result<(), Failure> {
        if settled.is_none() {
            self.received(profile).await?;
        }
        let path = self.inner.quarantine_path(self.upload.sha256);
        let (mut quarantine, waiting) = Quarantine::resume(path, settled.unwrap_or(0))?;
        self.report.send_modify(|progress| progress.note_waiting(quarantine.path(), &waiting));
        let chunks = stream::unfold(chunks, |mut chunks| async move { Some((chunks.recv().await?, chunks)) });
        let recorded = chunks.map(|chunk| self.record(chunk)).buffered(CHUNKS_AHEAD);
        let mut recorded = std::pin::pin!(recorded);
        while let Some(chunk) = recorded.next().await {
            let chunk = chunk?;
            let broken_at = chunk.broken_at;
            self.settle(chunk, &mut quarantine).await?;
            if let Some(row) = broken_at {
                return Err(format!("the file breaks off at row {row}; send it again whole").into());
            }
        }
        let counts = self.report.borrow().counts();
        self.tell(IntakeEvent::FileCompleted { id: clock::new_event_id(), at: now(), counts }).await
    }

    async fn received(&self, profile: Vec<String>) -> Result<(), Failure> {
        self.tell(IntakeEvent::FileReceived {
            id: clock::new_event_id(),
            at: now(),
            sha256: self.upload.sha256,
            name: self.upload.name.clone(),
            file_kind: self.upload.kind,
            profile,
            plan: self.upload.defaults.plan.clone(),
            by: format!("{}/{}", self.upload.actor.org, self.upload.actor.id),
        })
        .await
    }

    /// Records who people are and then what happened; what became of the rows is settled in the order of the file.
    async fn record(&self, chunk: Chunk) -> Result<Settled, Failure> {
        let asks: Vec<_> =
            chunk.rows.iter().map(|row| rows::ask(row, &self.upload, &self.inner.key, &self.rulebook)).collect();
        let told: Vec<_> = asks.iter().flatten().filter_map(|(told, _)| told.clone()).collect();
        let mut news = self.inner.identities.record(&told).await?.into_iter();
        let mut works = Vec::new();
        let mut of_row = Vec::with_capacity(asks.len());
        for ask in asks {
            let Some((told, work)) = ask else {
                of_row.push(None);
                continue;
            };
            works.push(work);
            of_row.push(Some(told.and_then(|_| news.next())));
        }
        let mut results = self.inner.recorder.record_all(works, &self.upload.actor).await.into_iter();
        let mut outcomes = Vec::with_capacity(chunk.rows.len());
        for (row, news) in chunk.rows.into_iter().zip(of_row) {
            let result = match news {
                None => None,
                Some(news) => results.next().map(|result| (news, result)),
            };
            outcomes.push(outcome(row, result, self.upload.sha256)?);
        }
        Ok(Settled { outcomes, bytes_read: chunk.bytes_read, broken_at: chunk.broken_at })
    }

    async fn settle(&self, settled: Settled, quarantine: &mut Quarantine) -> Result<(), Failure> {
        let lines: Vec<Line> = settled.outcomes.iter().filter_map(|outcome| outcome.line(&self.upload.name)).collect();
        quarantine.add(&lines)?;
        let mut counts = self.report.borrow().counts();
        let mut rows: Vec<RowSettled> = Vec::new();
        let mut ids = 0;
        for outcome in &settled.outcomes {
            if ids + outcome.row.events.len() > MOST_IDS && !rows.is_empty() {
                self.tell_rows(std::mem::take(&mut rows), counts).await?;
                ids = 0;
            }
            ids += outcome.row.events.len();
            counts.add(&outcome.row);
            rows.push(outcome.row.clone());
        }
        if !rows.is_empty() {
            self.tell_rows(rows, counts).await?;
        }
        self.report.send_modify(|progress| {
            progress.set_counts(counts);
            progress.bytes_read = settled.bytes_read;
            for outcome in &settled.outcomes {
                progress.identities += u64::from(outcome.news);
                progress.position = progress.position.max(outcome.position);
            }
            progress.note_waiting(quarantine.path(), &lines);
        });
        metrics::counter!("rollbook_import_rows").increment(u64::try_from(settled.outcomes.len()).unwrap_or(0));
        Ok(())
    }

    async fn tell_rows(&self, rows: Vec<RowSettled>, counts: RowCounts) -> Result<(), Failure> {
        self.tell(IntakeEvent::RowsSettled { id: clock::new_event_id(), at: now(), rows, counts }).await
    }

    async fn tell(&self, event: IntakeEvent) -> Result<(), Failure> {
        let id = match &event {
            IntakeEvent::FileReceived { id, .. }
            | IntakeEvent::RowsSettled { id, .. }
            | IntakeEvent::FileCompleted { id, .. } => id.to_string(),
        };
        let message = Message {
            subject: state::subject(self.upload.sha256),
            id,
            expected: None,
            headers: Vec::new(),
            body: serde_json::to_vec(&event)?.into(),
        };
        self.inner.intake.append(&[message]).await?;
        Ok(())
    }
}

struct Settled {
    outcomes: Vec<Outcome>,
    bytes_read: u64,
    broken_at: Option<u32>,
}

struct Outcome {
    row: RowSettled,
    raw: String,
    news: bool,
    position: u64,
}

impl Outcome {
    fn line(&self, file: &str) -> Option<Line> {
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
fn outcome(
    row: Row,
    result: Option<(Option<News>, Result<Recording, RecordError>)>,
    file: Hash,
) -> Result<Outcome, Failure> {
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
        (What::Statement(_) | What::Submission(_), None) => return Err("a row was not answered".into()),
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
        Err(error @ (RecordError::Unknown | RecordError::Unavailable { .. } | RecordError::Stopped)) => {
            return Err(Box::new(error));
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

fn now() -> Instant {
    Instant::new(clock::now().fixed_offset())
}
