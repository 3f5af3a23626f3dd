//! A stream built again from its archive, at the very positions, in an empty server or on top of what an earlier try left.

use std::time::Duration;

use futures_util::StreamExt;
use rollbook_events::{Hash, Position};
use tokio::time::{sleep, timeout};

use super::chain::{Chain, Link};
use super::record::Record;
use super::shelf::{Shelf, ShelfError};
use crate::log::{AppendError, Log, MOST_IN_A_BATCH, NatsLog, ReadError, SettingsError};

/// The bytes of one batch, from which on it is stored.
const FULL_AT: usize = 8 * 1_024 * 1_024;

/// How often one batch is tried.
const MOST_TRIES: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// How long the server may take for the next message that it must have.
const NEXT_MESSAGE: Duration = Duration::from_secs(15);

/// Why a stream was not restored. Nothing that was there is changed by it.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The archive cannot be read.
    #[error("the archive of {stream} cannot be read")]
    Shelf {
        /// Whose.
        stream: &'static str,
        /// Why.
        source: ShelfError,
    },
    /// The stream cannot be read back.
    #[error("the stream {stream} cannot be read back")]
    Log {
        /// Which.
        stream: &'static str,
        /// Why.
        source: ReadError,
    },
    /// The server does not take the messages.
    #[error("the stream {stream} does not take the messages after position {after}")]
    Append {
        /// Which.
        stream: &'static str,
        /// Where it is.
        after: Position,
        /// Why.
        source: AppendError,
    },
    /// Something else is there already.
    #[error("position {position} of the stream {stream} holds another message than the archive: it is not empty")]
    Differs {
        /// Which.
        stream: &'static str,
        /// Where.
        position: Position,
    },
    /// More is there than in the archive.
    #[error(
        "the stream {stream} goes to position {head}, further than its archive ({archived}): there is nothing to restore"
    )]
    Longer {
        /// Which.
        stream: &'static str,
        /// Where it ends.
        head: Position,
        /// Where its archive ends.
        archived: Position,
    },
    /// Stored, but what is read back is not what was archived.
    #[error("what is read back from the stream {stream} is not what was archived")]
    NotEqual {
        /// Which.
        stream: &'static str,
    },
    /// The server or the stream has a setting that breaks a promise.
    #[error("the stream {stream} cannot be trusted")]
    Settings {
        /// Which.
        stream: &'static str,
        /// Which setting.
        source: SettingsError,
    },
}

/// What became of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Restored {
    /// Where it ends now, as its archive does; also how many messages it holds.
    pub last: Position,
    /// How many of them were there before.
    pub there: u64,
    /// Its running hash there.
    pub chain: Chain,
}

/// How far the archive of a stream goes.
///
/// # Errors
/// Where its segments are not numbered without a gap, or the last one is damaged.
pub async fn archived(shelf: &Shelf) -> Result<Position, RestoreError> {
    let failed = |source| RestoreError::Shelf { stream: shelf.stream(), source };
    match shelf.last_number().await.map_err(failed)? {
        0 => Ok(Position(0)),
        number => Ok(shelf.segment(number).await.map_err(failed)?.link.last),
    }
}

/// Restores a stream, telling how far it has come after each batch.
///
/// # Errors
/// See [`RestoreError`]; the same call again goes on from where it was.
pub async fn restore(log: &NatsLog, shelf: &Shelf, mut told: impl FnMut(u64)) -> Result<Restored, RestoreError> {
    let stream = shelf.stream();
    let last = archived(shelf).await?;
    let head = log.head().await.map_err(|source| RestoreError::Log { stream, source })?;
    if head > last {
        return Err(RestoreError::Longer { stream, head, archived: last });
    }
    let mut there = log.follow_whole(Position(0)).await.map_err(|source| RestoreError::Log { stream, source })?;
    let mut link = Link::beginning(stream);
    loop {
        let segment = shelf.after(&link).await.map_err(|source| RestoreError::Shelf { stream, source })?;
        let Some(segment) = segment else { break };
        let (old, new): (Vec<Record>, Vec<Record>) =
            segment.records.into_iter().partition(|record| record.position <= head);
        for record in &old {
            let stored = next(&mut there).await.map_err(|source| RestoreError::Log { stream, source })?;
            if !stored.says_the_same_as(record) {
                return Err(RestoreError::Differs { stream, position: record.position });
            }
        }
        for batch in batches(&new) {
            append(log, stream, batch).await?;
            told(batch.last().map_or(0, |record| record.position.0));
        }
        link = segment.link;
        told(link.last.0);
    }
    if link.last != last {
        let name = shelf.name(link.number + 1);
        return Err(RestoreError::Shelf { stream, source: ShelfError::Missing { name } });
    }
    Ok(Restored { last, there: head.0, chain: link.chain })
}

