//! PostgreSQL's row security: the second line, for the day on which a statement forgets the first.
//!
//! What is asked within a sight is asked as a role of its own, `rollbook_sight_DATABASE`, which owns nothing, and which sees of
//! each table what the transaction's settings name: nothing where there are none. The settings are made in one place,
//! [`Reading`](super::read::reading). The tables' owner is not held to it, so that the projector writes, a backup is taken and
//! the `reporting` schema is read as before; why it is not forced on the owner stands in `deploy/README.md`.
//!
//! **Invariant:** what a policy lets pass is what the first line asks for ([`sides`]), and nothing beside it. A row of an
//! overlap passes whole to either side: a policy speaks of rows, and what is cut out of one is cut by the store alone.

use std::fmt::Write;

use rollbook_events::Hash;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Connection};

use super::db::{Doing, StoreError};
use super::read::sight::{Side, sides};
use crate::view::Table;
use crate::views;

const DOING: &str = "lay row security over the views";
/// The most bytes that PostgreSQL keeps of a name.
const MOST_OF_A_NAME: usize = 63;
/// The advisory lock that keeps two starting programs from laying it at once.
const LOCK: &str = "SELECT pg_advisory_xact_lock(8246215)";
const IS_THERE: &str = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
/// How many of some tables have their policy, as it is to be, hold whoever asks to it, and let them ask.
const HELD_TO: &str = "SELECT COUNT(*) FROM unnest($1::text[], $2::text[]) AS wanted (name, stamp) \
    JOIN pg_class c ON c.relname = wanted.name \
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
    JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'sight' \
    WHERE obj_description(p.oid, 'pg_policy') = wanted.stamp \
    AND row_security_active(c.oid) AND has_table_privilege(c.oid, 'SELECT') \
    AND has_table_privilege(to_regclass('assigned_now'), 'SELECT')";
const HAS_IT: &str = "SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass($1)";

/// Whom the provider who asks is assigned, and nobody else. It is a view of the tables' owner, because a policy of
/// `assignment` cannot itself ask `assignment`. Several days, which no policy of ours asks for, would be
/// taken together.
const ASSIGNED: &str = "CREATE OR REPLACE VIEW assigned_now AS SELECT member, plan, program FROM assignment \
    WHERE known_until IS NULL \
    AND provider = ANY ((SELECT NULLIF(current_setting('rollbook.assigned', true), '')::text[])::text[]) \
    AND from_on <= ANY ((SELECT NULLIF(current_setting('rollbook.day', true), '')::date[])::date[]) \
    AND (until_on IS NULL OR until_on > ANY ((SELECT NULLIF(current_setting('rollbook.day', true), '')::date[])::date[]))";
/// A setting is read once for a statement, not once for a row.
const SEES: &str = "(SELECT current_setting('rollbook.sight', true))";
const ASKS_AS_A_PROVIDER: &str = "(SELECT NULLIF(current_setting('rollbook.assigned', true), '')) IS NOT NULL";

/// The role that reads within a sight. Each database has one of its own: whoever may take it sees what they say they may, so
/// nobody else's may be it.
pub(super) fn role(pool: &PgPool) -> String {
    let options = pool.connect_options();
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    let name = format!("rollbook_sight_{database}");
    if name.len() <= MOST_OF_A_NAME {
        return name;
    }
    let mut digest = Hash::of(database.as_bytes()).to_string();
    digest.truncate(32);
    format!("rollbook_sight_{digest}")
}

/// A name as SQL writes it.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table whose rows are about persons, and the condition under which a row of it is seen.
struct Guarded {
    /// As the catalogue names it.
    name: &'static str,
    sql_name: String,
    condition: String,
}

impl Guarded {
    /// What changes where the policy does.
    fn stamp(&self) -> String {
        Hash::of(format!("{ASSIGNED}\n{}", self.condition).as_bytes()).to_string()
    }
}

/// Every table of a generation that holds rows about persons.
fn guarded() -> Vec<Guarded> {
    let of_view =
        |table: &'static Table| Guarded { name: table.name, sql_name: table.sql_name(), condition: condition(table) };
    let of_ledger = |name: &'static str, word: &str| Guarded {
        name,
        sql_name: name.to_owned(),
        condition: format!("{SEES} IN ('everything', '{word}')"),
    };
    let views = views::ALL.iter().map(|view| of_view(view.table()));
    views.chain([of_ledger("member_link", "links"), of_ledger("stuck_member", "stuck")]).collect()
}

/// When a row of a view is seen: what `push_sight!` asks for, once more.
fn condition(table: &Table) -> String {
    let mut text = format!("{SEES} = 'everything'");
    for side in sides(table) {
        text.push_str(" OR ");
        text.push_str(&side_is_seen(table, side));
    }
    if table.name == views::event_history::TABLE.name {
        // What is about nobody: the rulebooks.
        _ = write!(text, " OR (member IS NULL AND {SEES} = 'rules')");
    }
    text
}

