//! Reading a NATS stream on and on, in order, without a gap.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use futures_util::stream::{self, BoxStream, StreamExt};
use rollbook_events::ids::Position;
use tokio::time::{Instant, sleep, timeout};

use super::nats::{ANSWER_TIMEOUT, NatsLog};
use super::{Log, ReadError, Stored};

/// How many messages are asked for at once: enough that the server never waits for the question.
const ASKED_AT_ONCE: usize = 4_000;

/// The same for a reader of some subjects alone.
const FILTERED_AT_ONCE: usize = 500;

/// How many messages of one subject are asked for at once: fewer than the client has room for.
const READ_AT_ONCE: usize = 50_000;

/// How often the server says that it is still there when there is nothing to send.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// How long the server may be away before this gives up: whoever reads on must say so to the health check.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the server keeps a reader that no longer asks: one that follows may be busy with what it has.
const FOLLOWER_KEPT: Duration = Duration::from_secs(60);
const READER_KEPT: Duration = Duration::from_secs(1);

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What becomes of a message on its way to the reader.
pub(super) type Make<T> = fn(Position, jetstream::Message) -> T;

struct Follower<T> {
    log: NatsLog,
    make: Make<T>,
    /// Which subjects; all where it is empty.
    filter: String,
    last: Position,
    messages: Option<pull::Stream>,
    /// How many messages this reader was sent, as the server counts.
    sent: u64,
    /// The reader on the server, where it is not left to be forgotten.
    _reader: Option<Reader>,
    /// The position that was missing once already.
    missed: Option<Position>,
    pause: Duration,
}

pub(super) async fn follow<T: 'static>(
    log: NatsLog,
    after: Position,
    filter: String,
    make: Make<T>,
) -> Result<BoxStream<'static, Result<T, ReadError>>, ReadError> {
    let mut follower = Follower {
        log,
        make,
        filter,
        last: after,
        messages: None,
        sent: 0,
        _reader: None,
        missed: None,
        pause: FIRST_PAUSE,
    };
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

impl<T> Follower<T> {
    /// Of one subject among others many read at once, and each holds what it has asked for.
    fn at_once(&self) -> usize {
        if self.filter.is_empty() { ASKED_AT_ONCE } else { FILTERED_AT_ONCE }
    }

    async fn next(&mut self) -> Result<T, ReadError> {
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
            let (found, sent) = {
                let info = message.info().map_err(ReadError::unavailable)?;
                (Position(info.stream_sequence), info.consumer_sequence)
            };
            let expected = Position(self.last.0 + 1);
            // Of some subjects the positions have gaps: there the server's own count tells whether one was lost on the way.
            let next = if self.filter.is_empty() { found == expected } else { sent == self.sent + 1 };
            if next {
                (self.last, self.sent, self.missed, self.pause) = (found, sent, None, FIRST_PAUSE);
                return Ok((self.make)(found, message));
            }
            // Lost on the way here, or missing in the log? A second reading tells.
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
                    (self.messages, self.sent) = (Some(messages), 0);
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

    async fn subscribe(&mut self) -> Result<pull::Stream, ReadError> {
        let head = self.log.head().await?;
        if head < self.last {
            return Err(ReadError::Behind { after: self.last, head });
        }
        // Our own loop instead of an ordered consumer: that one takes a skipped block for the next message.
        let from = DeliverPolicy::ByStartSequence { start_sequence: self.last.0 + 1 };
        let consumer = self.log.consumer(from, self.filter.clone(), FOLLOWER_KEPT).await?;
        if !self.filter.is_empty() {
            // Many come and go: left to the server for a minute each, they would come to its limit.
            let name = consumer.cached_info().name.clone();
            self._reader = Some(Reader { log: self.log.clone(), name });
        }
        let messages = consumer.stream().max_messages_per_batch(self.at_once()).heartbeat(HEARTBEAT).messages();
        messages.await.map_err(ReadError::unavailable)
    }
}

/// A reader on the server, which goes with whoever reads.
struct Reader {
    log: NatsLog,
    name: String,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let (context, stream, name) = (self.log.context.clone(), self.log.spec.name, std::mem::take(&mut self.name));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(error) = context.delete_consumer_from_stream(&name, stream).await {
                tracing::debug!(error = %error, "a reader was left to the server");
            }
        });
    }
}

