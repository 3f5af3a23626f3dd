//! The archivers of a ledger's streams, begun and ended together.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::archiver::Archiver;
use super::place::{Address, PlaceError};
use super::shelf::Shelf;
use super::status::{Report, Watched};
use crate::health::Health;
use crate::log::{NatsLog, StreamSpec};

/// How long the first comparison of a stream with its archive may take before the ledger starts all the same.
const FIRST_LOOK: Duration = Duration::from_secs(15);

/// How long the archivers may take for the last messages.
const LAST_WORDS: Duration = Duration::from_secs(8);

/// Archivers that run.
#[derive(Debug)]
pub struct Archiving {
    watched: Watched,
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Archiving {
    /// Compares where streams and archives end, and begins to archive. Health is red before this returns where a stream
    /// is not what was archived, so that nothing is recorded on top of it.
    ///
    /// # Errors
    /// Where the address cannot be used.
    pub async fn begin(
        logs: &[(StreamSpec, NatsLog)],
        address: &Address,
        patience: Duration,
        health: &Health,
    ) -> Result<Self, PlaceError> {
        let place = address.open()?;
        let streams: Vec<&'static str> = logs.iter().map(|(spec, _)| spec.name).collect();
        let report = Report::new(&streams, health);
        let (stop, mut running) = (CancellationToken::new(), JoinSet::new());
        for (spec, log) in logs {
            let shelf = Shelf::new(place.clone(), spec.name);
            let archiver = Archiver::new(log.clone(), shelf, report.clone(), patience);
            match timeout(FIRST_LOOK, archiver.look()).await {
                Ok(Ok(link)) => tracing::info!(stream = spec.name, archived = link.last.0, "the archive goes so far"),
                // Said to health already.
                Ok(Err(_)) => {}
                Err(_) => report.away(spec.name, "the archive does not answer"),
            }
            running.spawn(archiver.run(stop.clone()));
        }
        Ok(Self { watched: report.watched(address.to_string()), stop, running })
    }

    /// For others to look at.
    pub fn watched(&self) -> Watched {
        self.watched.clone()
    }

    /// Archives what is left, and ends.
    pub async fn end(mut self) {
        self.stop.cancel();
        let ended = async { while self.running.join_next().await.is_some() {} };
        if timeout(LAST_WORDS, ended).await.is_err() {
            tracing::warn!("the archivers did not end in time: the next start goes on");
        }
    }
}
