//! Counting forward: business days by a calendar, days of the calendar, months, and hours that simply elapse.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc, Weekday};
use rollbook_events::time::{Day, start_of_pacific_day};

use crate::rulebook::Calendar;

/// Whether business is done on a day: no Saturday, no Sunday, and none of the calendar's holidays.
pub fn is_business_day(day: NaiveDate, calendar: &Calendar) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !calendar.holidays.contains(&Day(day))
}

/// The last of so many business days. The day of receipt does not count, whatever day it is.
pub fn add_business_days(day: NaiveDate, days: u32, calendar: &Calendar) -> NaiveDate {
    let Some(before) = days.checked_sub(1) else { return day };
    let mut business = day.iter_days().skip(1).filter(|next| is_business_day(*next, calendar));
    business.nth(usize::try_from(before).unwrap_or(usize::MAX)).unwrap_or(NaiveDate::MAX)
}

/// Whether the holidays of every year from the first day to the last were checked.
pub fn is_checked(first: NaiveDate, last: NaiveDate, calendar: &Calendar) -> bool {
    (first.year()..=last.year()).all(|year| calendar.checked_years.iter().any(|checked| i32::from(*checked) == year))
}

/// So many days of the calendar later, on whatever day that is.
pub fn add_days(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX)
}

/// So many days of the calendar earlier.
pub fn days_before(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(days.into())).unwrap_or(NaiveDate::MIN)
}

/// So many months later; where that month has no such day, its last one. Never rolled off a weekend.
pub fn add_months(day: NaiveDate, months: u32) -> NaiveDate {
    day.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX)
}

/// So many elapsed hours later: on the nights the clocks change, that is another hour of the day.
pub fn add_hours(instant: DateTime<Utc>, hours: u32) -> DateTime<Utc> {
    instant.checked_add_signed(TimeDelta::hours(hours.into())).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The instant at which a day is over in California.
pub fn end_of_day(day: NaiveDate) -> DateTime<Utc> {
    start_of_pacific_day(add_days(day, 1)).to_utc()
}
