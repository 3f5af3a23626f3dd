//! Civil days of California and instants that keep their zone.
//!
//! A legal day is a day in America/Los_Angeles, whatever the server's zone: a request received at 23:30 Pacific belongs to
//! that day even where UTC has moved on (domain rules E-9).

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, SubsecRound, TimeZone, Utc};
use chrono_tz::America::Los_Angeles;

use crate::string_type::string_type;

/// The civil day in California of an instant.
pub fn pacific_day<Tz: TimeZone>(instant: &DateTime<Tz>) -> NaiveDate {
    instant.with_timezone(&Los_Angeles).date_naive()
}

/// The first instant of a civil day in California.
pub fn start_of_pacific_day(day: NaiveDate) -> DateTime<FixedOffset> {
    let midnight = day.and_time(NaiveTime::MIN);
    // California's clocks change at 02:00, so midnight is always there, and once.
    Los_Angeles
        .from_local_datetime(&midnight)
        .earliest()
        .map_or_else(|| Utc.from_utc_datetime(&midnight).fixed_offset(), |instant| instant.fixed_offset())
}

/// Not a date or an instant that the ledger can keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTime {
    /// The text is not an RFC 3339 instant.
    #[error("expected an instant with its zone, as in 2022-03-04T10:00:00-08:00")]
    Instant,
    /// The text is neither.
    #[error("expected a date as in 2022-03-04, or an instant with its zone")]
    Occurred,
    /// The year is not one a record of a living person can bear.
    #[error("expected a year from 1900 to 2199")]
    Year,
}

const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

/// An instant with the offset it was given in, to the microsecond (the databases keep no more).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(DateTime<FixedOffset>);

impl Instant {
    /// An instant, cut to microseconds.
    pub fn new(instant: DateTime<FixedOffset>) -> Self {
        Self(instant.trunc_subsecs(6))
    }

    /// The same instant in UTC.
    pub fn utc(self) -> DateTime<Utc> {
        self.0.with_timezone(&Utc)
    }

    /// Its civil day in California.
    pub fn day(self) -> NaiveDate {
        pacific_day(&self.0)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

impl FromStr for Instant {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| BadTime::Instant)?;
        if !YEARS.contains(&chrono::Datelike::year(&instant)) {
            return Err(BadTime::Year);
        }
        Ok(Self::new(instant))
    }
}

string_type!(
    Instant,
    "bad_date",
    "an RFC 3339 instant with its zone",
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"
);

/// When something was true in the world: an instant, or a civil day in California.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occurred {
    /// A day whose hour is not known.
    Day(NaiveDate),
    /// An instant.
    At(Instant),
}

impl Occurred {
    /// The civil day in California.
    pub fn day(self) -> NaiveDate {
        match self {
            Self::Day(day) => day,
            Self::At(instant) => instant.day(),
        }
    }

    /// The earliest instant it can mean, for sorting and for `time` on the wire.
    pub fn earliest(self) -> Instant {
        match self {
            Self::Day(day) => Instant::new(start_of_pacific_day(day)),
            Self::At(instant) => instant,
        }
    }

    /// Whether it lies before `other`; where either is a bare day, the same day does (scenario files, "precedes").
    pub fn precedes(self, other: Self) -> bool {
        match (self, other) {
            (Self::At(a), Self::At(b)) => a.utc() < b.utc(),
            _ => self.day() <= other.day(),
        }
    }
}

impl fmt::Display for Occurred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::At(instant) => instant.fmt(f),
        }
    }
}

impl FromStr for Occurred {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        if text.len() == 10 {
            return Day::from_str(text).map(|day| Self::Day(day.0)).map_err(|_| BadTime::Occurred);
        }
        text.parse().map(Self::At).map_err(|error| if error == BadTime::Year { error } else { BadTime::Occurred })
    }
}

string_type!(
    Occurred,
    "bad_date",
    "a civil date in America/Los_Angeles, or an RFC 3339 instant with its zone",
    r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?$"
);

/// A civil date of a payload, written as `2022-03-04` and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub NaiveDate);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Not a civil date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a date from 1900 to 2199, as in 2022-03-04")]
pub struct BadDay;

impl FromStr for Day {
    type Err = BadDay;
    fn from_str(text: &str) -> Result<Self, BadDay> {
        if text.len() != 10 {
            return Err(BadDay);
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| BadDay)?;
        if YEARS.contains(&chrono::Datelike::year(&day)) { Ok(Self(day)) } else { Err(BadDay) }
    }
}

string_type!(Day, "bad_date", "a civil date in America/Los_Angeles", r"^\d{4}-\d{2}-\d{2}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_evening_belongs_to_the_pacific_day() {
        let instant: Instant = "2024-07-01T05:30:00Z".parse().unwrap();
        assert_eq!(instant.day().to_string(), "2024-06-30");
    }

    #[test]
    fn a_bare_day_precedes_the_same_day_and_an_instant_does_not_precede_itself() {
        let day: Occurred = "2022-03-01".parse().unwrap();
        let noon: Occurred = "2022-03-01T12:00:00-08:00".parse().unwrap();
        assert!(day.precedes(noon) && noon.precedes(day) && !noon.precedes(noon));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["2022-02-30", "2022-3-4", "0022-03-04", "2022-03-04T10:00:00", "tomorrow", ""] {
            assert!(text.parse::<Occurred>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_instant_keeps_its_zone_and_six_digits() {
        let instant: Instant = "2022-03-04T10:00:00.123456789-08:00".parse().unwrap();
        assert_eq!(instant.to_string(), "2022-03-04T10:00:00.123456-08:00");
    }
}
