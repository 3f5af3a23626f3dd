//! The tables, made and brought up to date. The version of a migration is its place in the list; none is ever edited.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::db::{Db, Doing, StoreError, on};
use super::row_security;

/// Name and text of each migration, oldest first; the same text runs on both databases.
const ALL: &[(&str, &str)] = &[
    ("projector", include_str!("../../migrations/0001_projector.sql")),
    ("event_history", include_str!("../../migrations/0002_event_history.sql")),
    ("current_enrollment", include_str!("../../migrations/0003_current_enrollment.sql")),
    ("duplication_conflict", include_str!("../../migrations/0004_duplication_conflict.sql")),
    ("outreach_conversion", include_str!("../../migrations/0005_outreach_conversion.sql")),
    ("authorization", include_str!("../../migrations/0007_authorization.sql")),
    ("reassessment", include_str!("../../migrations/0008_reassessment.sql")),
    ("clock", include_str!("../../migrations/0009_clock.sql")),
    ("finding", include_str!("../../migrations/0010_finding.sql")),
    ("outreach_measures", include_str!("../../migrations/0011_outreach_measures.sql")),
    ("notice_determination", include_str!("../../migrations/0006_notice_determination.sql")),
    ("fence", include_str!("../../migrations/0012_fence.sql")),
    ("recorded_at", include_str!("../../migrations/0013_recorded_at.sql")),
    ("assignment", include_str!("../../migrations/0014_assignment.sql")),
];

/// Runs what has not run yet. Views that were there before and got a new table or column are emptied, to be read again
/// from the log: what an older program wrote lacks what a newer one would have written.
pub(super) async fn run(db: &Db) -> Result<(), StoreError> {
    let before = version(db).await;
    let migrations = (1..).zip(ALL).map(|(version, (name, sql))| {
        // PostgreSQL would sort keys by the locale's rules, SQLite by bytes; pages must come in one order.
        let sql = match db {
            Db::Pg(_) => AssertSqlSafe(sql.replace("row_key TEXT", "row_key TEXT COLLATE \"C\"")).into_sql_str(),
            Db::Lite(_) => SqlStr::from_static(sql),
        };
        Migration::new(version, Cow::Borrowed(*name), MigrationType::Simple, sql, false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    match db {
        Db::Pg(pool) => migrator.run(pool).await.map_err(|source| StoreError::Migration { source })?,
        Db::Lite(pool) if before == Some(newest()) => {
            // Nothing is to be made: nobody waits for whoever writes.
            migrator.run(pool).await.map_err(|source| StoreError::Migration { source })?;
        }
        Db::Lite(pool) => {
            // SQLite has no lock for it: parts that start at once on a new file would get in each other's way.
            let mut all = pool.begin_with("BEGIN EXCLUSIVE").await.doing("wait for whoever makes the tables")?;
            migrator.run_direct(None, &mut *all, false).await.map_err(|source| StoreError::Migration { source })?;
            all.commit().await.doing("make the tables")?;
        }
    }
    if before.is_some_and(|before| before < newest()) {
        db.reset().await?;
    }
    match db {
        Db::Pg(pool) => row_security::lay(pool).await,
        Db::Lite(_) => Ok(()),
    }
}

/// The last migration that ran; none in a database that is new, where the table of them is not there yet.
async fn version(db: &Db) -> Option<i64> {
    let asked = "SELECT MAX(version) FROM _sqlx_migrations";
    on!(db, pool => sqlx::query_scalar(asked).fetch_one(pool).await).ok().flatten()
}

fn newest() -> i64 {
    i64::try_from(ALL.len()).unwrap_or(i64::MAX)
}
