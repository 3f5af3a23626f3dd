//! The generations of the views, and a handle that follows whichever is live.
//!
//! A generation is a [`Db`] of its own, so that reading and writing need not know that there are others. Whoever answers a
//! question takes one handle and keeps it to the end: two generations are never mixed in one answer.

use std::sync::{Arc, PoisonError, RwLock};

use super::control::Control;
use super::db::{Db, Doing, StoreError};
use super::place::Place;
use super::{migrations, reporting};
use crate::views;

/// A handle of the live generation, which changes when the views are switched. Cheap to clone; all clones change at once.
#[derive(Debug, Clone)]
pub struct Live(Arc<RwLock<(i64, Db)>>);

impl Live {
    /// The live generation, for one question or one piece of work.
    pub fn db(&self) -> Db {
        self.0.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Its number, and a handle of it.
    pub fn now(&self) -> (i64, Db) {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of the live generation.
    pub fn number(&self) -> i64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).0
    }

    fn set(&self, number: i64, db: Db) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (number, db);
    }
}

/// Views of which there is one generation and never another, as in tests and tools.
impl From<Db> for Live {
    fn from(db: Db) -> Self {
        Self(Arc::new(RwLock::new((1, db))))
    }
}

/// The views of a database: the live generation, the others, and what says which is which. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Views {
    address: Arc<str>,
    control: Control,
    live: Live,
}

impl Views {
    /// Opens a database by its address, and brings the tables of its live generation up to date.
    ///
    /// # Errors
    /// Where the address is none, the database cannot be reached, or its tables are of a later program.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        let control = Control::open(address).await?;
        let number = control.live().await?;
        let db = open(address, number).await?;
        let live = Live(Arc::new(RwLock::new((number, db))));
        let views = Self { address: address.into(), control, live };
        views.lay_reporting_over().await?;
        Ok(views)
    }

    /// What says which generation is which.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The handle that follows the live generation.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Looks which generation is live, and opens it where it is another than before.
    ///
    /// # Errors
    /// What the database said; then the handle stays as it was.
    pub async fn look(&self) -> Result<(), StoreError> {
        let number = self.control.live().await?;
        if number != self.live.number() {
            let db = open(&self.address, number).await?;
            self.live.set(number, db);
        }
        Ok(())
    }

    /// Opens a generation, and makes its tables where there are none.
    ///
    /// # Errors
    /// As [`Views::open`].
    pub async fn generation(&self, number: i64) -> Result<Db, StoreError> {
        open(&self.address, number).await
    }

    /// Takes a generation's tables away, and says so.
    ///
    /// # Errors
    /// What the database or the file system said.
    pub async fn drop_generation(&self, number: i64) -> Result<(), StoreError> {
        let doing = "drop old views";
        match &self.control.0 {
            Db::Pg(pool) => {
                let text = match Place::Views(number).schema() {
                    Some(schema) => format!("DROP SCHEMA IF EXISTS {schema} CASCADE"),
                    // The first generation lies among the control's tables.
                    None => {
                        let names = views::ALL.iter().map(|view| view.table().sql_name());
                        let others = ["checkpoint", "member_link", "stuck_member", "_sqlx_migrations"];
                        let names: Vec<String> = names.chain(others.map(str::to_owned)).collect();
                        format!("DROP TABLE IF EXISTS {} CASCADE", names.join(", "))
                    }
                };
                sqlx::query(sqlx::AssertSqlSafe(text)).execute(pool).await.doing(doing)?;
            }
            Db::Lite(pool) => {
                let options = pool.connect_options();
                let control = options.get_filename();
                let file = Place::Views(number).file(&first_beside(control));
                for ending in ["", "-wal", "-shm"] {
                    let mut path = file.clone().into_os_string();
                    path.push(ending);
                    match std::fs::remove_file(&path) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                            return Err(StoreError::Database { doing, source: sqlx::Error::Io(error) });
                        }
                        Ok(()) | Err(_) => {}
                    }
                }
            }
        }
        self.control.dropped(number).await
    }

    /// Lays PostgreSQL's reporting schema over the live generation.
    async fn lay_reporting_over(&self) -> Result<(), StoreError> {
        let Db::Pg(pool) = &self.control.0 else { return Ok(()) };
        let doing = "make the reporting schema";
        let mut tx = pool.begin().await.doing(doing)?;
        reporting::lock(&mut tx).await?;
        // Looked at under the lock, which a switch takes too: this must not lay them over what was live a moment ago.
        let number: i64 = sqlx::query_scalar("SELECT number FROM generation WHERE role = 'live'")
            .fetch_one(&mut *tx)
            .await
            .doing(doing)?;
        if let Some(schema) = Place::Views(number).schema() {
            let text = format!("SET LOCAL search_path TO {schema}");
            sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await.doing(doing)?;
        }
        reporting::lay_over(&mut tx).await?;
        tx.commit().await.doing(doing)
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.live.db().close().await;
        self.control.0.close().await;
    }
}

/// The control's file is named after the first generation's.
fn first_beside(control: &std::path::Path) -> std::path::PathBuf {
    let name = control.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    control.with_file_name(name.replacen(".control.", ".", 1))
}

async fn open(address: &str, number: i64) -> Result<Db, StoreError> {
    let db = Db::connect(address, Place::Views(number)).await?;
    if let (Db::Pg(pool), Some(schema)) = (&db, Place::Views(number).schema()) {
        let text = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(pool).await.doing("make a schema for the views")?;
    }
    migrations::run(&db).await?;
    Ok(db)
}
