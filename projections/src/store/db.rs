//! Either database behind one type.

use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use super::place::Place;
use super::{migrations, reporting};

/// How long PostgreSQL lets a program that was paused or lost hold a transaction, and with it the rows it has locked.
const MOST_IDLE_IN_A_TRANSACTION: &str = "5s";
/// Connections to one database; a query server holds as many at once as it answers questions.
const MOST_CONNECTIONS: u32 = 8;
/// How long a connection, or another's lock on a file of SQLite, is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// What SQLite answers at once, whatever its patience, when two connections turn a new file to write-ahead logging.
const BUSY: &str = "5";
/// How often a new file is opened while others open it too; each time one of them gets through.
const MOST_TURNS: u32 = 20;
/// Connections to what says which views are live.
const MOST_CONNECTIONS_TO_CONTROL: u32 = 2;

/// A database, one of two.
#[derive(Debug, Clone)]
pub enum Db {
    /// PostgreSQL.
    Pg(PgPool),
    /// SQLite.
    Lite(SqlitePool),
}

/// What can go wrong between rows and tables.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database of the views failed while trying to {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("the tables of the views could not be made or brought up to date")]
    Migration {
        /// What the migrator said.
        source: sqlx::migrate::MigrateError,
    },
    /// What is asked within a sight has no role to be asked as, and is not asked at all.
    #[error(
        "the role {role} cannot be made or taken, or is not held to row security: have an administrator run \
        CREATE ROLE \"{role}\" NOLOGIN; GRANT \"{role}\" TO \"{user}\"; (deploy/README.md, Row security)"
    )]
    RowSecurity {
        /// The role.
        role: String,
        /// Who was to take it.
        user: String,
        /// What the database said, where it said anything.
        source: Option<sqlx::Error>,
    },
    /// The address is not one of a database we know.
    #[error("expected sqlite://PATH or postgres://…, as in sqlite://rollbook-data/views.db")]
    Address,
    /// Another projector moved the checkpoint.
    #[error(
        "the checkpoint is no longer at position {expected}: another projector writes these views, or they were reset"
    )]
    Fenced {
        /// Where this projector believed it to be.
        expected: u64,
    },
    /// A stored event cannot be read back.
    #[error("the event at position {position} of event_history cannot be read: make the views anew (rollbook rebuild)")]
    Undecodable {
        /// Which.
        position: u64,
        /// Why.
        source: rollbook_events::DecodeError,
    },
}

/// Names what was being done when the database failed.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Database { doing, source })
    }
}

/// Runs one body against whichever database is there; the SQL text inside is shared.
macro_rules! on {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::store::Db::Pg($pool) => $body,
            $crate::store::Db::Lite($pool) => $body,
        }
    };
}
pub(crate) use on;

impl Db {
    /// Opens a database by its address and brings its tables up to date.
    ///
    /// # Errors
    /// Where the address is none, the database cannot be reached, or its tables are of a later program.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        let db = Self::connect(address, Place::FIRST).await?;
        migrations::run(&db).await?;
        if let Self::Pg(pool) = &db {
            reporting::make(pool).await?;
        }
        Ok(db)
    }

    /// Connects to one place of a database, whatever tables are there.
    pub(super) async fn connect(address: &str, place: Place) -> Result<Self, StoreError> {
        let most = if place == Place::Control { MOST_CONNECTIONS_TO_CONTROL } else { MOST_CONNECTIONS };
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(address).map_err(|_| StoreError::Address)?;
            let mut options = options.options([
                ("idle_in_transaction_session_timeout", MOST_IDLE_IN_A_TRANSACTION),
                // What a transaction may see is told to it as texts, in which a backslash is to be one.
                ("standard_conforming_strings", "on"),
            ]);
            if let Some(schema) = place.schema() {
                options = options.options([("search_path", schema)]);
            }
            let pool = PgPoolOptions::new().max_connections(most).acquire_timeout(PATIENCE);
            Ok(Self::Pg(pool.connect_with(options).await.doing("connect")?))
        } else if address.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(address).map_err(|_| StoreError::Address)?;
            let file = place.file(options.get_filename());
            let options = options
                .filename(file)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // The log is the truth and the views are made from it again, so the views' database need not flush each time.
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(PATIENCE)
                // A checkpoint of the write-ahead log flushes, so it comes after 80 MB and not after each batch.
                .pragma("wal_autocheckpoint", "20000")
                // 8 MB, times the connections.
                .pragma("cache_size", "-8192");
            let pool = SqlitePoolOptions::new().max_connections(most).acquire_timeout(PATIENCE);
            for _ in 1..MOST_TURNS {
                match pool.clone().connect_with(options.clone()).await {
                    Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(BUSY) => {
                        wait_for_others(&options).await;
                    }
                    opened => return Ok(Self::Lite(opened.doing("open")?)),
                }
            }
            Ok(Self::Lite(pool.connect_with(options).await.doing("open")?))
        } else {
            Err(StoreError::Address)
        }
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pg(_) => "PostgreSQL",
            Self::Lite(_) => "SQLite",
        }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        on!(self, pool => pool.close().await);
    }
}

/// Waits until nobody holds a lock on the file; whatever goes wrong here is told by the next attempt to open it.
async fn wait_for_others(options: &SqliteConnectOptions) {
    let as_it_is = SqliteConnectOptions::new().filename(options.get_filename()).busy_timeout(PATIENCE);
    if let Ok(mut connection) = as_it_is.connect().await {
        let _told_later = sqlx::raw_sql("BEGIN EXCLUSIVE; COMMIT").execute(&mut connection).await;
    }
}
