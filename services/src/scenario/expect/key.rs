//! Keys of an expectation: what each may hold, and how it is compared with a row.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use rollbook_events::time::start_of_pacific_day;
use rollbook_events::{Occurred, Program};
use serde_json::Value;

use super::Row;
use crate::scenario::ids::Ids;
use crate::scenario::table::{Entry, Wrong};

/// A key.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// How it is compared.
    pub by: By,
}

impl Key {
    /// A key.
    pub const fn new(name: &'static str, kind: Kind, by: By) -> Self {
        Self { name, kind, by }
    }

    /// A key that holds what the column of its own name does.
    pub const fn same(name: &'static str, kind: Kind) -> Self {
        Self::new(name, kind, By::Column(name))
    }
}

/// What a key may hold.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A program.
    Program,
    /// Two programs, or a program and a coverage.
    Pair,
    /// A text, or several.
    Texts,
    /// A civil day.
    Day,
    /// A civil day, or `none` for an open end.
    End,
    /// A civil day or an instant.
    When,
    /// An instant, a civil day for its end, or `$name`.
    KnownAt,
    /// A whole number.
    Number,
    /// Yes or no.
    Yes,
}

/// How a key is compared with a row.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// With a column.
    Column(&'static str),
    /// By a rule of its own.
    Fits(fn(&Wanted, &Row, &Ids) -> bool),
    /// Not with a row.
    Apart,
}

/// What a key wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A text or code.
    Text(String),
    /// Several.
    Texts(Vec<String>),
    /// A civil day.
    Day(NaiveDate),
    /// No end.
    Open,
    /// An instant.
    At(DateTime<Utc>),
    /// Just after an event.
    After(String),
    /// A number.
    Number(i64),
    /// Yes or no.
    Yes(bool),
}

impl Key {
    pub(super) fn read(&self, entry: &Entry<'_>) -> Result<Wanted, Wrong> {
        Ok(match self.kind {
            Kind::Text => Wanted::Text(entry.word()?),
            Kind::Word(words) => {
                let word = entry.text()?;
                if !words.contains(&word.as_str()) {
                    return Err(entry.wrong(&format!("one of {}", words.join(", "))));
                }
                Wanted::Text(word)
            }
            Kind::Program => {
                let program = entry.text()?;
                program.parse::<Program>().map_err(|_| entry.wrong("a program code"))?;
                Wanted::Text(program)
            }
            Kind::Pair => {
                let pair = entry.texts()?;
                if pair.len() != 2 {
                    return Err(entry.wrong("two programs, the same twice for one program at two plans"));
                }
                let is_code = |code: &String| code.parse::<Program>().is_ok() || COVERAGES.contains(&code.as_str());
                if !pair.iter().all(is_code) {
                    return Err(entry.wrong("program codes, or the code of a coverage"));
                }
                Wanted::Texts(pair)
            }
            Kind::Texts => Wanted::Texts(entry.texts()?),
            Kind::Day => Wanted::Day(entry.when()?.day()),
            Kind::End if entry.word().is_ok_and(|word| word == "none") => Wanted::Open,
            Kind::End => Wanted::Day(entry.day()?),
            Kind::When => match entry.when()? {
                Occurred::Day(day) => Wanted::Day(day),
                Occurred::At(instant) => Wanted::At(instant.utc()),
            },
            Kind::KnownAt => match entry.word()?.strip_prefix('$') {
                Some(name) => Wanted::After(name.to_owned()),
                // A bare day is known at its end.
                None => match entry.when()? {
                    Occurred::At(instant) => Wanted::At(instant.utc()),
                    Occurred::Day(day) => Wanted::At(end_of(day)),
                },
            },
            Kind::Number => Wanted::Number(entry.number()?),
            Kind::Yes => Wanted::Yes(entry.yes()?),
        })
    }
}

fn end_of(day: NaiveDate) -> DateTime<Utc> {
    let next = day.succ_opt().unwrap_or(day);
    start_of_pacific_day(next).to_utc() - chrono::Duration::microseconds(1)
}

/// Codes of coverages, as a rule of duplication names them.
const COVERAGES: &[&str] = &[
    "fee_for_service",
    "medi_cal_inactive",
    "medicare_ffs",
    "d_snp",
    "d_snp_lookalike",
    "other_medicare_advantage",
    "cal_mediconnect",
    "fide_snp",
];

impl Wanted {
    /// Whether a column holds it.
    pub fn is(&self, cell: Option<&Value>) -> bool {
        let cell = cell.unwrap_or(&Value::Null);
        match self {
            Self::Text(text) => match cell {
                Value::String(cell) => cell == text,
                Value::Number(cell) => cell.to_string() == *text,
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
            },
            Self::Texts(texts) => texts.iter().any(|text| cell.as_str() == Some(text)),
            Self::Day(day) => cell.as_str() == Some(day.to_string().as_str()),
            Self::Open => cell.is_null(),
            Self::At(at) => instant(cell) == Some(*at),
            Self::Number(number) => cell.as_i64() == Some(*number),
            Self::Yes(yes) => cell.as_bool() == Some(*yes),
            Self::After(_) => false,
        }
    }

    /// The texts it wants, where it wants any.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::Texts(texts) => texts,
            Self::Day(_) | Self::Open | Self::At(_) | Self::After(_) | Self::Number(_) | Self::Yes(_) => &[],
        }
    }

    /// Whether a column with commas holds every text it wants.
    pub fn is_among(&self, cell: Option<&Value>) -> bool {
        let held = cell.and_then(Value::as_str).unwrap_or_default();
        self.texts().iter().all(|text| held.split(',').any(|one| one.trim() == text))
    }
}

/// The instant a cell holds.
pub(super) fn instant(cell: &Value) -> Option<DateTime<Utc>> {
    cell.as_str()?.parse().ok().map(rollbook_events::Instant::utc)
}

/// The civil day a cell holds.
pub(super) fn day(cell: Option<&Value>) -> Option<NaiveDate> {
    cell?.as_str()?.parse().ok().map(|day: rollbook_events::time::Day| day.0)
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Texts(texts) => write!(f, "[{}]", texts.join(", ")),
            Self::Day(day) => day.fmt(f),
            Self::Open => f.write_str("none"),
            Self::At(at) => f.write_str(
                &at.with_timezone(&chrono_tz::America::Los_Angeles)
                    .to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
            ),
            Self::After(name) => write!(f, "${name}"),
            Self::Number(number) => number.fmt(f),
            Self::Yes(yes) => yes.fmt(f),
        }
    }
}
