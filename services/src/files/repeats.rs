//! Attempts of which the file gives the day alone: two calls on one day in two rows are two calls.

use std::collections::HashMap;

use rollbook_events::{EventId, Occurred};

use super::{Facts, Statement, keys};

/// Numbers the attempts of one file that look the same, across its rows. A corrected file that holds the same rows and
/// more numbers them the same way.
#[derive(Debug, Default)]
pub struct Repeats {
    seen: HashMap<EventId, u32>,
}

impl Repeats {
    /// Numbers the attempts of one more row; the rows come in the order of the file, each once.
    pub fn number(&mut self, statement: &mut Statement) {
        let (plan, cin) = (statement.plan.clone(), statement.cin.clone());
        let Facts::OutreachTracker(tracked) = &mut statement.facts else { return };
        for attempt in &mut tracked.attempts {
            let Occurred::Day(day) = attempt.occurred_at else { continue };
            // Hashed, so that a million rows take a few dozen megabytes and no person is kept.
            let (cin, provider, channel, reached) = (cin.expose(), &tracked.provider, attempt.channel, attempt.reached);
            let like = keys::event(&format!("{plan}|{cin}|{provider}|{day}|{channel}|{reached}"));
            let nth = self.seen.entry(like).or_insert(0);
            *nth += 1;
            attempt.nth = *nth;
        }
    }
}
