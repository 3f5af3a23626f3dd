//! Writing a batch: rows closed, rows opened, the checkpoint moved, all in one transaction.

mod lite_rows;
mod pg_rows;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollbook_events::{MemberId, Position};
use uuid::Uuid;

use super::db::{Db, Doing, StoreError, on};
use crate::changes::Changes;
use crate::links::Pair;
use crate::view::Table;
use crate::views;

const MOVE_CHECKPOINT: &str =
    "UPDATE checkpoint SET position = $1, recorded_at = $2 WHERE name = 'views' AND position = $3 AND term = $4";
/// Where no event of the batch could be read: when the last one was recorded stays.
const MOVE_CHECKPOINT_ALONE: &str =
    "UPDATE checkpoint SET position = $1 WHERE name = 'views' AND position = $2 AND term = $3";
const FENCE: &str = "UPDATE checkpoint SET term = $1 WHERE name = 'views' AND term <= $1";
const JOIN_LINK: &str = "INSERT INTO member_link (a, b, known_from) VALUES ($1, $2, $3)";
const PART_LINK: &str = "UPDATE member_link SET known_until = $1 WHERE a = $2 AND b = $3 AND known_until IS NULL";
const STICK: &str =
    "INSERT INTO stuck_member (member, position, cause) VALUES ($1, $2, $3) ON CONFLICT (member) DO NOTHING";
const RESET_CHECKPOINT: &str = "UPDATE checkpoint SET position = 0, recorded_at = NULL WHERE name = 'views'";

/// A member whose views stand still from a position on, with the class of the error.
#[derive(Debug, Clone)]
pub struct Stuck {
    /// Whose.
    pub member: MemberId,
    /// The event that could not be read.
    pub position: Position,
    /// The class of error, without a value.
    pub cause: String,
}

/// Where the views were and where a batch brings them.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The checkpoint before, which must still stand.
    pub from: Position,
    /// The checkpoint after.
    pub to: Position,
    /// When the last event read was recorded; none where none was.
    pub recorded_at: Option<DateTime<Utc>>,
    /// The term of the lease it is written under; zero where there is no lease.
    pub term: i64,
}

impl Db {
    /// Makes the rows of some members anew, as they come from a fold of all their events, and tells anew which of them
    /// stand still; the checkpoint stays. All of it or nothing.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn replace(
        &self,
        members: &BTreeSet<MemberId>,
        changes: &Changes,
        stuck: &[Stuck],
        step: Step,
    ) -> Result<(), StoreError> {
        let members: Vec<Uuid> = members.iter().map(|member| member.0).collect();
        match self {
            Self::Pg(pool) => {
                let mut tx = pool.begin().await.doing("begin")?;
                pg::clear(&mut tx, &members).await.doing("take out a member's rows")?;
                pg::write(&mut tx, changes, stuck, step).await?;
                tx.commit().await.doing("commit")
            }
            Self::Lite(pool) => {
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
                lite::clear(&mut tx, &members).await.doing("take out a member's rows")?;
                lite::write(&mut tx, changes, stuck, step).await?;
                tx.commit().await.doing("commit")
            }
        }
    }

    /// Writes a batch and moves the checkpoint, or neither.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where another projector moved the checkpoint meanwhile; else what the database said.
    pub async fn write(&self, changes: &Changes, stuck: &[Stuck], step: Step) -> Result<(), StoreError> {
        match self {
            Self::Pg(pool) => {
                let mut tx = pool.begin().await.doing("begin")?;
                pg::write(&mut tx, changes, stuck, step).await?;
                tx.commit().await.doing("commit")
            }
            Self::Lite(pool) => {
                // SQLite has one writer: it says so at once, not in the middle of the batch.
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
                lite::write(&mut tx, changes, stuck, step).await?;
                tx.commit().await.doing("commit")
            }
        }
    }

    /// Whoever writes from here on must do so under this term: the holder of an earlier one is refused.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where a later term has begun; else what the database said.
    pub async fn fence(&self, term: i64) -> Result<(), StoreError> {
        on!(self, pool => {
            let fenced = sqlx::query(FENCE).bind(term).execute(pool).await.doing("fence the views")?;
            if fenced.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Fenced { expected: 0 }) }
        })
    }

    /// Empties every view and sets the checkpoint to the beginning; the projector then reads the log again.
    ///
    /// # Errors
    /// What the database said; then nothing is changed.
    pub async fn reset(&self) -> Result<(), StoreError> {
        on!(self, pool => {
            let mut tx = pool.begin().await.doing("begin")?;
            // First, as in a write: it waits for one under way, whose rows each later statement then sees.
            sqlx::query(RESET_CHECKPOINT).execute(&mut *tx).await.doing("reset the checkpoint")?;
            for view in views::ALL {
                let text = format!("DELETE FROM {}", view.table().sql_name());
                sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await.doing("empty a view")?;
            }
            sqlx::query("DELETE FROM member_link").execute(&mut *tx).await.doing("empty the links")?;
            sqlx::query("DELETE FROM stuck_member").execute(&mut *tx).await.doing("empty the stuck members")?;
            tx.commit().await.doing("commit")
        })
    }
}

