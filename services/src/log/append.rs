//! Appending to a NATS stream: one try, what its answer means, and how an outcome that got lost is found again.

use std::time::Duration;

use async_nats::Request;
use async_nats::client::RequestErrorKind;
use rollbook_events::ids::Position;
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use super::batch::{self, Part};
use super::nats::{ANSWER_TIMEOUT, NatsLog, Refusal};
use super::{AppendError, Log, MOST_BYTES, Message, ReadError, Source, Stored};
use crate::failpoint;

/// How long an outcome is looked for before it is given up as unknown. Shorter than the server remembers message ids.
const OUTCOME_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an append that never left this process waits for a connection.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

// The server's error codes that an append meets.
const WRONG_LAST_SEQUENCE: u64 = 10_071;
const WRONG_LAST_SEQUENCE_IN_FLIGHT: u64 = 10_164;
const DUPLICATE_IN_BATCH: u64 = 10_201;
const DUPLICATE_IN_FLIGHT: u64 = 10_158;
const TOO_LARGE: u64 = 10_054;
const INCOMPLETE_BATCH: u64 = 10_176;
const TOO_MANY_BATCHES: u64 = 10_210;
const NOT_AVAILABLE: u64 = 10_008;

/// What became of one try.
enum Try {
    /// Stored; the last message's position.
    Stored(Position),
    /// A message id is known, from the message at this position.
    Duplicate(Position),
    /// A subject is elsewhere: where, if the server says so. `firm`: it will never be where it was expected.
    Conflict { last: Option<Position>, firm: bool },
    /// Refused for good.
    Refused(AppendError),
    /// Not stored; another try may succeed.
    NotYet(Source),
    /// Nobody knows.
    Lost(Source),
}

/// Where a batch is found to be.
enum Found {
    /// Stored; the first message's position.
    Here(Position),
    /// Another message stands where its first guarded one should.
    Taken(Message, Position),
    Nowhere,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Ack {
    Error { error: Refusal },
    Fine(Acknowledged),
}

#[derive(Deserialize)]
struct Acknowledged {
    stream: String,
    seq: u64,
    #[serde(default)]
    duplicate: bool,
    count: Option<usize>,
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("not connected to the log")]
    NotConnected,
    #[error("the server is busy (code {0})")]
    Busy(u64),
    #[error("an acknowledgement that fits no message of ours")]
    Strange,
    #[error("a message with the same id is being stored")]
    InFlight,
}

impl NatsLog {
    /// Appends what [`batch::check`] has passed, and tries until the outcome is known.
    pub(super) async fn append_checked(&self, messages: &[Message]) -> Result<Vec<Position>, AppendError> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        // Whether a try may have been stored without our knowing.
        let mut lost = false;
        loop {
            let trouble = match self.attempt(messages).await {
                Try::Stored(Position(last)) => {
                    return Ok(positions(Position(last + 1 - messages.len() as u64), messages));
                }
                Try::Refused(error) if !lost => return Err(error),
                Try::Refused(error) => error.into(),
                Try::NotYet(trouble) => trouble,
                Try::Lost(trouble) => {
                    lost = true;
                    trouble
                }
                Try::Duplicate(position) => match self.duplicate(messages, position).await {
                    Ok(outcome) => return outcome,
                    Err(trouble) => trouble.into(),
                },
                Try::Conflict { last, firm } => match self.find(messages).await {
                    Ok(Found::Here(first)) => return Ok(positions(first, messages)),
                    Ok(Found::Taken(message, last)) => return Err(conflict(Some(message.subject), Some(last))),
                    Ok(Found::Nowhere) if firm || !lost => return Err(self.name_conflict(messages, last).await),
                    Ok(Found::Nowhere) => Trouble::InFlight.into(),
                    Err(_) if !lost => return Err(conflict(None, last)),
                    Err(trouble) => trouble.into(),
                },
            };
            if lost {
                failpoint!("log.before_finding_out");
                match self.find(messages).await {
                    Ok(Found::Here(first)) => return Ok(positions(first, messages)),
                    Ok(Found::Taken(message, last)) => return Err(conflict(Some(message.subject), Some(last))),
                    // The same bytes again: the expectation, or else the message id, keeps them from being stored twice.
                    Ok(Found::Nowhere) | Err(_) => {}
                }
            }
            if start.elapsed() + pause > if lost { OUTCOME_TIMEOUT } else { CONNECTION_TIMEOUT } {
                return Err(if lost {
                    AppendError::Unknown { source: trouble }
                } else {
                    AppendError::Unavailable { source: trouble }
                });
            }
            tracing::warn!(messages = messages.len(), error = %trouble, "an append has no outcome yet");
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self, messages: &[Message]) -> Try {
        // Without a connection the client would keep the messages and send them whenever it has one.
        if !self.is_connected() {
            return Try::NotYet(Trouble::NotConnected.into());
        }
        match timeout(ANSWER_TIMEOUT, self.publish(messages)).await {
            Ok(outcome) => outcome,
            Err(elapsed) => Try::Lost(elapsed.into()),
        }
    }

