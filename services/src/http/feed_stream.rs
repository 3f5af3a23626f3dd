//! One follower of the feed: its messages and heartbeats, through a buffer that is bounded in number and time.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use rollbook_events::PlanCode;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::error_chain::chain;
use crate::feed::error::FeedError;
use crate::feed::reader::Place;
use crate::feed::{Feed, Heard};

/// How often a follower to whom nothing comes is told how far the feed is.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// How long a follower may take for what waits for it.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// Messages that wait for a follower.
const MOST_WAITING: usize = 64;

/// Whether a message is given.
pub type Kept = Box<dyn Fn(&Heard) -> bool + Send + Sync>;

/// What a line or an event of the answer is: the event of the log as CloudEvents 1.0, with its place.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "told of, never made: messages are given as their bytes stand in the feed")]
pub struct FeedEvent {
    /// Always `1.0`.
    specversion: String,
    /// The event's id.
    id: String,
    /// Always `/rollbook`.
    source: String,
    /// The kind and its version, as in `rollbook.enrolled.v1`; /schemas has the schema of each `data`.
    #[schema(example = "rollbook.enrolled.v1")]
    r#type: String,
    /// The member's pseudonym, or `rulebook`.
    subject: String,
    /// Whose feed.
    plan: String,
    /// What happened; absent where `redacted` is true.
    data: Option<serde_json::Map<String, serde_json::Value>>,
    /// True where the event is sensitive: what it says, who said so and where are not in the feed. Those with the right ask
    /// for it at /v1/events, by its position.
    redacted: Option<bool>,
    /// Where the event stands in the log.
    #[schema(minimum = 1)]
    logposition: u64,
    /// The running number in the feed of its plan.
    #[schema(minimum = 1)]
    feednumber: u64,
}

/// What a line is: a message, or a heartbeat.
#[derive(Debug)]
pub struct FeedLine;

impl PartialSchema for FeedLine {
    fn schema() -> RefOr<Schema> {
        let heartbeat = ObjectBuilder::new()
            .property("heartbeat", Ref::from_schema_name("Beat"))
            .required("heartbeat")
            .description(Some("how far the feed is"));
        OneOfBuilder::new().item(Ref::from_schema_name("FeedEvent")).item(heartbeat).into()
    }
}

impl ToSchema for FeedLine {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("FeedEvent".to_owned(), FeedEvent::schema()));
        schemas.push(("Beat".to_owned(), Beat::schema()));
    }
}

/// How far the feed of a plan is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Beat {
    /// Whose feed.
    pub plan: String,
    /// The number of the last message told or passed by; 0 before the first.
    #[schema(minimum = 0)]
    pub number: u64,
    /// Its event's position in the log; 0 before the first.
    #[schema(minimum = 0)]
    pub position: u64,
    /// The receipt after it.
    pub receipt: String,
}

impl Beat {
    /// Of a place.
    pub fn of(plan: &PlanCode, place: Place) -> Self {
        Self {
            plan: plan.to_string(),
            number: place.standing.number,
            position: place.position.0,
            receipt: place.standing.receipt.to_string(),
        }
    }
}

#[derive(Serialize)]
struct Heartbeat<'a> {
    heartbeat: &'a Beat,
}

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As server-sent events.
    Events,
    /// One a line.
    Lines,
}

impl Form {
    /// What a caller accepts; lines where it does not say.
    pub fn of(accept: Option<&str>) -> Option<Self> {
        let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else { return Some(Self::Lines) };
        accept.split(',').find_map(|range| match range.split(';').next().unwrap_or_default().trim() {
            "text/event-stream" | "text/*" => Some(Self::Events),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/*" | "*/*" => {
                Some(Self::Lines)
            }
            _ => None,
        })
    }

    /// What it is called.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Events => "text/event-stream",
            Self::Lines => "application/x-ndjson",
        }
    }

    fn message(self, heard: &Heard) -> Bytes {
        let mut text = Vec::with_capacity(heard.body.len() + 64);
        if self == Self::Events {
            text.extend(format!("id: {}\nevent: {}\ndata: ", heard.standing.number, heard.kind).bytes());
        }
        text.extend_from_slice(&heard.body);
        text.extend_from_slice(if self == Self::Events { b"\n\n" } else { b"\n" });
        text.into()
    }

    /// Without an id: a heartbeat is nothing to go on after, where a filter passed messages by.
    fn heartbeat(self, beat: &Beat) -> Bytes {
        let told = match self {
            Self::Events => serde_json::to_string(beat).map(|beat| format!("event: heartbeat\ndata: {beat}\n\n")),
            Self::Lines => serde_json::to_string(&Heartbeat { heartbeat: beat }).map(|beat| format!("{beat}\n")),
        };
        told.unwrap_or_default().into()
    }
}

