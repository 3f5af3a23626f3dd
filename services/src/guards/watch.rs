//! The guards' rounds: each kind of look at its own pace, so that a slow one keeps no other waiting.

use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use super::receipt::{self, Receipts};
use super::settings::LOG;
use super::{Guards, projection};
use crate::clock;
use crate::health::Forbids;
use crate::log::Log;
use crate::projector::Status;

/// How often the connection is looked at, and the receipt written where it has changed.
const EACH_SECOND: Duration = Duration::from_secs(1);
/// How often everything is looked at while the log is not as it must be.
const RED_EVERY: Duration = Duration::from_secs(5);
/// How often the disks are looked at, at least.
const DISKS_EVERY: Duration = Duration::from_secs(5);
/// How long the last receipt may take to be written.
const LAST_RECEIPT: Duration = Duration::from_secs(5);
/// The check that the receipt can be written.
const RECEIPT_FILE: &str = "receipt_file";

/// The guards on their rounds.
#[derive(Debug)]
pub struct Watch {
    receipts: Option<JoinHandle<()>>,
}

impl Watch {
    /// Waits, after all was cancelled, until the last receipt is written.
    pub async fn ended(self) {
        if let Some(receipts) = self.receipts
            && timeout(LAST_RECEIPT, receipts).await.is_err()
        {
            tracing::error!("the last receipt was not written in time");
        }
    }
}

impl Guards {
    /// Goes on looking until cancelled; `status` is the projector's, as this program sees it.
    pub fn watch(&self, status: Receiver<Status>, cancelled: &CancellationToken) -> Watch {
        tokio::spawn(cancelled.clone().run_until_cancelled_owned(self.clone().rounds()));
        tokio::spawn(cancelled.clone().run_until_cancelled_owned(self.clone().disks()));
        tokio::spawn(cancelled.clone().run_until_cancelled_owned(self.clone().projection(status)));
        if self.watched.records {
            tokio::spawn(cancelled.clone().run_until_cancelled_owned(self.clone().scrubs()));
        }
        let receipts = self.watched.records.then(|| tokio::spawn(self.clone().receipts(cancelled.clone())));
        Watch { receipts }
    }

    /// Looks at everything each round, and at once after the connection was lost and made again.
    async fn rounds(self) {
        let [enrollment, ..] = &self.logs;
        let mut rounds = every(self.settings.check_every);
        let mut seconds = every(EACH_SECOND);
        let mut looked_on = enrollment.connection();
        let mut waited = Instant::now();
        loop {
            tokio::select! {
                _ = rounds.tick() => {}
                _ = seconds.tick() => match enrollment.connection() {
                    None => {
                        let cause = "there is no connection to the log's server";
                        self.health.red(LOG, cause, Forbids::Nothing, clock::now());
                        looked_on = None;
                        continue;
                    }
                    // What is red may be right again: a minute is long for somebody who waits for it.
                    same if same == looked_on && !(self.health.is_red(LOG) && waited.elapsed() >= RED_EVERY) => continue,
                    Some(_) => {}
                },
            }
            let connection = enrollment.connection();
            self.look().await;
            looked_on = connection;
            waited = Instant::now();
        }
    }

    async fn disks(self) {
        let mut ticks = every(DISKS_EVERY.min(self.settings.check_every));
        loop {
            ticks.tick().await;
            self.look_at_disks().await;
        }
    }

    async fn projection(self, mut status: Receiver<Status>) {
        loop {
            projection::judge(&self.health, &status.borrow_and_update(), clock::now());
            if status.changed().await.is_err() {
                return;
            }
        }
    }

    /// Writes the receipt each second in which something was acknowledged, and a last time at the end.
    async fn receipts(self, cancelled: CancellationToken) {
        let mut written = Receipts::new();
        let mut ticks = every(EACH_SECOND);
        loop {
            let last = tokio::select! {
                _ = ticks.tick() => false,
                () = cancelled.cancelled() => true,
            };
            let known = self.logs.iter().filter_map(|log| Some((log.name().to_owned(), log.receipt()?)));
            let receipts: Receipts = known.collect();
            if receipts != written && self.write(receipts.clone()).await {
                written = receipts;
            }
            if last {
                return;
            }
        }
    }

    async fn write(&self, receipts: Receipts) -> bool {
        let data = self.watched.data.clone();
        let result = tokio::task::spawn_blocking(move || receipt::write(&data, &receipts)).await;
        match result.map_err(anyhow::Error::from).flatten() {
            Ok(()) => {
                self.health.green(RECEIPT_FILE);
                true
            }
            Err(error) => {
                self.health.red(RECEIPT_FILE, format!("{error:#}"), Forbids::Nothing, clock::now());
                false
            }
        }
    }
}

/// Ticks whose first comes after one period; those missed while a look took long are left out.
fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
