//! In whose name a question is asked. On PostgreSQL that is told to the database too, which then holds the question to it
//! ([`row_security`](crate::store::row_security)); SQLite has one line alone.
//!
//! **Invariant:** every question to a table with rows of persons is asked through `reading!`. What a transaction may see is
//! told to PostgreSQL here and nowhere else.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use super::{Grant, Sight};
use crate::store::db::{Doing, StoreError};
use crate::store::row_security::{identifier, role};

/// In whose name a question is asked, or of what that is of nobody.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reading<'a> {
    /// What lies within a sight.
    Within(&'a Sight),
    /// Positions and numbers of rows, whosever they are; no row is told.
    Numbers,
    /// What is about nobody: the rulebooks.
    Rules,
    /// Which pseudonyms are one person; who is told of it is cut down afterwards.
    Links,
    /// Whose views stand still: pseudonyms, for operators.
    Stuck,
}

/// A connection that sees what it may, to the end of one question.
pub(super) enum Eyes {
    /// The ledger's own parts, which answer nobody, read as the tables' owner.
    Owner(PoolConnection<Postgres>),
    /// Everybody else is held to what was said when the transaction began.
    Held(Transaction<'static, Postgres>),
}

impl Eyes {
    pub(super) async fn open(pool: &PgPool, reading: Reading<'_>) -> Result<Self, StoreError> {
        let doing = "begin to read";
        match opening(&role(pool), reading) {
            None => Ok(Self::Owner(pool.acquire().await.doing(doing)?)),
            Some(text) => {
                let mut tx = pool.begin_with("BEGIN READ ONLY").await.doing(doing)?;
                // Not in the message that begins: a connection whose beginning failed would go back to the pool as it is.
                sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *tx).await.doing(doing)?;
                Ok(Self::Held(tx))
            }
        }
    }

    pub(super) async fn close(self) -> Result<(), StoreError> {
        match self {
            Self::Owner(_) => Ok(()),
            Self::Held(tx) => tx.commit().await.doing("end reading"),
        }
    }
}

impl Deref for Eyes {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        match self {
            Self::Owner(connection) => connection,
            Self::Held(tx) => tx,
        }
    }
}

impl DerefMut for Eyes {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Owner(connection) => connection,
            Self::Held(tx) => tx,
        }
    }
}

/// What a transaction is told first; nothing for the ledger's own parts.
fn opening(role: &str, reading: Reading<'_>) -> Option<String> {
    let mut text = format!("SET LOCAL ROLE {}", identifier(role));
    let mut set = |name: &str, value: &str| _ = write!(text, "; SET LOCAL rollbook.{name} = {}", literal(value));
    match reading {
        Reading::Within(sight) if sight.is_of_the_ledger_itself() => return None,
        Reading::Within(sight) => match sight.grants() {
            None => set("sight", "everything"),
            Some(grants) => {
                let named = |name: &dyn Fn(&Grant) -> Option<String>| grants.iter().filter_map(name).collect();
                let record = named(&|grant| match grant {
                    Grant::Record(org) => Some(org.clone()),
                    Grant::Served(_) | Grant::Assigned { .. } => None,
                });
                let served = named(&|grant| match grant {
                    Grant::Served(org) => Some(org.clone()),
                    Grant::Record(_) | Grant::Assigned { .. } => None,
                });
                let assigned = named(&|grant| match grant {
                    Grant::Assigned { provider, .. } => Some(provider.clone()),
                    Grant::Record(_) | Grant::Served(_) => None,
                });
                let on = named(&|grant| match grant {
                    Grant::Assigned { on, .. } => Some(on.to_string()),
                    Grant::Record(_) | Grant::Served(_) => None,
                });
                for (name, values) in [("record", record), ("served", served), ("assigned", assigned), ("day", on)] {
                    if let Some(list) = list(&values) {
                        set(name, &list);
                    }
                }
            }
        },
        Reading::Numbers => set("sight", "everything"),
        Reading::Rules => set("sight", "rules"),
        Reading::Links => set("sight", "links"),
        Reading::Stuck => set("sight", "stuck"),
    }
    Some(text)
}

/// Values as PostgreSQL writes an array; none where there are none. No column can hold the byte zero, so what has it is seen
/// by nobody.
fn list(values: &BTreeSet<String>) -> Option<String> {
    let element = |value: &String| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    let elements: Vec<String> = values.iter().filter(|value| !value.contains('\0')).map(element).collect();
    (!elements.is_empty()).then(|| format!("{{{}}}", elements.join(",")))
}

/// A text as SQL writes it; the connections say that a backslash is one.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Runs one body over a connection to whichever database is there, which on PostgreSQL sees what the reading may. The body uses
/// the connection once.
macro_rules! reading {
    ($db:expr, $reading:expr, $conn:ident => $body:expr) => {
        match $db {
            $crate::store::Db::Pg(pool) => {
                let mut eyes = $crate::store::read::reading::Eyes::open(pool, $reading).await?;
                let $conn = &mut *eyes;
                let told = $body;
                eyes.close().await?;
                told
            }
            $crate::store::Db::Lite($conn) => $body,
        }
    };
}
pub(super) use reading;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(grants: Vec<Grant>) -> String {
        opening("r", Reading::Within(&Sight::of(grants))).unwrap()
    }

    #[test]
    fn each_sight_is_told_as_it_is() {
        let begin = "SET LOCAL ROLE \"r\"";
        let (org, on) = (|| "la-care".to_owned(), "2024-06-15".parse().unwrap());
        assert_eq!(of(Vec::new()), begin, "who sees nothing sets nothing");
        assert_eq!(of(vec![Grant::Record(org())]), format!("{begin}; SET LOCAL rollbook.record = '{{\"la-care\"}}'"));
        assert_eq!(of(vec![Grant::Served(org())]), format!("{begin}; SET LOCAL rollbook.served = '{{\"la-care\"}}'"));
        assert_eq!(
            of(vec![Grant::Assigned { provider: org(), on }]),
            format!(
                "{begin}; SET LOCAL rollbook.assigned = '{{\"la-care\"}}'; SET LOCAL rollbook.day = '{{\"2024-06-15\"}}'"
            )
        );
        let everything = Reading::Within(&Sight::everything_for_a_caller());
        assert_eq!(opening("r", everything).unwrap(), format!("{begin}; SET LOCAL rollbook.sight = 'everything'"));
        assert_eq!(opening("r", Reading::Within(&Sight::everything_for_the_ledger_itself())), None);
    }

    #[test]
    fn no_name_says_more_than_a_name() {
        let odd = r#"a'b"c\d,{e}"#.to_owned();
        let told = of(vec![Grant::Record(odd)]);
        assert!(told.ends_with(r#" rollbook.record = '{"a''b\"c\\d,{e}"}'"#), "{told}");
        assert!(!of(vec![Grant::Record("a\0b".to_owned())]).contains("rollbook.record"));
    }
}
