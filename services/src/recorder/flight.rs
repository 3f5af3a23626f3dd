//! Group commit: what is decided while one flight is on its way to the log takes off together as the next.
//!
//! A flight is one atomic batch, or a few requests that each are one event and have nothing to do with one another, each by
//! itself. One is in flight at a time. Whoever it is about waits for it to land: nothing is decided on top of what may
//! yet fail. And nobody is answered before the disk has it.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rollbook_events::{EventId, Position, Subject};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use super::commit::{Committer, stay_all};
use super::draft::Draft;
use super::histories::stream_subject;
use super::kept::NOT_YET;
use super::{MOST_EVENTS, Recording, Request, RequestQueue};
use crate::log::{AppendError, Message};
use crate::{failpoint, measures};

/// So many waiting requests are worth deciding while a batch is in flight; fewer are decided together when it has landed,
/// because what is read for one is read for many.
const WORTH_DECIDING: usize = 32;
/// Requests that may wait for the flight; past it those behind them wait in the queue.
const MOST_HELD: usize = 2 * MOST_EVENTS;

type Outcome = Result<Vec<Position>, AppendError>;

/// What became of each part of a flight, and how long it took.
type Landed = Result<(Vec<Outcome>, Duration), JoinError>;

/// What is on its way to the log.
#[derive(Debug)]
pub(super) struct Flight {
    /// Each is stored or not by itself.
    parts: Vec<Vec<Draft>>,
    /// Whom it is about.
    subjects: BTreeSet<Subject>,
    outcome: JoinHandle<(Vec<Outcome>, Duration)>,
}

impl Committer {
    /// Runs until cancelled; requests that still wait then are answered that the recorder has stopped. What is in flight
    /// then still lands, and is answered.
    pub async fn run(mut self, mut queue: RequestQueue, cancelled: CancellationToken) {
        let mut waiting: Vec<Request> = Vec::new();
        loop {
            let room = MOST_EVENTS.saturating_sub(waiting.len());
            let takes = room > 0 && self.held.len() < MOST_HELD && events(&self.ready) < MOST_EVENTS;
            tokio::select! {
                // What has landed is answered before anything else is done.
                biased;
                outcome = landed(&mut self.flight) => self.land(outcome).await,
                () = cancelled.cancelled() => break,
                taken = queue.0.recv_many(&mut waiting, room), if takes => {
                    if taken == 0 {
                        break;
                    }
                }
            }
            if self.flight.is_none() || waiting.len() >= WORTH_DECIDING {
                self.take(&mut waiting).await;
            }
            self.take_off();
        }
        if self.flight.is_some() {
            let outcome = landed(&mut self.flight).await;
            self.land(outcome).await;
        }
    }

    /// Decides what waits, but for what must wait for the flight.
    async fn take(&mut self, waiting: &mut Vec<Request>) {
        let mut requests = Vec::new();
        if self.flight.is_none() {
            requests.append(&mut self.held);
            if self.ready.is_empty() {
                self.histories.reserved.landed();
            }
        }
        requests.append(waiting);
        if let Some(flight) = &self.flight {
            // Whom a request links counts as one person from the moment it is asked for.
            for (subject, submission) in requests.iter().flat_map(|request| request.work.given()) {
                self.histories.may_be_linked.note(*subject, &submission.event);
            }
            let everybody = flight.subjects.contains(&Subject::Rulebook);
            let held = self.held.iter().flat_map(|request| request.work.subjects());
            let (hold, free) = if everybody {
                // What is decided next is decided by the rulebook that is in flight.
                (requests, Vec::new())
            } else {
                self.concerned(requests, flight.subjects.iter().copied().chain(held).collect())
            };
            self.held.extend(hold);
            requests = free;
        }
        if !requests.is_empty() {
            measures::round(requests.len());
            self.decide_on(requests).await;
        }
    }

    /// Lets what is ready take off, where nothing is in flight.
    fn take_off(&mut self) {
        while self.flight.is_none() && !self.ready.is_empty() {
            if let Some(cause) = self.health.refusal() {
                let requests: Vec<Request> = self.ready.drain(..).map(|draft| draft.request).collect();
                self.forget(&requests);
                return stay_all(requests, &cause);
            }
            let batch = self.next_batch();
            let count = events(&batch);
            if count == 0 {
                self.answer(batch, Vec::new());
                continue;
            }
            let (subjects, strangers) = self.concern(&batch);
            let apart = strangers && self.pace.parts(count);
            let parts = if apart { batch.into_iter().map(|draft| vec![draft]).collect() } else { vec![batch] };
            let messages: Vec<Vec<Message>> = parts.iter().map(|part: &Vec<Draft>| self.messages(part)).collect();
            failpoint!("recorder.before_append");
            let log = self.log.0.clone();
            let outcome = tokio::spawn(async move {
                let begun = Instant::now();
                let outcomes = join_all(messages.iter().map(|part| measures::append(&*log, part))).await;
                (outcomes, begun.elapsed())
            });
            self.flight = Some(Flight { parts, subjects, outcome });
        }
    }

