//! What every clock is: since when it runs, what it allows, whether it governs, and when it was met. Never whether it is
//! late "now".

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rollbook_events::time::{Instant, pacific_day};
use rollbook_events::{Envelope, Program};

use super::business_days::{add_business_days, add_days, add_hours, end_of_day, is_checked};
use super::facts::Facts;
use super::{appeals, authorizations, notice_clock, reassessment};
use crate::rulebook::{Calendar, Unit};

/// When a clock has run out: with a day of California, or at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The last day.
    Day(NaiveDate),
    /// The last instant.
    At(DateTime<Utc>),
}

impl Due {
    /// The day it falls on.
    pub fn day(self) -> NaiveDate {
        match self {
            Self::Day(day) => day,
            Self::At(instant) => pacific_day(&instant),
        }
    }

    /// The instant, where it has one.
    pub fn at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Day(_) => None,
            Self::At(instant) => Some(instant),
        }
    }

    /// The instant at which it has passed: for a day, when the day is over.
    pub fn passes_at(self) -> DateTime<Utc> {
        match self {
            Self::Day(day) => end_of_day(day),
            Self::At(instant) => instant,
        }
    }

    /// Whether something came in time; the last day and the last instant are.
    pub fn is_met_at(self, done: Instant) -> bool {
        self.late_by_days(done) == 0
    }

    /// The days, begun ones included, by which something came late; none where it came in time.
    pub fn late_by_days(self, done: Instant) -> u32 {
        match self {
            Self::Day(day) => days_late(day, done.day()),
            Self::At(instant) => {
                let late = (done.utc() - instant).max(TimeDelta::zero());
                let begun = late.num_days() + i64::from(late > TimeDelta::days(late.num_days()));
                u32::try_from(begun).unwrap_or(u32::MAX)
            }
        }
    }

    /// The first day on which it has passed.
    pub fn late_from(self) -> NaiveDate {
        match self {
            Self::Day(day) => add_days(day, 1),
            Self::At(instant) => pacific_day(&instant),
        }
    }
}

/// By how many days one day lies after another; none where it does not.
pub fn days_late(due: NaiveDate, done: NaiveDate) -> u32 {
    u32::try_from((done - due).num_days().max(0)).unwrap_or(u32::MAX)
}

/// When so many hours or days have run from an instant. Days begin with the next one in California.
pub fn due_from(received: Instant, amount: u16, unit: Unit, calendar: &Calendar) -> Due {
    match unit {
        Unit::Hours => Due::At(add_hours(received.utc(), amount.into())),
        Unit::CalendarDays | Unit::BusinessDays => Due::Day(due_from_day(received.day(), amount, unit, calendar)),
    }
}

/// The same from a day whose hour is not known: hours then run to the end of the last day they can reach.
pub fn due_from_day(day: NaiveDate, amount: u16, unit: Unit, calendar: &Calendar) -> NaiveDate {
    match unit {
        Unit::Hours => add_days(day, amount.div_ceil(24).into()),
        Unit::CalendarDays => add_days(day, amount.into()),
        Unit::BusinessDays => add_business_days(day, amount.into(), calendar),
    }
}

/// A clock with some days more: hours go on to the same elapsed time, so many days later.
pub fn extended(due: Due, days: u16) -> Due {
    match due {
        Due::Day(day) => Due::Day(add_days(day, days.into())),
        Due::At(instant) => Due::At(add_hours(instant, 24 * u32::from(days))),
    }
}

/// Whether the holidays that a clock counts by were checked; none where it counts by none.
pub fn calendar_checked(unit: Unit, first: NaiveDate, due: Due, calendar: &Calendar) -> Option<bool> {
    (unit == Unit::BusinessDays).then(|| is_checked(first, due.day(), calendar))
}

/// The end of a matter that was late from a day until it was settled, so that it lasts a day at least.
pub fn late_until(from: NaiveDate, settled: Option<NaiveDate>) -> Option<NaiveDate> {
    settled.map(|settled| settled.max(add_days(from, 1)))
}

/// One clock of one matter.
#[derive(Debug, Clone)]
pub struct Clock<'a> {
    /// Which clock.
    pub clock: &'static str,
    /// The authorization, enrollment, notice or appeal it is of.
    pub of: String,
    /// The event whose record it is: plan, county and member are its.
    pub by: &'a Envelope,
    /// The program; none of an appeal against a notice that is not on record.
    pub program: Option<Program>,
    /// The rule that sets it.
    pub rule: &'a str,
    /// Whether it is the clock as extended, a row of its own.
    pub is_extended: bool,
    /// The day it runs from.
    pub starts_on: NaiveDate,
    /// When it has run out; none where what it waits for is not known.
    pub due: Option<Due>,
    /// Whether it is the one that counts among those of its matter.
    pub is_governing: bool,
    /// Whether it binds.
    pub is_binding: bool,
    /// The day of what it waits for.
    pub met_on: Option<NaiveDate>,
    /// Days by which that came late.
    pub late_by_days: Option<u32>,
    /// The first lawful day for what follows.
    pub earliest_on: Option<NaiveDate>,
    /// Where it is written.
    pub cite: &'a str,
    /// Whether it was read in a source, or only remembered.
    pub is_verified: bool,
    /// Whether the holidays it counts by were checked.
    pub is_calendar_checked: Option<bool>,
}

/// Every clock of a member.
pub fn clocks<'a>(facts: &Facts<'a>) -> Vec<Clock<'a>> {
    let mut clocks = authorizations::clocks(facts);
    clocks.extend(notice_clock::clocks(facts));
    clocks.extend(appeals::clocks(facts));
    clocks.extend(reassessment::clocks(facts));
    clocks
}
