//! A log that remembers what it acknowledged: it acknowledges nothing on top of a stream that has lost some of it.
//!
//! A stream can lose its end only while its server is away, or by being made anew. So after each new connection the last
//! acknowledged message is looked for, and the settings compared, before anything is appended; and a position that is not past every earlier one is
//! never passed on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use indicatif::HumanCount;
use rollbook_events::{Hash, Position};

use super::receipt::Receipt;
use crate::clock;
use crate::error_chain::chain;
use crate::health::{Forbids, Health};
use crate::log::{AppendError, Log, Message, ReadError, Room, SettingsError, Stored, StreamSpec};

/// The check of what was acknowledged against what the stream holds.
pub(super) const RECEIPT: &str = "receipt";
/// The check of each new position; what it finds stands until the program is started again.
const POSITION: &str = "position";

/// No connection has this number.
const NONE_YET: u64 = u64::MAX;

/// What a stream lacks of what was acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum Loss {
    /// The stream is shorter.
    #[error(
        "the stream {stream} ends at {}, but {} was acknowledged: restore it from the archive (rollbook restore)",
        HumanCount(head.0), HumanCount(position.0)
    )]
    Shorter {
        /// The stream.
        stream: &'static str,
        /// Its last position.
        head: Position,
        /// The last position that was acknowledged.
        position: Position,
    },
    /// The message is not there.
    #[error(
        "the stream {stream} no longer has the event at {}, which was acknowledged: restore it from the archive (rollbook restore)",
        HumanCount(position.0)
    )]
    Gone {
        /// The stream.
        stream: &'static str,
        /// Where.
        position: Position,
    },
    /// Another message stands there.
    #[error(
        "the event at {} of the stream {stream} is not the one that was acknowledged: restore it from the archive (rollbook restore)",
        HumanCount(position.0)
    )]
    Other {
        /// The stream.
        stream: &'static str,
        /// Where.
        position: Position,
    },
    /// The stream could not be read.
    #[error("what was acknowledged could not be compared with the stream {stream}")]
    Unread {
        /// The stream.
        stream: &'static str,
        /// Why.
        source: ReadError,
    },
}

/// The last message that was acknowledged.
#[derive(Debug, Clone)]
enum Last {
    /// As the receipt of an earlier run tells.
    Told(Receipt),
    /// By this program. Hashed when it is asked for, for appending must not wait for it.
    Appended(Position, Bytes),
}

impl Last {
    fn receipt(&self) -> Receipt {
        match self {
            Self::Told(receipt) => *receipt,
            Self::Appended(position, body) => Receipt { position: *position, sha256: Hash::of(body) },
        }
    }

    fn position(&self) -> Position {
        match self {
            Self::Told(receipt) => receipt.position,
            Self::Appended(position, _) => *position,
        }
    }
}

/// A stream that compares each acknowledgement with those before it.
pub struct AcknowledgedLog {
    inner: Arc<dyn Log>,
    spec: StreamSpec,
    health: Health,
    last: Mutex<Option<Last>>,
    /// The connection on which the last acknowledged message was found.
    compared_on: AtomicU64,
    comparing: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for AcknowledgedLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcknowledgedLog").field("stream", &self.spec.name).finish_non_exhaustive()
    }
}

impl AcknowledgedLog {
    /// Guards a stream of which so much was acknowledged in earlier runs.
    pub fn new(inner: Arc<dyn Log>, spec: StreamSpec, receipt: Option<Receipt>, health: Health) -> Self {
        Self {
            inner,
            spec,
            health,
            last: Mutex::new(receipt.map(Last::Told)),
            compared_on: AtomicU64::new(NONE_YET),
            comparing: tokio::sync::Mutex::default(),
        }
    }

