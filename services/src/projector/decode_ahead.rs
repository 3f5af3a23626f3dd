//! Reading and decoding ahead of the batch that is written.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use rollbook_events::{Position, Subject};
use rollbook_projections::Recorded;
use rollbook_projections::store::write::Stuck;
use tokio::sync::mpsc;

use super::recorded;
use crate::log::{Log, ReadError, Stored};

/// Events written in one transaction.
const MOST_IN_A_STEP: usize = 2_000;
/// How long a step waits for more: the log comes in dribbles, and a transaction costs the same for one event or many.
const MOMENT: Duration = Duration::from_millis(3);
/// Batches decoded ahead of the one that is written.
const BATCHES_AHEAD: usize = 2;

/// A decoded batch: events, and those of them that no program of today can read.
pub(super) struct Batch {
    pub(super) events: Vec<Recorded>,
    pub(super) poison: Vec<Stuck>,
    /// An event about no member that cannot be read: nothing can be derived after it.
    pub(super) damage: Option<Position>,
    pub(super) last: Position,
}

/// Reads and decodes in a task of its own, so that decoding and writing share two cores.
pub(super) async fn decode_ahead(
    log: &dyn Log,
    after: Position,
) -> Result<mpsc::Receiver<Result<Batch, ReadError>>, ReadError> {
    let mut stream = log.follow(after).await?.ready_chunks(MOST_IN_A_STEP);
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
    Ok(batches)
}

/// The next messages: those that are there, and those that come within a moment, up to what a step holds.
async fn gather<S>(stream: &mut S) -> Option<Vec<Result<Stored, ReadError>>>
where
    S: Stream<Item = Vec<Result<Stored, ReadError>>> + Unpin,
{
    let mut gathered = stream.next().await?;
    while gathered.len() < MOST_IN_A_STEP {
        match tokio::time::timeout(MOMENT, stream.next()).await {
            Ok(Some(more)) => gathered.extend(more),
            Ok(None) | Err(_) => break,
        }
    }
    Some(gathered)
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
