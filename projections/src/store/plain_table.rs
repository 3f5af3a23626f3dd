//! One plain table that keeps whole events and nothing else: the least that a view must do, to measure the views by.

use sqlx::QueryBuilder;

use super::db::{Db, Doing, StoreError, on};
use super::row_security;
use super::write::sql;
use crate::dossier::Recorded;

const MAKE: &str = "CREATE TABLE plain (position BIGINT PRIMARY KEY, id UUID NOT NULL, member UUID, kind TEXT NOT NULL, event TEXT NOT NULL)";

impl Db {
    /// Makes the table, anew where it is there.
    ///
    /// # Errors
    /// What the database said.
    pub async fn make_plain(&self) -> Result<(), StoreError> {
        self.drop_plain().await?;
        on!(self, pool => sqlx::query(MAKE).execute(pool).await.map(|_| ())).doing("make a plain table")?;
        match self {
            Self::Pg(pool) => row_security::close_to_all(pool, "plain").await,
            Self::Lite(_) => Ok(()),
        }
    }

    /// Removes the table.
    ///
    /// # Errors
    /// What the database said.
    pub async fn drop_plain(&self) -> Result<(), StoreError> {
        let text = "DROP TABLE IF EXISTS plain";
        on!(self, pool => sqlx::query(text).execute(pool).await.map(|_| ())).doing("remove a plain table")
    }

    /// Inserts events in one statement and one transaction; five columns each, so at most some six thousand.
    ///
    /// # Errors
    /// What the database said; then none is inserted.
    pub async fn insert_plain(&self, events: &[Recorded]) -> Result<(), StoreError> {
        on!(self, pool => {
            let mut tx = pool.begin().await.doing("begin")?;
            let mut query = QueryBuilder::new("INSERT INTO plain (position, id, member, kind, event) ");
            query.push_values(events, |mut values, event| {
                let envelope = &event.envelope;
                values.push_bind(sql(event.position)).push_bind(envelope.id.0);
                values.push_bind(envelope.subject.member().map(|member| member.0));
                values.push_bind(envelope.event.name()).push_bind(&*event.body);
            });
            query.build().execute(&mut *tx).await.doing("insert into a plain table")?;
            tx.commit().await.doing("commit")
        })
    }
}
