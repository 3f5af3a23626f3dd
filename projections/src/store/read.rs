//! Reading back: where the views are, the events of some members, and rows as known at a position.

mod filed;
mod page;
mod reading;
mod rows;
mod seen;
pub(super) mod sight;
mod walk;

pub use filed::Filed;
pub use page::{Filter, Group, Page, Sum, SumBy};
pub use rows::Known;
pub use seen::SeenEvents;
pub use sight::{Grant, Sight, kind_of};
pub use walk::Walk;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollbook_events::{EventId, Hash, MemberId, Position, decode};
use sqlx::{QueryBuilder, Row as _};
use uuid::Uuid;

use super::db::{Db, Doing, StoreError, on};
use super::write::{Stuck, sql};
use crate::dossier::Recorded;
use crate::links::{Links, Pair};
use crate::views::event_history::TABLE as HISTORY;
use reading::{Reading, reading};

const CHECKPOINT: &str = "SELECT position, recorded_at FROM checkpoint WHERE name = 'views'";
const LINKS: &str = "SELECT a, b FROM member_link WHERE known_from <= $1 AND (known_until IS NULL OR known_until > $1)";
const STUCK: &str = "SELECT member, position, cause FROM stuck_member ORDER BY position LIMIT 1000";
const STUCK_FROM: &str = "SELECT member, position FROM stuck_member";
const RULEBOOKS: &str = "SELECT position, hash, event FROM event_history \
    WHERE member IS NULL AND known_until IS NULL AND position <= $1 ORDER BY position";
const LAST_RULEBOOK: &str = "SELECT MAX(position) FROM event_history \
    WHERE member IS NULL AND known_until IS NULL AND position <= $1";
const EVER_LINKED: &str = "SELECT a, b FROM member_link WHERE a = $1 OR b = $1";
const STUCK_COUNT: &str = "SELECT COUNT(*) FROM stuck_member";
const POSITION_AT: &str = "SELECT position FROM event_history WHERE recorded_at <= $1 \
    ORDER BY recorded_at DESC, position DESC LIMIT 1";

/// Members looked up in one statement.
const MOST_MEMBERS: usize = 500;

/// How far the views have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last event they hold.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Option<DateTime<Utc>>,
}

/// A position read from a column.
pub(super) fn position(number: i64) -> Position {
    Position(u64::try_from(number).unwrap_or(0))
}

fn recorded(number: i64, hash: &str, event: String) -> Result<Recorded, StoreError> {
    let position = position(number);
    let undecodable = |source| StoreError::Undecodable { position: position.0, source };
    let envelope = decode(event.as_bytes()).map_err(undecodable)?;
    // A file that rots on its disk gives back other bytes, and an event that can be read is not yet the one that was filed.
    let hash: Hash = hash.parse().ok().filter(|hash| *hash == Hash::of(event.as_bytes())).ok_or_else(|| {
        undecodable(rollbook_events::DecodeError::Attribute {
            name: "hash",
            problem: "is not that of the stored event",
        })
    })?;
    Ok(Recorded { position, hash, envelope: Arc::new(envelope), body: event.into() })
}

