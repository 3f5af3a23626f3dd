//! What is told of the views as a whole, outside of any generation of them: which generation is live, which is kept, which
//! is being built and how far it is; whose rows are to be made anew; and who projects ([`lease`](super::lease)).
//!
//! Whoever wants something done writes it here, in any process; the projector that holds the lease does it.

use rollbook_events::{MemberId, Position};
use sqlx::Row as _;

use super::db::{Db, Doing, StoreError, on};
use super::place::Place;
use super::read::position;
use super::row_security;
use super::write::sql;

const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS projector_lease \
        (name TEXT PRIMARY KEY, holder TEXT NOT NULL, term BIGINT NOT NULL, expires_at BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS generation (number BIGINT PRIMARY KEY, role TEXT NOT NULL, stage TEXT NOT NULL, \
        back BOOLEAN NOT NULL, accepted BOOLEAN NOT NULL, position BIGINT NOT NULL, head BIGINT NOT NULL, told TEXT)",
    "CREATE TABLE IF NOT EXISTS member_rebuild \
        (member UUID PRIMARY KEY, asked BIGINT NOT NULL, done BOOLEAN NOT NULL, told TEXT)",
    "INSERT INTO projector_lease (name, holder, term, expires_at) VALUES ('views', '', 0, 0) ON CONFLICT DO NOTHING",
    "INSERT INTO generation (number, role, stage, back, accepted, position, head) \
        SELECT 1, 'live', '', FALSE, FALSE, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM generation)",
];
/// Keeps two programs that start at once from making the tables at once.
const LOCK: &str = "SELECT pg_advisory_xact_lock(8246214)";
const IS_THERE: &str = "SELECT number FROM generation WHERE role = 'live' AND EXISTS \
    (SELECT 1 FROM projector_lease) AND (SELECT COUNT(*) FROM member_rebuild) >= 0";
const LIVE: &str = "SELECT number FROM generation WHERE role = 'live'";
const ALL: &str = "SELECT number, role, stage, back, accepted, position, head, told FROM generation ORDER BY number";
/// Numbers are never used twice, so that nobody takes one generation for another: the highest stays when it is dropped.
const BEGIN: &str = "INSERT INTO generation (number, role, stage, back, accepted, position, head) \
    SELECT MAX(number) + 1, 'building', 'catching_up', FALSE, $1, 0, 0 FROM generation \
    HAVING SUM(CASE WHEN role = 'building' THEN 1 ELSE 0 END) = 0";
const DROP_PREVIOUS: &str = "UPDATE generation SET role = 'dropping' WHERE role = 'previous'";
const CANCEL: &str = "UPDATE generation SET role = CASE WHEN back THEN 'previous' ELSE 'dropping' END, stage = '' \
    WHERE role = 'building'";
const BACK: &str = "UPDATE generation SET role = 'building', stage = 'catching_up', back = TRUE, told = NULL \
    WHERE role = 'previous' AND NOT EXISTS (SELECT 1 FROM generation WHERE role = 'building')";
const ACCEPT: &str = "UPDATE generation SET accepted = TRUE WHERE role = 'building'";
const TELL: &str = "UPDATE generation SET stage = $1, position = $2, head = $3, told = $4 WHERE number = $5";
const DROPPED: &str = "UPDATE generation SET role = 'dropped', stage = '' WHERE number = $1 AND role = 'dropping'";
const FORGET_DROPPED: &str =
    "DELETE FROM generation WHERE role = 'dropped' AND number < (SELECT MAX(number) FROM generation)";
/// Members asked for are few; those that were answered stay until there are many.
const ASK: &str = "INSERT INTO member_rebuild (member, asked, done) \
    SELECT $1, COALESCE(MAX(asked), 0) + 1, FALSE FROM member_rebuild \
    HAVING SUM(CASE WHEN done THEN 0 ELSE 1 END) IS NULL OR SUM(CASE WHEN done THEN 0 ELSE 1 END) < 1000 \
    ON CONFLICT (member) DO UPDATE SET asked = excluded.asked, done = FALSE, told = NULL";
const ASKED: &str = "SELECT member FROM member_rebuild WHERE NOT done ORDER BY asked LIMIT 100";
const ANSWER: &str = "UPDATE member_rebuild SET done = TRUE, told = $1 WHERE member = $2 AND NOT done";
const FORGET_ANSWERED: &str =
    "DELETE FROM member_rebuild WHERE done AND asked < (SELECT MAX(asked) FROM member_rebuild) - 1000";
