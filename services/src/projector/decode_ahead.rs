//! Reading and decoding ahead of the batch that is written.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use rollbook_events::{Position, Subject};
use rollbook_projections::Recorded;
use rollbook_projections::store::write::Stuck;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::recorded;
use crate::log::{Log, ReadError, Stored};

/// Events decoded in one go, and about how many bytes of them.
const MOST_IN_A_GO: usize = 1_000;
const MOST_BYTES_IN_A_GO: usize = 4 << 20;
/// How long a go waits for more, each time and in all: the log comes in dribbles, and a transaction costs the same for one
/// event or many; but where they never cease, nobody may wait until it is full.
const MOMENT: Duration = Duration::from_millis(3);
const MOMENTS: Duration = Duration::from_millis(20);
/// Messages taken from the stream at once, where as many wait.
const MOST_READY: usize = 100;
/// Batches decoded ahead.
const BATCHES_AHEAD: usize = 2;
/// Events written in one transaction, where as many wait. Of each of their members all earlier events are read, so that a
/// larger step takes more memory; it is not faster.
const MOST_IN_A_STEP: usize = 2_000;

/// A decoded batch: events, and those of them that no program of today can read.
pub(super) struct Batch {
    pub(super) events: Vec<Recorded>,
    pub(super) poison: Vec<Stuck>,
    /// An event about no member that cannot be read: nothing can be derived after it.
    pub(super) damage: Option<Position>,
    pub(super) last: Position,
}

impl Batch {
    /// Adds the batch that comes after it, where neither is damaged.
    fn join(&mut self, next: Self) {
        self.events.extend(next.events);
        self.poison.extend(next.poison);
        self.last = next.last;
    }
}

/// Batches as they come, those that wait in one.
pub(super) struct Batches {
    coming: mpsc::Receiver<Result<Batch, ReadError>>,
    /// Taken already, and to be given alone: what came before it is written first.
    held_back: Option<Result<Batch, ReadError>>,
}

impl Batches {
    /// The next batch; none where reading has ended. Cancelled while it waits, it has taken nothing.
    pub(super) async fn next(&mut self) -> Option<Result<Batch, ReadError>> {
        let first = match self.held_back.take() {
            Some(held_back) => Some(held_back),
            None => self.coming.recv().await,
        };
        let mut batch = match first? {
            Ok(batch) if batch.damage.is_none() => batch,
            alone => return Some(alone),
        };
        while batch.events.len() < MOST_IN_A_STEP {
            match self.coming.try_recv() {
                Ok(Ok(next)) if next.damage.is_none() => batch.join(next),
                Ok(alone) => {
                    self.held_back = Some(alone);
                    break;
                }
                Err(_) => break,
            }
        }
        Some(Ok(batch))
    }
}

/// Reads and decodes in a task of its own, so that decoding and writing share two cores.
pub(super) async fn decode_ahead(log: &dyn Log, after: Position) -> Result<Batches, ReadError> {
    let mut stream = log.follow(after).await?.ready_chunks(MOST_READY);
    let (send, batches) = mpsc::channel(BATCHES_AHEAD);
    tokio::spawn(async move {
        while let Some(chunk) = tokio::select! { chunk = gather(&mut stream) => chunk, () = send.closed() => None } {
            let mut stored = Vec::with_capacity(chunk.len());
            let mut failed = None;
            for message in chunk {
                match message {
                    Ok(message) => stored.push(message),
                    Err(error) => failed = Some(error),
                }
            }
            if !stored.is_empty() && send.send(Ok(decode_all(&stored))).await.is_err() {
                return;
            }
            if let Some(error) = failed {
                _ = send.send(Err(error)).await;
                return;
            }
        }
    });
    Ok(Batches { coming: batches, held_back: None })
}

/// The next messages: those that are there, and those that come within a moment, up to what a go holds.
async fn gather<S>(stream: &mut S) -> Option<Vec<Result<Stored, ReadError>>>
where
    S: Stream<Item = Vec<Result<Stored, ReadError>>> + Unpin,
{
    let mut gathered = stream.next().await?;
    let mut bytes = size(&gathered);
    let latest = Instant::now() + MOMENTS;
    while gathered.len() < MOST_IN_A_GO && bytes < MOST_BYTES_IN_A_GO {
        match timeout_at(latest.min(Instant::now() + MOMENT), stream.next()).await {
            Ok(Some(more)) => {
                bytes += size(&more);
                gathered.extend(more);
            }
            Ok(None) | Err(_) => break,
        }
    }
    Some(gathered)
}

fn size(messages: &[Result<Stored, ReadError>]) -> usize {
    messages.iter().flatten().map(|stored| stored.body.len()).sum()
}

fn decode_all(stored: &[Stored]) -> Batch {
    let mut batch =
        Batch { events: Vec::with_capacity(stored.len()), poison: Vec::new(), damage: None, last: Position(0) };
    for stored in stored {
        batch.last = stored.position;
        match recorded(stored) {
            Ok(event) => batch.events.push(event),
            Err(error) => {
                tracing::error!(event.position = stored.position.0, error = %error, "an event cannot be read");
                let subject = stored.subject.rsplit('.').next().and_then(|token| token.parse::<Subject>().ok());
                match subject {
                    Some(Subject::Member(member)) => {
                        batch.poison.push(Stuck { member, position: stored.position, cause: error.to_string() });
                    }
                    Some(Subject::Rulebook) | None => batch.damage = batch.damage.or(Some(stored.position)),
                }
            }
        }
    }
    batch
}
