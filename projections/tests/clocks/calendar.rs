//! The calendar of the built-in edition, and counting by it.

use chrono::{Datelike, NaiveDate, Weekday};
use rollbook_events::time::Day;
use rollbook_projections::rulebook::Calendar;
use rollbook_projections::rules::business_days::{
    add_business_days, add_days, add_hours, add_months, days_before, end_of_day, is_business_day, is_checked,
};

use crate::facts::built_in;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn calendar() -> &'static Calendar {
    &built_in().base().calendar
}

/// Government Code 19853 with the weekend shifts of 6701.
fn holidays_of(year: i32) -> Vec<Day> {
    let nth = |month, weekday, n| NaiveDate::from_weekday_of_month_opt(year, month, weekday, n).unwrap();
    let dated = |month, day| {
        let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
        if date.weekday() == Weekday::Sun {
            date.succ_opt().unwrap()
        } else if date.weekday() == Weekday::Sat && month == 11 {
            date.pred_opt().unwrap()
        } else {
            date
        }
    };
    let last_monday_of_may =
        NaiveDate::from_weekday_of_month_opt(year, 5, Weekday::Mon, 5).unwrap_or_else(|| nth(5, Weekday::Mon, 4));
    let thanksgiving = nth(11, Weekday::Thu, 4);
    [
        dated(1, 1),
        nth(1, Weekday::Mon, 3),
        nth(2, Weekday::Mon, 3),
        dated(3, 31),
        last_monday_of_may,
        dated(7, 4),
        nth(9, Weekday::Mon, 1),
        dated(11, 11),
        thanksgiving,
        thanksgiving.succ_opt().unwrap(),
        dated(12, 25),
    ]
    .map(Day)
    .to_vec()
}

#[test]
fn every_checked_year_has_just_the_days_of_the_code() {
    let computed: Vec<Day> = calendar().checked_years.iter().flat_map(|year| holidays_of(i32::from(*year))).collect();
    assert_eq!(calendar().holidays, computed);
    assert_eq!(calendar().checked_years, Vec::from_iter(2021..=2030));
}

#[test]
fn a_weekend_shifts_only_where_the_code_gives_a_shift() {
    for (of, kept, not) in [
        ("Christmas 2022, a Sunday", "2022-12-26", "2022-12-23"),
        ("Cesar Chavez Day 2024, a Sunday", "2024-04-01", "2024-03-29"),
        ("Veterans Day 2023, a Saturday", "2023-11-10", "2023-11-13"),
        ("Veterans Day 2029, a Sunday", "2029-11-12", "2029-11-09"),
        ("the day after Thanksgiving 2024", "2024-11-29", "2024-12-02"),
    ] {
        assert!(!is_business_day(day(kept), calendar()), "{of}");
        assert!(is_business_day(day(not), calendar()), "{of}");
    }
    // Independence Day 2026, a Saturday, is kept on no other day; nor are the days kept that offices do not close on.
    for open in ["2026-07-03", "2026-07-06", "2024-02-12", "2024-06-19", "2024-09-09", "2024-10-14"] {
        assert!(is_business_day(day(open), calendar()), "{open}");
    }
    assert!(!is_business_day(day("2024-06-29"), calendar()) && !is_business_day(day("2024-06-30"), calendar()));
}

#[test]
fn business_days_begin_the_day_after_receipt() {
    for (case, received, days, last) in [
        ("B7-01", "2024-06-28", 5, "2024-07-08"),
        ("B7-03", "2026-12-24", 5, "2027-01-04"),
        ("B7-05", "2026-03-02", 5, "2026-03-09"),
        ("a Saturday", "2024-06-29", 1, "2024-07-01"),
        ("a holiday", "2024-07-04", 1, "2024-07-05"),
        ("none", "2024-06-29", 0, "2024-06-29"),
        ("ten", "2024-06-28", 10, "2024-07-15"),
    ] {
        assert_eq!(add_business_days(day(received), days, calendar()), day(last), "{case}");
    }
    assert_eq!(add_business_days(NaiveDate::MAX, 1, calendar()), NaiveDate::MAX);
}

#[test]
fn a_year_nobody_checked_is_known() {
    assert!(is_checked(day("2024-12-31"), day("2025-01-08"), calendar()));
    assert!(is_checked(day("2030-12-20"), day("2030-12-31"), calendar()));
    assert!(!is_checked(day("2030-12-20"), day("2031-01-01"), calendar()));
    assert!(!is_checked(day("2020-12-31"), day("2021-01-08"), calendar()));
    assert!(!is_checked(day("2024-12-31"), day("2025-01-08"), &Calendar::default()));
}

#[test]
fn other_counting() {
    assert_eq!(add_days(day("2024-02-20"), 10), day("2024-03-01"));
    assert_eq!(days_before(day("2024-03-01"), 10), day("2024-02-20"));
    // B4-07: the end of a month stays in its month.
    assert_eq!(add_months(day("2022-03-31"), 6), day("2022-09-30"));
    assert_eq!(add_months(day("2023-08-31"), 6), day("2024-02-29"));
    assert_eq!(add_months(day("2022-01-01"), 6), day("2022-07-01"));
    // The clocks go forward on 2024-03-10: twelve hours pass from 22:30 to 11:30.
    let evening = "2024-03-09T22:30:00-08:00".parse().unwrap();
    assert_eq!(add_hours(evening, 12).to_rfc3339(), "2024-03-10T18:30:00+00:00");
    assert_eq!(end_of_day(day("2024-03-09")).to_rfc3339(), "2024-03-10T08:00:00+00:00");
    assert_eq!(end_of_day(day("2024-03-10")).to_rfc3339(), "2024-03-11T07:00:00+00:00");
}
