//! The audit view's rows as they were filed, for comparing them with the log; and whether a database's file is sound.

use rollbook_events::Position;
use sqlx::{QueryBuilder, Row as _};
use uuid::Uuid;

use super::reading::{Reading, reading};
use super::sight::push_sight;
use super::{Sight, position};
use crate::store::db::{Db, Doing, StoreError};
use crate::store::write::sql;
use crate::views::event_history::TABLE as HISTORY;

const FILED_AFTER: &str = "SELECT position, id, hash, event FROM event_history \
    WHERE known_until IS NULL AND position > ";

/// What `event_history` says of one event.
#[derive(Debug, Clone)]
pub struct Filed {
    /// Where the event stands in the log.
    pub position: Position,
    /// Its id.
    pub id: Uuid,
    /// SHA-256 of its stored bytes, in hex.
    pub hash: String,
    /// The stored bytes.
    pub event: String,
}

impl Db {
    /// The next rows of `event_history` after a position that lie within a sight, in order of position; none at the end.
    ///
    /// # Errors
    /// What the database said.
    pub async fn filed_after(&self, sight: &Sight, after: Position, most: u32) -> Result<Vec<Filed>, StoreError> {
        reading!(self, Reading::Within(sight), conn => {
            let mut query = QueryBuilder::new(FILED_AFTER);
            query.push_bind(sql(after));
            push_sight!(query, &HISTORY, sight);
            query.push(" ORDER BY position LIMIT ").push_bind(i64::from(most));
            let rows = query.build().fetch_all(conn).await.doing("read events in order")?;
            let filed: sqlx::Result<Vec<Filed>> = rows.iter().map(|row| Ok(Filed {
                position: position(row.try_get(0)?),
                id: row.try_get(1)?,
                hash: row.try_get(2)?,
                event: row.try_get(3)?,
            })).collect();
            filed.doing("read events in order")
        })
    }

    /// What is wrong with the database's own file, in the database's words; nothing where it is sound. PostgreSQL looks after
    /// its files itself.
    ///
    /// # Errors
    /// What the database said.
    pub async fn unsound(&self) -> Result<Vec<String>, StoreError> {
        let Self::Lite(pool) = self else { return Ok(Vec::new()) };
        let rows = sqlx::query("PRAGMA integrity_check(20)").fetch_all(pool).await.doing("check its file")?;
        let said: sqlx::Result<Vec<String>> = rows.iter().map(|row| row.try_get(0)).collect();
        Ok(said.doing("check its file")?.into_iter().filter(|line| line != "ok").collect())
    }
}
