//! The streams that a ledger's parts are given: opened, made where that is wanted, and compared with what the promises need.

use std::sync::Arc;

use anyhow::Context;

use crate::app::App;
use crate::guards::Guards;
use crate::log::{Access, Log, NatsLog, SettingsError, StreamSpec, connect};

/// The streams of a ledger, with the settings its promises need.
pub struct Streams {
    pub(super) enrollment: Arc<dyn Log>,
    pub(super) identity: Arc<dyn Log>,
    pub(super) intake: Arc<dyn Log>,
    pub(super) access: Arc<dyn Log>,
    /// The same once more, for who must read messages whole.
    whole: Vec<(StreamSpec, NatsLog)>,
    pub(super) feed: NatsLog,
    pub(super) attempts: NatsLog,
    /// Which assertions were shown.
    pub(super) assertions: NatsLog,
    /// The keys of identities, which are no part of the log.
    pub(super) keys: NatsLog,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

impl Streams {
    /// Opens the streams, makes those that are not there, and refuses a setting that breaks a promise.
    ///
    /// # Errors
    /// The setting's name, or that the server cannot be reached, or that this program may not make streams.
    pub async fn create(access: &Access, replicas: usize) -> anyhow::Result<Self> {
        Self::opened(access, replicas, true).await
    }

    /// Opens the streams that an administrator has made.
    ///
    /// # Errors
    /// As [`Self::create`], and that a stream is not there.
    pub async fn open(access: &Access, replicas: usize) -> anyhow::Result<Self> {
        Self::opened(access, replicas, false).await
    }

    async fn opened(access: &Access, replicas: usize, make: bool) -> anyhow::Result<Self> {
        let client = connect(access, "rollbook").await.context("could not reach the NATS server")?;
        let mut whole = Vec::new();
        for spec in StreamSpec::ALL {
            whole.push((spec, open_one(&client, access, spec, replicas, make).await?));
        }
        // What the log does not need; who uses one of them compares it, or fails where it is not there.
        let other = async |spec| unchecked(&client, access, spec, replicas, make).await;
        let (feed, attempts) = (other(StreamSpec::FEED).await?, other(StreamSpec::ATTEMPTS).await?);
        let assertions = other(StreamSpec::ASSERTIONS).await?;
        let keys = open_one(&client, access, StreamSpec::IDENTITY_KEYS, replicas, make).await?;
        let open = |spec| -> anyhow::Result<Arc<dyn Log>> {
            let found = whole.iter().find(|(of, _)| *of == spec);
            Ok(Arc::new(found.context("a stream was not opened")?.1.clone()))
        };
        Ok(Self {
            enrollment: open(StreamSpec::ENROLLMENT)?,
            identity: open(StreamSpec::IDENTITY)?,
            intake: open(StreamSpec::INTAKE)?,
            access: open(StreamSpec::ACCESS)?,
            whole,
            feed,
            attempts,
            assertions,
            keys,
        })
    }

    /// Those that are archived, whole.
    pub fn whole(&self) -> &[(StreamSpec, NatsLog)] {
        &self.whole
    }

    /// The keys of identities.
    pub fn keys(&self) -> &NatsLog {
        &self.keys
    }

    /// Which assertions were shown.
    pub fn assertions(&self) -> &NatsLog {
        &self.assertions
    }

    /// Lets the assertions of clients be remembered where every program of the ledger sees it.
    ///
    /// # Errors
    /// As [`Self::check_assertions`].
    pub(super) async fn remember_for(&self, app: &App) -> anyhow::Result<()> {
        self.check_assertions().await?;
        app.tokens.remember_on(Arc::new(self.assertions.clone()), app.key.clone());
        Ok(())
    }

    /// Refuses a setting by which an assertion could be shown twice.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn check_assertions(&self) -> anyhow::Result<()> {
        trusted(&self.assertions).await
    }

    /// All of them, in the order of [`StreamSpec::ALL`].
    pub fn all(&self) -> [Arc<dyn Log>; StreamSpec::ALL.len()] {
        [self.enrollment.clone(), self.identity.clone(), self.intake.clone(), self.access.clone()]
    }

    /// The same streams, each behind its guard.
    #[must_use]
    pub fn guarded(self, guards: &Guards) -> Self {
        let [enrollment, identity, intake, access] = guards.streams();
        Self { enrollment, identity, intake, access, ..self }
    }
}

async fn open_one(
    client: &async_nats::Client,
    access: &Access,
    spec: StreamSpec,
    replicas: usize,
    make: bool,
) -> anyhow::Result<NatsLog> {
    let log = unchecked(client, access, spec, replicas, make).await?;
    trusted(&log).await?;
    Ok(log)
}

async fn unchecked(
    client: &async_nats::Client,
    access: &Access,
    spec: StreamSpec,
    replicas: usize,
    make: bool,
) -> anyhow::Result<NatsLog> {
    if !make {
        return Ok(NatsLog::open(client.clone(), access, spec, replicas));
    }
    let log = NatsLog::create(client.clone(), access, spec, replicas).await;
    log.with_context(|| format!("could not open the stream {}", spec.name))
}

/// Refuses a stream with a setting that breaks a promise, by its name.
pub(super) async fn trusted(log: &NatsLog) -> anyhow::Result<()> {
    check(log).await.with_context(|| format!("the stream {} cannot be trusted", log.name()))
}

/// Compares what the promises rest on. A server that tells nothing of its flushing is warned of, not trusted silently.
async fn check(log: &dyn Log) -> anyhow::Result<()> {
    match log.check().await {
        Err(error @ SettingsError::NotChecked) => {
            tracing::warn!(error = %error, "start with --monitoring to have it compared");
            Ok(())
        }
        checked => Ok(checked?),
    }
}
