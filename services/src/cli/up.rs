//! `rollbook up` and `rollbook serve`: a ledger that runs.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use super::calling::Calling;
use super::exit::{Exit, Stop};
use super::folder::Folder;
use super::guards::Guarding;
use super::log_access::LogAccess;
use super::secret::Secret;
use super::wrapping_keys::WrappingKeysFile;
use crate::archive::Address;
use crate::feed::webhooks;
use crate::up::{Role, ServeSettings, Settings};

const UP_EXAMPLES: &str = "\
Examples:
  rollbook up --demo
  rollbook up --data /srv/rollbook --listen 127.0.0.1:9000 --database postgres://rollbook@localhost/rollbook

It starts a private nats-server with its store in the data folder, keeps the views in SQLite there, and serves the API. \
It prints `listening on http://...` once everything is ready; the operator's token is then in DIR/admin.token. Ctrl-C stops \
everything; what was acknowledged is on disk.

On trial, which is the default, the ledger takes tokens that it issued itself. With --profile production it takes those of \
--issuer alone, and of the clients in --clients.";

const SERVE_EXAMPLES: &str = "\
Examples:
  rollbook serve recorder --nats tls://n1:4222,tls://n2:4222,tls://n3:4222 --replicas 3 --nats-nkey recorder.nk --nats-ca ca.pem \
--database postgres://rollbook@db/rollbook
  rollbook serve query --nats nats://10.0.0.5:4222 --database postgres://reader@db/rollbook --listen 0.0.0.0:8443 \
--profile production --jwks https://id.example.org/keys --issuer https://id.example.org --audience rollbook \
--tls-cert ledger.pem --tls-key ledger.key

The streams are made beforehand, with `rollbook streams create`. Parts that serve the same ledger need the same NATS server, the same database, and a data folder with the same ledger.key, \
token.key and tokens.json; recorders need the same wrapping.keys as well.";

/// Runs a whole ledger on this machine
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = UP_EXAMPLES)]
pub struct Up {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    calling: Calling,
    /// Database of the views, postgres:// or sqlite:// [default: SQLite in the data folder]
    #[arg(long, env = "ROLLBOOK_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<Secret>,
    /// The nats-server to run [default: the one on PATH]
    #[arg(long, env = "ROLLBOOK_NATS_SERVER", value_name = "PATH")]
    nats_server: Option<PathBuf>,
    /// Where to archive: a folder, s3://BUCKET/PREFIX, or none [default: DIR/archive]
    #[arg(long, env = "ROLLBOOK_ARCHIVE", value_name = "ADDRESS|none")]
    archive: Option<String>,
    #[command(flatten)]
    pace: Pace,
    #[command(flatten)]
    webhooks: Webhooks,
    /// Load a sample county and ask it three questions
    #[arg(long)]
    demo: bool,
    /// People in the sample county
    #[arg(long, value_name = "N", default_value_t = 2_000, requires = "demo")]
    demo_members: u32,
    #[command(flatten)]
    guarding: Guarding,
    #[command(flatten)]
    wrapping: WrappingKeysFile,
}

/// A part of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Records events and imports files.
    Recorder,
    /// Follows the log and writes the views; one at a time, and any number that stand by to take over.
    Projector,
    /// Answers questions.
    Query,
    /// Archives the streams.
    Archiver,
    /// Publishes the feed; any number that take over from one another.
    Publisher,
}

/// Runs one part of a ledger against a NATS server and a database
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub struct Serve {
    /// Which part
    part: Part,
    #[command(flatten)]
    log: LogAccess,
    /// Make the streams that are missing, which the servers allow to an administrator alone
    #[arg(long)]
    create_streams: bool,
    /// Database of the views, postgres:// or sqlite://; a password belongs in the environment or a file named by PGPASSFILE
    #[arg(long, env = "ROLLBOOK_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Secret,
    #[command(flatten)]
    calling: Calling,
    /// Where an archiver archives: a folder, or s3://BUCKET/PREFIX
    #[arg(long, env = "ROLLBOOK_ARCHIVE", value_name = "ADDRESS", required_if_eq("part", "archiver"))]
    archive: Option<String>,
    #[command(flatten)]
    pace: Pace,
    #[command(flatten)]
    webhooks: Webhooks,
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    guarding: Guarding,
    #[command(flatten)]
    wrapping: WrappingKeysFile,
}