const ANSWERED: &str = "SELECT done, told FROM member_rebuild WHERE member = $1";

/// What a generation of the views is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It answers questions.
    Live,
    /// It answered them before, and is kept as it was then.
    Previous,
    /// It is read from the log, beside the others.
    Building,
    /// It is of no use any more.
    Dropping,
}

/// A generation of the views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Its number, which no other ever has.
    pub number: i64,
    /// What it is for.
    pub role: Role,
    /// How far it is being built, in the words of whoever builds it.
    pub stage: String,
    /// Whether it was live before and is to be so again, without a comparison.
    pub back: bool,
    /// Whether it is to become live though it differs.
    pub accepted: bool,
    /// How far it had come, as last told.
    pub position: Position,
    /// The log's last event then.
    pub head: Position,
    /// What else is told of it: differences, or why it stopped.
    pub told: Option<String>,
}

/// The control of one database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control(pub(super) Db);

impl Control {
    /// Opens the control of a database, and makes it where there is none yet.
    ///
    /// # Errors
    /// Where the database cannot be reached or written.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        let control = Self(Db::connect(address, Place::Control).await?);
        if control.is_there().await.is_err() {
            control.make().await?;
        }
        if let Db::Pg(pool) = &control.0 {
            row_security::close_to_all(pool, "member_rebuild").await?;
        }
        Ok(control)
    }

    async fn is_there(&self) -> Result<(), StoreError> {
        on!(&self.0, pool => {
            sqlx::query(IS_THERE).fetch_one(pool).await.doing("look for the control")?;
            Ok(())
        })
    }

    async fn make(&self) -> Result<(), StoreError> {
        let doing = "make the control";
        match &self.0 {
            Db::Pg(pool) => {
                let mut tx = pool.begin().await.doing(doing)?;
                sqlx::query(LOCK).execute(&mut *tx).await.doing(doing)?;
                for text in TABLES {
                    sqlx::query(*text).execute(&mut *tx).await.doing(doing)?;
                }
                tx.commit().await.doing(doing)
            }
            Db::Lite(pool) => {
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.doing(doing)?;
                for text in TABLES {
                    sqlx::query(*text).execute(&mut *tx).await.doing(doing)?;
                }
                tx.commit().await.doing(doing)
            }
        }
    }

    /// The number of the generation that answers questions.
    ///
    /// # Errors
    /// What the database said.
    pub async fn live(&self) -> Result<i64, StoreError> {
        on!(&self.0, pool => sqlx::query_scalar(LIVE).fetch_one(pool).await.doing("read which views are live"))
    }

    /// Every generation there is, by number.
    ///
    /// # Errors
    /// What the database said.
    pub async fn generations(&self) -> Result<Vec<Generation>, StoreError> {
        on!(&self.0, pool => {
            let rows = sqlx::query(ALL).fetch_all(pool).await.doing("read the generations")?;
            let read = rows.iter().map(|row| {
                let role: String = row.try_get(1)?;
                let role = match role.as_str() {
                    "live" => Role::Live,
                    "previous" => Role::Previous,
                    "building" => Role::Building,
                    "dropping" => Role::Dropping,
                    _ => return Ok(None),
                };
                Ok(Some(Generation {
                    number: row.try_get(0)?,
                    role,
                    stage: row.try_get(2)?,
                    back: row.try_get(3)?,
                    accepted: row.try_get(4)?,
                    position: position(row.try_get(5)?),
                    head: position(row.try_get(6)?),
                    told: row.try_get(7)?,
                }))
            });
            let read: sqlx::Result<Vec<Option<Generation>>> = read.collect();
            Ok(read.doing("read the generations")?.into_iter().flatten().collect())
        })
    }

    /// Asks for a new generation to be built; the one kept from before makes room. False where one is being built.
    ///
    /// # Errors
    /// What the database said.
    pub async fn begin(&self, accept_differences: bool) -> Result<bool, StoreError> {
        let begun = on!(&self.0, pool => {
            let begun = sqlx::query(BEGIN).bind(accept_differences).execute(pool).await;
            match begun {
                // Two that asked at once took the same number.
                Err(error) if error.as_database_error().is_some_and(|error| error.is_unique_violation()) => false,
                begun => begun.doing("begin a rebuild")?.rows_affected() == 1,
            }
        });
        if begun {
            self.change(DROP_PREVIOUS).await?;
        }
        Ok(begun)
    }

    /// Asks that the generation that is being built be given up; false where there is none.
    ///
    /// # Errors
    /// What the database said.
    pub async fn cancel(&self) -> Result<bool, StoreError> {
        self.change(CANCEL).await
    }

    /// Asks that the generation kept from before catch up and become live again; false where there is none, or where
    /// another one is being built.
    ///
    /// # Errors
    /// What the database said.
    pub async fn back(&self) -> Result<bool, StoreError> {
        self.change(BACK).await
    }

    /// Asks that the generation kept from before be dropped; false where there is none.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget(&self) -> Result<bool, StoreError> {
        self.change(DROP_PREVIOUS).await
    }

    /// Says that the generation that is being built is to become live though it differs; false where there is none.
    ///
    /// # Errors
    /// What the database said.
    pub async fn accept(&self) -> Result<bool, StoreError> {
        self.change(ACCEPT).await
    }

    async fn change(&self, text: &'static str) -> Result<bool, StoreError> {
        on!(&self.0, pool => {
            let changed = sqlx::query(text).execute(pool).await.doing("change what is asked of the generations")?;
            Ok(changed.rows_affected() > 0)
        })
    }

    /// Tells how far a generation is.
    ///
    /// # Errors
    /// What the database said.
    pub async fn tell(&self, of: &Generation) -> Result<(), StoreError> {
        on!(&self.0, pool => {
            let query = sqlx::query(TELL).bind(&of.stage).bind(sql(of.position)).bind(sql(of.head)).bind(&of.told);
            query.bind(of.number).execute(pool).await.doing("tell how far a generation is")?;
            Ok(())
        })
    }

    /// A generation that was of no use any more is gone.
    ///
    /// # Errors
    /// What the database said.
    pub async fn dropped(&self, number: i64) -> Result<(), StoreError> {
        on!(&self.0, pool => {
            sqlx::query(DROPPED).bind(number).execute(pool).await.doing("note a dropped generation")?;
            sqlx::query(FORGET_DROPPED).execute(pool).await.doing("note a dropped generation")?;
            Ok(())
        })
    }

    /// Asks for a member's rows to be made anew; false where too many wait.
    ///
    /// # Errors
    /// What the database said.
    pub async fn ask_member(&self, member: MemberId) -> Result<bool, StoreError> {
        on!(&self.0, pool => {
            sqlx::query(FORGET_ANSWERED).execute(pool).await.doing("ask for a member")?;
            let asked = sqlx::query(ASK).bind(member.0).execute(pool).await.doing("ask for a member")?;
            Ok(asked.rows_affected() == 1)
        })
    }

    /// The members whose rows are asked to be made anew, the first to ask first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn members_asked(&self) -> Result<Vec<MemberId>, StoreError> {
        on!(&self.0, pool => {
            let members: Vec<uuid::Uuid> =
                sqlx::query_scalar(ASKED).fetch_all(pool).await.doing("read the members asked for")?;
            Ok(members.into_iter().map(MemberId).collect())
        })
    }

    /// Tells what became of a member that was asked for.
    ///
    /// # Errors
    /// What the database said.
    pub async fn answer_member(&self, member: MemberId, told: &str) -> Result<(), StoreError> {
        on!(&self.0, pool => {
            sqlx::query(ANSWER).bind(told).bind(member.0).execute(pool).await.doing("answer for a member")?;
            Ok(())
        })
    }

    /// What became of a member that was asked for; nothing inside while it waits, nothing at all where nobody asked.
    ///
    /// # Errors
    /// What the database said.
    pub async fn member_answer(&self, member: MemberId) -> Result<Option<Option<String>>, StoreError> {
        on!(&self.0, pool => {
            let row = sqlx::query(ANSWERED).bind(member.0).fetch_optional(pool).await.doing("read an answer")?;
            let Some(row) = row else { return Ok(None) };
            let (done, told): (bool, Option<String>) =
                (row.try_get(0).doing("read an answer")?, row.try_get(1).doing("read an answer")?);
            Ok(Some(done.then(|| told.unwrap_or_default())))
        })
    }
}
