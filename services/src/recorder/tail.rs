//! The end of the log, read up to a position and no further: what the views do not hold yet.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use rollbook_events::Position;
use tokio::time::timeout;

use super::history_error::HistoryError;
use crate::log::{Log, ReadError, Stored};

/// How long the next message may take before it is looked whether it is there at all.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often that is done before the log counts as unavailable.
const MOST_LOOKS: u32 = 6;

/// The messages after one position up to another.
pub(super) struct Tail<'l> {
    log: &'l dyn Log,
    messages: BoxStream<'static, Result<Stored, ReadError>>,
    last: Position,
    to: Position,
}

impl<'l> Tail<'l> {
    /// Those after `after`, up to `to`, which the log has reached.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub(super) async fn of(log: &'l dyn Log, after: Position, to: Position) -> Result<Self, ReadError> {
        Ok(Self { log, messages: log.follow(after).await?, last: after, to })
    }

    /// The next one; none after the last. A message that is missing at the very end would be waited for for ever.
    pub(super) async fn next(&mut self) -> Option<Result<Stored, HistoryError>> {
        if self.last >= self.to {
            return None;
        }
        let next = Position(self.last.0 + 1);
        for _ in 0..MOST_LOOKS {
            match timeout(PATIENCE, self.messages.next()).await {
                Ok(Some(Ok(stored))) => {
                    self.last = stored.position;
                    return Some(Ok(stored));
                }
                Ok(Some(Err(error))) => return Some(Err(error.into())),
                Ok(None) => break,
                Err(_) => match self.log.get(next).await {
                    Ok(Some(_)) => {
                        tracing::warn!(position = next.0, "a message that the log holds does not come: reading again");
                        match self.log.follow(self.last).await {
                            Ok(messages) => self.messages = messages,
                            Err(error) => return Some(Err(error.into())),
                        }
                    }
                    Ok(None) => return Some(Err(HistoryError::Gone { position: next })),
                    Err(error) => return Some(Err(error.into())),
                },
            }
        }
        let source = format!("the message at position {next} did not come").into();
        Some(Err(ReadError::Unavailable { source }.into()))
    }
}
