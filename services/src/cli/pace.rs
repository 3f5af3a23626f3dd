//! How fast something goes and how long it will take, from what was done in the last half minute.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanCount};

/// What was done longer ago says little: a resumed import skips in a second what took it minutes before.
const WINDOW: Duration = Duration::from_secs(30);

/// Below it a rate is noise.
const SHORTEST: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    done: u64,
    items: u64,
}

/// A pace.
#[derive(Debug, Default)]
pub struct Pace {
    marks: VecDeque<Mark>,
}

/// What a pace says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Items a second.
    pub rate: Option<f64>,
    /// How long it will yet take.
    pub left: Option<Duration>,
}

impl Pace {
    /// Notes that so much of all is done now, which came to so many items.
    pub fn read(&mut self, at: Instant, done: u64, all: u64, items: u64) -> Reading {
        let now = Mark { at, done, items };
        if self.marks.back().is_none_or(|last| at.saturating_duration_since(last.at) >= SHORTEST) {
            self.marks.push_back(now);
        }
        let old = |mark: &Mark| at.saturating_duration_since(mark.at) > WINDOW;
        // The second is old as well: then the first is not needed to span the window.
        while self.marks.get(1).is_some_and(old) {
            self.marks.pop_front();
        }
        self.marks.front().map_or(Reading { rate: None, left: None }, |first| since(*first, now, all))
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
fn since(first: Mark, now: Mark, all: u64) -> Reading {
    let took = now.at.saturating_duration_since(first.at);
    if took < SHORTEST {
        return Reading { rate: None, left: None };
    }
    let rate = now.items.saturating_sub(first.items) as f64 / took.as_secs_f64();
    let done = now.done.saturating_sub(first.done);
    let missing = all.saturating_sub(now.done);
    let left = took.as_secs_f64() * missing as f64 / done as f64;
    // Nothing done yet divides by zero, which is no duration.
    Reading { rate: Some(rate), left: Duration::try_from_secs_f64(left).ok() }
}

/// As in `12,345 rows, 3,210 rows/s, 1 m 20 s left`.
pub fn told(items: u64, unit: &str, reading: Reading) -> String {
    let amount = |items: HumanCount| match unit {
        "bytes" => DecimalBytes(items.0).to_string(),
        unit => format!("{items} {unit}"),
    };
    let mut text = amount(HumanCount(items));
    if let Some(rate) = reading.rate {
        text += &format!(", {}/s", amount(whole(rate)));
    }
    if let Some(left) = reading.left {
        text += &format!(", {} left", duration(left));
    }
    text
}

/// A rate in whole items.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is finite and never negative")]
pub fn whole(rate: f64) -> HumanCount {
    HumanCount(rate.round() as u64)
}

/// As in `90 ms`, `9 s`, `1 m 20 s`, `2 h 5 m`.
pub fn duration(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{} ms", duration.as_millis());
    }
    let seconds = duration.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} m {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pace: &mut Pace, start: Instant, seconds: u64, done: u64, items: u64) -> Reading {
        pace.read(start + Duration::from_secs(seconds), done, 1_000, items)
    }

    #[test]
    fn time_left_goes_by_what_is_done_and_the_rate_by_items() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert_eq!(after(&mut pace, start, 0, 100, 0), Reading { rate: None, left: None });
        let reading = after(&mut pace, start, 10, 200, 50);
        assert_eq!(reading, Reading { rate: Some(5.0), left: Some(Duration::from_secs(80)) });
        assert_eq!(told(1_234, "rows", reading), "1,234 rows, 5 rows/s, 1 m 20 s left");
        assert!(told(1_500_000, "bytes", reading).starts_with("1.50 MB, "));
    }

    #[test]
    fn what_was_long_ago_does_not_count() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        after(&mut pace, start, 0, 0, 0);
        after(&mut pace, start, 10, 800, 800);
        after(&mut pace, start, 20, 800, 800);
        let reading = after(&mut pace, start, 50, 900, 900);
        assert_eq!(reading.left, Some(Duration::from_secs(40)));
    }

    #[test]
    fn nothing_done_has_no_time_left() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        after(&mut pace, start, 0, 0, 0);
        assert_eq!(after(&mut pace, start, 5, 0, 0), Reading { rate: Some(0.0), left: None });
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        let texts = [90, 9_000, 80_000, 7_500_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(texts, ["90 ms", "9 s", "1 m 20 s", "2 h 5 m"]);
    }
}