/// Reads a restored stream back and compares count and running hash with the archive's.
///
/// # Errors
/// [`RestoreError::NotEqual`], or that it cannot be read.
pub async fn confirm(
    log: &NatsLog,
    stream: &'static str,
    restored: &Restored,
    mut told: impl FnMut(u64),
) -> Result<(), RestoreError> {
    match log.check().await {
        Err(SettingsError::NotChecked) => {}
        checked => checked.map_err(|source| RestoreError::Settings { stream, source })?,
    }
    let unread = |source| RestoreError::Log { stream, source };
    let mut chain = Chain::beginning(stream);
    let mut messages = log.follow_whole(Position(0)).await.map_err(unread)?;
    for position in 1..=restored.last.0 {
        let record = next(&mut messages).await.map_err(unread)?;
        chain = chain.then(record.position, &record.subject, Hash::of(&record.body));
        if position.is_multiple_of(1_000) {
            told(position);
        }
    }
    let head = log.head().await.map_err(unread)?;
    if chain == restored.chain && head == restored.last { Ok(()) } else { Err(RestoreError::NotEqual { stream }) }
}

async fn next<S>(messages: &mut S) -> Result<Record, ReadError>
where
    S: StreamExt<Item = Result<Record, ReadError>> + Unpin,
{
    match timeout(NEXT_MESSAGE, messages.next()).await {
        Ok(Some(message)) => message,
        Ok(None) => Err(ReadError::unavailable("the reader ended")),
        Err(elapsed) => Err(ReadError::unavailable(elapsed)),
    }
}

/// Parts of at most what one batch holds.
fn batches(records: &[Record]) -> impl Iterator<Item = &[Record]> {
    let mut rest = records;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let most = rest.iter().take(MOST_IN_A_BATCH).take_while(|record| {
            let fits = bytes == 0 || bytes + record.size() <= FULL_AT;
            bytes += record.size();
            fits
        });
        let (batch, later) = rest.split_at_checked(most.count())?;
        rest = later;
        (!batch.is_empty()).then_some(batch)
    })
}

/// Stores a batch behind what is there, and looks where an outcome is not known.
async fn append(log: &NatsLog, stream: &'static str, batch: &[Record]) -> Result<(), RestoreError> {
    let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return Ok(()) };
    let after = Position(first.position.0 - 1);
    let mut pause = FIRST_PAUSE;
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match log.append_after(after, batch).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        sleep(pause).await;
        pause *= 2;
        match log.head().await {
            Ok(head) if head == last.position => {
                let stored = log.get(head).await.map_err(|source| RestoreError::Log { stream, source })?;
                let same = stored.is_some_and(|there| there.subject == last.subject && there.body == last.body);
                return if same { Ok(()) } else { Err(RestoreError::Differs { stream, position: head }) };
            }
            Ok(head) if head != after => return Err(RestoreError::Differs { stream, position: head }),
            Ok(_) | Err(_) if tries >= MOST_TRIES => return Err(RestoreError::Append { stream, after, source: error }),
            Ok(_) | Err(_) => tracing::warn!(stream, %after, error = %error, "a batch was not restored yet"),
        }
    }
}
