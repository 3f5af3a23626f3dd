//! Rows into PostgreSQL: a column is one array, so that a batch is one short statement, prepared once, whatever its size.

use chrono::{DateTime, NaiveDate, Utc};
use rollbook_events::Position;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgArguments, PgConnection, Postgres};
use sqlx::query::Query;
use uuid::Uuid;

use super::{insert_into, sql};
use crate::changes::Opened;
use crate::view::{Cell, ColumnType, Table};

/// Rows of one statement: its arrays stand in memory on both sides.
const MOST_ROWS: usize = 4_000;

pub(super) async fn close(conn: &mut PgConnection, table: &Table, closed: &[(String, Position)]) -> sqlx::Result<()> {
    let name = table.sql_name();
    let text = format!(
        "UPDATE {name} SET known_until = v.at FROM UNNEST($1::text[], $2::bigint[]) AS v (key, at) \
         WHERE row_key = v.key AND known_until IS NULL"
    );
    for chunk in closed.chunks(MOST_ROWS) {
        let keys: Vec<&str> = chunk.iter().map(|(key, _)| key.as_str()).collect();
        let at: Vec<i64> = chunk.iter().map(|(_, at)| sql(*at)).collect();
        // Planned anew each time: a plan made while the table was small would walk all of it for ever.
        let query = sqlx::query(AssertSqlSafe(text.clone())).bind(keys).bind(at).persistent(false);
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

pub(super) async fn open(conn: &mut PgConnection, table: &Table, opened: &[Opened]) -> sqlx::Result<()> {
    let mut text = insert_into(table);
    text.push_str("SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::bigint[], $4::bigint[]");
    for (number, column) in (5..).zip(table.columns) {
        text.push_str(&format!(", ${number}::{}[]", type_name(column.kind)));
    }
    text.push(')');
    for chunk in opened.chunks(MOST_ROWS) {
        let keys: Vec<&str> = chunk.iter().map(|opened| opened.row.key.as_str()).collect();
        let members: Vec<Option<Uuid>> = chunk.iter().map(|opened| opened.row.member.map(|member| member.0)).collect();
        let from: Vec<i64> = chunk.iter().map(|opened| sql(opened.known_from)).collect();
        let until: Vec<Option<i64>> = chunk.iter().map(|opened| opened.known_until.map(sql)).collect();
        let mut query = sqlx::query(AssertSqlSafe(text.clone())).bind(keys).bind(members).bind(from).bind(until);
        for (index, column) in table.columns.iter().enumerate() {
            query = bind(query, column.kind, chunk, index)?;
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

fn type_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "text",
        ColumnType::Integer => "bigint",
        ColumnType::Boolean => "boolean",
        ColumnType::Day => "date",
        ColumnType::Instant => "timestamptz",
        ColumnType::Uuid => "uuid",
    }
}

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Binds one column of some rows.
fn bind<'q>(query: Statement<'q>, kind: ColumnType, rows: &'q [Opened], index: usize) -> sqlx::Result<Statement<'q>> {
    let cells = rows.iter().map(|opened| opened.row.cells.get(index).unwrap_or(&Cell::Null));
    macro_rules! column {
        ($type:ty, $variant:ident, $held:ident => $given:expr) => {
            query.bind(
                cells
                    .map(|cell| match cell {
                        Cell::$variant($held) => Ok(Some($given)),
                        Cell::Null => Ok(None),
                        _ => Err(mistyped()),
                    })
                    .collect::<sqlx::Result<Vec<Option<$type>>>>()?,
            )
        };
    }
    Ok(match kind {
        ColumnType::Text => column!(&str, Text, text => text.as_str()),
        ColumnType::Integer => column!(i64, Integer, number => *number),
        ColumnType::Boolean => column!(bool, Boolean, yes => *yes),
        ColumnType::Day => column!(NaiveDate, Day, day => *day),
        ColumnType::Instant => column!(DateTime<Utc>, Instant, instant => *instant),
        ColumnType::Uuid => column!(Uuid, Uuid, id => *id),
    })
}

/// A view that fills a column with another type than its table declares; nothing of the batch is written then.
fn mistyped() -> sqlx::Error {
    sqlx::Error::Encode("a cell is not of its column's type".into())
}
