//! Rows into SQLite: statements of a few fixed sizes, so that each is prepared once and then only run.

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
    for chunk in in_sizes(opened) {
        let text = format!("{insert}{}", values(width, chunk.len()));
        let mut arguments = SqliteArguments::default();
        arguments.reserve(width * chunk.len(), 0);
        for opened in chunk {
            let row = &opened.row;
            add(&mut arguments, row.key.as_str())?;
            add(&mut arguments, row.member.map(|member| member.0))?;
            add(&mut arguments, sql(opened.known_from))?;
            add(&mut arguments, opened.known_until.map(sql))?;
            for index in 0..table.columns.len() {
                add_cell(&mut arguments, row.cells.get(index).unwrap_or(&Cell::Null))?;
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

fn add_cell(arguments: &mut SqliteArguments, cell: &Cell) -> sqlx::Result<()> {
    match cell {
        Cell::Null => add(arguments, None::<i64>),
        Cell::Text(text) => add(arguments, text.as_str()),
        Cell::Integer(number) => add(arguments, *number),
        Cell::Boolean(yes) => add(arguments, *yes),
        // As sqlx writes a day, without its walk through a format.
        Cell::Day(day) => add(arguments, day.to_string()),
        Cell::Instant(instant) => add(arguments, *instant),
        Cell::Uuid(id) => add(arguments, *id),
    }
}

fn add<'t, T: sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>(
    arguments: &mut SqliteArguments,
    value: T,
) -> sqlx::Result<()> {
    arguments.add(value).map_err(sqlx::Error::Encode)
}
