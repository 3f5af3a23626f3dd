//! Writes what waits, as much at once as one batch of the log holds.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{NotWritten, Waiting, not_written};
use crate::log::{Log, MOST_IN_A_BATCH, Message};

/// Until cancelled. Whoever waits then is told that nothing was written.
pub(super) async fn run(log: Arc<dyn Log>, mut waiting: mpsc::Receiver<Waiting>, cancelled: CancellationToken) {
    let mut left = None;
    loop {
        let first = match left.take() {
            Some(first) => first,
            None => tokio::select! {
                first = waiting.recv() => match first { Some(first) => first, None => return },
                () = cancelled.cancelled() => return,
            },
        };
        let mut messages = first.messages;
        let mut written = vec![first.written];
        while let Ok(next) = waiting.try_recv() {
            if messages.len() + next.messages.len() > MOST_IN_A_BATCH {
                left = Some(next);
                break;
            }
            messages.extend(next.messages);
            written.push(next.written);
        }
        let outcome = write(&*log, &messages).await;
        for written in written {
            // Whoever has gone away meanwhile is shown nothing.
            _ = written.send(outcome.clone());
        }
    }
}

async fn write(log: &dyn Log, messages: &[Message]) -> Result<(), NotWritten> {
    match log.append(messages).await {
        Ok(_) => {
            metrics::counter!("rollbook_access_recorded_total").increment(messages.len() as u64);
            Ok(())
        }
        Err(error) => {
            metrics::counter!("rollbook_access_failures_total").increment(1);
            Err(not_written(error.into()))
        }
    }
}