impl Db {
    /// How far the views have come, which is about nobody.
    ///
    /// # Errors
    /// What the database said.
    pub async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        on!(self, pool => {
            let row = sqlx::query(CHECKPOINT).fetch_one(pool).await.doing("read the checkpoint")?;
            let number: i64 = row.try_get(0).doing("read the checkpoint")?;
            Ok(Checkpoint { position: position(number), recorded_at: row.try_get(1).doing("read the checkpoint")? })
        })
    }

    /// The links known at a position.
    ///
    /// # Errors
    /// What the database said.
    pub async fn links(&self, known_at: Position) -> Result<Links, StoreError> {
        reading!(self, Reading::Links, conn => {
            let rows = sqlx::query(LINKS).bind(sql(known_at)).fetch_all(conn).await.doing("read the links")?;
            let pairs: sqlx::Result<Vec<Pair>> =
                rows.iter().map(|row| Ok((MemberId(row.try_get(0)?), MemberId(row.try_get(1)?)))).collect();
            Ok(Links::of(pairs.doing("read the links")?))
        })
    }

    /// The members whose views stand still, each with the position it stands still from.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stuck_from(&self) -> Result<BTreeMap<MemberId, Position>, StoreError> {
        reading!(self, Reading::Stuck, conn => {
            let rows = sqlx::query(STUCK_FROM).fetch_all(conn).await.doing("read the stuck members")?;
            let stuck: sqlx::Result<BTreeMap<MemberId, Position>> =
                rows.iter().map(|row| Ok((MemberId(row.try_get(0)?), position(row.try_get(1)?)))).collect();
            stuck.doing("read the stuck members")
        })
    }

    /// The first members whose views stand still, as many as somebody reads.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stuck(&self) -> Result<Vec<Stuck>, StoreError> {
        reading!(self, Reading::Stuck, conn => {
            let rows = sqlx::query(STUCK).fetch_all(conn).await.doing("read the stuck members")?;
            let stuck: sqlx::Result<Vec<Stuck>> = rows.iter().map(|row| Ok(Stuck {
                member: MemberId(row.try_get(0)?),
                position: position(row.try_get(1)?),
                cause: row.try_get(2)?,
            })).collect();
            stuck.doing("read the stuck members")
        })
    }

    /// How many members' views stand still.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stuck_count(&self) -> Result<u64, StoreError> {
        reading!(self, Reading::Stuck, conn => {
            let count: i64 = sqlx::query_scalar(STUCK_COUNT).fetch_one(conn).await.doing("count the stuck members")?;
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }

    /// Everybody who was ever linked with a member, whatever became of the link.
    ///
    /// # Errors
    /// What the database said.
    pub async fn ever_linked(&self, member: MemberId) -> Result<BTreeSet<MemberId>, StoreError> {
        reading!(self, Reading::Links, conn => {
            let rows = sqlx::query(EVER_LINKED).bind(member.0).fetch_all(conn).await.doing("read a member's links")?;
            let pairs: sqlx::Result<Vec<Pair>> =
                rows.iter().map(|row| Ok((MemberId(row.try_get(0)?), MemberId(row.try_get(1)?)))).collect();
            Ok(pairs.doing("read a member's links")?.into_iter().flat_map(|(a, b)| [a, b]).collect())
        })
    }

    /// The position of the rulebook in force at a position; none before the first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn last_rulebook(&self, up_to: Position) -> Result<Option<Position>, StoreError> {
        reading!(self, Reading::Rules, conn => {
            let last: Option<i64> =
                sqlx::query_scalar(LAST_RULEBOOK).bind(sql(up_to)).fetch_one(conn).await.doing("look for a rulebook")?;
            Ok(last.map(position))
        })
    }

    /// The rulebook's events up to a position, oldest first.
    ///
    /// # Errors
    /// What the database said, or an event that cannot be read.
    pub async fn rulebooks(&self, up_to: Position) -> Result<Vec<Recorded>, StoreError> {
        reading!(self, Reading::Rules, conn => {
            let rows = sqlx::query(RULEBOOKS).bind(sql(up_to)).fetch_all(conn).await.doing("read the rulebooks")?;
            rows.iter().map(|row| {
                let (number, hash, event): (i64, String, String) =
                    (row.try_get(0).doing("read")?, row.try_get(1).doing("read")?, row.try_get(2).doing("read")?);
                recorded(number, &hash, event)
            }).collect()
        })
    }

    /// All events of some members that lie within a sight, in order of position.
    ///
    /// # Errors
    /// What the database said, or an event that cannot be read.
    pub async fn events_of(&self, sight: &Sight, members: &BTreeSet<MemberId>) -> Result<Vec<Recorded>, StoreError> {
        let members: Vec<Uuid> = members.iter().map(|member| member.0).collect();
        let mut events = Vec::new();
        for chunk in members.chunks(MOST_MEMBERS) {
            events.extend(self.history(sight, " WHERE known_until IS NULL AND member IN (", chunk).await?);
        }
        events.sort_by_key(|recorded| recorded.position);
        Ok(events)
    }

    /// The events of these ids that lie within a sight, whoever's they are.
    ///
    /// # Errors
    /// What the database said, or an event that cannot be read.
    pub async fn events_by_id(&self, sight: &Sight, ids: &[EventId]) -> Result<Vec<Recorded>, StoreError> {
        let mut events = Vec::new();
        for chunk in ids.chunks(MOST_MEMBERS) {
            let keys: Vec<String> = chunk.iter().map(ToString::to_string).collect();
            events.extend(self.history(sight, " WHERE known_until IS NULL AND row_key IN (", &keys).await?);
        }
        Ok(events)
    }

    async fn history<T>(
        &self,
        sight: &Sight,
        condition: &'static str,
        values: &[T],
    ) -> Result<Vec<Recorded>, StoreError>
    where
        T: Clone + Send + Sync + 'static,
        for<'q> T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
        for<'q> T: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        reading!(self, Reading::Within(sight), conn => {
            let mut query = QueryBuilder::new("SELECT position, hash, event FROM event_history");
            query.push(condition);
            let mut list = query.separated(", ");
            for value in values {
                list.push_bind(value.clone());
            }
            query.push(")");
            sight::push_sight!(query, &HISTORY, sight);
            let rows = query.build().fetch_all(conn).await.doing("read events")?;
            rows.iter().map(|row| {
                let (number, hash, event): (i64, String, String) =
                    (row.try_get(0).doing("read")?, row.try_get(1).doing("read")?, row.try_get(2).doing("read")?);
                recorded(number, &hash, event)
            }).collect()
        })
    }

    /// The last position recorded at or before an instant; zero before the first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn position_at(&self, instant: DateTime<Utc>) -> Result<Position, StoreError> {
        reading!(self, Reading::Numbers, conn => {
            let row = sqlx::query(POSITION_AT).bind(instant).fetch_optional(conn).await.doing("look up an instant")?;
            let number: Option<i64> = row.map(|row| row.try_get(0)).transpose().doing("look up an instant")?;
            Ok(number.map_or(Position(0), position))
        })
    }
}
