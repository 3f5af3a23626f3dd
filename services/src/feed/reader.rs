//! The feed as it is read: a plan's last message, the one of a number, those after it without a gap.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt};
use rollbook_events::{PlanCode, Position};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::error::FeedError;
use super::numbers::{Numbers, Standing};
use super::receipt::{HEADER, Receipt};
use crate::log::{Log, NatsLog, ReadError, Record, Which};

/// Followers of one program at once. Each holds a reader of the server and some hundred messages.
pub const MOST_FOLLOWERS: usize = 100;

/// A message of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Whose feed.
    pub plan: PlanCode,
    /// The kind of event.
    pub kind: String,
    /// Where its event stands in the log, and it in the feed of all plans.
    pub position: Position,
    /// Where the feed of its plan stands with it.
    pub standing: Standing,
    /// When its event was recorded.
    pub recorded_at: Option<DateTime<Utc>>,
    /// The program its event is about, where it tells of one.
    pub program: Option<String>,
    /// Whether its event tells less than was recorded.
    pub redacted: bool,
    /// The message, to the byte.
    pub body: Bytes,
}

/// What of a body the feed itself reads.
#[derive(Deserialize)]
struct Body {
    id: String,
    plan: PlanCode,
    logposition: u64,
    feednumber: u64,
    recordedtime: Option<DateTime<Utc>>,
    #[serde(default)]
    redacted: bool,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    program: Option<String>,
}

impl Heard {
    /// Reads a message of the stream.
    ///
    /// # Errors
    /// Where it is not one that a publisher wrote there.
    pub fn of(record: Record) -> Result<Self, FeedError> {
        let damaged = |what| FeedError::Damaged { position: record.position, what };
        let body: Body = serde_json::from_slice(&record.body).map_err(|_| damaged("is no message of a publisher"))?;
        let receipt = record.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(HEADER));
        let receipt = receipt.and_then(|(_, receipt)| receipt.parse::<Receipt>().ok());
        let receipt = receipt.ok_or_else(|| damaged("has no receipt"))?;
        if body.logposition != record.position.0 {
            return Err(damaged("tells of another position of the log"));
        }
        let kind = record.subject.rsplit('.').next().unwrap_or_default().to_owned();
        Ok(Self {
            plan: body.plan,
            kind,
            position: record.position,
            standing: Standing { number: body.feednumber, receipt },
            recorded_at: body.recordedtime,
            program: body.data.and_then(|data| data.program),
            redacted: body.redacted,
            body: record.body,
        })
    }

    /// The id of its event.
    pub fn id(&self) -> String {
        serde_json::from_slice::<Body>(&self.body).map(|body| body.id).unwrap_or_default()
    }
}

/// A place in the feed of a plan: after which message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The position of that message; 0 before the first.
    pub position: Position,
    /// Where the feed stands with it.
    pub standing: Standing,
}

impl Place {
    /// Before a plan's first message.
    pub fn beginning() -> Self {
        Self { position: Position(0), standing: Standing::beginning() }
    }
}

impl From<&Heard> for Place {
    fn from(heard: &Heard) -> Self {
        Self { position: heard.position, standing: heard.standing }
    }
}

/// The feed of a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    log: NatsLog,
    followers: Arc<Semaphore>,
    ended: CancellationToken,
}

/// All subjects of a plan.
fn of_plan(plan: &PlanCode) -> String {
    format!("feed.{plan}.*")
}

impl Feed {
    /// The feed on a stream; who follows it is sent away when the program ends.
    pub fn new(log: NatsLog, ended: CancellationToken) -> Self {
        Self { log, followers: Arc::new(Semaphore::new(MOST_FOLLOWERS)), ended }
    }

    /// The stream.
    pub fn log(&self) -> &NatsLog {
        &self.log
    }

    /// When the program ends.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// A place among the followers, where there is one.
    pub fn admit(&self) -> Option<OwnedSemaphorePermit> {
        self.followers.clone().try_acquire_owned().ok()
    }

    /// How many follow now.
    pub fn following(&self) -> usize {
        MOST_FOLLOWERS - self.followers.available_permits()
    }

    /// The position of the last message of all plans.
    ///
    /// # Errors
    /// Where the server does not tell.
    pub async fn head(&self) -> Result<Position, FeedError> {
        Ok(self.log.head().await?)
    }

    /// A plan's last message.
    ///
    /// # Errors
    /// Where the server does not tell, or the message is damaged.
    pub async fn last(&self, plan: &PlanCode) -> Result<Option<Heard>, FeedError> {
        self.log.peek(Which::Last(&of_plan(plan))).await?.map(Heard::of).transpose()
    }

