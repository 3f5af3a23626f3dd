//! Progress on stderr: a bar on a terminal, a plain line every five seconds elsewhere.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Output;
use super::pace::{Pace, told};

/// Between two plain lines.
pub const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// How something comes along.
#[derive(Debug)]
pub struct Meter {
    what: String,
    unit: &'static str,
    all: u64,
    pace: Pace,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines { last: Instant },
    Nothing,
}

impl Meter {
    /// A meter of so much, counting items of this unit.
    pub fn new(output: &Output, what: impl Into<String>, unit: &'static str, all: u64) -> Self {
        let what = what.into();
        let shown = if output.quiet() {
            Shown::Nothing
        } else if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{prefix} [{bar:24}] {percent:>3}%  {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.set_prefix(what.clone());
            Shown::Bar(bar)
        } else {
            Shown::Lines { last: Instant::now() }
        };
        Self { what, unit, all, pace: Pace::default(), shown }
    }

    /// So much is done, which came to so many items.
    pub fn at(&mut self, done: u64, items: u64) {
        let now = Instant::now();
        let reading = self.pace.read(now, done, self.all, items);
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_position(done.min(self.all));
                bar.set_message(Cow::Owned(told(items, self.unit, reading)));
            }
            Shown::Lines { last } if now.saturating_duration_since(*last) >= PLAIN_EVERY => {
                *last = now;
                let percent = percent(done, self.all);
                _ = writeln!(
                    std::io::stderr().lock(),
                    "{}: {percent} %, {}",
                    self.what,
                    told(items, self.unit, reading)
                );
            }
            Shown::Lines { .. } | Shown::Nothing => {}
        }
    }

    /// Takes the bar away, so that what comes next stands in its place.
    pub fn finish(self) {
        if let Shown::Bar(bar) = self.shown {
            bar.finish_and_clear();
        }
    }
}

fn percent(done: u64, all: u64) -> u64 {
    if all == 0 { 100 } else { u64::try_from(u128::from(done.min(all)) * 100 / u128::from(all)).unwrap_or(100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_never_leave_their_range() {
        assert_eq!([percent(0, 0), percent(1, 3), percent(9, 3), percent(u64::MAX, u64::MAX)], [100, 33, 100, 100]);
    }
}
