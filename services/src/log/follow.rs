//! Reading a NATS stream on and on, in order, without a gap.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use futures_util::stream::{self, BoxStream, StreamExt};
use rollbook_events::ids::Position;
use tokio::time::{Instant, sleep};

use super::nats::NatsLog;
use super::{Log, ReadError, Source, Stored};

/// How many messages are asked for at once: enough that the server never waits for the question.
const ASKED_AT_ONCE: usize = 4_000;

/// How often the server says that it is still there when there is nothing to send.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// How long the server may be away before this gives up: whoever reads on must say so to the health check.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the server keeps a reader that no longer asks.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

struct Follower {
    log: NatsLog,
    last: Position,
    messages: Option<pull::Stream>,
    /// The position that was missing once already.
    missed: Option<Position>,
    pause: Duration,
}

pub(super) async fn follow(
    log: NatsLog,
    after: Position,
) -> Result<BoxStream<'static, Result<Stored, ReadError>>, ReadError> {
    let mut follower = Follower { log, last: after, messages: None, missed: None, pause: FIRST_PAUSE };
    follower.messages = Some(follower.subscribe().await?);
    let messages = stream::unfold(Some(follower), |follower| async move {
        let mut follower = follower?;
        match follower.next().await {
            Ok(stored) => Some((Ok(stored), Some(follower))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(messages.boxed())
}

impl Follower {
    async fn next(&mut self) -> Result<Stored, ReadError> {
        loop {
            let Some(messages) = &mut self.messages else {
                self.resume().await?;
                continue;
            };
            let message = match messages.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    // The server forgets its readers when it restarts.
                    tracing::warn!(after = %self.last, error = %error, "reading the log was interrupted");
                    self.messages = None;
                    continue;
                }
                None => {
                    self.messages = None;
                    continue;
                }
            };
            let found = message.info().map(|info| Position(info.stream_sequence)).map_err(ReadError::unavailable)?;
            let expected = Position(self.last.0 + 1);
            if found == expected {
                (self.last, self.missed, self.pause) = (found, None, FIRST_PAUSE);
                let message = message.message;
                return Ok(Stored { position: found, subject: message.subject.into_string(), body: message.payload });
            }
            // Lost on the way to us, or missing in the log? A second reading tells.
            if self.missed == Some(expected) {
                return Err(ReadError::Hole { expected, found });
            }
            tracing::warn!(%expected, %found, "the log skipped a position: reading again");
            self.missed = Some(expected);
            self.messages = None;
        }
    }

    /// Reads on after an interruption, or gives up.
    async fn resume(&mut self) -> Result<(), ReadError> {
        let start = Instant::now();
        loop {
            match self.subscribe().await {
                Ok(messages) => {
                    self.messages = Some(messages);
                    // A reader that breaks as soon as it is made must not become a busy loop.
                    self.rest().await;
                    return Ok(());
                }
                Err(error @ ReadError::Unavailable { .. }) if start.elapsed() > PATIENCE => return Err(error),
                Err(ReadError::Unavailable { source }) => {
                    tracing::warn!(after = %self.last, error = %source, "the log cannot be read");
                    self.rest().await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Longer each time, until a message comes.
    async fn rest(&mut self) {
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    async fn subscribe(&self) -> Result<pull::Stream, ReadError> {
        let head = self.log.head().await?;
        if head < self.last {
            return Err(ReadError::Behind { after: self.last, head });
        }
        // Our own loop instead of an ordered consumer: that one takes a skipped block for the next message.
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.last.0 + 1 },
            ack_policy: AckPolicy::None,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: FORGOTTEN_AFTER,
            ..pull::Config::default()
        };
        let consumer = self.log.context.create_consumer_on_stream(config, self.log.spec.name);
        let consumer = consumer.await.map_err(|error| ReadError::unavailable(Source::from(error)))?;
        let messages = consumer.stream().max_messages_per_batch(ASKED_AT_ONCE).heartbeat(HEARTBEAT).messages();
        messages.await.map_err(|error| ReadError::unavailable(Source::from(error)))
    }
}
