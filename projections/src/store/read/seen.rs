//! What lies within a sight: of members, of events, and every member in turn; and how many rows a view has at all.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_events::MemberId;
use sqlx::{QueryBuilder, Row as _};
use uuid::Uuid;

use super::reading::{Reading, reading};
use super::sight::push_sight;
use super::{MOST_MEMBERS, Sight};
use crate::store::db::{Db, Doing, StoreError};
use crate::view::Table;
use crate::views::event_history::TABLE as HISTORY;

/// Events that lie within a sight, each with its member.
pub type SeenEvents = BTreeMap<Uuid, Option<MemberId>>;

impl Db {
    /// Those of some members of whom a sight holds an event.
    ///
    /// # Errors
    /// What the database said.
    pub async fn seen(&self, sight: &Sight, members: &BTreeSet<MemberId>) -> Result<BTreeSet<MemberId>, StoreError> {
        let members: Vec<Uuid> = members.iter().map(|member| member.0).collect();
        let mut seen = BTreeSet::new();
        for chunk in members.chunks(MOST_MEMBERS) {
            seen.extend(reading!(self, Reading::Within(sight), conn => {
                let mut query = QueryBuilder::new(
                    "SELECT DISTINCT member FROM event_history WHERE known_until IS NULL AND member IN (",
                );
                let mut list = query.separated(", ");
                for member in chunk {
                    list.push_bind(*member);
                }
                query.push(")");
                push_sight!(query, &HISTORY, sight);
                let rows = query.build().fetch_all(conn).await.doing("look for members")?;
                let found: sqlx::Result<Vec<MemberId>> = rows.iter().map(|row| row.try_get(0).map(MemberId)).collect();
                found.doing("look for members")?
            }));
        }
        Ok(seen)
    }

    /// Those of some events that a sight holds.
    ///
    /// # Errors
    /// What the database said.
    pub async fn seen_events(&self, sight: &Sight, ids: &BTreeSet<Uuid>) -> Result<SeenEvents, StoreError> {
        let keys: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut seen = SeenEvents::new();
        for chunk in keys.chunks(MOST_MEMBERS) {
            seen.extend(reading!(self, Reading::Within(sight), conn => {
                let mut query = QueryBuilder::new(
                    "SELECT id, member FROM event_history WHERE known_until IS NULL AND row_key IN (",
                );
                let mut list = query.separated(", ");
                for key in chunk {
                    list.push_bind(key.clone());
                }
                query.push(")");
                push_sight!(query, &HISTORY, sight);
                let rows = query.build().fetch_all(conn).await.doing("look for events")?;
                let found: sqlx::Result<Vec<(Uuid, Option<MemberId>)>> = rows
                    .iter()
                    .map(|row| Ok((row.try_get(0)?, row.try_get::<Option<Uuid>, _>(1)?.map(MemberId))))
                    .collect();
                found.doing("look for events")?
            }));
        }
        Ok(seen)
    }

    /// The next members after one of whom a sight holds an event, in order, for walking through all of them.
    ///
    /// # Errors
    /// What the database said.
    pub async fn members_after(&self, sight: &Sight, after: MemberId, most: u32) -> Result<Vec<MemberId>, StoreError> {
        reading!(self, Reading::Within(sight), conn => {
            let mut query = QueryBuilder::new(
                "SELECT DISTINCT member FROM event_history WHERE known_until IS NULL AND member > ",
            );
            query.push_bind(after.0);
            push_sight!(query, &HISTORY, sight);
            query.push(" ORDER BY member LIMIT ").push_bind(i64::from(most));
            let rows = query.build().fetch_all(conn).await.doing("walk through the members")?;
            let members: sqlx::Result<Vec<MemberId>> = rows.iter().map(|row| row.try_get(0).map(MemberId)).collect();
            members.doing("walk through the members")
        })
    }

    /// How many rows a view has now, which tells nothing of whose they are.
    ///
    /// # Errors
    /// What the database said.
    pub async fn row_count(&self, table: &Table) -> Result<u64, StoreError> {
        reading!(self, Reading::Numbers, conn => {
            let mut query = QueryBuilder::new("SELECT COUNT(*) FROM ");
            query.push(table.sql_name()).push(" WHERE known_until IS NULL");
            let count: i64 = query.build_query_scalar().fetch_one(conn).await.doing("count rows")?;
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }
}