    /// A plan's first message of an event at a position or after it.
    ///
    /// # Errors
    /// As [`Self::last`].
    pub async fn from(&self, plan: &PlanCode, position: Position) -> Result<Option<Heard>, FeedError> {
        self.log.peek(Which::From(&of_plan(plan), position)).await?.map(Heard::of).transpose()
    }

    /// A plan's message of a number; none where the feed has not come so far, and of number 0.
    ///
    /// # Errors
    /// As [`Self::last`], and where the message is missing.
    pub async fn numbered(&self, plan: &PlanCode, number: u64) -> Result<Option<Heard>, FeedError> {
        let Some(last) = self.last(plan).await?.filter(|_| number > 0) else { return Ok(None) };
        let Some(after) = last.standing.number.checked_sub(number) else { return Ok(None) };
        // Between these it must be: a position holds one message of one plan.
        let (mut low, mut high) = (number, last.position.0.saturating_sub(after));
        if after == 0 {
            return Ok(Some(last));
        }
        while low <= high {
            let middle = low.midpoint(high);
            let Some(found) = self.from(plan, Position(middle)).await? else { break };
            if found.standing.number == number {
                return Ok(Some(found));
            }
            if found.standing.number < number {
                low = found.position.0 + 1;
            } else {
                high = middle.saturating_sub(1);
            }
        }
        Err(FeedError::Damaged { position: Position(low), what: "should be near a number that is missing" })
    }

    /// The place after so many messages of a plan; none where the feed has not come so far.
    ///
    /// # Errors
    /// As [`Self::numbered`].
    pub async fn after(&self, plan: &PlanCode, number: u64) -> Result<Option<Place>, FeedError> {
        if number == 0 {
            return Ok(Some(Place::beginning()));
        }
        Ok(self.numbered(plan, number).await?.as_ref().map(Place::from))
    }

    /// Every message of a plan after a place, in order, without end. The first error ends it; a number that does not follow
    /// on the one before is one, and so is a receipt that does not.
    ///
    /// # Errors
    /// Where the stream cannot be read.
    pub async fn follow(
        &self,
        plan: &PlanCode,
        after: Place,
    ) -> Result<BoxStream<'static, Result<Heard, FeedError>>, FeedError> {
        let records = self.log.follow_some(of_plan(plan), after.position).await?;
        let heard = stream::unfold(Some((records, after.standing)), |state| async move {
            let (mut records, before) = state?;
            match next(records.next().await?, before) {
                Ok(heard) => {
                    let standing = heard.standing;
                    Some((Ok(heard), Some((records, standing))))
                }
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(heard.boxed())
    }

    /// Where the feeds of all plans stand, and the position of the last message: all that a publisher needs to go on.
    ///
    /// # Errors
    /// Where the stream cannot be read, or is not whole.
    pub async fn numbers(&self) -> Result<(Option<Heard>, Numbers), FeedError> {
        let head = self.log.head().await?;
        let last = match head {
            Position(0) => None,
            head => Some(self.log.peek(Which::At(head)).await?.map(Heard::of).transpose()?.ok_or(FeedError::Moved)?),
        };
        let mut plans: Vec<String> = self.log.subjects().await?.into_keys().collect();
        plans.retain(|subject| subject.split('.').count() == 3);
        plans.iter_mut().for_each(|subject| *subject = subject.split('.').nth(1).unwrap_or_default().to_owned());
        plans.sort();
        plans.dedup();
        let mut numbers = Numbers::none();
        for plan in plans {
            let plan: PlanCode =
                plan.parse().map_err(|_| FeedError::Damaged { position: head, what: "names no plan" })?;
            let of_plan = self.last(&plan).await?.ok_or(FeedError::Moved)?;
            numbers.put(plan, of_plan.standing);
        }
        if self.log.head().await? != head {
            // Another publisher wrote meanwhile: what was read is of two moments.
            return Err(FeedError::Moved);
        }
        if numbers.all() != head.0 {
            return Err(FeedError::Damaged {
                position: head,
                what: "is not as many messages as all plans have numbers",
            });
        }
        Ok((last, numbers))
    }
}

/// The next message of a plan, if it follows on where the feed stood.
fn next(record: Result<Record, ReadError>, before: Standing) -> Result<Heard, FeedError> {
    let heard = Heard::of(record?)?;
    let damaged = |what| Err(FeedError::Damaged { position: heard.position, what });
    if heard.standing.number != before.number + 1 {
        return damaged("does not follow on the number before");
    }
    if heard.standing.receipt != before.receipt.then(&heard.body) {
        return damaged("does not follow on the receipt before");
    }
    Ok(heard)
}
