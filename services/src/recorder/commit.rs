//! Group commit: the requests that wait at one moment are decided together and appended as one atomic batch.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollbook_events::{EventId, Position, Rejection, RejectionCode, Subject, Submission};
use rollbook_projections::Dossier;
use tokio_util::sync::CancellationToken;

use super::determinations::{Since, determine, subjects};
use super::draft::{Draft, file, receipt};
use super::findings;
use super::histories::{HistoryError, NOT_YET, stream_subject};
use super::{
    Circumstances, Decision, Histories, MOST_EVENTS, RecordError, Recording, Request, RequestQueue, Work, decide,
};
use crate::health::Health;
use crate::log::{AppendError, Log, Message};
use crate::{clock, failpoint};

/// How often a request is decided anew because another writer was first.
const MOST_ATTEMPTS: u32 = 5;

/// Empties the queue of requests: the one task that decides and appends.
#[derive(Debug)]
pub struct Committer {
    histories: Histories,
    log: LogHandle,
    health: Health,
    /// The clock of the last event, which no later one may lie before.
    last_recorded_at: DateTime<Utc>,
}

struct LogHandle(Arc<dyn Log>);

impl std::fmt::Debug for LogHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("log")
    }
}

impl Committer {
    /// A committer over the log, with the dossiers to decide on.
    pub fn new(log: Arc<dyn Log>, histories: Histories, health: Health) -> Self {
        Self { histories, log: LogHandle(log), health, last_recorded_at: DateTime::<Utc>::MIN_UTC }
    }

    /// Runs until cancelled; requests that still wait then are answered that the recorder has stopped.
    pub async fn run(mut self, mut queue: RequestQueue, cancelled: CancellationToken) {
        loop {
            let first = tokio::select! {
                request = queue.0.recv() => request,
                () = cancelled.cancelled() => None,
            };
            let Some(first) = first else { return };
            let mut round = vec![first];
            while round.len() < MOST_EVENTS {
                let Ok(next) = queue.0.try_recv() else { break };
                round.push(next);
            }
            metrics::histogram!("rollbook_recorder_round_requests").record(count(round.len()));
            failpoint!("recorder.before_round");
            self.round(round).await;
        }
    }

    async fn round(&mut self, mut requests: Vec<Request>) {
        if let Some(cause) = self.health.refusal() {
            for request in requests {
                _ = request.reply.send(Err(RecordError::Stayed { cause: cause.clone() }));
            }
            return;
        }
        while !requests.is_empty() {
            let subjects = requests.iter().flat_map(|request| request.work.subjects()).collect();
            if let Err(error) = self.prepare(&subjects, &requests).await {
                return refuse_all(requests, Arc::new(error));
            }
            let mut drafts = Vec::new();
            for request in requests.drain(..) {
                if let Some(draft) = self.draft(request) {
                    drafts.push(draft);
                }
            }
            requests = self.append_all(drafts).await;
        }
    }

    /// The clock; one that was set back must not put an event before the one it follows.
    fn now(&mut self) -> DateTime<Utc> {
        self.last_recorded_at = clock::now().max(self.last_recorded_at);
        self.last_recorded_at
    }

    async fn prepare(&mut self, subjects: &BTreeSet<Subject>, requests: &[Request]) -> Result<(), HistoryError> {
        let given = requests.iter().flat_map(|request| request.work.given());
        let mut ids: Vec<EventId> = Vec::new();
        for (subject, submission) in given {
            self.histories.may_be_linked.note(*subject, &submission.event);
            ids.extend(submission.id);
        }
        self.histories.want(subjects).await?;
        // A given id may already name an event of another member, which this member's dossier cannot know.
        for recorded in self.histories.by_id(&ids).await? {
            if !subjects.contains(&recorded.envelope.subject) {
                self.histories.reserve(recorded.envelope.id, recorded.envelope.subject);
            }
        }
        Ok(())
    }

