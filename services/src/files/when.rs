//! Days and moments as files write them. A file's clock is California's.

use chrono::{LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::America::Los_Angeles;
use rollbook_events::{Instant, Occurred};

/// What is expected where a day stands.
pub(super) const BAD_DAY: &str =
    "bad_date: expected a date as in 01/31/2025 or 2025-01-31, with all digits of the year";
const BAD_MOMENT: &str =
    "bad_date: expected a date as in 01/31/2025 or 2025-01-31, with or without a time as in 14:05 or 2:05 PM";
const SKIPPED: &str = "bad_date: the clocks went forward over this time, so it never was";
const TWICE: &str = "bad_date: the clocks went back over this time, so it was twice; say which";
const BACKWARDS: &str = "bad_span: the end lies before the start";

/// A day; a time beside it changes nothing of the day.
pub(super) fn day(text: &str) -> Result<NaiveDate, &'static str> {
    stamp(text).map(|(day, _)| day).ok_or(BAD_DAY)
}

/// When an attempt was made, and how many minutes it took where the end is given too.
pub(super) fn attempt(text: &str) -> Result<(Occurred, Option<u32>), &'static str> {
    if let Some((start, end)) = text.split_once(" - ").or_else(|| text.split_once(" – ")) {
        let timed = |text: &str| stamp(text).and_then(|(day, time)| Some(day.and_time(time?))).ok_or(BAD_MOMENT);
        let (start, end) = (instant(timed(start)?)?, instant(timed(end)?)?);
        let minutes = (end.utc() - start.utc()).num_minutes();
        let minutes = u32::try_from(minutes).ok().filter(|_| start.utc() <= end.utc()).ok_or(BACKWARDS)?;
        return Ok((Occurred::At(start), Some(minutes)));
    }
    match stamp(text).ok_or(BAD_MOMENT)? {
        // A spreadsheet writes a date without a time as midnight; the day alone is the smaller claim.
        (day, None | Some(NaiveTime::MIN)) => Ok((Occurred::Day(day), None)),
        (day, Some(time)) => Ok((Occurred::At(instant(day.and_time(time))?), None)),
    }
}

fn instant(local: NaiveDateTime) -> Result<Instant, &'static str> {
    match Los_Angeles.from_local_datetime(&local) {
        LocalResult::Single(instant) => Ok(Instant::new(instant.fixed_offset())),
        LocalResult::Ambiguous(..) => Err(TWICE),
        LocalResult::None => Err(SKIPPED),
    }
}

fn stamp(text: &str) -> Option<(NaiveDate, Option<NaiveTime>)> {
    let text = text.trim();
    let (day, time) = match text.find([' ', 'T']) {
        Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
        None => (text, None),
    };
    let day = calendar_day(day)?;
    match time.map(str::trim) {
        None => Some((day, None)),
        Some(time) => Some((day, Some(clock(time)?))),
    }
}

fn calendar_day(text: &str) -> Option<NaiveDate> {
    let (year, month, day) = if text.contains('/') {
        let (month, rest) = text.split_once('/')?;
        let (day, year) = rest.split_once('/')?;
        (year, month, day)
    } else {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        (year, month, day)
    };
    // Four digits: a year of two may be of either century.
    let year = digits(year, 4..=4).filter(|year| (1900..=2199).contains(year))?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, digits(month, 1..=2)?, digits(day, 1..=2)?)
}

fn clock(text: &str) -> Option<NaiveTime> {
    let upper = text.to_ascii_uppercase();
    let (time, afternoon) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(time), _) => (time.trim_end(), Some(false)),
        (_, Some(time)) => (time.trim_end(), Some(true)),
        (None, None) => (upper.as_str(), None),
    };
    let mut parts = time.split(':');
    let hour = digits(parts.next()?, 1..=2)?;
    let minute = digits(parts.next()?, 2..=2)?;
    let second = parts.next().map_or(Some(0), |second| digits(second, 2..=2))?;
    if parts.next().is_some() {
        return None;
    }
    let hour = match afternoon {
        None => hour,
        Some(afternoon) if (1..=12).contains(&hour) => hour % 12 + if afternoon { 12 } else { 0 },
        Some(_) => return None,
    };
    NaiveTime::from_hms_opt(hour, minute, second)
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<u32> {
    if !length.contains(&text.len()) || !text.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Minutes: `15`, `15 min`, `0 h 15 mins`, `1 hr 5 min`, `2 hours`.
pub(super) fn minutes(text: &str) -> Option<u32> {
    let lower = text.trim().to_ascii_lowercase();
    let mut total = 0_u32;
    let mut rest = lower.as_str();
    let mut smallest = u32::MAX;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let number = digits(number, 1..=4)?;
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let each = match unit {
            "h" | "hr" | "hrs" | "hour" | "hours" => 60,
            "m" | "min" | "mins" | "minute" | "minutes" => 1,
            // A bare number is minutes, and then the only number.
            "" if smallest == u32::MAX && after.is_empty() => 1,
            _ => return None,
        };
        // Hours before minutes, each once.
        if each >= smallest {
            return None;
        }
        smallest = each;
        total = total.checked_add(number.checked_mul(each)?)?;
        rest = after.trim_start_matches(['.', ',']).trim_start();
    }
    (smallest != u32::MAX && total <= 24 * 60).then_some(total)
}
