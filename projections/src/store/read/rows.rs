//! A row of any view, read from either database by the types its columns declare.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use rollbook_events::{MemberId, Position};
use serde_json::{Map, Value};
use sqlx::{ColumnIndex, Decode, Row as SqlRow, Type};
use uuid::Uuid;

use super::position;
use crate::view::{Cell, ColumnType, Row, Table};

/// A row with the positions between which it is, or was, known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The row.
    pub row: Row,
    /// The position it was first known at.
    pub known_from: Position,
    /// The first position it was no longer known at.
    pub known_until: Option<Position>,
}

impl Cell {
    /// The value as JSON gives it: dates and instants as text.
    pub fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::String(text.clone()),
            Self::Integer(number) => (*number).into(),
            Self::Boolean(yes) => (*yes).into(),
            Self::Day(day) => Value::String(day.to_string()),
            Self::Instant(instant) => Value::String(instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::Uuid(id) => Value::String(id.to_string()),
        }
    }
}

impl Known {
    /// The row as a JSON object; a stored event is given as itself, not as its text.
    pub fn json(&self, table: &Table) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("member".to_owned(), self.row.member.map(|member| member.to_string()).into());
        for (column, cell) in table.columns.iter().zip(&self.row.cells) {
            let value = match (column.name, cell) {
                ("event", Cell::Text(text)) => serde_json::from_str(text).unwrap_or_else(|_| cell.json()),
                _ => cell.json(),
            };
            map.insert(column.name.to_owned(), value);
        }
        map.insert("known_from".to_owned(), self.known_from.0.into());
        map.insert("known_until".to_owned(), self.known_until.map(|until| until.0).into());
        map
    }
}

/// Reads `row_key, member, known_from, known_until` and the table's columns, in that order.
pub(super) fn read<R>(table: &Table, row: &R) -> sqlx::Result<Known>
where
    R: SqlRow,
    usize: ColumnIndex<R>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> bool: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Uuid: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> NaiveDate: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> DateTime<Utc>: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut cells = Vec::with_capacity(table.columns.len());
    for (index, column) in (4..).zip(table.columns) {
        cells.push(match column.kind {
            ColumnType::Text => row.try_get::<Option<String>, _>(index)?.into(),
            ColumnType::Integer => row.try_get::<Option<i64>, _>(index)?.into(),
            ColumnType::Boolean => row.try_get::<Option<bool>, _>(index)?.into(),
            ColumnType::Day => row.try_get::<Option<NaiveDate>, _>(index)?.into(),
            ColumnType::Instant => row.try_get::<Option<DateTime<Utc>>, _>(index)?.into(),
            ColumnType::Uuid => row.try_get::<Option<Uuid>, _>(index)?.into(),
        });
    }
    let member: Option<Uuid> = row.try_get(1)?;
    Ok(Known {
        row: Row { key: row.try_get(0)?, member: member.map(MemberId), cells },
        known_from: position(row.try_get(2)?),
        known_until: row.try_get::<Option<i64>, _>(3)?.map(position),
    })
}