/// Who follows what.
pub struct Follower {
    /// The feed.
    pub feed: Feed,
    /// Of which plan.
    pub plan: PlanCode,
    /// After which message.
    pub after: Place,
    /// Which messages.
    pub kept: Kept,
    /// How they are written.
    pub form: Form,
    /// Whether more is waited for.
    pub wait: bool,
}

/// Why a follower was not told on.
enum Stopped {
    /// It does not listen, or not fast enough.
    Gone,
    /// The feed cannot be read.
    Feed(FeedError),
}

impl From<FeedError> for Stopped {
    fn from(error: FeedError) -> Self {
        Self::Feed(error)
    }
}

type Sender = mpsc::Sender<io::Result<Bytes>>;

impl Follower {
    /// Begins to tell. The place among the followers is given up when it ends, however that is.
    pub fn begin(
        self,
        admitted: OwnedSemaphorePermit,
        ended: CancellationToken,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (send, receive) = mpsc::channel(MOST_WAITING);
        tokio::spawn(async move {
            metrics::gauge!("rollbook_feed_followers").increment(1.0);
            tokio::select! {
                () = self.tell(&send) => {}
                () = ended.cancelled() => {}
                () = send.closed() => {}
            }
            metrics::gauge!("rollbook_feed_followers").decrement(1.0);
            drop(admitted);
        });
        stream::unfold(receive, |mut receive| async move { Some((receive.recv().await?, receive)) })
    }

    async fn tell(self, send: &Sender) {
        if let Err(Stopped::Feed(error)) = self.told(send).await {
            tracing::warn!(error = chain(&error), "a follower of the feed is cut off");
            // An answer that breaks off is seen to be no whole one.
            _ = timeout(TAKEN_WITHIN, send.send(Err(io::Error::other("the feed cannot be read")))).await;
        }
    }

    async fn told(mut self, send: &Sender) -> Result<(), Stopped> {
        // What is there now, for an answer that ends.
        let last = if self.wait { None } else { Some(self.feed.last(&self.plan).await?) };
        let last = last.map(|last| last.map_or(0, |last| last.standing.number));
        self.beat(send).await?;
        let mut messages = self.feed.follow(&self.plan, self.after).await?;
        let mut beat = Instant::now() + HEARTBEAT_EVERY;
        while last.is_none_or(|last| self.after.standing.number < last) {
            tokio::select! {
                biased;
                heard = messages.next() => {
                    let heard = heard.ok_or(FeedError::Ended)??;
                    self.after = Place::from(&heard);
                    if !(self.kept)(&heard) {
                        continue;
                    }
                    give(send, self.form.message(&heard)).await?;
                }
                () = sleep_until(beat) => self.beat(send).await?,
            }
            beat = Instant::now() + HEARTBEAT_EVERY;
        }
        self.beat(send).await
    }

    async fn beat(&self, send: &Sender) -> Result<(), Stopped> {
        give(send, self.form.heartbeat(&Beat::of(&self.plan, self.after))).await
    }
}

async fn give(send: &Sender, text: Bytes) -> Result<(), Stopped> {
    match timeout(TAKEN_WITHIN, send.send(Ok(text))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Stopped::Gone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_events_and_a_program_lines() {
        assert_eq!(Form::of(Some("text/event-stream")), Some(Form::Events));
        assert_eq!(Form::of(Some("application/x-ndjson;q=0.9")), Some(Form::Lines));
        assert_eq!([Form::of(None), Form::of(Some("*/*"))], [Some(Form::Lines); 2]);
        assert_eq!(Form::of(Some("text/html")), None);
    }

    #[test]
    fn a_heartbeat_is_told_apart_from_a_message() {
        let beat = Beat::of(&"la-care".parse().unwrap(), Place::beginning());
        let line = String::from_utf8(Form::Lines.heartbeat(&beat).to_vec()).unwrap();
        assert!(line.starts_with("{\"heartbeat\":{\"plan\":\"la-care\",\"number\":0,") && line.ends_with("}}\n"));
        let event = String::from_utf8(Form::Events.heartbeat(&beat).to_vec()).unwrap();
        assert!(event.starts_with("event: heartbeat\ndata: {") && !event.contains("id:"), "{event}");
    }
}
