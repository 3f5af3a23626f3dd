//! Clocks that ran out while nothing was told (CLK-5): now and then they are looked for, and determined.

use std::time::Duration;

use rollbook_events::pacific_day;
use rollbook_projections::store::Live;
use rollbook_projections::store::read::{Filter, Page, Sight};
use rollbook_projections::view::Cell;
use rollbook_projections::views::notice_determination::TABLE;
use tokio_util::sync::CancellationToken;

use super::determinations::ledger;
use super::{RecordError, Recorder, Work};
use crate::clock;

const ALL: Sight = Sight::everything_for_the_ledger_itself();
/// How often the expired are looked for.
pub const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// Rows looked at in one statement, and requests that then wait together.
const ROWS: u32 = 500;

/// Why a sweep ended early.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The views could not be read.
    #[error("could not look for clocks that ran out")]
    Views(#[from] rollbook_projections::store::StoreError),
    /// The recorder could not record.
    #[error("could not record that a clock ran out")]
    Record(#[from] RecordError),
}

/// The task that looks for clocks that ran out.
#[derive(Debug)]
pub struct Sweep {
    live: Live,
    recorder: Recorder,
}

impl Sweep {
    /// A sweep over the views, which asks the recorder to determine.
    pub fn new(live: impl Into<Live>, recorder: Recorder) -> Self {
        Self { live: live.into(), recorder }
    }

    /// Sweeps now and then until cancelled.
    pub async fn run(self, every: Duration, cancelled: CancellationToken) {
        let mut ticks = tokio::time::interval(every);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = cancelled.cancelled() => return,
            }
            match self.once().await {
                Ok(events) => {
                    metrics::counter!("rollbook_recorder_sweeps_total").increment(1);
                    tracing::info!(events, "every clock that ran out is determined");
                }
                // The next one looks for the same.
                Err(error) => tracing::warn!(error = %crate::error_chain::chain(&error), "a sweep ended early"),
            }
        }
    }

    /// Determines every expiry whose day is over and that no event tells of; gives how many events that made.
    ///
    /// # Errors
    /// See [`SweepError`]; what was determined before stays.
    pub async fn once(&self) -> Result<usize, SweepError> {
        let today = pacific_day(&clock::now());
        let filter = Filter {
            present: vec![("determination", false)],
            less_than: vec![("from_on", Cell::Day(today))],
            ..Filter::default()
        };
        let db = self.live.db();
        let (mut after, mut events) = (None, 0);
        loop {
            let rows = db.page(&ALL, &TABLE, &filter, &Page { order: None, after, most: ROWS }).await?;
            let mut members: Vec<_> = rows.iter().filter_map(|known| known.row.member).collect();
            members.dedup();
            let works = members.into_iter().map(|member| Work::Again { member }).collect();
            for answer in self.recorder.enqueue(works, &ledger()).await.all().await {
                events += answer?.determined.len();
            }
            // Rows that were determined leave the view once it has caught up; the key goes on past them.
            let Some(last) = rows.last().filter(|_| rows.len() == ROWS as usize) else { return Ok(events) };
            after = Some((None, last.row.key.clone()));
        }
    }
}
