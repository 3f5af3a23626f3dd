//! A private nats-server in a folder of its own.
#![allow(clippy::unwrap_used, reason = "a test without its server has to panic")]

use std::path::PathBuf;

use rollbook::log::{NatsLog, StreamSpec, connect};
use rollbook::nats_server::NatsServer;
use tempfile::TempDir;

/// The server that `ROLLBOOK_NATS_SERVER` names; without it, the one on `PATH`.
#[expect(clippy::disallowed_methods, reason = "the harness is where the environment comes in")]
pub fn binary() -> Option<PathBuf> {
    std::env::var_os("ROLLBOOK_NATS_SERVER").map(PathBuf::from)
}

/// A server, and the folder that goes with it.
#[derive(Debug)]
pub struct Private {
    /// The data folder; the server's own is `nats` in it.
    pub dir: TempDir,
    /// The server.
    pub server: NatsServer,
}

impl Private {
    /// Starts one in a new folder.
    pub async fn start() -> Self {
        Self::restart(tempfile::tempdir().unwrap()).await
    }

    /// Starts one in a folder that another one has left.
    pub async fn restart(dir: TempDir) -> Self {
        let server = NatsServer::start(dir.path(), binary()).await.unwrap_or_else(|error| panic!("{error}"));
        server.access().token.as_deref().into_iter().for_each(crate::leaks::secret);
        Self { dir, server }
    }

    /// A connection of its own to a stream that is there or is made.
    pub async fn log(&self, spec: StreamSpec) -> NatsLog {
        let client = connect(self.server.access(), "test").await.unwrap();
        NatsLog::create(client, self.server.access(), spec, 1).await.unwrap()
    }
}
