//! What stands in one cell of a file, before a plan's habits give it a form.

use chrono::{NaiveDate, NaiveDateTime};

use super::calendar::Month;

/// The contents of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Words.
    Text(String),
    /// A day.
    Day(NaiveDate),
    /// A moment on a Los Angeles clock.
    Moment(NaiveDateTime),
    /// A month.
    Period(Month),
    /// A whole number.
    Count(u32),
    /// Yes or no.
    Flag(bool),
    /// A day no calendar has.
    NoSuchDay,
    /// A moment of a day no calendar has.
    NoSuchMoment,
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A day, or nothing.
    pub fn maybe_day(day: Option<NaiveDate>) -> Self {
        day.map_or(Self::Empty, Self::Day)
    }
}

/// How a plan writes dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateStyle {
    /// `01/05/2025`.
    Padded,
    /// `1/5/2025`.
    Bare,
    /// `2025-01-05`.
    Iso,
}

/// A plan's habits in writing cells.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// How it writes dates where they are text.
    pub dates: DateStyle,
    /// Its word for yes.
    pub yes: &'static str,
    /// Its word for no.
    pub no: &'static str,
}

/// A moment as every tracker writes it in text.
pub const MOMENT: &str = "%m/%d/%Y %H:%M";

impl Style {
    /// The cell as text.
    pub fn written(self, cell: &Cell) -> String {
        match cell {
            Cell::Empty => String::new(),
            Cell::Text(text) => text.clone(),
            Cell::Day(day) => self.day(*day),
            Cell::Moment(moment) => moment.format(MOMENT).to_string(),
            Cell::Period(month) => self.period(*month),
            Cell::Count(count) => count.to_string(),
            Cell::Flag(flag) => (if *flag { self.yes } else { self.no }).to_owned(),
            Cell::NoSuchDay => self.no_such_day().to_owned(),
            Cell::NoSuchMoment => "02/30/2025 10:00".to_owned(),
        }
    }

    fn day(self, day: NaiveDate) -> String {
        let form = match self.dates {
            DateStyle::Padded => "%m/%d/%Y",
            DateStyle::Bare => "%-m/%-d/%Y",
            DateStyle::Iso => "%Y-%m-%d",
        };
        day.format(form).to_string()
    }

    fn period(self, month: Month) -> String {
        let form = match self.dates {
            DateStyle::Padded | DateStyle::Bare => "%m/%Y",
            DateStyle::Iso => "%Y-%m",
        };
        month.day(1).format(form).to_string()
    }

    const fn no_such_day(self) -> &'static str {
        match self.dates {
            DateStyle::Padded => "02/30/2025",
            DateStyle::Bare => "2/30/2025",
            DateStyle::Iso => "2025-02-30",
        }
    }
}