/// The same functions for each database: sqlx's traits would ask for a page of bounds to say this once.
macro_rules! writer {
    ($name:ident, $rows:ident, $connection:ty) => {
        mod $name {
            use super::*;

            pub(super) async fn write(
                conn: &mut $connection,
                changes: &Changes,
                stuck: &[Stuck],
                step: Step,
            ) -> Result<(), StoreError> {
                let (to, from) = (sql(step.to), sql(step.from));
                let moved = match step.recorded_at {
                    Some(recorded_at) => {
                        sqlx::query(MOVE_CHECKPOINT).bind(to).bind(recorded_at).bind(from).bind(step.term)
                    }
                    None => sqlx::query(MOVE_CHECKPOINT_ALONE).bind(to).bind(from).bind(step.term),
                };
                if moved.execute(&mut *conn).await.doing("move the checkpoint")?.rows_affected() != 1 {
                    return Err(StoreError::Fenced { expected: step.from.0 });
                }
                for (view, changes) in views::ALL.iter().zip(&changes.views) {
                    $rows::close(conn, view.table(), &changes.closed).await.doing("close rows")?;
                    $rows::open(conn, view.table(), &changes.opened).await.doing("open rows")?;
                }
                for ((a, b), at, joined) in links_in_order(changes) {
                    let query = if joined {
                        sqlx::query(JOIN_LINK).bind(a.0).bind(b.0).bind(sql(at))
                    } else {
                        sqlx::query(PART_LINK).bind(sql(at)).bind(a.0).bind(b.0)
                    };
                    query.execute(&mut *conn).await.doing("join or part a link")?;
                }
                for stuck in stuck {
                    let query = sqlx::query(STICK).bind(stuck.member.0).bind(sql(stuck.position)).bind(&stuck.cause);
                    query.execute(&mut *conn).await.doing("note a stuck member")?;
                }
                Ok(())
            }

            /// Takes out everything that is told of some members, closed rows included.
            pub(super) async fn clear(conn: &mut $connection, members: &[Uuid]) -> sqlx::Result<()> {
                let views = views::ALL.iter().map(|view| (view.table().sql_name(), "member"));
                let others = [("member_link", "a"), ("member_link", "b"), ("stuck_member", "member")];
                for (table, column) in views.chain(others.map(|(table, column)| (table.to_owned(), column))) {
                    let text = format!("DELETE FROM {table} WHERE {column} = $1");
                    for member in members {
                        let delete = sqlx::query(sqlx::AssertSqlSafe(text.clone()));
                        delete.bind(*member).execute(&mut *conn).await?;
                    }
                }
                Ok(())
            }
        }
    };
}

writer!(pg, pg_rows, sqlx::PgConnection);
writer!(lite, lite_rows, sqlx::SqliteConnection);

/// The links joined (`true`) and parted, in order of position: one batch may do either to the same pair, again and again.
fn links_in_order(changes: &Changes) -> Vec<(Pair, Position, bool)> {
    let joined = changes.joined.iter().map(|(pair, at)| (*pair, *at, true));
    let mut links: Vec<_> = joined.chain(changes.parted.iter().map(|(pair, at)| (*pair, *at, false))).collect();
    links.sort_by_key(|(_, at, _)| *at);
    links
}

/// `INSERT INTO` a view's table, with the names of its columns.
fn insert_into(table: &Table) -> String {
    let mut text = format!("INSERT INTO {} (row_key, member, known_from, known_until", table.sql_name());
    for column in table.columns {
        text.push_str(", ");
        text.push_str(column.name);
    }
    text.push_str(") ");
    text
}

/// A position as a column holds it.
pub(super) fn sql(position: Position) -> i64 {
    // Positions count from 1 and cannot pass 2^63.
    i64::try_from(position.0).unwrap_or(i64::MAX)
}