    /// Decides a request on the dossiers as the requests before it leave them. Answers it where nothing is to append.
    fn draft(&mut self, request: Request) -> Option<Draft> {
        // One submission alone leaves no dossier half-changed.
        let alone = matches!(&request.work, Work::Given(given) if given.len() <= 1);
        let subjects =
            if alone { BTreeSet::new() } else { self.histories.may_be_linked.with_all(&request.work.subjects()) };
        let saved: Vec<(Subject, Dossier)> =
            subjects.into_iter().map(|subject| (subject, self.histories.of(subject).dossier.clone())).collect();
        let mut draft = Draft::of(request);
        let decided = self.decide_all(&mut draft);
        let refused = match decided {
            Ok(()) if draft.events.len() > MOST_EVENTS => Some(RecordError::TooMany),
            Ok(()) => None,
            Err(error) => Some(error),
        };
        if let Some(error) = refused {
            for (subject, dossier) in saved {
                self.histories.of(subject).dossier = dossier;
            }
            _ = draft.request.reply.send(Err(error));
            return None;
        }
        Some(draft)
    }

    fn decide_all(&mut self, draft: &mut Draft) -> Result<(), RecordError> {
        let mut before = Vec::new();
        let submissions = match &draft.request.work {
            Work::Given(given) => {
                before = findings::before(&mut self.histories, given.iter().map(|(subject, _)| *subject));
                given.clone()
            }
            Work::Row { member, make } => {
                let subject = Subject::Member(*member);
                let made = make(&self.histories.of(subject).dossier).map_err(RecordError::NotSubmitted)?;
                made.into_iter().map(|submission| (subject, submission)).collect()
            }
            Work::Again { member } => {
                let (subject, now) = (Subject::Member(*member), self.now());
                draft.determined(determine(&mut self.histories, subject, Since::Time, now));
                Vec::new()
            }
        };
        for (index, (subject, submission)) in submissions.into_iter().enumerate() {
            let rejected = |rejection| RecordError::Rejected { index, rejection };
            self.decide_one(draft, subject, submission).map_err(rejected)?;
        }
        // Here, where the dossiers hold this request's events and not yet those of the requests after it.
        for subject in subjects(&draft.events) {
            let now = self.now();
            let determined = determine(&mut self.histories, subject, Since::Told(&draft.events), now);
            draft.determined(determined);
        }
        draft.findings = findings::after(&mut self.histories, &before);
        Ok(())
    }

    fn decide_one(&mut self, draft: &mut Draft, subject: Subject, submission: Submission) -> Result<(), Rejection> {
        if submission.id.is_some_and(|id| self.histories.is_reserved(id, subject)) {
            return Err(Rejection::new(RejectionCode::IdReused, "id", "already names an event of another member"));
        }
        let now = self.now();
        let kept = self.histories.of(subject);
        let with = Circumstances {
            actor: draft.request.actor.clone(),
            now,
            fresh_id: clock::new_event_id(),
            previous: kept.last_hash(),
        };
        match decide(&kept.dossier, submission, subject, with)? {
            Decision::Known(recorded) => {
                let position = kept.position(&recorded);
                // Known is what stood before this request, also where a request of the same round has just brought it.
                let known = draft.events.iter().all(|drafted| drafted.id != recorded.envelope.id);
                draft.receipts.push(receipt(&recorded.envelope, position, known));
            }
            Decision::Record(envelope) => {
                draft.receipts.push(receipt(&envelope, NOT_YET, false));
                let drafted = file(&mut kept.dossier, *envelope)?;
                self.histories.reserve(drafted.id, subject);
                draft.events.push(drafted);
            }
        }
        Ok(())
    }

    /// Appends drafts in batches of what one holds; gives back the requests that must be decided anew.
    async fn append_all(&mut self, drafts: Vec<Draft>) -> Vec<Request> {
        let mut waiting = drafts.into_iter().peekable();
        while waiting.peek().is_some() {
            let mut batch: Vec<Draft> = Vec::new();
            let mut events = 0;
            while let Some(draft) = waiting.next_if(|draft| events + draft.events.len() <= MOST_EVENTS) {
                events += draft.events.len();
                batch.push(draft);
            }
            match self.append(&batch).await {
                Ok(positions) => self.answer(batch, positions),
                Err(error @ AppendError::Conflict { .. }) => {
                    metrics::counter!("rollbook_recorder_conflicts").increment(1);
                    let later: Vec<Request> = waiting.map(|draft| draft.request).collect();
                    failpoint!("recorder.after_conflict");
                    self.forget(batch.iter().map(|draft| &draft.request).chain(&later));
                    for draft in batch {
                        self.alone(draft.request, &error).await;
                    }
                    return later;
                }
                Err(error) => {
                    let unknown = matches!(error, AppendError::Unknown { .. });
                    tracing::error!(error = %error, unknown, "could not append");
                    let source: Arc<dyn std::error::Error + Send + Sync> = Arc::new(error);
                    let all: Vec<Request> = batch.into_iter().chain(waiting).map(|draft| draft.request).collect();
                    self.forget(all.iter());
                    for request in all {
                        let error = if unknown {
                            RecordError::Unknown
                        } else {
                            RecordError::Unavailable { source: source.clone() }
                        };
                        _ = request.reply.send(Err(error));
                    }
                    return Vec::new();
                }
            }
        }
        Vec::new()
    }

