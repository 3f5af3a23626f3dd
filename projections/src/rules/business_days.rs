//! Business days: neither on a weekend nor a holiday of the calendar.

use chrono::{Datelike, NaiveDate, Weekday};

use crate::rulebook::Calendar;

/// The day that many business days after a day, which itself does not count.
pub fn add_business_days(day: NaiveDate, days: u32, calendar: &Calendar) -> NaiveDate {
    let business = |day: &NaiveDate| {
        !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
            && !calendar.holidays.iter().any(|holiday| holiday.0 == *day)
    };
    let mut left = days;
    let mut last = day;
    for next in day.iter_days().skip(1) {
        if left == 0 {
            break;
        }
        last = next;
        if business(&next) {
            left -= 1;
        }
    }
    last
}
