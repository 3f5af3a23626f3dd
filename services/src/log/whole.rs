//! Messages with all that came with them, for a copy that must be able to give them back: read whole, and appended again
//! at the very positions they had.

use std::fmt;

use async_nats::header::NATS_EXPECTED_LAST_SEQUENCE;
use async_nats::{HeaderMap, Request, jetstream};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use rollbook_events::Position;
use serde::Deserialize;
use tokio::time::timeout;

use super::batch::{self, Part};
use super::nats::{ANSWER_TIMEOUT, NatsLog, Refusal};
use super::{AppendError, MOST_IN_A_BATCH, ReadError, follow};
use crate::failpoint;

/// The header of a message's id.
pub(super) const MESSAGE_ID: &str = "Nats-Msg-Id";

/// What the server's own headers begin with.
const SERVERS_OWN: &str = "nats-";

/// A message of a stream, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub position: Position,
    /// Its literal subject.
    pub subject: String,
    /// When the server stored it, in nanoseconds since 1970. A restored stream has its own.
    pub stored_at: i64,
    /// The message id it was stored under; empty where it had none.
    pub id: String,
    /// Its headers by name, those of the server's own names left out, which speak of the moment of storing alone.
    pub headers: Vec<(String, String)>,
    /// The event, to the byte.
    pub body: Bytes,
}

// Subjects are pseudonyms and bodies are records: neither belongs in a log line by way of a `{:?}`.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("position", &self.position).field("bytes", &self.body.len()).finish()
    }
}

#[derive(Deserialize)]
struct Ack {
    error: Option<Refusal>,
    seq: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
#[error("the server's answer is not that the messages stand where they must (code {code:?})")]
struct Elsewhere {
    code: Option<u64>,
}

impl NatsLog {
    /// As [`super::Log::follow`], with ids, headers and times.
    ///
    /// # Errors
    /// As [`super::Log::follow`].
    pub async fn follow_whole(
        &self,
        after: Position,
    ) -> Result<BoxStream<'static, Result<Record, ReadError>>, ReadError> {
        follow::follow(self.clone(), after, String::new(), record).await
    }

    /// As [`Self::follow_whole`], of the subjects that a pattern names alone. A message lost on the way is read again; one
    /// missing in the stream cannot be seen here: whoever reads must count.
    ///
    /// # Errors
    /// As [`super::Log::follow`].
    pub async fn follow_some(
        &self,
        pattern: String,
        after: Position,
    ) -> Result<BoxStream<'static, Result<Record, ReadError>>, ReadError> {
        follow::follow(self.clone(), after, pattern, record).await
    }

    /// Appends at most [`MOST_IN_A_BATCH`] records at the positions they name, or none of them: the server stores them only
    /// where its last position is `after`.
    ///
    /// # Errors
    /// [`AppendError::Unknown`] where they may be stored or not: look at the head. Anything else: not stored.
    pub async fn append_after(&self, after: Position, records: &[Record]) -> Result<(), AppendError> {
        let Some((commit, rest)) = records.split_last() else { return Ok(()) };
        if records.len() > MOST_IN_A_BATCH {
            return Err(AppendError::TooMany { messages: records.len() });
        }
        if !self.is_connected() {
            return Err(AppendError::Unavailable { source: "not connected to the log".into() });
        }
        let inbox = self.client.new_inbox();
        let batch = inbox.rsplit('.').next().unwrap_or(&inbox);
        for (record, number) in rest.iter().zip(1..) {
            let part = Part { batch, number, last: false };
            let headers = headers(record, (number == 1).then_some(after), Some(part))?;
            let sent = self.client.publish_with_headers(record.subject.clone(), headers, record.body.clone()).await;
            failpoint!("log.between_records");
            // Nothing is stored without the commit.
            sent.map_err(|error| AppendError::Unavailable { source: error.into() })?;
        }
        let part = (!rest.is_empty()).then_some(Part { batch, number: records.len(), last: true });
        let headers = headers(commit, rest.is_empty().then_some(after), part)?;
        let request = Request::new().headers(headers).payload(commit.body.clone()).timeout(Some(ANSWER_TIMEOUT));
        let unknown = |source| AppendError::Unknown { source };
        let answer = timeout(ANSWER_TIMEOUT, self.client.send_request(commit.subject.clone(), request)).await;
        let answer = answer.map_err(|elapsed| unknown(elapsed.into()))?.map_err(|error| unknown(error.into()))?;
        let ack: Ack = serde_json::from_slice(&answer.payload).map_err(|error| unknown(error.into()))?;
        match (ack.error, ack.seq) {
            (None, Some(seq)) if seq == commit.position.0 => Ok(()),
            // Also a message id that the server remembers: an earlier try of this same batch may be what it stored.
            (error, _) => Err(unknown(Elsewhere { code: error.map(|error| error.err_code) }.into())),
        }
    }
}

fn headers(record: &Record, after: Option<Position>, part: Option<Part<'_>>) -> Result<HeaderMap, AppendError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &record.headers {
        // The server acts on headers of its own name: a roll-up would delete history.
        if is_servers_own(name) || !name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') {
            return Err(AppendError::Malformed { what: "header" });
        }
        headers.append(name.as_str(), value.as_str());
    }
    if !record.id.is_empty() {
        headers.insert(MESSAGE_ID, record.id.as_str());
    }
    if let Some(after) = after {
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, after.to_string());
    }
    if let Some(part) = part {
        batch::place(&mut headers, part);
    }
    Ok(headers)
}

pub(super) fn is_servers_own(name: &str) -> bool {
    name.get(..SERVERS_OWN.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(SERVERS_OWN))
}

fn record(position: Position, message: jetstream::Message) -> Record {
    let stored_at = message.info().ok().and_then(|info| info.published.timestamp_nanos_opt()).unwrap_or_default();
    let message = message.message;
    let mut id = String::new();
    let mut headers = Vec::new();
    for (name, values) in message.headers.iter().flat_map(HeaderMap::iter) {
        let name: &str = name.as_ref();
        for value in values {
            if name.eq_ignore_ascii_case(MESSAGE_ID) {
                id = value.as_str().to_owned();
            } else if !is_servers_own(name) {
                headers.push((name.to_owned(), value.as_str().to_owned()));
            }
        }
    }
    // The client keeps them in no order of its own.
    headers.sort();
    Record { position, subject: message.subject.into_string(), stored_at, id, headers, body: message.payload }
}
