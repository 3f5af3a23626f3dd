//! Query parameters: read strictly, an unknown one refused, each refusal naming its parameter and repeating no value.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use rollbook_events::time::Day;
use rollbook_events::{Instant, Position};
use rollbook_projections::Cell;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::cursor::Cursor;
use super::doc;
use super::problem::{Kind, Problem};

/// Rows of a page.
pub const MOST_ROWS: u32 = 1_000;
/// Rows of a page where the caller names no limit.
pub const USUAL_ROWS: u32 = 100;
/// Milliseconds that an answer may be waited for.
pub const MOST_WAIT_MS: u64 = 30_000;
const USUAL_WAIT_MS: u64 = 5_000;

/// One or more groups of parameters; a parameter of none of them is refused.
#[derive(Debug)]
pub struct Query<A, B = Nothing, C = Nothing>(pub A, pub B, pub C);

/// A group of parameters: its documented names are the names it takes.
pub trait Group: serde::de::DeserializeOwned + IntoParams + Send {}
impl<T: serde::de::DeserializeOwned + IntoParams + Send> Group for T {}

impl<S: Sync, A: Group, B: Group, C: Group> FromRequestParts<S> for Query<A, B, C> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let mut pairs: Vec<Pair<'_>> = query.split('&').filter(|pair| !pair.is_empty()).map(Pair::of).collect();
        let groups = (take(&mut pairs)?, take(&mut pairs)?, take(&mut pairs)?);
        match pairs.first() {
            // The name is a caller's own text, which may be anything: only what looks like a name is said back.
            Some(pair) => {
                let name = Some(pair.name).filter(|name| name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'));
                Err(Problem::new(Kind::BadRequest, "").and(
                    name.unwrap_or_default(),
                    "unknown_parameter",
                    "is not a parameter of this path; /openapi.json lists them",
                ))
            }
            None => Ok(Self(groups.0, groups.1, groups.2)),
        }
    }
}

/// A parameter as it stands in the query, still encoded.
struct Pair<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> Pair<'a> {
    fn of(pair: &'a str) -> Self {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Self { name, value }
    }
}

/// Takes a group's parameters out of the query and reads them. A repeated one is a list.
fn take<T: Group>(pairs: &mut Vec<Pair<'_>>) -> Result<T, Problem> {
    let mut query = String::from("/?");
    for Parameter { name, .. } in T::into_params(|| None) {
        let values: Vec<&str> = pairs.iter().filter(|pair| pair.name == name).map(|pair| pair.value).collect();
        if !values.is_empty() {
            query.push_str(&format!("{name}={}&", values.join(",")));
        }
        pairs.retain(|pair| pair.name != name);
    }
    let uri: Uri = query.parse().map_err(|_| Problem::parameter("", "the query cannot be read"))?;
    let read = axum::extract::Query::<T>::try_from_uri(&uri);
    read.map(|query| query.0).map_err(|rejection| refusal(&rejection.body_text()))
}

/// axum's words are `…: name: what is wrong`, and may quote the value before they say what was expected.
fn refusal(text: &str) -> Problem {
    let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(text);
    let (name, detail) = text.split_once(": ").unwrap_or(("", text));
    if let Some(missing) = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return Problem::parameter(missing, "is required");
    }
    match detail.find("expected ") {
        Some(at) => Problem::parameter(name, &detail[at..]),
        None => Problem::parameter(name, "expected another value; see /openapi.json"),
    }
}

/// No parameters.
#[derive(Debug, Default, Deserialize)]
pub struct Nothing {}

impl IntoParams for Nothing {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

/// As of when, and how long to wait for it.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AsOf {
    /// Answer as the ledger knew it then: at a position of the log, or at an instant (RFC 3339 with its zone). Without it,
    /// as the views know it now.
    #[param(schema_with = doc::known_at)]
    pub known_at: Option<KnownAt>,
    /// Wait until the views have seen this position of the log, as an answer to a submission names it.
    #[param(schema_with = doc::position)]
    pub at_least: Option<Place>,
    /// How long to wait for `at_least`, in milliseconds; 5000 where it is left out. Then 503 with the position reached.
    #[param(schema_with = doc::wait_ms)]
    pub wait_ms: Option<WaitMs>,
}

impl AsOf {
    /// How long to wait.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.wait_ms.map_or(USUAL_WAIT_MS, |wait| wait.0))
    }
}

/// Which page.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Rows of a page, 100 where it is left out. NDJSON and CSV give every row where it is left out.
    #[param(schema_with = doc::limit)]
    pub limit: Option<Limit>,
    /// `next` of the last answer; the other parameters stay as they were.
    #[param(schema_with = doc::cursor)]
    pub cursor: Option<CursorText>,
}

macro_rules! from_text {
    ($($name:ty),+) => { $(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text(deserializer)
            }
        }
    )+ };
}

/// Reads a value from its text.
///
/// # Errors
/// Where it is none.
pub fn text<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

from_text! { KnownAt, Place, WaitMs, Limit, PlaceOrDay }

/// Reads a cursor; not its own `Deserialize`, which reads what is inside it.
impl<'de> Deserialize<'de> for CursorText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer).map(Self)
    }
}

/// A cursor as a caller sends it.
#[derive(Debug, Clone)]
pub struct CursorText(pub Cursor);

/// What a parameter must be instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct Expected(&'static str);

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
            Err(_) => text.parse().map(Self::Day).map_err(|_| Expected("a position of the log, or a date as in 2022-03-04")),
        }
    }
}

/// How long to wait, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitMs(u64);

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

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let list: Result<Vec<T>, _> = text.split(',').map(str::parse).collect();
        list.map(Self).map_err(|error| serde::de::Error::custom(format_args!("expected one or more of the list: {error}")))
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
                $crate::http::params::text(deserializer)
            }
        }
    };
}
pub(crate) use words;

/// Conditions that a column holds one of these, where any are asked for.
pub fn equal<T: fmt::Display>(column: &'static str, list: Option<&List<T>>) -> Option<(&'static str, Vec<Cell>)> {
    list.map(|list| (column, list.cells()))
}

/// Reads a part of the path.
///
/// # Errors
/// Where it is not of its type.
pub fn segment<T: FromStr<Err: fmt::Display>>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error| Problem::parameter(name, error))
}
