//! Where a measurement stands: a temporary folder, a private nats-server that flushes always, and the databases.

use std::path::{Path, PathBuf};

use anyhow::Context;
use async_nats::Client;
use tempfile::TempDir;

use super::postgres::{self, Postgres};
use super::{Say, Settings};
use crate::log::{NatsLog, StreamSpec, connect};
use crate::nats_server::NatsServer;
use crate::up::Streams;

/// The servers of one measurement. They end with it, and the folder goes.
#[derive(Debug)]
pub struct Ground {
    nats: NatsServer,
    client: Client,
    postgres: Option<Postgres>,
    program: PathBuf,
    folder: TempDir,
}

impl Ground {
    /// Starts the servers. Without PostgreSQL its figures are left out, with a word.
    ///
    /// # Errors
    /// Where the nats-server does not start.
    pub async fn start(settings: &Settings, say: Say<'_>) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("could not find this program")?;
        let folder = tempfile::Builder::new().prefix("rollbook-bench-").tempdir();
        let folder = folder.context("could not make a temporary folder")?;
        std::fs::create_dir_all(folder.path().join("data"))?;
        let nats = NatsServer::start(&folder.path().join("data"), settings.nats_server.clone()).await?;
        // The parts use streams that an administrator has made.
        Streams::create(nats.access(), 1).await?;
        let postgres = match (&settings.postgres, settings.wants_postgres()) {
            (_, false) => None,
            (Some(url), true) => Some(Postgres::named(url.clone())),
            (None, true) => match postgres::programs(&settings.postgres_programs) {
                Some(programs) => Some(Postgres::start(&programs).await?),
                None => {
                    say("no PostgreSQL: its figures are left out; name one with --postgres, or its programs on PATH");
                    None
                }
            },
        };
        let client = connect(nats.access(), "rollbook bench").await?;
        Ok(Self { nats, client, postgres, program, folder })
    }

    /// The nats-server.
    pub fn nats(&self) -> &NatsServer {
        &self.nats
    }

    /// The database of PostgreSQL, where there is one.
    pub fn postgres(&self) -> Option<&str> {
        self.postgres.as_ref().map(Postgres::url)
    }

    /// A SQLite database of this name.
    pub fn sqlite(&self, name: &str) -> String {
        format!("sqlite://{}", self.folder.path().join(name).display())
    }

    /// Removes a SQLite database that nobody has open.
    pub fn forget_sqlite(&self, name: &str) {
        for end in ["", "-wal", "-shm"] {
            _ = std::fs::remove_file(self.folder.path().join(format!("{name}{end}")));
        }
    }

    /// This program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The temporary folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ledger's data folder in it.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The measurement's own connection to the server.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A stream of the server, made where it is not there.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub async fn log(&self, spec: StreamSpec) -> anyhow::Result<NatsLog> {
        Ok(NatsLog::create(self.client.clone(), self.nats.access(), spec, 1).await?)
    }

    /// Ends the servers.
    pub async fn stop(self) {
        if let Some(postgres) = self.postgres {
            postgres.stop().await;
        }
        drop(self.client);
        self.nats.stop().await;
    }
}
