//! Named points in the code at which a test can kill or stop the program. A released program has none of it.
//!
//! `ROLLBOOK_FAILPOINT=recorder.before_append=kill@3` kills a debug build with SIGKILL when it passes the point for the
//! third time; `pause` in place of `kill` stops it until SIGCONT. Several stand side by side, with commas.

/// Marks a point; nothing at all in a release build.
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {{
        #[cfg(debug_assertions)]
        $crate::failpoint::pass($name);
    }};
}

#[cfg(debug_assertions)]
pub use armed::pass;

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use nix::sys::signal::{Signal, raise};

    static POINTS: OnceLock<Vec<Point>> = OnceLock::new();

    /// A point that does something, at its n-th passing.
    #[derive(Debug)]
    pub(super) struct Point {
        pub(super) name: String,
        pub(super) signal: Signal,
        pub(super) at: u64,
        passed: AtomicU64,
    }

    /// Passes a point, and goes no further where that was asked for.
    #[expect(clippy::disallowed_methods, reason = "a point lies anywhere; only debug builds look, and only once")]
    pub fn pass(name: &str) {
        let points = POINTS.get_or_init(|| parse(&std::env::var("ROLLBOOK_FAILPOINT").unwrap_or_default()));
        for point in points.iter().filter(|point| point.name == name) {
            if point.passed.fetch_add(1, Ordering::Relaxed) + 1 == point.at {
                // A signal to oneself that fails leaves the program as it would be without the point.
                _ = raise(point.signal);
            }
        }
    }

    /// What cannot be read arms nothing.
    pub(super) fn parse(text: &str) -> Vec<Point> {
        let point = |part: &str| {
            let (name, what) = part.trim().split_once('=')?;
            let (action, at) = what.split_once('@').unwrap_or((what, "1"));
            let signal = match action {
                "kill" => Signal::SIGKILL,
                "pause" => Signal::SIGSTOP,
                _ => return None,
            };
            Some(Point { name: name.to_owned(), signal, at: at.parse().ok()?, passed: AtomicU64::new(0) })
        };
        text.split(',').filter_map(point).collect()
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use nix::sys::signal::Signal;

    use super::armed::parse;

    #[test]
    fn points_are_read_and_nonsense_arms_nothing() {
        let points = parse("a.b=kill@3, c=pause,d=sing,e,=kill@x");
        let read: Vec<_> = points.iter().map(|point| (point.name.as_str(), point.signal, point.at)).collect();
        assert_eq!(read, [("a.b", Signal::SIGKILL, 3), ("c", Signal::SIGSTOP, 1)]);
        crate::failpoint!("nobody.asked_for_this");
    }
}
