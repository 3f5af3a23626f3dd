//! The clock: an event is never recorded with an earlier time than the one before it in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use indicatif::HumanCount;
use rollbook_events::Position;
use serde::Deserialize;

use crate::health::{Forbids, Health};
use crate::log::{Log, ReadError};

/// The name of the check.
const CLOCK: &str = "clock";

/// How far a clock may be set back and be bridged: the next events then bear the time of the last.
const BRIDGED: TimeDelta = TimeDelta::seconds(5);

/// Events at the log's end that are looked through for one whose time can be read.
const MOST_LOOKED_AT: u64 = 10;

/// When the log's last event was recorded, so far as this program has seen. Cheap to clone; all clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct LastRecorded(Arc<AtomicI64>);

impl LastRecorded {
    /// An event was recorded then.
    pub fn saw(&self, recorded_at: DateTime<Utc>) {
        self.0.fetch_max(recorded_at.timestamp_micros(), Ordering::Relaxed);
    }

    /// The latest that was seen; the beginning of 1970 before any was.
    pub fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// Reads when the log's last event was recorded.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub async fn read(&self, log: &dyn Log) -> Result<(), ReadError> {
        let head = log.head().await?;
        for back in 0..MOST_LOOKED_AT.min(head.0) {
            let stored = log.get(Position(head.0 - back)).await?;
            // What is missing, or is no event, other guards tell of.
            let told = stored.and_then(|stored| serde_json::from_slice::<Told>(&stored.body).ok());
            if let Some(told) = told {
                self.saw(told.recordedtime);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Tells health whether this machine's clock is so far behind that nothing may be recorded by it.
    pub fn judge(&self, health: &Health, now: DateTime<Utc>) {
        match behind(now, self.at()) {
            Some(by) => health.red(CLOCK, cause(by), Forbids::Recording, now),
            None => health.green(CLOCK),
        }
    }
}

/// What of an event tells its time.
#[derive(Deserialize)]
struct Told {
    recordedtime: DateTime<Utc>,
}

/// By how much a clock is behind the last event, where that is more than can be bridged.
fn behind(now: DateTime<Utc>, last: DateTime<Utc>) -> Option<TimeDelta> {
    let by = last - now;
    (by > BRIDGED).then_some(by)
}

fn cause(by: TimeDelta) -> String {
    let seconds = HumanCount(u64::try_from(by.num_seconds()).unwrap_or_default());
    format!(
        "this machine's clock is {seconds} s behind the log's last event: set the clock, or wait until it is past it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_small_step_back_is_bridged_and_a_large_one_is_refused_until_it_is_over() {
        let (last, health) = (LastRecorded::default(), Health::default());
        last.saw(at(5_000));
        last.saw(at(4_000));
        last.judge(&health, at(4_995));
        assert_eq!(health.refusal(), None);
        last.judge(&health, at(3_000));
        let cause = health.refusal().unwrap();
        assert!(cause.starts_with("this machine's clock is 2,000 s behind"), "{cause}");
        last.judge(&health, at(5_001));
        assert_eq!(health.refusal(), None);
    }

    #[tokio::test]
    async fn the_log_s_last_event_tells_the_time_also_behind_one_that_cannot_be_read() {
        let log = crate::log::MemoryLog::new(crate::log::StreamSpec::ENROLLMENT);
        let last = LastRecorded::default();
        last.read(&log).await.unwrap();
        assert_eq!(last.at(), at(0));
        for (id, body) in [("a", r#"{"recordedtime":"1970-01-01T00:01:40.000000Z","id":1}"#), ("b", "?")] {
            let message = crate::log::Message {
                subject: format!("enrollment.{id}"),
                id: id.to_owned(),
                expected: None,
                headers: Vec::new(),
                body: body.into(),
            };
            log.append(&[message]).await.unwrap();
        }
        last.read(&log).await.unwrap();
        assert_eq!(last.at(), at(100));
    }
}
