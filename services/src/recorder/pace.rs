//! How a few events are stored soonest: each by itself, or all in one atomic batch.
//!
//! A server flushes each message that comes by itself, and for a batch makes and removes a store of its own, which costs as
//! much as some ten to eighty flushes, as the disk has it. So which is sooner is learned from how flights fared.

use std::time::Duration;

/// More events than this never fly by themselves.
pub(super) const MOST_APART: usize = 128;
/// What is believed before any flight, in seconds: of one event by itself, and of a batch.
const APART: f64 = 0.001;
const TOGETHER: f64 = 0.02;
/// How much of what was believed the last flight replaces.
const REPLACED: f64 = 0.3;
/// What is left of the belief of the way not taken, so that it is tried again, once in some hundred flights.
const FADED: f64 = 0.998;

/// What flights cost, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// One event among those that fly by themselves.
    apart: f64,
    /// A batch, however many its events.
    together: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { apart: APART, together: TOGETHER }
    }
}

impl Pace {
    /// Whether so many events are stored sooner each by itself.
    pub(super) fn parts(&self, events: usize) -> bool {
        events <= MOST_APART && self.apart * number(events) <= self.together
    }

    /// Learns from a flight that landed.
    pub(super) fn flew(&mut self, events: usize, apart: bool, took: Duration) {
        if events == 0 || events > MOST_APART {
            return;
        }
        // One event is no batch, whatever it flew with.
        let apart = apart || events == 1;
        let took = took.as_secs_f64();
        let (taken, other, cost) = if apart {
            (&mut self.apart, &mut self.together, took / number(events))
        } else {
            (&mut self.together, &mut self.apart, took)
        };
        *taken += REPLACED * (cost - *taken);
        *other *= FADED;
    }
}

fn number(events: usize) -> f64 {
    u32::try_from(events).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Flies until the belief settles, and says how many of the last hundred flights flew apart.
    fn apart(pace: &mut Pace, events: usize, alone: Duration, batch: Duration) -> usize {
        let mut apart = 0;
        for flight in 0..1_000 {
            let parts = pace.parts(events);
            apart += usize::from(parts && flight >= 900);
            pace.flew(events, parts, if parts { alone * u32::try_from(events).unwrap() } else { batch });
        }
        apart
    }

    #[test]
    fn a_few_fly_apart_and_many_together_as_the_disk_has_it() {
        let mut pace = Pace::default();
        // A slow disk: 2 ms a flush, 50 ms a batch.
        assert!(apart(&mut pace, 8, millis(2), millis(50)) >= 95);
        assert!(apart(&mut pace, 64, millis(2), millis(50)) <= 5);
        // The disk has become quick: a batch costs eighty flushes.
        let quick = Duration::from_micros(200);
        assert!(apart(&mut pace, 64, quick, millis(16)) >= 95);
        // And slow again.
        assert!(apart(&mut pace, 64, millis(2), millis(50)) <= 5);
    }

    #[test]
    fn one_flies_alone_and_a_full_batch_together_whatever_was_seen() {
        let mut pace = Pace::default();
        assert!(pace.parts(1) && !pace.parts(MOST_APART + 1));
        for _ in 0..100 {
            pace.flew(1_000, false, millis(1));
            pace.flew(1, false, Duration::from_micros(200));
        }
        assert!(pace.parts(64), "neither a large batch nor one event alone says what a small batch costs");
    }
}