fn side_is_seen(table: &Table, side: &Side) -> String {
    let one_of = |column: &str, setting: &str| {
        format!("{column} = ANY ((SELECT NULLIF(current_setting('rollbook.{setting}', true), '')::text[])::text[])")
    };
    let mut text = one_of(side.plan, "record");
    if let Some(provider) = side.provider {
        _ = write!(text, " OR {}", one_of(provider, "served"));
    }
    let of = table.sql_name();
    _ = write!(
        text,
        " OR ({ASKS_AS_A_PROVIDER} AND EXISTS (SELECT FROM assigned_now WHERE assigned_now.member = {of}.member \
        AND assigned_now.plan = {of}.{} AND assigned_now.program = {of}.{}))",
        side.plan, side.program
    );
    text
}

/// Lays row security over the tables that the connections' search path finds, where it does not lie there yet.
///
/// # Errors
/// [`StoreError::RowSecurity`] where the role cannot be made or taken, or passes row security by; else what the database said.
pub(super) async fn lay(pool: &PgPool) -> Result<(), StoreError> {
    let role = role(pool);
    let guarded = guarded();
    // A role that is not there cannot be taken, nor one that was not granted.
    if stands(pool, &role, &guarded).await.unwrap_or(false) {
        return Ok(());
    }
    let mut tx = pool.begin().await.doing(DOING)?;
    sqlx::query(LOCK).execute(&mut *tx).await.doing(DOING)?;
    have_role(&mut tx, &role).await.map_err(|source| refused(pool, &role, Some(source)))?;
    let reader = identifier(&role);
    let mut text = format!("{ASSIGNED}; GRANT SELECT ON assigned_now TO {reader};");
    for table in &guarded {
        let Guarded { sql_name, condition, .. } = table;
        _ = write!(
            text,
            " ALTER TABLE {sql_name} ENABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS sight ON {sql_name};\
            \n CREATE POLICY sight ON {sql_name} FOR SELECT USING ({condition});\
            \n COMMENT ON POLICY sight ON {sql_name} IS '{}'; GRANT SELECT ON {sql_name} TO {reader};",
            table.stamp()
        );
    }
    _ = write!(
        text,
        " DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), '{}'); END $$;",
        role.replace('\'', "''")
    );
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *tx).await.doing(DOING)?;
    tx.commit().await.doing(DOING)?;
    if stands(pool, &role, &guarded).await? { Ok(()) } else { Err(refused(pool, &role, None)) }
}

/// A table of the control that holds pseudonyms: nobody but its owner reads it.
pub(super) async fn close_to_all(pool: &PgPool, table: &'static str) -> Result<(), StoreError> {
    let has_it: Option<bool> = sqlx::query_scalar(HAS_IT).bind(table).fetch_optional(pool).await.doing(DOING)?;
    if has_it != Some(true) {
        let text = format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY");
        sqlx::query(AssertSqlSafe(text)).execute(pool).await.doing(DOING)?;
    }
    Ok(())
}

fn refused(pool: &PgPool, role: &str, source: Option<sqlx::Error>) -> StoreError {
    StoreError::RowSecurity { role: role.to_owned(), user: pool.connect_options().get_username().to_owned(), source }
}

/// Whether every table holds the role to its policy, asked as the role itself: so neither a role that passes row security by
/// nor one that has the owner's rights is taken for a reader.
async fn stands(pool: &PgPool, role: &str, guarded: &[Guarded]) -> Result<bool, StoreError> {
    let mut tx = pool.begin_with("BEGIN READ ONLY").await.doing(DOING)?;
    let as_reader = format!("SET LOCAL ROLE {}", identifier(role));
    sqlx::query(AssertSqlSafe(as_reader)).execute(&mut *tx).await.doing(DOING)?;
    let names: Vec<&str> = guarded.iter().map(|table| table.name).collect();
    let stamps: Vec<String> = guarded.iter().map(Guarded::stamp).collect();
    let held: i64 = sqlx::query_scalar(HELD_TO).bind(names).bind(stamps).fetch_one(&mut *tx).await.doing(DOING)?;
    tx.commit().await.doing(DOING)?;
    Ok(usize::try_from(held).ok() == Some(guarded.len()))
}

/// Makes the role where it is not there, and takes the right to it where that is not had.
async fn have_role(conn: &mut PgConnection, role: &str) -> sqlx::Result<()> {
    let name = identifier(role);
    let is_there: bool = sqlx::query_scalar(IS_THERE).bind(role).fetch_one(&mut *conn).await?;
    if !is_there {
        sqlx::query(AssertSqlSafe(format!("CREATE ROLE {name} NOLOGIN"))).execute(&mut *conn).await?;
    }
    let mut point = conn.begin().await?;
    let taken = sqlx::query(AssertSqlSafe(format!("SET LOCAL ROLE {name}"))).execute(&mut *point).await;
    point.rollback().await?;
    if taken.is_err() {
        sqlx::query(AssertSqlSafe(format!("GRANT {name} TO CURRENT_USER"))).execute(&mut *conn).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_has_a_policy_that_names_whose_its_rows_are() {
        for table in guarded().iter().filter(|table| views::find(table.name).is_some()) {
            assert!(table.condition.contains("rollbook.record"), "{}: {}", table.name, table.condition);
            assert!(table.condition.contains("assigned_now"), "{}: {}", table.name, table.condition);
        }
        assert_eq!(guarded().len(), views::ALL.len() + 2);
    }
}
