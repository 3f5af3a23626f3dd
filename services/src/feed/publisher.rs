//! The publisher: follows the log from where the feed ends and writes each event to the feed, once.
//!
//! Its progress is the feed itself. The server stores a batch only where the feed ends at the position before it, so that of two
//! publishers one is told that it came second and goes on from what is there; whether a batch whose answer got lost was stored
//! is seen the same way. Before it goes on, the feed's last message must be of the log's event at that position.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use rollbook_events::Position;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::error::FeedError;
use super::numbers::Numbers;
use super::reader::{Feed, Heard};
use super::status::Report;
use super::told::Told;
use crate::error_chain::chain;
use crate::failpoint;
use crate::log::{Log, MOST_IN_A_BATCH, ReadError, Record, Stored};

/// How often a publisher with nothing to do looks whether log and feed still end alike.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// From one batch to the next at least: a batch costs a flush whatever its size, and the recorder shares the disk.
const BATCH_EVERY: Duration = Duration::from_millis(20);

/// Bytes of events at which a batch is sent before it has as many as it may.
const FULL_AT: usize = 4 * 1_024 * 1_024;

/// How long it waits after damage, which somebody has to mend, before it looks again.
const AFTER_DAMAGE: Duration = Duration::from_secs(15);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Writes the feed.
#[derive(Clone)]
pub struct Publisher {
    log: Arc<dyn Log>,
    feed: Feed,
    report: Report,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").finish_non_exhaustive()
    }
}

/// Where a publisher is.
struct At {
    position: Position,
    numbers: Numbers,
    /// When the last batch was sent.
    sent: Instant,
}

impl Publisher {
    /// From this log to this feed.
    pub fn new(log: Arc<dyn Log>, feed: Feed, report: Report) -> Self {
        Self { log, feed, report }
    }

    /// Publishes until cancelled. Whatever goes wrong is said to health and tried again.
    pub async fn run(self, cancelled: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = Instant::now();
            let ended = tokio::select! {
                ended = self.turn() => ended,
                () = cancelled.cancelled() => return,
            };
            let Err(error) = ended else { return };
            if begun.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            let wait = match error.damage() {
                Some(cause) => {
                    self.report.damaged(&cause);
                    AFTER_DAMAGE
                }
                None if matches!(error, FeedError::Moved) => {
                    tracing::info!("another publisher writes the feed: going on from there");
                    pause
                }
                None => {
                    self.report.away(&chain(&error));
                    pause
                }
            };
            pause = (pause * 2).min(LONGEST_PAUSE);
            tokio::select! {
                () = sleep(wait) => {}
                () = cancelled.cancelled() => return,
            }
        }
    }

    /// Where the feed ends, if the log holds the same there.
    async fn resume(&self) -> Result<At, FeedError> {
        self.feed.log().check().await.or_else(|error| {
            // Whether the server flushes is compared where the program starts.
            if matches!(error, crate::log::SettingsError::NotChecked) { Ok(()) } else { Err(error) }
        })?;
        let (last, numbers) = self.feed.numbers().await?;
        let unread = |source| FeedError::Log { source };
        let head = self.log.head().await.map_err(unread)?;
        let position = last.as_ref().map_or(Position(0), |last| last.position);
        if head < position {
            return Err(FeedError::Ahead { feed: position, log: head });
        }
        if let Some(last) = last {
            let event = self.log.get(position).await.map_err(unread)?;
            if !event.is_some_and(|event| is_told_by(&event, &last)) {
                return Err(FeedError::Differs { position });
            }
        }
        self.report.published(position.0);
        self.report.head(head.0);
        Ok(At { position, numbers, sent: Instant::now() })
    }

    /// Publishes from where the feed ends until something goes wrong.
    async fn turn(&self) -> Result<(), FeedError> {
        let mut at = self.resume().await?;
        let events = self.log.follow(at.position).await.map_err(|source| FeedError::Log { source })?;
        // What came while a batch was on its way makes the next.
        let mut events = events.ready_chunks(MOST_IN_A_BATCH);
        let mut look = Instant::now() + LOOK_EVERY;
        loop {
            tokio::select! {
                biased;
                () = sleep_until(look) => {
                    self.look(&at).await?;
                    look = Instant::now() + LOOK_EVERY;
                }
                came = events.next() => self.publish(&mut at, came.ok_or(FeedError::Ended)?).await?,
            }
        }
    }

    /// Whether the feed ends where it was left, and how far the log goes.
    async fn look(&self, at: &At) -> Result<(), FeedError> {
        let log = self.log.head().await.map_err(|source| FeedError::Log { source })?;
        if log < at.position {
            return Err(FeedError::Ahead { feed: at.position, log });
        }
        self.report.head(log.0);
        let feed = self.feed.head().await?;
        if feed < at.position {
            return Err(FeedError::Read(ReadError::Behind { after: at.position, head: feed }));
        }
        if feed > at.position { Err(FeedError::Moved) } else { Ok(()) }
    }

    /// Publishes what came, up to the first that is no event or cannot be told.
    async fn publish(&self, at: &mut At, came: Vec<Result<Stored, ReadError>>) -> Result<(), FeedError> {
        let (mut batch, mut bytes, mut wrong) = (Vec::with_capacity(came.len()), 0, None);
        if let Some(Ok(last)) = came.last() {
            self.report.head(last.position.0);
        }
        for event in came {
            let told = event.map_err(|source| FeedError::Log { source }).and_then(|event| {
                let told = at.numbers.tell(event.position, &event.body);
                told.map_err(|source| FeedError::Event { position: event.position, source })
            });
            match told {
                Ok(record) => {
                    bytes += record.body.len();
                    batch.push(record);
                }
                Err(error) => {
                    wrong = Some(error);
                    break;
                }
            }
            if bytes >= FULL_AT {
                self.write(at, &batch).await?;
                (batch, bytes) = (Vec::new(), 0);
            }
        }
        self.write(at, &batch).await?;
        wrong.map_or(Ok(()), Err)
    }

    /// Writes a batch, or nothing of it.
    async fn write(&self, at: &mut At, batch: &[Record]) -> Result<(), FeedError> {
        let Some(last) = batch.last() else { return Ok(()) };
        sleep_until(at.sent + BATCH_EVERY).await;
        at.sent = Instant::now();
        failpoint!("feed.before_write");
        if let Err(error) = self.feed.log().append_after(at.position, batch).await {
            let moved = self.feed.head().await.is_ok_and(|head| head != at.position);
            return Err(if moved { FeedError::Moved } else { error.into() });
        }
        failpoint!("feed.after_write");
        at.position = last.position;
        metrics::counter!("rollbook_feed_messages_total").increment(batch.len() as u64);
        self.report.published(at.position.0);
        Ok(())
    }
}

/// Whether a message of the feed is of this event of the log.
fn is_told_by(event: &Stored, message: &Heard) -> bool {
    let id = serde_json::from_slice::<Id>(&event.body).map(|event| event.id);
    let told = Told::read(&event.body);
    told.is_ok_and(|told| told.plan == message.plan && told.kind == message.kind)
        && id.is_ok_and(|id| id == message.id())
}

#[derive(serde::Deserialize)]
struct Id {
    id: String,
}
