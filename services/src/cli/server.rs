//! The NATS server that a verb works on: one that runs somewhere, or the private one of a data folder, started where it
//! does not run.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::exit::Stop;
use super::log_access::LogSecrets;
use crate::log::{Access, NatsLog, StreamSpec, connect};
use crate::nats_server::{NatsServer, running};

/// Which server.
#[derive(Debug, Clone, clap::Args)]
pub struct Server {
    /// A NATS server that runs, as in nats://127.0.0.1:4222 [default: that of the data folder]
    #[arg(long, env = "ROLLBOOK_NATS", value_name = "URL")]
    pub nats: Option<String>,
    #[command(flatten)]
    how: LogSecrets,
    /// The nats-server to run where a data folder's does not run [default: the one on PATH]
    #[arg(long, env = "ROLLBOOK_NATS_SERVER", value_name = "PATH")]
    nats_server: Option<PathBuf>,
}

/// A server that can be talked to; one that was started for this ends with it.
#[derive(Debug)]
pub struct Attached {
    access: Access,
    replicas: usize,
    started: Option<NatsServer>,
}

impl Server {
    /// The server named, to which it is known as this service, else that of the data folder: the one that runs, else one that
    /// is started.
    ///
    /// # Errors
    /// Where none can be found or started.
    pub async fn attach_as(&self, data: &Path, service: &str) -> anyhow::Result<Attached> {
        if let Some(url) = &self.nats {
            return Ok(self.named(url, service));
        }
        let held = || Stop::unavailable("the data folder's nats-server cannot be used");
        match running(data).await.with_context(held)? {
            Some(access) => Ok(Attached { access, replicas: self.how.replicas(), started: None }),
            None => self.start(data).await,
        }
    }

    /// The server named, else a new one on the data folder, which nobody else may be using.
    ///
    /// # Errors
    /// As [`Server::attach_as`].
    pub async fn start_or_named(&self, data: &Path) -> anyhow::Result<Attached> {
        match &self.nats {
            Some(url) => Ok(self.named(url, "admin")),
            None => self.start(data).await,
        }
    }

    fn named(&self, url: &str, service: &str) -> Attached {
        let access = self.how.of(url, service);
        Attached { access, replicas: self.how.replicas(), started: None }
    }

    async fn start(&self, data: &Path) -> anyhow::Result<Attached> {
        let server = NatsServer::start(data, self.nats_server.clone()).await;
        let server = server.context(Stop::unavailable("the data folder's nats-server does not start"))?;
        Ok(Attached { access: server.access().clone(), replicas: self.how.replicas(), started: Some(server) })
    }
}

impl Attached {
    /// The streams, whether they are there or not.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub async fn open(&self) -> anyhow::Result<Vec<(StreamSpec, NatsLog)>> {
        let client = connect(&self.access, "rollbook").await.with_context(unreachable)?;
        let open = |spec| (spec, NatsLog::open(client.clone(), &self.access, spec, self.replicas));
        Ok(StreamSpec::ALL.into_iter().map(open).collect())
    }

    /// One stream, whether it is there or not.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub async fn one(&self, spec: StreamSpec) -> anyhow::Result<NatsLog> {
        let client = connect(&self.access, "rollbook").await.with_context(unreachable)?;
        Ok(NatsLog::open(client, &self.access, spec, self.replicas))
    }

    /// The stream of members' keys, whether it is there or not.
    ///
    /// # Errors
    /// As [`Attached::one`].
    pub async fn keys(&self) -> anyhow::Result<NatsLog> {
        self.one(StreamSpec::IDENTITY_KEYS).await
    }

    /// The stream of members' keys, made where it is not there.
    ///
    /// # Errors
    /// Where the server cannot be reached, or does not make it.
    pub async fn made_keys(&self) -> anyhow::Result<NatsLog> {
        let client = connect(&self.access, "rollbook").await.with_context(unreachable)?;
        let log = NatsLog::create(client, &self.access, StreamSpec::IDENTITY_KEYS, self.replicas).await;
        log.context(Stop::unavailable("could not open the stream IDENTITY_KEYS"))
    }

    /// The streams, made where they are not there.
    ///
    /// # Errors
    /// Where the server cannot be reached, or does not make them.
    pub async fn create(&self) -> anyhow::Result<Vec<(StreamSpec, NatsLog)>> {
        let client = connect(&self.access, "rollbook").await.with_context(unreachable)?;
        let mut logs = Vec::new();
        for spec in StreamSpec::ALL {
            let log = NatsLog::create(client.clone(), &self.access, spec, self.replicas).await;
            let log = log.with_context(|| Stop::unavailable(format!("could not open the stream {}", spec.name)))?;
            logs.push((spec, log));
        }
        Ok(logs)
    }

    /// Ends the server, where it was started for this.
    pub async fn end(self) {
        if let Some(server) = self.started {
            server.stop().await;
        }
    }
}

fn unreachable() -> Stop {
    Stop::unavailable("could not reach the NATS server")
}
