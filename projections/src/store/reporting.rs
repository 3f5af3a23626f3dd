//! PostgreSQL's `reporting` schema: what BI tools are promised. Typed, commented views of what is known now, made from the
//! same column lists as the tables; and a role that may read them and nothing else.

use std::fmt::Write;

use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Connection};

use super::db::{Doing, StoreError};
use crate::view::Table;
use crate::views;

const DOING: &str = "make the reporting schema";

/// Who may read a view besides its owner, as SQL names them.
const READERS: &str = "SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END \
    FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee \
    WHERE c.relnamespace = 'reporting'::regnamespace AND c.relname = $1 AND a.privilege_type = 'SELECT' \
    AND a.grantee <> c.relowner";

/// The advisory lock that keeps two starting programs from making the schema at once.
const LOCK: &str = "SELECT pg_advisory_xact_lock(8246213)";

/// A role can only be made by one who may make roles; where ours may not, an administrator makes it (deploy/README.md).
const ROLE: &str = "DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rollbook_reader') THEN CREATE ROLE rollbook_reader NOLOGIN; END IF;
    GRANT USAGE ON SCHEMA reporting TO rollbook_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO rollbook_reader;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL; END $$";

/// Makes the schema over the tables of a database that holds no other generation.
pub(super) async fn make(pool: &PgPool) -> Result<(), StoreError> {
    let mut tx = pool.begin().await.doing(DOING)?;
    lock(&mut tx).await?;
    lay_over(&mut tx).await?;
    tx.commit().await.doing(DOING)
}

/// Waits until no other program makes the schema; the lock goes with the transaction.
pub(super) async fn lock(conn: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query(LOCK).execute(conn).await.doing(DOING)?;
    Ok(())
}

/// Lays the views over the tables that the connection's search path finds, within its transaction.
pub(super) async fn lay_over(conn: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("CREATE SCHEMA IF NOT EXISTS reporting").execute(&mut *conn).await.doing(DOING)?;
    for view in views::ALL {
        let table = view.table();
        // A view that is replaced keeps its grants; one whose columns became others cannot be, and is given them again.
        let mut point = conn.begin().await.doing(DOING)?;
        // The text is made of constants of this crate alone.
        let replaced = sqlx::raw_sql(AssertSqlSafe(create(table, "CREATE OR REPLACE VIEW"))).execute(&mut *point).await;
        match replaced {
            Ok(_) => point.commit().await.doing(DOING)?,
            Err(_) => {
                point.rollback().await.doing(DOING)?;
                let readers: Vec<String> =
                    sqlx::query_scalar(READERS).bind(table.name).fetch_all(&mut *conn).await.doing(DOING)?;
                let mut text =
                    format!("DROP VIEW IF EXISTS reporting.{}; {}", table.name, create(table, "CREATE VIEW"));
                for reader in readers {
                    _ = write!(text, " GRANT SELECT ON reporting.{} TO {reader};", table.name);
                }
                sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *conn).await.doing(DOING)?;
            }
        }
        sqlx::raw_sql(AssertSqlSafe(comments(table))).execute(&mut *conn).await.doing(DOING)?;
    }
    sqlx::query(ROLE).execute(&mut *conn).await.doing(DOING)?;
    Ok(())
}

fn create(table: &Table, create: &str) -> String {
    let name = table.name;
    // The stored event is given to reports as jsonb, without a second copy of it in the table.
    let columns: Vec<&str> =
        table.columns.iter().map(|c| if c.name == "event" { "event::jsonb AS event" } else { c.name }).collect();
    let mut sql = format!("{create} reporting.{name} AS SELECT member");
    for column in columns {
        _ = write!(sql, ", {column}");
    }
    _ = write!(sql, ", known_from FROM {} WHERE known_until IS NULL;", table.sql_name());
    sql
}

fn comments(table: &Table) -> String {
    let name = table.name;
    let mut sql = format!("COMMENT ON VIEW reporting.{name} IS {};", quoted(table.comment));
    for column in table.columns {
        _ = write!(sql, " COMMENT ON COLUMN reporting.{name}.{} IS {};", column.name, quoted(column.comment));
    }
    sql
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