impl NatsLog {
    /// A reader that the server forgets by itself.
    async fn consumer(
        &self,
        deliver_policy: DeliverPolicy,
        filter_subject: String,
        inactive_threshold: Duration,
    ) -> Result<Consumer<pull::Config>, ReadError> {
        let config = pull::Config {
            deliver_policy,
            filter_subject,
            ack_policy: AckPolicy::None,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold,
            ..pull::Config::default()
        };
        self.context.create_consumer_on_stream(config, self.spec.name).await.map_err(ReadError::unavailable)
    }

    /// The messages of a subject from its first, without a gap, as far as the server has them at hand.
    pub(super) async fn read_many(&self, subject: &str) -> Result<Vec<Stored>, ReadError> {
        // From the first: where to start within a subject costs the server more than to send it all.
        let consumer = self.consumer(DeliverPolicy::All, subject.to_owned(), READER_KEPT).await?;
        self.read_off(consumer, READ_AT_ONCE).await
    }

    /// At most so many messages of a subject after a position, without a gap, as far as the server has them at hand.
    pub(super) async fn read_some_of(
        &self,
        subject: &str,
        after: Position,
        most: usize,
    ) -> Result<Vec<Stored>, ReadError> {
        let from = DeliverPolicy::ByStartSequence { start_sequence: after.0 + 1 };
        let consumer = self.consumer(from, subject.to_owned(), READER_KEPT).await?;
        self.read_off(consumer, most).await
    }

    /// Messages after a position, holes passed over, as far as the server has them at hand; none where there are no more.
    pub(super) async fn read_some(&self, after: Position) -> Result<Vec<Stored>, ReadError> {
        let from = DeliverPolicy::ByStartSequence { start_sequence: after.0 + 1 };
        let consumer = self.consumer(from, String::new(), READER_KEPT).await?;
        self.read_off(consumer, READ_AT_ONCE).await
    }

    async fn read_off(&self, consumer: Consumer<pull::Config>, most: usize) -> Result<Vec<Stored>, ReadError> {
        let read = read_all(&consumer, most.min(READ_AT_ONCE)).await;
        // Left to itself the server keeps it for a second, and many readers at once would come to its limit.
        let name = &consumer.cached_info().name;
        if let Err(error) = self.context.delete_consumer_from_stream(name, self.spec.name).await {
            tracing::debug!(error = %error, "a reader was left to the server");
        }
        read
    }
}

/// What a reader finds, at most so many, up to the first gap.
async fn read_all(consumer: &Consumer<pull::Config>, most: usize) -> Result<Vec<Stored>, ReadError> {
    let pending = usize::try_from(consumer.cached_info().num_pending).unwrap_or(most).min(most);
    let mut messages = Vec::with_capacity(pending);
    if pending == 0 {
        return Ok(messages);
    }
    let fetched = consumer.fetch().max_messages(pending).messages().await;
    let mut fetched = fetched.map_err(ReadError::unavailable)?;
    // A request that is lost on its way has no end of its own.
    while let Some(message) = timeout(ANSWER_TIMEOUT, fetched.next()).await.map_err(ReadError::unavailable)? {
        let message = message.map_err(ReadError::unavailable)?;
        let info = message.info().map_err(ReadError::unavailable)?;
        if info.consumer_sequence != messages.len() as u64 + 1 {
            // One was lost on the way here: it and what follows are asked for again.
            break;
        }
        messages.push(stored(Position(info.stream_sequence), message));
    }
    Ok(messages)
}

pub(super) fn stored(position: Position, message: jetstream::Message) -> Stored {
    let message = message.message;
    Stored { position, subject: message.subject.into_string(), body: message.payload }
}
