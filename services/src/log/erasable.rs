//! A stream whose messages may be erased one by one, and whose subjects are asked for many at once: `IDENTITY_KEYS`, and no
//! other. It has holes where something was erased, so it is read as what it holds now, not as a history.

use std::collections::HashMap;

use async_nats::HeaderMap;
use async_nats::header::HeaderName;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use rollbook_events::ids::Position;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::nats::{ANSWER_TIMEOUT, NatsLog};
use super::{Log, MemoryLog, ReadError, Stored};

/// Subjects asked for in one question; the server answers at most 1,024.
const ASKED_AT_ONCE: usize = 500;

/// A stream whose messages may be erased.
#[async_trait]
pub trait Erasable: Log {
    /// The last message of each of these subjects that has one. A replica may answer that has not seen the last moment:
    /// whoever builds on an answer says so in what it expects when it appends.
    async fn last_of_each(&self, subjects: &[String]) -> Result<HashMap<String, Stored>, ReadError>;

    /// Erases a message: the server writes over its bytes. One that is gone already is gone.
    async fn erase(&self, position: Position) -> Result<(), ReadError>;

    /// Some of the messages after a position that are there, in order; none where there are no more.
    async fn some_after(&self, after: Position) -> Result<Vec<Stored>, ReadError>;
}

#[derive(Deserialize)]
struct Erased {
    success: bool,
}

/// Why subjects could not be had.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the server answered with the status {0}")]
    Status(u16),
    #[error("the server's answer is malformed")]
    Malformed,
    #[error("the server gave fewer messages than it has")]
    Partial,
    #[error("the server did not erase the message")]
    NotErased,
}

#[async_trait]
impl Erasable for NatsLog {
    async fn last_of_each(&self, subjects: &[String]) -> Result<HashMap<String, Stored>, ReadError> {
        let mut found = HashMap::with_capacity(subjects.len());
        for some in subjects.chunks(ASKED_AT_ONCE) {
            self.ask_for_last(some, &mut found).await?;
        }
        Ok(found)
    }

    async fn erase(&self, position: Position) -> Result<(), ReadError> {
        // Without `no_erase` the server writes over the message before it lets go of it.
        let erased = self.ask::<Erased>("STREAM.MSG.DELETE", &json!({ "seq": position.0 })).await;
        match erased {
            Ok(Erased { success: true }) => Ok(()),
            Ok(Erased { success: false }) => Err(ReadError::unavailable(Trouble::NotErased)),
            Err(error) => match self.get(position).await? {
                None => Ok(()),
                Some(_) => Err(ReadError::unavailable(error)),
            },
        }
    }

    async fn some_after(&self, after: Position) -> Result<Vec<Stored>, ReadError> {
        self.read_some(after).await
    }
}

impl NatsLog {
    /// One question of ADR-31 ("multi_last"), which async-nats has no call for.
    async fn ask_for_last(&self, subjects: &[String], found: &mut HashMap<String, Stored>) -> Result<(), ReadError> {
        let inbox = self.client.new_inbox();
        let mut answers = self.client.subscribe(inbox.clone()).await.map_err(ReadError::unavailable)?;
        let question = serde_json::to_vec(&json!({ "multi_last": subjects })).map_err(ReadError::unavailable)?;
        let ask = format!("$JS.API.DIRECT.GET.{}", self.spec.name);
        self.client.publish_with_reply(ask, inbox, Bytes::from(question)).await.map_err(ReadError::unavailable)?;
        loop {
            let answer = timeout(ANSWER_TIMEOUT, answers.next()).await.map_err(ReadError::unavailable)?;
            let Some(answer) = answer else { return Err(ReadError::unavailable(Trouble::Malformed)) };
            match answer.status.map(|status| status.as_u16()) {
                None | Some(200) => {
                    let stored = direct(answer).ok_or_else(|| ReadError::unavailable(Trouble::Malformed))?;
                    found.insert(stored.subject.clone(), stored);
                }
                // The end, and that none of them has a message.
                Some(204) => {
                    let left = answer.headers.as_ref().and_then(|headers| header(headers, "Nats-Num-Pending"));
                    let all = left.is_none_or(|left| left == "0");
                    return if all { Ok(()) } else { Err(ReadError::unavailable(Trouble::Partial)) };
                }
                Some(404) => return Ok(()),
                Some(status) => return Err(ReadError::unavailable(Trouble::Status(status))),
            }
        }
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &'static str) -> Option<&'h str> {
    headers.get(HeaderName::from_static(name)).map(|value| value.as_str())
}

/// A message as a direct get gives it: where it stands is told in headers.
fn direct(message: async_nats::Message) -> Option<Stored> {
    let headers = message.headers.as_ref()?;
    let subject = header(headers, "Nats-Subject")?.to_owned();
    let position = Position(header(headers, "Nats-Sequence")?.parse().ok()?);
    Some(Stored { position, subject, body: message.payload })
}

#[async_trait]
impl Erasable for MemoryLog {
    async fn last_of_each(&self, subjects: &[String]) -> Result<HashMap<String, Stored>, ReadError> {
        let mut found = HashMap::new();
        for subject in subjects {
            if let Some(stored) = self.last(subject).await? {
                found.insert(subject.clone(), stored);
            }
        }
        Ok(found)
    }

    async fn erase(&self, position: Position) -> Result<(), ReadError> {
        self.take_out(position);
        Ok(())
    }

    async fn some_after(&self, after: Position) -> Result<Vec<Stored>, ReadError> {
        Ok(self.left_after(after))
    }
}
