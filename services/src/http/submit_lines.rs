//! NDJSON: a submission a line, answered line by line while the body still comes.
//!
//! Two tasks share the work. One reads lines ahead; the other takes all that wait, records them at once, so that they share
//! atomic batches, and answers in order. Both ends are bounded in bytes: whoever sends without reading the answers is
//! stopped at [`ANSWERS_HELD`], and whoever reads is never stopped.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use rollbook_events::{Rejection, RejectionCode, Submission, strict_json};
use serde::Serialize;
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;

use super::accept::Representation;
use super::auth::{Permit, Record};
use super::edge::Edge;
use super::lines::{Line, Lines};
use super::problem::{Body as ProblemBody, Kind, Problem};
use super::receipts::Receipts;
use super::submit;
use crate::recorder::{MOST_EVENTS, RecordError, Recorder, Recording, Work};

/// Bytes of lines read ahead.
const LINES_AHEAD: usize = 8 * 1024 * 1024;
/// Bytes of answers that wait for the caller to read them.
const ANSWERS_HELD: usize = 32 * 1024 * 1024;

/// What became of one line.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineAnswer {
    /// The line, from 1.
    #[schema(minimum = 1)]
    line: u64,
    /// What it would have been answered with on its own: 201, 200 or an error's status.
    #[schema(minimum = 200, maximum = 599)]
    status: u16,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Outcome {
    Recorded(Receipts),
    Refused(ProblemBody),
}

/// A line on its way, and its share of what may be read ahead.
struct Ahead {
    number: u64,
    read: Result<Submission, Problem>,
    _share: OwnedSemaphorePermit,
}

/// The answer, which begins at once.
pub fn answer(edge: Edge, recorder: Recorder, permit: Permit<Record>, body: Body) -> Response {
    let (ahead, waiting) = mpsc::channel(MOST_EVENTS);
    let (answers, given) = mpsc::unbounded_channel();
    tokio::spawn(read(body, ahead));
    tokio::spawn(record(edge, recorder, permit, waiting, answers));
    let lines = stream::unfold(given, |mut given| async move {
        let (line, _share): (Bytes, OwnedSemaphorePermit) = given.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(line), given))
    });
    let content_type = [(CONTENT_TYPE, Representation::Ndjson.content_type())];
    (StatusCode::OK, content_type, Body::from_stream(lines)).into_response()
}

async fn read(body: Body, ahead: Sender<Ahead>) {
    let room = Arc::new(Semaphore::new(LINES_AHEAD));
    let mut lines = Lines::new(strict_json::MOST_BYTES);
    let mut chunks = body.into_data_stream();
    loop {
        let (found, ended) = match chunks.next().await {
            Some(Ok(chunk)) => (lines.push(&chunk), false),
            Some(Err(_)) => {
                // What came of the last line is not all of it.
                let broken = Problem::new(Kind::BadRequest, "the body broke off in this line");
                _ = send(&ahead, &room, lines.number(), 0, Err(broken)).await;
                return;
            }
            None => (lines.end().into_iter().collect(), true),
        };
        for Line { number, text } in found {
            let bytes = text.as_ref().map_or(0, Vec::len);
            let submission = match text {
                Some(text) => submit::one(&text),
                None => Err((Rejection::new(RejectionCode::TooLarge, "", "the line is longer than 256 KiB"), true)),
            };
            let submission = submission.map_err(|(rejection, unreadable)| Problem::refusal(&rejection, unreadable));
            if !send(&ahead, &room, number, bytes, submission).await {
                return;
            }
        }
        if ended {
            return;
        }
    }
}

/// Hands a line on as soon as there is room; false where nobody takes it any more.
async fn send(
    ahead: &Sender<Ahead>,
    room: &Arc<Semaphore>,
    number: u64,
    bytes: usize,
    read: Result<Submission, Problem>,
) -> bool {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    tokio::select! {
        share = room.clone().acquire_many_owned(bytes) => {
            let Ok(share) = share else { return false };
            ahead.send(Ahead { number, read, _share: share }).await.is_ok()
        }
        () = ahead.closed() => false,
    }
}

async fn record(
    edge: Edge,
    recorder: Recorder,
    permit: Permit<Record>,
    mut waiting: Receiver<Ahead>,
    answers: UnboundedSender<(Bytes, OwnedSemaphorePermit)>,
) {
    let room = Arc::new(Semaphore::new(ANSWERS_HELD));
    let mut group = Vec::new();
    while waiting.recv_many(&mut group, MOST_EVENTS).await > 0 {
        for answer in recorded(&edge, &recorder, &permit, std::mem::take(&mut group)).await {
            let mut line = serde_json::to_vec(&answer).unwrap_or_default();
            line.push(b'\n');
            let bytes = u32::try_from(line.len().min(ANSWERS_HELD)).unwrap_or(u32::MAX);
            let share = tokio::select! {
                share = room.clone().acquire_many_owned(bytes) => share,
                () = answers.closed() => return,
            };
            let Ok(share) = share else { return };
            if answers.send((line.into(), share)).is_err() {
                return;
            }
        }
    }
}

async fn recorded(edge: &Edge, recorder: &Recorder, permit: &Permit<Record>, group: Vec<Ahead>) -> Vec<LineAnswer> {
    let mut submissions = Vec::new();
    let lines: Vec<(u64, Option<Problem>)> = group
        .into_iter()
        .map(|Ahead { number, read, .. }| match read.and_then(|one| submit::may_stand(permit, &one).map(|()| one)) {
            Ok(submission) => {
                submissions.push(submission);
                (number, None)
            }
            Err(problem) => (number, Some(problem)),
        })
        .collect();
    let (mut outcomes, unidentified) = match submit::identified(edge, submissions).await {
        Ok(given) => {
            let works = given.into_iter().map(|one| Work::Given(vec![one])).collect();
            (recorder.enqueue(works, &permit.caller.actor).await.all().await.into_iter(), None)
        }
        Err(problem) => (Vec::new().into_iter(), Some(problem)),
    };
    let answer = |(line, problem): (u64, Option<Problem>)| {
        let stopped: fn() -> Result<Recording, RecordError> = || Err(RecordError::Stopped);
        let outcome = match problem.or_else(|| unidentified.clone()) {
            Some(problem) => Err(problem),
            None => outcomes.next().unwrap_or_else(stopped).map_err(|error| submit::failure(error, false)),
        };
        match outcome {
            Ok(recording) => {
                let (status, receipts) = Receipts::of(recording, permit);
                LineAnswer { line, status: status.as_u16(), outcome: Outcome::Recorded(receipts) }
            }
            Err(problem) => {
                LineAnswer { line, status: problem.status().as_u16(), outcome: Outcome::Refused(problem.into_body()) }
            }
        }
    };
    lines.into_iter().map(answer).collect()
}
