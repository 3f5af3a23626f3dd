//! What parameters hold, each read from its text by one type.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use rollbook_events::time::Day;
use rollbook_events::{Instant, Position};
use rollbook_projections::Cell;
use serde::{Deserialize, Deserializer};

use super::cursor::{BadCursor, Sealed};

/// Rows of a page.
pub const MOST_ROWS: u32 = 1_000;
/// Milliseconds that an answer may be waited for.
pub const MOST_WAIT_MS: u64 = 30_000;

/// Makes types readable as values of parameters from their text.
macro_rules! from_text {
    ($($name:ty),+) => { $(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::http::values::text(deserializer)
            }
        }
    )+ };
}
pub(crate) use from_text;

/// Reads a value from its text.
///
/// # Errors
/// Where it is none.
pub fn text<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

from_text! { CursorText, KnownAt, Place, WaitMs, Limit, PlaceOrDay }

/// A cursor as a caller sends it.
#[derive(Debug, Clone)]
pub struct CursorText(pub Sealed);

impl FromStr for CursorText {
    type Err = BadCursor;
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        text.parse().map(Self)
    }
}

/// What a parameter must be instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct Expected(pub &'static str);

/// A position of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(pub Position);

impl FromStr for Place {
    type Err = Expected;
    fn from_str(text: &str) -> Result<Self, Expected> {
        // The databases count to 2^63.
        let number = text.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok());
        number.map(|number| Self(Position(number))).ok_or(Expected("a position of the log, a whole number from 0"))
    }
}

/// When something was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownAt {
    /// At a position.
    Position(Position),
    /// At an instant.
    Instant(DateTime<Utc>),
}

impl FromStr for KnownAt {
    type Err = Expected;
    fn from_str(text: &str) -> Result<Self, Expected> {
        if let Ok(place) = text.parse::<Place>() {
            return Ok(Self::Position(place.0));
        }
        // A plus sign that was not encoded is read as a space.
        let instant = text.replace(' ', "+").parse::<Instant>();
        let wanted = Expected("a position of the log, or an instant with its zone, as in 2022-03-04T10:00:00-08:00");
        instant.map(|instant| Self::Instant(instant.utc())).map_err(|_| wanted)
    }
}

/// A position, or a civil day in California.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceOrDay {
    /// A position.
    Place(Position),
    /// A day.
    Day(Day),
}

impl FromStr for PlaceOrDay {
    type Err = Expected;
    fn from_str(text: &str) -> Result<Self, Expected> {
        match text.parse::<Place>() {
            Ok(place) => Ok(Self::Place(place.0)),
            Err(_) => {
                text.parse().map(Self::Day).map_err(|_| Expected("a position of the log, or a date as in 2022-03-04"))
            }
        }
    }
}

/// How long to wait, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitMs(pub u64);

impl FromStr for WaitMs {
    type Err = Expected;
    fn from_str(text: &str) -> Result<Self, Expected> {
        let wait = text.parse().ok().filter(|wait| *wait <= MOST_WAIT_MS);
        wait.map(Self).ok_or(Expected("milliseconds from 0 to 30000"))
    }
}

/// Rows of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub u32);

impl FromStr for Limit {
    type Err = Expected;
    fn from_str(text: &str) -> Result<Self, Expected> {
        let limit = text.parse().ok().filter(|limit| (1..=MOST_ROWS).contains(limit));
        limit.map(Self).ok_or(Expected("a number from 1 to 1000"))
    }
}

/// One or several, with commas or as a repeated parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

/// Values that one list may hold; each is a term of a query.
pub const MOST_VALUES: usize = 100;

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.split(',').nth(MOST_VALUES).is_some() {
            return Err(serde::de::Error::custom(format_args!("expected at most {MOST_VALUES} of the list")));
        }
        let list: Result<Vec<T>, _> = text.split(',').map(str::parse).collect();
        list.map(Self)
            .map_err(|error| serde::de::Error::custom(format_args!("expected one or more of the list: {error}")))
    }
}

impl<T: fmt::Display> List<T> {
    /// As a column holds them.
    pub fn cells(&self) -> Vec<Cell> {
        self.0.iter().map(|one| one.to_string().into()).collect()
    }
}

/// A closed list of words that a parameter may hold.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it is written.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),+ } }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().copied().find(|word| word.as_str() == text);
                found.ok_or_else(|| format!("expected one of {}", [$($word),+].join(", ")))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::http::values::text(deserializer)
            }
        }
    };
}
pub(crate) use words;

/// Conditions that a column holds one of these, where any are asked for.
pub fn equal<T: fmt::Display>(column: &'static str, list: Option<&List<T>>) -> Option<(&'static str, Vec<Cell>)> {
    list.map(|list| (column, list.cells()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_at_is_a_position_or_an_instant() {
        assert_eq!("12".parse(), Ok(KnownAt::Position(Position(12))));
        let instant = KnownAt::Instant("2024-03-01T18:00:00Z".parse().unwrap());
        assert_eq!("2024-03-01T10:00:00-08:00".parse(), Ok(instant));
        assert_eq!("2024-03-01T20:00:00 02:00".parse(), Ok(instant), "a plus sign that was not encoded");
        for wrong in ["", "-1", "2024-03-01", "9223372036854775808"] {
            assert!(wrong.parse::<KnownAt>().is_err(), "{wrong}");
        }
        assert_eq!("2024-03-01".parse(), Ok(PlaceOrDay::Day("2024-03-01".parse().unwrap())));
    }

    #[test]
    fn a_list_holds_as_many_values_as_the_document_says_and_no_more() {
        let read = |many: usize| {
            let text = vec!["la-care"; many].join(",");
            serde_json::from_value::<List<rollbook_events::PlanCode>>(text.into()).map(|list| list.0.len())
        };
        assert_eq!(read(MOST_VALUES).unwrap(), MOST_VALUES);
        assert!(read(MOST_VALUES + 1).is_err_and(|error| error.to_string().contains("at most 100")));
    }
}