/// Whom to call.
#[derive(Debug, Clone, clap::Args)]
struct Webhooks {
    /// File that says whom a publisher of the feed calls (deploy/README.md, Webhooks)
    #[arg(long, env = "ROLLBOOK_WEBHOOKS", value_name = "FILE")]
    webhooks: Option<PathBuf>,
}

impl Webhooks {
    fn settings(&self, production: bool) -> anyhow::Result<Option<webhooks::Settings>> {
        let read =
            |file: &PathBuf| webhooks::Settings::read(file, production).context(Stop::usage("nobody can be called"));
        self.webhooks.as_ref().map(read).transpose()
    }
}

/// How soon messages are archived.
#[derive(Debug, Clone, clap::Args)]
struct Pace {
    /// Seconds that a message waits at most before it is archived
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=60))]
    archive_within: u16,
}

impl Pace {
    fn patience(&self) -> Duration {
        Duration::from_secs(u64::from(self.archive_within))
    }
}

/// Runs a whole ledger until it is told to end.
///
/// # Errors
/// Where something it needs is not there.
pub async fn up(up: &Up) -> anyhow::Result<Exit> {
    let archive = match up.archive.as_deref() {
        Some("none") => None,
        Some(address) => Some(parsed(address)?),
        None => Some(Address::Folder(up.folder.path().join("archive"))),
    };
    let archive = archive.map(|address| (address, up.pace.patience()));
    if up.demo && !up.calling.is_trial() {
        return Err(Stop::usage(
            "a demo is loaded by the ledger's own token, which a production profile does not take",
        )
        .into());
    }
    let settings = Settings {
        data: up.folder.path().to_owned(),
        calling: up.calling.settings()?,
        database: up.database.as_ref().map(|database| database.expose().to_owned()),
        nats_server: up.nats_server.clone(),
        archive,
        webhooks: up.webhooks.settings(!up.calling.is_trial())?,
        demo: up.demo.then_some(up.demo_members),
        guards: up.guarding.settings(),
        wrapping_keys: up.wrapping.named(),
    };
    crate::up::up(settings).await.context(stopped())?;
    Ok(Exit::Done)
}

/// Runs one part until it is told to end.
///
/// # Errors
/// As [`up`].
pub async fn serve(serve: &Serve) -> anyhow::Result<Exit> {
    let (role, service) = match serve.part {
        Part::Recorder => (Role::Recorder, "recorder"),
        Part::Projector => (Role::Projector, "projector"),
        Part::Query => (Role::Query, "query"),
        Part::Archiver => (Role::Archiver, "archiver"),
        Part::Publisher => (Role::Publisher, "publisher"),
    };
    let archive = match (serve.part, &serve.archive) {
        (Part::Archiver, Some(address)) => Some((parsed(address)?, serve.pace.patience())),
        (Part::Archiver | Part::Recorder | Part::Projector | Part::Query | Part::Publisher, _) => None,
    };
    let settings = ServeSettings {
        access: serve.log.of(service),
        replicas: serve.log.replicas(),
        create_streams: serve.create_streams,
        database: serve.database.expose().to_owned(),
        data: serve.folder.path().to_owned(),
        calling: serve.calling.settings()?,
        guards: serve.guarding.settings(),
        archive,
        webhooks: serve.webhooks.settings(!serve.calling.is_trial())?,
        wrapping_keys: serve.wrapping.named(),
    };
    crate::up::serve(role, settings).await.context(stopped())?;
    Ok(Exit::Done)
}

fn parsed(address: &str) -> anyhow::Result<Address> {
    address.parse().with_context(|| Stop::usage(format!("{address} is no address of an archive")))
}

fn stopped() -> Stop {
    Stop::unavailable("the ledger does not run").next("rollbook doctor says what is missing")
}
