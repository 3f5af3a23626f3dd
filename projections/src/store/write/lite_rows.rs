//! Rows into SQLite: statements of a few fixed sizes, so that each is prepared once and then only run.

use std::sync::Arc;

use chrono::SecondsFormat;
use rollbook_events::Position;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe};

use super::{insert_into, sql};
use crate::changes::Opened;
use crate::view::{Cell, Table};

/// Rows of one statement, largest first. Few, because a connection keeps a hundred prepared statements.
const SIZES: [usize; 3] = [128, 16, 1];

pub(super) async fn close(
    conn: &mut SqliteConnection,
    table: &Table,
    closed: &[(String, Position)],
) -> sqlx::Result<()> {
    for chunk in in_sizes(closed) {
        let name = table.sql_name();
        let text = format!(
            "UPDATE {name} SET known_until = v.column2 FROM ({}) AS v WHERE row_key = v.column1 AND known_until IS NULL",
            values(2, chunk.len())
        );
        let mut arguments = SqliteArguments::default();
        arguments.reserve(2 * chunk.len(), 0);
        for (key, at) in chunk {
            add(&mut arguments, key.as_str())?;
            add(&mut arguments, sql(*at))?;
        }
        sqlx::query_with(AssertSqlSafe(text), arguments).execute(&mut *conn).await?;
    }
    Ok(())
}

pub(super) async fn open(conn: &mut SqliteConnection, table: &Table, opened: &[Opened]) -> sqlx::Result<()> {
    let insert = insert_into(table);
    let width = table.columns.len() + 4;
    let mut last: Vec<Last<'_>> = vec![None; table.columns.len()];
    for chunk in in_sizes(opened) {
        let text = format!("{insert}{}", values(width, chunk.len()));
        let mut arguments = SqliteArguments::default();
        arguments.reserve(width * chunk.len(), 0);
        for opened in chunk {
            let row = &opened.row;
            add(&mut arguments, Arc::<str>::from(row.key.as_str()))?;
            add(&mut arguments, row.member.map(|member| member.0))?;
            add(&mut arguments, sql(opened.known_from))?;
            add(&mut arguments, opened.known_until.map(sql))?;
            for (index, last) in last.iter_mut().enumerate() {
                add_cell(&mut arguments, row.cells.get(index).unwrap_or(&Cell::Null), last)?;
            }
        }
        sqlx::query_with(AssertSqlSafe(text), arguments).execute(&mut *conn).await?;
    }
    Ok(())
}

/// All items in runs of the fixed sizes.
fn in_sizes<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= items.len())?;
        let (run, rest) = items.split_at_checked(size)?;
        items = rest;
        Some(run)
    })
}

/// `VALUES` of so many rows.
fn values(width: usize, rows: usize) -> String {
    let row = format!("({}?)", "?, ".repeat(width.saturating_sub(1)));
    format!("VALUES {}{row}", format!("{row}, ").repeat(rows.saturating_sub(1)))
}

/// A column's last text: neighbours often say the same, and what is shared is not made again.
type Last<'r> = Option<(&'r Cell, Arc<str>)>;

fn add_cell<'r>(arguments: &mut SqliteArguments, cell: &'r Cell, last: &mut Last<'r>) -> sqlx::Result<()> {
    let text: Arc<str> = match (cell, &*last) {
        (Cell::Null, _) => return add(arguments, None::<i64>),
        (Cell::Integer(number), _) => return add(arguments, *number),
        (Cell::Boolean(yes), _) => return add(arguments, *yes),
        (Cell::Uuid(id), _) => return add(arguments, *id),
        (_, Some((before, text))) if *before == cell => text.clone(),
        (Cell::Text(text), _) => text.as_str().into(),
        // As sqlx writes them.
        (Cell::Day(day), _) => day.to_string().into(),
        (Cell::Instant(instant), _) => instant.to_rfc3339_opts(SecondsFormat::AutoSi, false).into(),
    };
    *last = Some((cell, text.clone()));
    add(arguments, text)
}

fn add<'t, T: sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>(
    arguments: &mut SqliteArguments,
    value: T,
) -> sqlx::Result<()> {
    arguments.add(value).map_err(sqlx::Error::Encode)
}
