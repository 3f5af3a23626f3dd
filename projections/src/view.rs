//! What a view is: a table, and a pure function from a dossier and a rulebook to its rows.

use chrono::{DateTime, NaiveDate, Utc};
use rollbook_events::MemberId;
use uuid::Uuid;

use crate::dossier::{Dossier, Recorded};
use crate::rulebook::Rulebook;
use crate::rules::facts::Facts;

/// The type of a column, with the SQL type it has on PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// `text`
    Text,
    /// `bigint`
    Integer,
    /// `boolean`
    Boolean,
    /// `date`
    Day,
    /// `timestamptz`
    Instant,
    /// `uuid`
    Uuid,
}

/// A column of a view, as its migration makes it.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnType,
    /// What it says, for the reporting schema and the API document.
    pub comment: &'static str,
}

/// A view's table. Besides its own columns each has `row_key`, `member`, `known_from` and `known_until`.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What one row is.
    pub comment: &'static str,
    /// The view's own columns.
    pub columns: &'static [Column],
}

impl Table {
    /// Its name as SQL takes it whatever it is: `authorization` is a word of SQL's own.
    pub(crate) fn sql_name(&self) -> String {
        format!("\"{}\"", self.name)
    }
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing known.
    Null,
    /// Text or a code.
    Text(String),
    /// A count or a position.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// A civil day.
    Day(NaiveDate),
    /// An instant.
    Instant(DateTime<Utc>),
    /// An id.
    Uuid(Uuid),
}

/// A row as the facts give it; the store adds since when and until when it was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What makes it this row and no other of its view; made of ids and codes.
    pub key: String,
    /// Whose it is; none for the rulebook's own events.
    pub member: Option<MemberId>,
    /// Its values, in the order of the table's columns.
    pub cells: Vec<Cell>,
}

/// Which rows an event may have changed.
#[derive(Debug)]
pub enum Touched {
    /// None at all: the view does not read this kind.
    Nothing,
    /// Any of the member's rows: compare them all.
    Everything,
    /// Only these; other rows are as they were.
    These {
        /// Rows that were not there before.
        added: Vec<Row>,
        /// Rows that were there and now read so.
        replaced: Vec<Row>,
    },
}

/// A view: rows that are a pure function of a dossier and a rulebook.
pub trait View: Send + Sync {
    /// Its table.
    fn table(&self) -> &'static Table;

    /// All rows of a member. The facts are worked out once for all views.
    fn rows(&self, facts: &Facts<'_>) -> Vec<Row>;

    /// Whether the view always names just the rows an event touched, whoever the member is linked with and whatever the
    /// rulebook says; such rows need not be remembered or compared.
    fn names_its_rows(&self) -> bool {
        false
    }

    /// What an event, already filed in the dossier, may have changed. Saying `Everything` is always right.
    fn touched(&self, dossier: &Dossier, rulebook: &Rulebook, event: &Recorded) -> Touched;
}

macro_rules! into_cell {
    ($($type:ty => $variant:ident),+ $(,)?) => { $(
        impl From<$type> for Cell { fn from(value: $type) -> Self { Self::$variant(value.into()) } }
    )+ };
}

into_cell! { &str => Text, String => Text, i64 => Integer, u32 => Integer, u16 => Integer, bool => Boolean, NaiveDate => Day, DateTime<Utc> => Instant, Uuid => Uuid }

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A count as a column holds it.
pub(crate) fn integer(value: u64) -> Cell {
    // A count or position past 2^63 cannot be reached by counting.
    Cell::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

/// Codes as a column holds them, with commas; nothing where there are none.
pub(crate) fn joined<'a>(codes: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut text = String::new();
    for code in codes {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(code);
    }
    (!text.is_empty()).then_some(text)
}
