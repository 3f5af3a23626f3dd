//! PostgreSQL's `reporting` schema: what BI tools are promised. Typed, commented views of what is known now, made from the
//! same column lists as the tables; and a role that may read them and nothing else.

use std::fmt::Write;

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;

use super::db::{Doing, StoreError};
use crate::view::Table;
use crate::views;

/// The advisory lock that keeps two starting programs from making the schema at once.
const LOCK: &str = "SELECT pg_advisory_xact_lock(8246213)";

/// A role can only be made by one who may make roles; where ours may not, an administrator makes it (deploy/README.md).
const ROLE: &str = "DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rollbook_reader') THEN CREATE ROLE rollbook_reader NOLOGIN; END IF;
    GRANT USAGE ON SCHEMA reporting TO rollbook_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO rollbook_reader;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL; END $$";

pub(super) async fn make(pool: &PgPool) -> Result<(), StoreError> {
    let doing = "make the reporting schema";
    let mut tx = pool.begin().await.doing(doing)?;
    sqlx::query(LOCK).execute(&mut *tx).await.doing(doing)?;
    sqlx::query("CREATE SCHEMA IF NOT EXISTS reporting").execute(&mut *tx).await.doing(doing)?;
    for view in views::ALL {
        // The text is made of constants of this crate alone.
        sqlx::raw_sql(AssertSqlSafe(view_of(view.table()))).execute(&mut *tx).await.doing(doing)?;
    }
    sqlx::query(ROLE).execute(&mut *tx).await.doing(doing)?;
    tx.commit().await.doing(doing)
}

fn view_of(table: &Table) -> String {
    let name = table.name;
    // The stored event is given to reports as jsonb, without a second copy of it in the table.
    let columns: Vec<&str> =
        table.columns.iter().map(|c| if c.name == "event" { "event::jsonb AS event" } else { c.name }).collect();
    let mut sql = format!("DROP VIEW IF EXISTS reporting.{name}; CREATE VIEW reporting.{name} AS SELECT member");
    for column in columns {
        _ = write!(sql, ", {column}");
    }
    _ = write!(sql, ", known_from FROM {} WHERE known_until IS NULL;", table.sql_name());
    _ = write!(sql, " COMMENT ON VIEW reporting.{name} IS {};", quoted(table.comment));
    for column in table.columns {
        _ = write!(sql, " COMMENT ON COLUMN reporting.{name}.{} IS {};", column.name, quoted(column.comment));
    }
    sql
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