    async fn append(&mut self, batch: &[Draft]) -> Result<Vec<Position>, AppendError> {
        let mut messages = Vec::new();
        let mut seen = BTreeSet::new();
        for drafted in batch.iter().flat_map(|draft| &draft.events) {
            // Only a subject's first message can carry an expectation; the later ones stand or fall with it.
            let expected = seen.insert(drafted.subject).then(|| self.histories.of(drafted.subject).last_position());
            messages.push(Message {
                subject: stream_subject(drafted.subject),
                id: drafted.id.to_string(),
                expected,
                headers: vec![("Rollbook-Kind", drafted.kind.to_owned()), ("Rollbook-Plan", drafted.plan.clone())],
                body: drafted.body.clone(),
            });
        }
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        metrics::histogram!("rollbook_recorder_batch_events").record(count(messages.len()));
        failpoint!("recorder.before_append");
        let appended = self.log.0.append(&messages).await;
        failpoint!("recorder.after_append");
        appended
    }

    fn answer(&mut self, batch: Vec<Draft>, positions: Vec<Position>) {
        let events = batch.iter().flat_map(|draft| &draft.events);
        let placed: HashMap<EventId, Position> = events.map(|drafted| drafted.id).zip(positions).collect();
        for draft in batch {
            for drafted in &draft.events {
                if let Some(position) = placed.get(&drafted.id) {
                    self.histories.of(drafted.subject).place(drafted.id, *position);
                }
            }
            let (mut receipts, mut determined) = (draft.receipts, draft.determined);
            for receipt in receipts.iter_mut().chain(&mut determined).filter(|receipt| receipt.position == NOT_YET) {
                // It may stand in an earlier batch of the same round.
                let kept = self.histories.of(receipt.member.map_or(Subject::Rulebook, Subject::Member));
                if let Some(recorded) = kept.dossier.find(receipt.id) {
                    receipt.position = kept.position(recorded);
                }
            }
            failpoint!("recorder.before_answer");
            // A caller that went away does not want the answer.
            _ = draft.request.reply.send(Ok(Recording { receipts, determined, findings: draft.findings }));
        }
    }

    /// Decides and appends one request on dossiers fresh from the stream, as often as other writers are first.
    async fn alone(&mut self, mut request: Request, conflict: &AppendError) {
        for _ in 0..MOST_ATTEMPTS {
            if let Err(error) = self.histories.reload_all(&request.work.subjects()).await {
                return refuse_all(vec![request], Arc::new(error));
            }
            let Some(draft) = self.draft(request) else { return };
            match self.append(std::slice::from_ref(&draft)).await {
                Ok(positions) => return self.answer(vec![draft], positions),
                Err(AppendError::Conflict { .. }) => request = draft.request,
                Err(AppendError::Unknown { .. }) => {
                    self.forget([&draft.request]);
                    _ = draft.request.reply.send(Err(RecordError::Unknown));
                    return;
                }
                Err(error) => {
                    self.forget([&draft.request]);
                    return refuse_all(vec![draft.request], Arc::new(error));
                }
            }
        }
        tracing::warn!(error = %conflict, attempts = MOST_ATTEMPTS, "other writers were always first");
        self.forget([&request]);
        refuse_all(vec![request], Arc::new(std::io::Error::other("other writers were always first")));
    }

    fn forget<'a>(&mut self, requests: impl IntoIterator<Item = &'a Request>) {
        self.histories.forget(&requests.into_iter().flat_map(|request| request.work.subjects()).collect());
    }
}

fn refuse_all(requests: Vec<Request>, source: Arc<dyn std::error::Error + Send + Sync>) {
    tracing::error!(error = %source, requests = requests.len(), "could not record");
    for request in requests {
        _ = request.reply.send(Err(RecordError::Unavailable { source: source.clone() }));
    }
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}
