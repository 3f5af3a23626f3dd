//! Whether the views move: green means caught up and moving. And the same as gauges.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rollbook_projections::store::Live;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Phase, Status};
use crate::clock;
use crate::health::{Forbids, Health};

/// How long the views may stand still while the log has more for them.
const MOST_STILL: Duration = Duration::from_secs(30);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The name of the check.
const CHECK: &str = "projection_stalled";

/// Watches a projector's status until cancelled: health is red while the views stand still with a gap before them.
pub async fn watch_progress(status: watch::Receiver<Status>, live: Live, health: Health, cancelled: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    let mut still = Still::new(clock::now());
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = cancelled.cancelled() => return,
        }
        let (now, status) = (clock::now(), status.borrow().clone());
        gauges(&status, live.number());
        match still.look(&status, now) {
            Some(cause) => health.red(CHECK, cause, Forbids::Nothing, now),
            None => health.green(CHECK),
        }
    }
}

/// The others are taken when they are asked for (`measures`).
fn gauges(status: &Status, generation: i64) {
    metrics::gauge!("rollbook_projector_generation").set(generation as f64);
    let writes = matches!(status.phase, Phase::Following | Phase::Rederiving { .. });
    metrics::gauge!("rollbook_projector_following").set(if writes { 1.0 } else { 0.0 });
}

/// Since when the views stand still, and at which place.
struct Still {
    at: (u64, u64),
    since: DateTime<Utc>,
}

impl Still {
    fn new(now: DateTime<Utc>) -> Self {
        Self { at: (0, 0), since: now }
    }

    /// Why health is red, where it is.
    fn look(&mut self, status: &Status, now: DateTime<Utc>) -> Option<String> {
        let done = if let Phase::Rederiving { done } = status.phase { done } else { 0 };
        let at = (status.position.0, done);
        if at != self.at || status.gap() == 0 {
            (self.at, self.since) = (at, now);
            return None;
        }
        let seconds = (now - self.since).num_seconds();
        (seconds >= i64::try_from(MOST_STILL.as_secs()).unwrap_or(i64::MAX)).then(|| {
            let (gap, position) = (status.gap(), status.position);
            format!("the views have stood at position {position} for {seconds} s with {gap} events before them")
        })
    }
}

#[cfg(test)]
mod tests {
    use rollbook_events::Position;

    use super::*;

    #[test]
    fn views_that_stand_still_with_a_gap_are_red_after_a_while_and_only_then() {
        let at = |second: i64| DateTime::from_timestamp(second, 0).unwrap();
        let mut status = Status { position: Position(5), head: Position(9), ..Status::default() };
        let mut still = Still::new(at(0));
        assert_eq!(still.look(&status, at(0)), None);
        assert_eq!(still.look(&status, at(29)), None);
        assert!(still.look(&status, at(31)).unwrap().contains("position 5 for 31 s with 4 events"));
        status.phase = Phase::Rederiving { done: 500 };
        assert_eq!(still.look(&status, at(32)), None, "members that are derived anew are progress");
        status.position = Position(6);
        assert_eq!(still.look(&status, at(70)), None, "it has moved");
        status.position = Position(9);
        assert_eq!(still.look(&status, at(500)), None, "nothing is before it");
    }
}