    /// Whom a batch is about; and whether each of its requests is one event at most, no two are about one person, and all
    /// were decided at one time, so that each may be stored or not by itself, and whichever is first.
    fn concern(&self, batch: &[Draft]) -> (BTreeSet<Subject>, bool) {
        let (mut all, mut strangers) = (BTreeSet::new(), true);
        let mut times = batch.iter().flat_map(|draft| &draft.events).map(|drafted| drafted.recorded_at);
        let first = times.next();
        strangers &= times.all(|at| Some(at) == first);
        for draft in batch {
            let mut subjects = draft.request.work.subjects();
            subjects.extend(draft.events.iter().map(|drafted| drafted.subject));
            let subjects = self.histories.may_be_linked.with_all(&subjects);
            strangers &= draft.events.len() <= 1 && all.is_disjoint(&subjects);
            all.extend(subjects);
        }
        (all, strangers)
    }

    /// As many of the drafts that are ready as one batch holds.
    fn next_batch(&mut self) -> Vec<Draft> {
        let mut count = 0;
        let fits = self.ready.iter().take_while(|draft| {
            count += draft.events.len();
            count <= MOST_EVENTS
        });
        // One draft alone always fits.
        let fits = fits.count().max(1);
        let later = self.ready.split_off(fits.min(self.ready.len()));
        self.histories.reserved.take_off(later.is_empty());
        std::mem::replace(&mut self.ready, later)
    }

    /// What has landed is answered; what has not is decided anew, or its callers are told why not.
    async fn land(&mut self, outcome: Landed) {
        let Some(Flight { parts, .. }) = self.flight.take() else { return };
        failpoint!("recorder.after_append");
        let outcomes: Vec<Outcome> = match outcome {
            Ok((outcomes, took)) => {
                if outcomes.iter().all(Result::is_ok) {
                    self.pace.flew(events(parts.iter().flatten()), parts.len() > 1, took);
                }
                outcomes
            }
            // It panicked: whether it had sent anything nobody knows.
            Err(error) => {
                let cause = error.to_string();
                parts.iter().map(|_| Err(AppendError::Unknown { source: cause.clone().into() })).collect()
            }
        };
        let (mut contested, mut failed) = (Vec::new(), Vec::new());
        for (part, outcome) in parts.into_iter().zip(outcomes) {
            match outcome {
                Ok(positions) => self.answer(part, positions),
                Err(AppendError::Conflict { .. }) => contested.extend(part),
                Err(error) => failed.push((part, error)),
            }
        }
        if contested.is_empty() && failed.is_empty() {
            return;
        }
        // Nothing stays that was decided meanwhile.
        let mut later: Vec<Request> = self.ready.drain(..).map(|draft| draft.request).collect();
        for (part, error) in failed {
            self.failed(part.into_iter().map(|draft| draft.request).collect(), error);
        }
        if contested.is_empty() {
            self.forget(&later);
        } else {
            later = self.conflict(contested, later).await;
        }
        self.held.splice(0..0, later);
    }

    fn messages(&mut self, batch: &[Draft]) -> Vec<Message> {
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
        messages
    }

    /// Appends one batch and waits for it; nothing else is in flight.
    pub(super) async fn append(&mut self, batch: &[Draft]) -> Outcome {
        let messages = self.messages(batch);
        failpoint!("recorder.before_append_alone");
        let appended = measures::append(&*self.log.0, &messages).await;
        failpoint!("recorder.after_append_alone");
        appended
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
            failpoint!("recorder.after_placing");
            // A caller that went away does not want the answer.
            _ = draft.request.reply.send(Ok(Recording { receipts, determined, findings: draft.findings }));
        }
    }
}

/// Waits for what is in flight; for ever where nothing is.
async fn landed(flight: &mut Option<Flight>) -> Landed {
    match flight {
        Some(flight) => (&mut flight.outcome).await,
        None => std::future::pending().await,
    }
}

fn events<'a>(drafts: impl IntoIterator<Item = &'a Draft>) -> usize {
    drafts.into_iter().map(|draft| draft.events.len()).sum()
}