    async fn publish(&self, messages: &[Message]) -> Try {
        // A batch of its own for each try: the server may still hold an unfinished one under the last try's id.
        let inbox = self.client.new_inbox();
        let id = inbox.rsplit('.').next().unwrap_or(&inbox);
        let expectations = batch::expectations(messages);
        let Some((commit, rest)) = messages.split_last() else { return Try::Stored(Position(0)) };
        for (i, message) in rest.iter().enumerate() {
            let part = Part { batch: id, number: i + 1, last: false };
            let headers = batch::headers(message, expectations[i], Some(part));
            let sent = self.client.publish_with_headers(message.subject.clone(), headers, message.body.clone()).await;
            failpoint!("log.between_parts");
            if let Err(error) = sent {
                // Nothing is stored without the commit.
                return Try::NotYet(error.into());
            }
        }
        failpoint!("log.before_commit");
        let part = Part { batch: id, number: messages.len(), last: true };
        let headers = batch::headers(commit, expectations[rest.len()], (!rest.is_empty()).then_some(part));
        let request = Request::new().headers(headers).payload(commit.body.clone()).timeout(Some(ANSWER_TIMEOUT));
        match self.client.send_request(commit.subject.clone(), request).await {
            Ok(answer) => {
                failpoint!("log.after_ack");
                self.understand(&answer.payload, messages)
            }
            Err(error) if error.kind() == RequestErrorKind::NoResponders => Try::NotYet(error.into()),
            Err(error) => Try::Lost(error.into()),
        }
    }

    fn understand(&self, answer: &[u8], messages: &[Message]) -> Try {
        let refusal = match serde_json::from_slice(answer) {
            Ok(Ack::Fine(ack)) if ack.stream != self.spec.name => return Try::Lost(Trouble::Strange.into()),
            Ok(Ack::Fine(ack)) if ack.duplicate => return Try::Duplicate(Position(ack.seq)),
            Ok(Ack::Fine(ack)) if ack.count.unwrap_or(1) == messages.len() => return Try::Stored(Position(ack.seq)),
            Ok(Ack::Fine(_)) => return Try::Lost(Trouble::Strange.into()),
            Ok(Ack::Error { error }) => error,
            Err(error) => return Try::Lost(error.into()),
        };
        match refusal.err_code {
            WRONG_LAST_SEQUENCE => {
                let last = refusal.description.rsplit(' ').next().and_then(|n| n.parse().ok()).map(Position);
                Try::Conflict { last, firm: last.is_some() }
            }
            WRONG_LAST_SEQUENCE_IN_FLIGHT | DUPLICATE_IN_BATCH => Try::Conflict { last: None, firm: false },
            // In a cluster: whoever stores that id, it may be an earlier try of ours.
            DUPLICATE_IN_FLIGHT => Try::Lost(Trouble::InFlight.into()),
            INCOMPLETE_BATCH | TOO_MANY_BATCHES | NOT_AVAILABLE => Try::NotYet(Trouble::Busy(refusal.err_code).into()),
            TOO_LARGE => {
                let bytes = messages.iter().map(|message| message.body.len()).max().unwrap_or_default();
                Try::Refused(AppendError::TooLarge { bytes, most: MOST_BYTES })
            }
            code => Try::Refused(AppendError::Refused { code }),
        }
    }

    /// Looks whether the batch is in the log.
    async fn find(&self, messages: &[Message]) -> Result<Found, ReadError> {
        let expectations = batch::expectations(messages);
        let guarded = messages.iter().zip(expectations).enumerate().find_map(|(i, (m, e))| e.map(|e| (i, m, e)));
        let Some((i, message, expected)) = guarded else { return self.find_unguarded(messages).await };
        // The server stores it right after what it expects, or never.
        let Some(next) = self.next(&message.subject, expected).await? else { return Ok(Found::Nowhere) };
        if is(&next, message)
            && let Some(first) = next.position.0.checked_sub(i as u64)
            && self.ends_at(messages, Position(first)).await?
        {
            return Ok(Found::Here(Position(first)));
        }
        let last = self.last(&message.subject).await?.map_or(next.position, |last| last.position);
        Ok(Found::Taken(message.clone(), last))
    }

    async fn find_unguarded(&self, messages: &[Message]) -> Result<Found, ReadError> {
        let Some(message) = messages.first() else { return Ok(Found::Nowhere) };
        for stored in self.read(&message.subject).await?.iter().rev().filter(|stored| is(stored, message)) {
            if self.ends_at(messages, stored.position).await? {
                return Ok(Found::Here(stored.position));
            }
        }
        Ok(Found::Nowhere)
    }

    /// Whether a batch whose first message is at this position has its last one where it must be.
    async fn ends_at(&self, messages: &[Message], first: Position) -> Result<bool, ReadError> {
        let Some((last, rest)) = messages.split_last() else { return Ok(false) };
        if rest.is_empty() {
            return Ok(true);
        }
        Ok(self.get(Position(first.0 + rest.len() as u64)).await?.is_some_and(|stored| is(&stored, last)))
    }

    /// The server knows the message id: ours if the message it has under it is this one.
    async fn duplicate(
        &self,
        messages: &[Message],
        position: Position,
    ) -> Result<Result<Vec<Position>, AppendError>, ReadError> {
        let Some(message) = messages.first() else { return Ok(Ok(Vec::new())) };
        if self.get(position).await?.is_some_and(|stored| is(&stored, message)) {
            return Ok(Ok(vec![position]));
        }
        let last = self.last(&message.subject).await?.map_or(Position(0), |last| last.position);
        Ok(Err(conflict(Some(message.subject.clone()), Some(last))))
    }

    /// The server names a position but not whose: it is the subject that stands there.
    async fn name_conflict(&self, messages: &[Message], last: Option<Position>) -> AppendError {
        let subject = match (messages, last) {
            ([message], _) => Some(message.subject.clone()),
            (_, Some(last)) => self.get(last).await.ok().flatten().map(|stored| stored.subject),
            (_, None) => None,
        };
        conflict(subject, last)
    }
}

fn is(stored: &Stored, message: &Message) -> bool {
    stored.subject == message.subject && stored.body == message.body
}

fn conflict(subject: Option<String>, last: Option<Position>) -> AppendError {
    AppendError::Conflict { subject, last }
}

fn positions(first: Position, messages: &[Message]) -> Vec<Position> {
    (first.0..).map(Position).take(messages.len()).collect()
}
