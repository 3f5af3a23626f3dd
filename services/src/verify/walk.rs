//! Every position of a stream up to its head, also where the server leaves some out or stops giving any.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use rollbook_events::Position;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::archive::Record;
use crate::log::{Log, NatsLog, ReadError};

/// How long the server may take for the next message before it is asked for it by name.
const STALLED: Duration = Duration::from_secs(6);

/// How often a reader that stalled though the message is there is begun again.
const MOST_STALLS: u32 = 5;

/// Positions asked for one by one where nothing comes; what lies behind them and does not come is told as one gap.
const ASKED_SINGLY: u64 = 2_000;

/// Messages handed on at once.
pub(super) const A_CHUNK: usize = 1_000;
const CHUNKS_AHEAD: usize = 4;

/// The next of a stream.
#[derive(Debug)]
pub(super) enum Step {
    /// A message.
    Message(Record),
    /// Positions that the server does not give, first and last.
    Missing(u64, u64),
}

/// Walks in a task of its own, in chunks. It ends after `head`.
pub(super) fn walk(log: NatsLog, head: Position) -> mpsc::Receiver<Result<Vec<Step>, ReadError>> {
    let (send, steps) = mpsc::channel(CHUNKS_AHEAD);
    tokio::spawn(async move {
        let mut walker = Walker { log, head: head.0, last: 0, messages: None, stalls: 0 };
        loop {
            let chunk = walker.chunk().await;
            let done = chunk.as_ref().map_or(true, Vec::is_empty);
            // Whoever asked has gone: nothing is left to do.
            if send.send(chunk).await.is_err() || done {
                return;
            }
        }
    });
    steps
}

struct Walker {
    log: NatsLog,
    head: u64,
    last: u64,
    messages: Option<BoxStream<'static, Result<Record, ReadError>>>,
    stalls: u32,
}

impl Walker {
    async fn chunk(&mut self) -> Result<Vec<Step>, ReadError> {
        let mut chunk = Vec::with_capacity(A_CHUNK);
        while self.last < self.head && chunk.len() < A_CHUNK {
            chunk.extend(self.step().await?);
        }
        Ok(chunk)
    }

    /// The next of the stream; nothing where the reader had to be begun again.
    async fn step(&mut self) -> Result<Option<Step>, ReadError> {
        let Some(messages) = &mut self.messages else {
            self.messages = Some(self.log.follow_whole(Position(self.last)).await?);
            return Ok(None);
        };
        match timeout(STALLED, messages.next()).await {
            Ok(Some(Ok(record))) => {
                (self.last, self.stalls) = (record.position.0, 0);
                Ok(Some(Step::Message(record)))
            }
            Ok(Some(Err(ReadError::Hole { found, .. }))) => Ok(Some(self.skip_to(found.0))),
            Ok(Some(Err(error))) => Err(error),
            Ok(None) | Err(_) => self.stalled().await,
        }
    }

    /// Goes on before a position: what lies between is missing, as far as it is looked at.
    fn skip_to(&mut self, found: u64) -> Step {
        self.messages = None;
        let (from, to) = (self.last + 1, (found - 1).min(self.head));
        self.last = to;
        Step::Missing(from, to)
    }

    /// Nothing comes: the next messages are asked for by name.
    async fn stalled(&mut self) -> Result<Option<Step>, ReadError> {
        self.messages = None;
        self.stalls += 1;
        for position in (self.last + 1..=self.head).take(usize::try_from(ASKED_SINGLY).unwrap_or(usize::MAX)) {
            if self.log.get(Position(position)).await?.is_none() {
                continue;
            }
            if position > self.last + 1 {
                return Ok(Some(self.skip_to(position)));
            }
            // It is there: the server is slow, or the reader was lost.
            return if self.stalls <= MOST_STALLS {
                Ok(None)
            } else {
                Err(ReadError::unavailable(format!("the server stopped sending at position {position}")))
            };
        }
        Ok(Some(self.skip_to(self.head + 1)))
    }
}
