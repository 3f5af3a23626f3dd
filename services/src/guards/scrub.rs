//! The scrub: every message of every stream read once, at the start and each day. A server passes over a record that its disk
//! has damaged without a word; whoever reads only what is new would never learn of it.

use std::time::Duration;

use futures_util::StreamExt;
use rollbook_events::Position;
use tokio::time::{Instant, interval, timeout};

use super::Guards;
use crate::clock;
use crate::error_chain::chain;
use crate::health::Forbids;
use crate::log::{Log, ReadError};

/// The name of the check.
const SCRUB: &str = "scrub";
/// How often all is read.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the next message may take to come.
const NEXT: Duration = Duration::from_secs(30);
/// How often a stream that could not be read is read again before it waits for the next day.
const MOST_TRIES: u32 = 5;
/// Messages read as fast as they come: a small ledger is looked through before anything is built on it.
const AT_ONCE: u64 = 50_000;
/// Messages of one stretch after that, and how many times as long as it took is rested: whoever records and asks comes first.
const STRETCH: u64 = 1_000;
const RESTS: u32 = 9;
/// How long between two tries.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

impl Guards {
    /// Goes on reading, at the start and each day.
    pub(super) async fn scrubs(self) {
        let mut days = interval(EVERY);
        loop {
            days.tick().await;
            let (begun, mut read, mut holes) = (Instant::now(), 0, Vec::new());
            for log in &self.logs {
                match whole(&**log).await {
                    Ok(messages) => read += messages,
                    Err(error @ (ReadError::Hole { .. } | ReadError::Behind { .. })) => {
                        holes.push(format!("{} of the stream {}", error, log.name()));
                    }
                    Err(error @ (ReadError::Unavailable { .. } | ReadError::Subject)) => {
                        tracing::warn!(stream = log.name(), error = %chain(&error), "a stream could not be read whole");
                    }
                }
            }
            if holes.is_empty() {
                self.health.green(SCRUB);
                tracing::info!(messages = read, seconds = begun.elapsed().as_secs(), "every stream is whole");
            } else {
                let cause = format!("{}: restore it from the archive (rollbook restore)", holes.join("; "));
                self.health.red(SCRUB, cause, Forbids::Recording, clock::now());
            }
        }
    }
}

/// Reads a stream from its first message to the one that is its last now; how many there are.
async fn whole(log: &dyn Log) -> Result<u64, ReadError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match once(log).await {
            Err(ReadError::Unavailable { source }) if tries < MOST_TRIES => {
                tracing::debug!(error = %source, "a stream is read again");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            read => return read,
        }
    }
}

async fn once(log: &dyn Log) -> Result<u64, ReadError> {
    let head = log.head().await?;
    let mut at = Position(0);
    let mut messages = log.follow(at).await?;
    let mut stretch = Instant::now();
    while at < head {
        match timeout(NEXT, messages.next()).await {
            Ok(Some(stored)) => at = stored?.position,
            Ok(None) => return Err(ReadError::unavailable("the stream's reader ended")),
            Err(elapsed) => return Err(ReadError::unavailable(elapsed)),
        }
        if at.0.is_multiple_of(STRETCH) {
            if at.0 > AT_ONCE {
                tokio::time::sleep(stretch.elapsed() * RESTS).await;
            }
            stretch = Instant::now();
        }
    }
    Ok(head.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{MemoryLog, Message, StreamSpec};

    #[tokio::test]
    async fn a_stream_is_read_to_its_last_message_and_no_further() {
        let log = MemoryLog::new(StreamSpec::INTAKE);
        assert_eq!(once(&log).await.unwrap(), 0);
        for number in 1..=3 {
            let message = Message {
                subject: "intake.a".to_owned(),
                id: number.to_string(),
                expected: None,
                headers: Vec::new(),
                body: "{}".into(),
            };
            log.append(&[message]).await.unwrap();
        }
        assert_eq!(once(&log).await.unwrap(), 3);
    }
}
