//! Group commit: the requests that wait at one moment are decided together and appended as one atomic batch.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollbook_events::{EventId, Position, Rejection, RejectionCode, Subject, Submission};
use tokio_util::sync::CancellationToken;

use super::determinations::{Since, determine, subjects};
use super::draft::{Draft, file, receipt};
use super::findings;
use super::histories::stream_subject;
use super::history_error::{HistoryError, Unreadable};
use super::kept::{Before, NOT_YET};
use super::refusal::{refuse_all, stay_all};
use super::{
    Circumstances, Decision, Histories, MOST_EVENTS, RecordError, Recording, Request, RequestQueue, Work, decide,
};
use crate::clock;
use crate::guards::LastRecorded;
use crate::health::{Forbids, Health};
use crate::identity_index::IdentityIndex;
use crate::log::{AppendError, Log, Message};

/// Members whose history cannot be read.
const MEMBER: &str = "member";

/// Empties the queue of requests: the one task that decides and appends.
#[derive(Debug)]
pub struct Committer {
    pub(super) histories: Histories,
    pub(super) log: LogHandle,
    pub(super) health: Health,
    /// The clock of the last event, which no later one may lie before.
    last_recorded: LastRecorded,
    /// Whether the log was asked for it.
    knows_last: bool,
    /// Who knows ages that submissions leave out.
    ages: Option<IdentityIndex>,
}

pub(super) struct LogHandle(pub(super) Arc<dyn Log>);

impl std::fmt::Debug for LogHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("log")
    }
}

impl Committer {
    /// A committer over the log, with the dossiers to decide on.
    pub fn new(log: Arc<dyn Log>, histories: Histories, health: Health) -> Self {
        let (log, last_recorded) = (LogHandle(log), LastRecorded::default());
        Self { histories, log, health, last_recorded, knows_last: false, ages: None }
    }

    /// One that shares with others when the log's last event was recorded.
    #[must_use]
    pub fn not_before(self, last_recorded: LastRecorded) -> Self {
        Self { last_recorded, ..self }
    }

    /// One that fills in the ages that submissions leave out.
    #[must_use]
    pub fn deriving_ages(self, identities: IdentityIndex) -> Self {
        Self { ages: Some(identities), ..self }
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
            self.round(round).await;
        }
    }

    async fn round(&mut self, mut requests: Vec<Request>) {
        if !self.knows_last {
            match self.last_recorded.read(&*self.log.0).await {
                Ok(()) => self.knows_last = true,
                Err(error) => return refuse_all(requests, Arc::new(error)),
            }
        }
        self.last_recorded.judge(&self.health, clock::now());
        if let Some(cause) = self.health.refusal() {
            return stay_all(requests, &cause);
        }
        while !requests.is_empty() {
            let subjects = requests.iter().flat_map(|request| request.work.subjects()).collect();
            let unreadable = match self.prepare(&subjects, &requests, false).await {
                Ok(unreadable) => unreadable,
                Err(error) => return self.refuse(requests, error),
            };
            let mut drafts = Vec::new();
            for request in self.readable(requests, &unreadable) {
                if let Some(draft) = self.draft(request) {
                    drafts.push(draft);
                }
            }
            requests = self.append_all(drafts).await;
        }
    }

    /// The clock; one that was set back a little must not put an event before the one it follows.
    fn now(&mut self) -> DateTime<Utc> {
        self.last_recorded.saw(clock::now());
        self.last_recorded.at()
    }

    async fn prepare(
        &mut self,
        subjects: &BTreeSet<Subject>,
        requests: &[Request],
        now: bool,
    ) -> Result<Unreadable, HistoryError> {
        let given = requests.iter().flat_map(|request| request.work.given());
        let mut ids: Vec<EventId> = Vec::new();
        for (subject, submission) in given {
            self.histories.may_be_linked.note(*subject, &submission.event);
            ids.extend(submission.id);
        }
        let unreadable =
            if now { self.histories.reload_all(subjects).await? } else { self.histories.want(subjects).await? };
        match self.histories.unreadable() {
            Some((members, first)) => {
                let cause = format!("the histories of {members} members cannot be read, the first at position {first}");
                self.health.red(MEMBER, cause, Forbids::Nothing, clock::now());
            }
            None => self.health.green(MEMBER),
        }
        // A given id may already name an event of another member, which this member's dossier cannot know.
        for (id, subject) in self.histories.by_id(&ids, now).await? {
            self.histories.reserve(id, subject);
        }
        Ok(unreadable)
    }

    /// Prepares one request alone, on what the stream holds now.
    pub(super) async fn prepare_anew(&mut self, request: &Request) -> Result<Unreadable, HistoryError> {
        self.prepare(&request.work.subjects(), std::slice::from_ref(request), true).await
    }

    /// Decides a request on the dossiers as the requests before it leave them. Answers it where nothing is to append.
    pub(super) fn draft(&mut self, request: Request) -> Option<Draft> {
        // One submission alone leaves no dossier half-changed.
        let alone = matches!(&request.work, Work::Given(given) if given.len() <= 1);
        let subjects =
            if alone { BTreeSet::new() } else { self.histories.may_be_linked.with_all(&request.work.subjects()) };
        let saved: Vec<(Subject, Before)> =
            subjects.into_iter().map(|subject| (subject, self.histories.of(subject).before())).collect();
        let mut draft = Draft::of(request);
        let decided = self.decide_all(&mut draft);
        let refused = match decided {
            Ok(()) if draft.events.len() > MOST_EVENTS => Some(RecordError::TooMany),
            Ok(()) => None,
            Err(error) => Some(error),
        };
        if let Some(error) = refused {
            for (subject, before) in saved {
                self.histories.of(subject).restore(before);
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

    fn decide_one(&mut self, draft: &mut Draft, subject: Subject, mut submission: Submission) -> Result<(), Rejection> {
        if submission.id.is_some_and(|id| self.histories.is_reserved(id, subject)) {
            return Err(Rejection::new(RejectionCode::IdReused, "id", "already names an event of another member"));
        }
        let now = self.now();
        let kept = self.histories.of(subject);
        // What is known already says its age, or that it had none, and is compared as it was given.
        let is_known = submission.id.is_some_and(|id| kept.dossier.find(id).is_some());
        if let (Some(member), Some(ages), Work::Given(_), false) =
            (subject.member(), &self.ages, &draft.request.work, is_known)
        {
            ages.fill_age(member, submission.occurred_at, &mut submission.event);
        }
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
                let drafted = file(kept, *envelope)?;
                self.histories.reserve(drafted.id, subject);
                draft.events.push(drafted);
            }
        }
        Ok(())
    }

    pub(super) async fn append(&mut self, batch: &[Draft]) -> Result<Vec<Position>, AppendError> {
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
        self.log.0.append(&messages).await
    }

    pub(super) fn answer(&mut self, batch: Vec<Draft>, positions: Vec<Position>) {
        let events = batch.iter().flat_map(|draft| &draft.events);
        let placed: HashMap<EventId, Position> = events.map(|drafted| drafted.id).zip(positions).collect();
        for draft in batch {
            for drafted in &draft.events {
                if let Some(position) = placed.get(&drafted.id) {
                    self.histories.of(drafted.subject).place(drafted.id, *position);
                    self.histories.ids_ahead.note(drafted.id, *position);
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
            // A caller that went away does not want the answer.
            _ = draft.request.reply.send(Ok(Recording { receipts, determined, findings: draft.findings }));
        }
    }
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}
