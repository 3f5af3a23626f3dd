//! What watches over the promises while a ledger runs: settings, missing messages, what was acknowledged, clock, disk, and
//! what the projector saw. Each guard tells [`Health`]; nothing is recorded while one of them forbids it.

mod acknowledged;
mod clock;
mod disk;
mod projection;
mod receipt;
mod scrub;
mod settings;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indicatif::HumanCount;
use rollbook_projections::store::Live;

pub use acknowledged::{AcknowledgedLog, Loss};
pub use clock::LastRecorded;
pub use disk::{Free, Least, Place};
pub use receipt::{FILE as RECEIPT_FILE, Receipt, read as read_receipts};
pub use watch::Watch;

use crate::clock as time;
use crate::error_chain::chain;
use crate::health::{Forbids, Health};
use crate::log::{Log, NatsLog, StreamSpec};

/// The check of the disks.
const DISK: &str = "disk";

/// How the guards watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How often settings, streams and clock are looked at; the disks every five seconds, or as often if that is more often.
    pub check_every: Duration,
    /// What must stay free on each disk.
    pub least_free: Least,
}

impl Default for Settings {
    fn default() -> Self {
        Self { check_every: Duration::from_secs(60), least_free: Least::default() }
    }
}

/// What is watched over.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The data folder.
    pub data: PathBuf,
    /// The disks that must have room, the data folder's included.
    pub places: Vec<Place>,
    /// Whether this program records: only then is it looked after what was acknowledged, and after the clock.
    pub records: bool,
}

/// The guards of a ledger. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guards {
    logs: [Arc<AcknowledgedLog>; StreamSpec::ALL.len()],
    /// Streams that are no part of the log, whose settings matter all the same.
    beside: Vec<NatsLog>,
    views: Live,
    health: Health,
    watched: Watched,
    settings: Settings,
    last_recorded: LastRecorded,
}

impl Guards {
    /// Guards over the streams, in the order of [`StreamSpec::ALL`].
    ///
    /// # Errors
    /// Where the receipt of earlier runs cannot be read.
    pub fn new(
        streams: [Arc<dyn Log>; StreamSpec::ALL.len()],
        views: Live,
        health: Health,
        watched: Watched,
        settings: Settings,
    ) -> anyhow::Result<Self> {
        let receipts = if watched.records { receipt::read(&watched.data)? } else { receipt::Receipts::new() };
        let logs = std::array::from_fn(|at| {
            let (log, spec) = (streams[at].clone(), StreamSpec::ALL[at]);
            Arc::new(AcknowledgedLog::new(log, spec, receipts.get(spec.name).copied(), health.clone()))
        });
        Ok(Self { logs, beside: Vec::new(), views, health, watched, settings, last_recorded: LastRecorded::default() })
    }

    /// The same, comparing the settings of one more stream.
    #[must_use]
    pub fn comparing(mut self, log: &NatsLog) -> Self {
        self.beside.push(log.clone());
        self
    }

    /// The streams, each behind its guard, in the order they came.
    pub fn streams(&self) -> [Arc<dyn Log>; StreamSpec::ALL.len()] {
        self.logs.clone().map(|log| log as Arc<dyn Log>)
    }

    /// When the log's last event was recorded, as all that records must know.
    pub fn last_recorded(&self) -> LastRecorded {
        self.last_recorded.clone()
    }

    /// Looks at everything once.
    pub async fn look(&self) {
        self.look_at_disks().await;
        let mut compared = Vec::with_capacity(self.logs.len());
        for log in &self.logs {
            compared.push((log.name(), log.check().await));
        }
        for log in &self.beside {
            compared.push((log.name(), log.check().await));
        }
        settings::judge(&self.health, &compared, time::now());
        if self.watched.records {
            self.look_for_acknowledged().await;
            self.look_at_clock().await;
        }
    }

    async fn look_for_acknowledged(&self) {
        let (mut lost, mut seen) = (Vec::new(), true);
        for log in &self.logs {
            match log.compare().await {
                Ok(()) => {}
                Err(error @ Loss::Unread { .. }) => {
                    tracing::warn!(error = %chain(&error), "a stream could not be looked at");
                    seen = false;
                }
                Err(loss) => lost.push(loss.to_string()),
            }
        }
        match self.shorter_than_views().await {
            Ok(None) => {}
            Ok(Some(cause)) => lost.push(cause),
            Err(()) => seen = false,
        }
        if !lost.is_empty() {
            self.health.red(acknowledged::RECEIPT, lost.join("; "), Forbids::Recording, time::now());
        } else if seen {
            self.health.green(acknowledged::RECEIPT);
        }
    }

    /// Why the log is not the one that was projected, where that is so.
    async fn shorter_than_views(&self) -> Result<Option<String>, ()> {
        let [enrollment, ..] = &self.logs;
        // The views first: they may go on between the two questions, and never past the log.
        let Ok(checkpoint) = self.views.db().checkpoint().await else { return Err(()) };
        let Ok(head) = enrollment.head().await else { return Err(()) };
        Ok((head < checkpoint.position).then(|| {
            format!(
                "the stream {} ends at {}, but the views hold {}: restore it from the archive (rollbook restore)",
                enrollment.name(),
                HumanCount(head.0),
                HumanCount(checkpoint.position.0)
            )
        }))
    }

    async fn look_at_clock(&self) {
        let [enrollment, ..] = &self.logs;
        if let Err(error) = self.last_recorded.read(&**enrollment).await {
            tracing::warn!(error = %chain(&error), "the log's last event could not be read");
        }
        self.last_recorded.judge(&self.health, time::now());
    }

    async fn look_at_disks(&self) {
        let [enrollment, ..] = &self.logs;
        // A server that does not answer is told of elsewhere.
        let store = enrollment.room().await.ok().flatten();
        let (places, least) = (self.watched.places.clone(), self.settings.least_free);
        let looked = tokio::task::spawn_blocking(move || disk::look(&places, store, least)).await;
        match looked {
            Ok(Some(cause)) => self.health.red(DISK, cause, Forbids::Recording, time::now()),
            Ok(None) => self.health.green(DISK),
            Err(error) => tracing::error!(error = %error, "the disks could not be looked at"),
        }
    }
}
