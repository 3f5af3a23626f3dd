//! Who was shown what: written before an answer leaves, and an answer that cannot be written down is not given.
//!
//! [`AccessLog::record`] gives a [`Told`], which no other place can make and which every answer about a person asks for:
//! an answer that was not written down does not compile. Answers that wait at the same moment share one flush.

mod disclosures;
mod writer;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use rollbook_events::access::{AccessRecorded, GivenAs};
use rollbook_events::{Actor, Instant, MemberId, Position};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock;
use crate::log::{Log, MOST_IN_A_BATCH, Message, Source};

pub use disclosures::{Disclosed, Disclosures, DisclosuresError};

/// Answers that may wait to be written down; more callers than this wait for a place.
const MOST_WAITING: usize = 256;

/// The subject of exports as a whole.
const EXPORT: &str = "access.export";

/// An answer that is about to be given.
#[derive(Debug, Clone)]
pub struct Showing {
    /// To whom.
    pub actor: Actor,
    /// What for, where they said so.
    pub purpose: Option<String>,
    /// What it answers: the method and the route, as `GET /v1/members/{member}/history`.
    pub operation: String,
    /// In which form.
    pub given_as: GivenAs,
    /// What it rests on.
    pub position: Position,
    /// Names the answer, over all its pages.
    pub answer: Uuid,
}

impl Showing {
    /// An answer to an operation.
    pub fn to(actor: Actor, purpose: Option<String>, operation: &str, position: Position) -> Self {
        let answer = clock::new_event_id().0;
        Self { actor, purpose, operation: operation.to_owned(), given_as: GivenAs::Page, position, answer }
    }

    /// The same, as every row of a list.
    #[must_use]
    pub fn exported(self) -> Self {
        Self { given_as: GivenAs::Export, ..self }
    }
}

/// Proof that whom an answer speaks of was written down, or that it speaks of nobody.
#[derive(Debug)]
pub struct Told(());

impl Told {
    /// An answer that speaks of no person: a sum, a rule, how the ledger is.
    pub const fn of_nobody() -> Self {
        Self(())
    }
}

/// Why an answer may not be given.
#[derive(Debug, Clone, thiserror::Error)]
#[error("who was shown what could not be written down, so nothing is shown")]
pub struct NotWritten {
    /// Why; none where this program is ending.
    #[source]
    pub source: Option<Arc<Source>>,
}

/// Writes down who is shown what. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AccessLog {
    queue: mpsc::Sender<Waiting>,
}

/// What waits to be written.
#[derive(Debug)]
struct Waiting {
    messages: Vec<Message>,
    written: oneshot::Sender<Result<(), NotWritten>>,
}

impl AccessLog {
    /// Over the stream `ACCESS`, until cancelled.
    pub fn over(log: Arc<dyn Log>, cancelled: CancellationToken) -> Self {
        let (queue, waiting) = mpsc::channel(MOST_WAITING);
        tokio::spawn(writer::run(log, waiting, cancelled));
        Self { queue }
    }

    /// Writes down that these members are shown; on disk when it answers.
    ///
    /// # Errors
    /// Where it cannot be written. Nothing may be shown then.
    pub async fn record(&self, showing: &Showing, members: &BTreeSet<MemberId>) -> Result<Told, NotWritten> {
        let all: Vec<MemberId> = members.iter().copied().collect();
        for some in all.chunks(MOST_IN_A_BATCH) {
            let messages: Result<_, _> = some.iter().map(|member| message(showing, Some(*member))).collect();
            self.write(messages?).await?;
        }
        Ok(Told(()))
    }

    /// Writes down that a whole list is taken out, before its first row.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub async fn record_export(&self, showing: &Showing) -> Result<(), NotWritten> {
        self.write(vec![message(showing, None)?]).await
    }

    async fn write(&self, messages: Vec<Message>) -> Result<(), NotWritten> {
        let ending = || NotWritten { source: None };
        let (written, outcome) = oneshot::channel();
        self.queue.send(Waiting { messages, written }).await.map_err(|_| ending())?;
        outcome.await.map_err(|_| ending())?
    }
}

fn message(showing: &Showing, member: Option<MemberId>) -> Result<Message, NotWritten> {
    let Showing { actor, purpose, operation, given_as, position, answer } = showing.clone();
    let id = clock::new_event_id();
    let recorded = AccessRecorded {
        id,
        at: Instant::new(clock::now().fixed_offset()),
        actor,
        purpose,
        operation,
        given_as,
        member,
        position,
        answer,
    };
    let body = serde_json::to_vec(&recorded).map_err(|error| not_written(error.into()))?;
    let subject = member.map_or_else(|| EXPORT.to_owned(), |member| format!("access.{member}"));
    Ok(Message { subject, id: id.to_string(), expected: None, headers: Vec::new(), body: Bytes::from(body) })
}

fn not_written(source: Source) -> NotWritten {
    NotWritten { source: Some(Arc::new(source)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{MemoryLog, StreamSpec};

    fn showing(who: &str) -> Showing {
        let actor = Actor { org: who.to_owned(), id: "somebody".to_owned(), role: "plan_compliance".to_owned() };
        Showing::to(actor, Some("operations".to_owned()), "GET /v1/members/{member}/history", Position(7))
    }

    fn members(numbers: std::ops::Range<u128>) -> BTreeSet<MemberId> {
        numbers.map(|number| MemberId(Uuid::from_u128(number))).collect()
    }

    #[tokio::test]
    async fn each_member_of_an_answer_is_written_down_before_it_is_given() {
        let log = Arc::new(MemoryLog::new(StreamSpec::ACCESS));
        let access = AccessLog::over(log.clone(), CancellationToken::new());
        access.record(&showing("la-care"), &members(0..2_500)).await.unwrap();
        assert_eq!(log.head().await.unwrap(), Position(2_500));
        access.record_export(&showing("la-care").exported()).await.unwrap();
        let export = log.last(EXPORT).await.unwrap().unwrap();
        let export: AccessRecorded = serde_json::from_slice(&export.body).unwrap();
        assert_eq!((export.member, export.given_as, export.position), (None, GivenAs::Export, Position(7)));
    }

    #[tokio::test]
    async fn callers_at_once_are_each_written_down_and_once() {
        let log = Arc::new(MemoryLog::new(StreamSpec::ACCESS));
        let access = AccessLog::over(log.clone(), CancellationToken::new());
        let asked = (0..300_u128).map(|number| {
            let access = access.clone();
            async move { access.record(&showing("la-care"), &members(number..number + 3)).await.map(drop) }
        });
        for told in futures_util::future::join_all(asked).await {
            told.unwrap();
        }
        assert_eq!(log.head().await.unwrap(), Position(900));
    }

    #[tokio::test]
    async fn a_program_that_ends_shows_nothing_more() {
        let cancelled = CancellationToken::new();
        let access = AccessLog::over(Arc::new(MemoryLog::new(StreamSpec::ACCESS)), cancelled.clone());
        cancelled.cancel();
        access.queue.closed().await;
        assert!(access.record(&showing("la-care"), &members(0..1)).await.is_err());
    }
}
