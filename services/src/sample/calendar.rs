//! The months and days the sample county lives through.

use chrono::{Datelike, NaiveDate, TimeDelta};

/// A calendar month, counted so that months can be compared and stepped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(i32);

impl Month {
    /// The first month that files exist for.
    pub const FIRST: Self = Self::new(2024, 7);
    /// The last month that files exist for.
    pub const LAST: Self = Self::new(2025, 6);

    /// The month of that number (1 to 12) in that year.
    pub const fn new(year: i32, number: i32) -> Self {
        Self(year * 12 + number - 1)
    }

    /// The month a day lies in.
    pub fn of(day: NaiveDate) -> Self {
        Self(day.year() * 12 + day.month0().cast_signed())
    }

    /// The month that many months later.
    pub const fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    /// The day of that number, or the month's last day if it is shorter.
    pub fn day(self, number: u32) -> NaiveDate {
        let month = self.0.rem_euclid(12).unsigned_abs() + 1;
        let dated = |number| NaiveDate::from_ymd_opt(self.0.div_euclid(12), month, number);
        (1..=number).rev().find_map(dated).unwrap_or_default()
    }

    /// The month's last day.
    pub fn last_day(self) -> NaiveDate {
        self.day(31)
    }

    /// Every month that files exist for, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (Self::FIRST.0..=Self::LAST.0).map(Self)
    }
}

/// The day the truth is told as of.
pub fn as_of() -> NaiveDate {
    Month::LAST.last_day()
}

/// The days on which the truth counts who is enrolled: the first of each month, and the last day of all.
pub fn census_days() -> Vec<NaiveDate> {
    Month::all().map(|month| month.day(1)).chain([as_of()]).collect()
}

/// The day that many days later.
pub fn after(day: NaiveDate, days: i64) -> NaiveDate {
    day + TimeDelta::days(days)
}

/// Days from one day to another.
pub fn days_between(from: NaiveDate, to: NaiveDate) -> i64 {
    (to - from).num_days()
}
