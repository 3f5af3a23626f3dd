//! Who projects: one holder at a time, in terms that are counted; a term's number is what fences its holder's writes.
//!
//! The clock is PostgreSQL's own, so that no machine's clock counts; on SQLite it is the one clock of the machine, which
//! the caller brings.

use sqlx::Row as _;

use super::control::Control;
use super::db::{Db, Doing, StoreError, on};
use super::generations::Views;
use super::place::Place;
use super::reporting;

/// An expiry further away than any lease lasts is one of a clock that was set back.
macro_rules! take {
    ($now:literal) => {
        concat!(
            "UPDATE projector_lease SET holder = $1, term = term + 1, expires_at = ",
            $now,
            " + $2 WHERE name = 'views' ",
            "AND (holder = $1 OR holder = '' OR expires_at <= ",
            $now,
            " OR expires_at > ",
            $now,
            " + 10 * $2) ",
            "RETURNING term"
        )
    };
}
macro_rules! renew {
    ($now:literal) => {
        concat!(
            "UPDATE projector_lease SET expires_at = ",
            $now,
            " + $3 WHERE name = 'views' AND holder = $1 AND term = $2"
        )
    };
}
const TAKE_PG: &str = take!("(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT");
const TAKE_LITE: &str = take!("$3");
const RENEW_PG: &str = renew!("(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT");
const RENEW_LITE: &str = renew!("$4");
const GIVE_BACK: &str =
    "UPDATE projector_lease SET holder = '', expires_at = 0 WHERE name = 'views' AND holder = $1 AND term = $2";
const HELD: &str = "SELECT holder, term FROM projector_lease WHERE name = 'views' AND holder <> ''";
/// Takes the row's lock, so that nobody takes the lease until the switch is done.
const STILL: &str = "UPDATE projector_lease SET term = term WHERE name = 'views' AND holder = $1 AND term = $2";
const STEP_DOWN: &str = "UPDATE generation SET role = 'previous', stage = '' WHERE role = 'live'";
const STEP_UP: &str = "UPDATE generation SET role = 'live', stage = '', back = FALSE, accepted = FALSE \
    WHERE number = $1 AND role = 'building'";

/// A lease that is held, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it: an id that means nothing but whether it is the same.
    pub holder: String,
    /// Its number, higher each time somebody takes it.
    pub term: i64,
}

impl Control {
    /// Takes the lease where it is free, has run out, or is this holder's own from before; none where another holds it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn take_lease(&self, holder: &str, now_ms: i64, lasts_ms: i64) -> Result<Option<Lease>, StoreError> {
        let doing = "take the projector's lease";
        let term: Option<i64> = match &self.0 {
            Db::Pg(pool) => sqlx::query_scalar(TAKE_PG).bind(holder).bind(lasts_ms).fetch_optional(pool).await,
            Db::Lite(pool) => {
                sqlx::query_scalar(TAKE_LITE).bind(holder).bind(lasts_ms).bind(now_ms).fetch_optional(pool).await
            }
        }
        .doing(doing)?;
        Ok(term.map(|term| Lease { holder: holder.to_owned(), term }))
    }

    /// Makes the lease last longer; false where another has taken it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn renew_lease(&self, lease: &Lease, now_ms: i64, lasts_ms: i64) -> Result<bool, StoreError> {
        let doing = "renew the projector's lease";
        let Lease { holder, term } = lease;
        let renewed = match &self.0 {
            Db::Pg(pool) => {
                let query = sqlx::query(RENEW_PG).bind(holder).bind(term).bind(lasts_ms);
                query.execute(pool).await.doing(doing)?.rows_affected()
            }
            Db::Lite(pool) => {
                let query = sqlx::query(RENEW_LITE).bind(holder).bind(term).bind(lasts_ms).bind(now_ms);
                query.execute(pool).await.doing(doing)?.rows_affected()
            }
        };
        Ok(renewed == 1)
    }

    /// Gives the lease back, where it is still held.
    ///
    /// # Errors
    /// What the database said.
    pub async fn give_lease_back(&self, lease: &Lease) -> Result<(), StoreError> {
        on!(&self.0, pool => {
            let query = sqlx::query(GIVE_BACK).bind(&lease.holder).bind(lease.term);
            query.execute(pool).await.doing("give the projector's lease back")?;
            Ok(())
        })
    }

    /// Who last took the lease and has not given it back.
    ///
    /// # Errors
    /// What the database said.
    pub async fn lease(&self) -> Result<Option<Lease>, StoreError> {
        on!(&self.0, pool => {
            let row = sqlx::query(HELD).fetch_optional(pool).await.doing("read who projects")?;
            let read = row.map(|row| Ok(Lease { holder: row.try_get(0)?, term: row.try_get(1)? }));
            read.transpose().doing("read who projects")
        })
    }
}

impl Views {
    /// Makes the generation that was built the live one, and the live one the one that is kept, in one transaction;
    /// PostgreSQL's reporting schema with it. False, and nothing is changed, where the lease is no longer held or the
    /// generation was given up meanwhile.
    ///
    /// # Errors
    /// What the database said; then nothing is changed.
    pub async fn switch(&self, number: i64, lease: &Lease) -> Result<bool, StoreError> {
        let doing = "switch to other views";
        let (holder, term) = (&lease.holder, lease.term);
        let switched = match &self.control().0 {
            Db::Pg(pool) => {
                let mut tx = pool.begin().await.doing(doing)?;
                reporting::lock(&mut tx).await?;
                let still = sqlx::query(STILL).bind(holder).bind(term).execute(&mut *tx).await.doing(doing)?;
                sqlx::query(STEP_DOWN).execute(&mut *tx).await.doing(doing)?;
                let up = sqlx::query(STEP_UP).bind(number).execute(&mut *tx).await.doing(doing)?;
                if still.rows_affected() != 1 || up.rows_affected() != 1 {
                    return Ok(false);
                }
                if let Some(schema) = Place::Views(number).schema() {
                    let text = format!("SET LOCAL search_path TO {schema}");
                    sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await.doing(doing)?;
                }
                reporting::lay_over(&mut tx).await?;
                tx.commit().await.doing(doing)
            }
            Db::Lite(pool) => {
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.doing(doing)?;
                let still = sqlx::query(STILL).bind(holder).bind(term).execute(&mut *tx).await.doing(doing)?;
                sqlx::query(STEP_DOWN).execute(&mut *tx).await.doing(doing)?;
                let up = sqlx::query(STEP_UP).bind(number).execute(&mut *tx).await.doing(doing)?;
                if still.rows_affected() != 1 || up.rows_affected() != 1 {
                    return Ok(false);
                }
                tx.commit().await.doing(doing)
            }
        };
        switched.map(|()| true)
    }
}