    /// The stream's name.
    pub fn name(&self) -> &'static str {
        self.spec.name
    }

    /// The last message that was acknowledged, so far as this program knows.
    pub fn receipt(&self) -> Option<Receipt> {
        self.last().as_ref().map(Last::receipt)
    }

    fn last(&self) -> MutexGuard<'_, Option<Last>> {
        // Nobody who holds it can leave it half-changed.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn acknowledged(&self) -> Position {
        self.last().as_ref().map(Last::position).unwrap_or_default()
    }

    /// Looks for the last acknowledged message in the stream. Where nothing was acknowledged yet, what the stream holds now
    /// is taken for acknowledged.
    ///
    /// # Errors
    /// What is missing, or that it could not be looked for.
    pub async fn compare(&self) -> Result<(), Loss> {
        let stream = self.spec.name;
        let unread = |source| Loss::Unread { stream, source };
        let connection = self.inner.connection();
        let receipt = self.receipt();
        let head = self.inner.head().await.map_err(unread)?;
        let position = receipt.map_or(head, |receipt| receipt.position);
        if head < position {
            return Err(Loss::Shorter { stream, head, position });
        }
        if position > Position(0) {
            let stored = self.inner.get(position).await.map_err(unread)?.ok_or(Loss::Gone { stream, position })?;
            let sha256 = Hash::of(&stored.body);
            match receipt {
                Some(receipt) if receipt.sha256 != sha256 => return Err(Loss::Other { stream, position }),
                Some(_) => {}
                None => _ = self.last().get_or_insert(Last::Told(Receipt { position, sha256 })),
            }
        }
        if let Some(connection) = connection {
            self.compared_on.store(connection, Ordering::Release);
        }
        Ok(())
    }

    /// Compares where the connection is another than it was when that was last done.
    async fn compare_if_new(&self) -> Result<(), Loss> {
        let is_new = || {
            let connection = self.inner.connection();
            connection.is_some_and(|connection| connection != self.compared_on.load(Ordering::Acquire))
        };
        if !is_new() {
            return Ok(());
        }
        let _one = self.comparing.lock().await;
        if !is_new() {
            return Ok(());
        }
        // A server that was started anew may have been set otherwise.
        match self.inner.check().await {
            Ok(()) | Err(SettingsError::NotChecked) => {}
            Err(SettingsError::Unavailable { source }) => {
                return Err(Loss::Unread { stream: self.spec.name, source: ReadError::Unavailable { source } });
            }
            Err(error) => super::settings::judge(&self.health, &[(self.spec.name, Err(error))], clock::now()),
        }
        let compared = self.compare().await;
        if let Err(loss) = &compared
            && !matches!(loss, Loss::Unread { .. })
        {
            self.health.red(RECEIPT, loss.to_string(), Forbids::Recording, clock::now());
        }
        compared
    }

    /// Takes in an acknowledgement, unless it tells of a loss.
    fn take(&self, before: Position, first: Position, last: Position, body: Bytes) -> Result<(), AppendError> {
        if first <= before {
            let cause = format!(
                "the stream {} gave out position {} after {} was acknowledged: it has lost its end. Stop recording, and \
                 restore it from the archive (rollbook restore)",
                self.spec.name,
                HumanCount(first.0),
                HumanCount(before.0)
            );
            self.health.red(POSITION, cause.clone(), Forbids::Recording, clock::now());
            // It is stored, but on top of damage: whether it stays, nobody can say.
            return Err(AppendError::Unknown { source: cause.into() });
        }
        let mut known = self.last();
        // Of two appends at once, the answer of the later may come first.
        if known.as_ref().is_none_or(|known| known.position() < last) {
            *known = Some(Last::Appended(last, body));
        }
        Ok(())
    }
}

#[async_trait]
impl Log for AcknowledgedLog {
    async fn append(&self, batch: &[Message]) -> Result<Vec<Position>, AppendError> {
        match self.compare_if_new().await {
            Ok(()) => {}
            Err(Loss::Unread { source, .. }) => return Err(AppendError::Unavailable { source: source.into() }),
            Err(loss) => return Err(AppendError::Stayed { cause: loss.to_string() }),
        }
        if let Some(cause) = self.health.refusal() {
            return Err(AppendError::Stayed { cause });
        }
        // What was acknowledged before this began lies before it.
        let before = self.acknowledged();
        let positions = self.inner.append(batch).await?;
        if let (Some(first), Some(last), Some(message)) = (positions.first(), positions.last(), batch.last()) {
            // A server that came back meanwhile may be another than the one asked first.
            self.compare_if_new().await.map_err(|loss| AppendError::Unknown { source: chain(&loss).into() })?;
            if *first <= before && self.compare().await.is_ok() {
                // What was acknowledged last still stands: this had been appended before, by whomever, and was found again.
                return Ok(positions);
            }
            self.take(before, *first, *last, message.body.clone())?;
        }
        Ok(positions)
    }

    async fn last(&self, subject: &str) -> Result<Option<Stored>, ReadError> {
        self.inner.last(subject).await
    }

    async fn first(&self, subject: &str) -> Result<Option<Stored>, ReadError> {
        self.inner.first(subject).await
    }

    async fn read(&self, subject: &str) -> Result<Vec<Stored>, ReadError> {
        self.inner.read(subject).await
    }

    async fn some_of(&self, subject: &str, after: Position, most: usize) -> Result<Vec<Stored>, ReadError> {
        self.inner.some_of(subject, after, most).await
    }

    async fn get(&self, position: Position) -> Result<Option<Stored>, ReadError> {
        self.inner.get(position).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.inner.head().await
    }

    async fn follow(&self, after: Position) -> Result<BoxStream<'static, Result<Stored, ReadError>>, ReadError> {
        self.inner.follow(after).await
    }

    async fn check(&self) -> Result<(), SettingsError> {
        self.inner.check().await
    }

    fn connection(&self) -> Option<u64> {
        self.inner.connection()
    }

    async fn room(&self) -> Result<Option<Room>, SettingsError> {
        self.inner.room().await
    }
}

#[cfg(test)]
mod tests;
