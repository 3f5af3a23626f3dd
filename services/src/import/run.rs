//! One import from its first row to its last.

use std::sync::Arc;

use anyhow::anyhow;
use futures_util::{StreamExt, stream};
use rollbook_events::Instant;
use rollbook_events::intake::{IntakeEvent, RowCounts, RowSettled};
use rollbook_projections::Rulebook;
use tokio::sync::{mpsc, oneshot, watch};

use super::outcome::{Outcome, outcome};
use super::quarantine::{Line, Quarantine};
use super::rows::{self, Chunk};
use super::state::{self, Stand};
use super::{ImportError, Inner, Progress, State, Upload, unspool};
use crate::clock;
use crate::failpoint;
use crate::identity_index::News;
use crate::log::Message;
use crate::recorder::{Answers, Work};

/// Chunks read ahead, and chunks recorded at once.
const CHUNKS_AHEAD: usize = 2;
/// Event ids in one `rows_settled`; 39 bytes each, under the stream's limit on a message.
const MOST_IDS: usize = 5_000;

type Failure = anyhow::Error;

/// Begins an import, or joins the one that runs.
pub(super) async fn begin(inner: &Arc<Inner>, upload: Upload) -> Result<watch::Receiver<Progress>, ImportError> {
    let unavailable = |source: Failure| ImportError::Unavailable { source: source.into() };
    // One at a time begins, or the same file sent twice at once would run twice.
    let _one = inner.beginning.lock().await;
    if let Ok(running) = inner.running.lock()
        && let Some(progress) = running.get(&upload.sha256)
    {
        unspool(&upload.path);
        may_join(&upload, &progress.borrow().by)?;
        return Ok(progress.clone());
    }
    inner.identities.caught_up().await.map_err(|error| unavailable(error.into()))?;
    let rulebook = inner.rulebook().await.map_err(|source| ImportError::Unavailable { source })?;
    let stand = state::stand(&*inner.intake, upload.sha256).await?;
    if let Some(by) = state::by(&*inner.intake, upload.sha256).await?
        && let Err(refused) = may_join(&upload, &by)
    {
        unspool(&upload.path);
        return Err(refused);
    }
    let mut progress = state::blank(upload.sha256);
    progress.by = upload.actor.org.clone();
    progress.name = upload.name.clone();
    progress.kind = upload.kind.as_str().to_owned();
    progress.bytes = upload.bytes;
    let settled = match stand {
        Stand::Whole { counts } => {
            unspool(&upload.path);
            progress.set_counts(counts);
            (progress.already, progress.state, progress.bytes_read) = (true, State::Completed, upload.bytes);
            let path = inner.quarantine_path(upload.sha256);
            let (_, waiting) = Quarantine::resume(path, u32::MAX).map_err(|error| unavailable(error.into()))?;
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
        Err(error) => return Err(unavailable(error.into())),
    };
    let (report, watched) = watch::channel(progress);
    if let Ok(mut running) = inner.running.lock() {
        running.insert(upload.sha256, watched.clone());
    }
    let run = Arc::new(Run { inner: inner.clone(), upload, rulebook, report });
    tokio::spawn(run.settle_file(settled, profile, chunks));
    Ok(watched)
}

/// Whether whoever sends a file may be told what became of the same bytes before: of another organization's file nothing.
fn may_join(upload: &Upload, by: &str) -> Result<(), ImportError> {
    if upload.only.is_none() || by == upload.actor.org {
        return Ok(());
    }
    Err(ImportError::File("this very file cannot be imported under the token's organization".to_owned()))
}

struct Run {
    inner: Arc<Inner>,
    upload: Upload,
    rulebook: Arc<Rulebook>,
    report: watch::Sender<Progress>,
}

impl Run {
    async fn settle_file(self: Arc<Self>, settled: Option<u32>, profile: Vec<String>, chunks: mpsc::Receiver<Chunk>) {
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
        self: &Arc<Self>,
        settled: Option<u32>,
        profile: Vec<String>,
        chunks: mpsc::Receiver<Chunk>,
    ) -> Result<(), Failure> {
        if settled.is_none() {
            self.received(profile).await?;
        }
        let path = self.inner.quarantine_path(self.upload.sha256);
        let (quarantine, waiting) = Quarantine::resume(path, settled.unwrap_or(0))?;
        self.report.send_modify(|progress| progress.note_waiting(quarantine.path(), &waiting));
        let chunks = stream::unfold(chunks, |mut chunks| async move { Some((chunks.recv().await?, chunks)) });
        let [identifying, queueing, answering] = [self, self, self].map(Arc::clone);
        let identified = chunks.map(move |chunk| Arc::clone(&identifying).identify(chunk)).buffered(CHUNKS_AHEAD);
        // Put in the queue one chunk after another, for what a row becomes may hang on the rows before it.
        let queued = identified.then(move |chunk| Arc::clone(&queueing).enqueue(chunk));
        let recorded = queued.map(move |chunk| Arc::clone(&answering).answers(chunk)).buffered(CHUNKS_AHEAD);
        let mut recorded = std::pin::pin!(recorded);
        while let Some(chunk) = recorded.next().await {
            let chunk = chunk?;
            let broken_at = chunk.broken_at;
            self.settle(chunk, &quarantine).await?;
            if let Some(row) = broken_at {
                return Err(anyhow!("the file breaks off at row {row}; send it again whole"));
            }
        }
        failpoint!("import.before_completed");
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

    /// Records who people are.
    async fn identify(self: Arc<Self>, chunk: Chunk) -> Result<Identified, Failure> {
        let asks: Vec<_> =
            chunk.rows.iter().map(|row| rows::ask(row, &self.upload, &self.inner.key, &self.rulebook)).collect();
        let told: Vec<_> = asks.iter().flatten().filter_map(|(told, _)| told.clone()).collect();
        let mut news = self.inner.identities.record(&told).await?.into_iter();
        let mut works = Vec::new();
        let mut of_row = Vec::with_capacity(asks.len());
        for ask in asks {
            of_row.push(ask.map(|(told, work)| {
                works.push(work);
                told.and_then(|_| news.next())
            }));
        }
        Ok(Identified { chunk, works, of_row })
    }

    /// Asks for what happened to be recorded.
    async fn enqueue(self: Arc<Self>, identified: Result<Identified, Failure>) -> Result<Queued, Failure> {
        let Identified { chunk, works, of_row } = identified?;
        failpoint!("import.before_rows");
        let answers = self.inner.recorder.enqueue(works, &self.upload.actor).await;
        Ok(Queued { chunk, answers, of_row })
    }

    /// What became of each row; settled in the order of the file.
    async fn answers(self: Arc<Self>, queued: Result<Queued, Failure>) -> Result<Settled, Failure> {
        let Queued { chunk, answers, of_row } = queued?;
        let mut results = answers.all().await.into_iter();
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

    async fn settle(&self, settled: Settled, quarantine: &Quarantine) -> Result<(), Failure> {
        let lines: Vec<Line> = settled.outcomes.iter().filter_map(|outcome| outcome.line(&self.upload.name)).collect();
        quarantine.add(&lines)?;
        failpoint!("import.after_quarantine");
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
        failpoint!("import.after_settled");
        self.report.send_modify(|progress| {
            progress.set_counts(counts);
            progress.bytes_read = settled.bytes_read;
            for outcome in &settled.outcomes {
                progress.identities += u64::from(outcome.news);
                progress.position = progress.position.max(outcome.position);
            }
            progress.note_waiting(quarantine.path(), &lines);
        });
        metrics::counter!("rollbook_import_rows_total").increment(u64::try_from(settled.outcomes.len()).unwrap_or(0));
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

/// A chunk whose people are known, and what it asks for.
struct Identified {
    chunk: Chunk,
    works: Vec<Work>,
    /// For each row that asks for something, whether it told anything new of its person.
    of_row: Vec<Option<Option<News>>>,
}

/// A chunk that waits for its answers.
struct Queued {
    chunk: Chunk,
    answers: Answers,
    of_row: Vec<Option<Option<News>>>,
}

struct Settled {
    outcomes: Vec<Outcome>,
    bytes_read: u64,
    broken_at: Option<u32>,
}

fn now() -> Instant {
    Instant::new(clock::now().fixed_offset())
}
