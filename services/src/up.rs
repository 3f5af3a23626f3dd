//! A whole ledger in one process tree, or one of its parts on its own: the same code either way.

mod demo;
mod feeding;
mod folder;
mod keys;
mod listen;
mod operator;
mod parts;
mod streams;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::future::BoxFuture;
use rollbook_projections::store::Views;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::archive::{Address, Archiving};
use crate::clock;
use crate::failpoint;
use crate::feed::webhooks;
use crate::guards::{self, Guards, Watch, Watched};
use crate::health::Health;
use crate::http::{self, LimitSettings, Limits};
use crate::log::Access;
use crate::nats_server::NatsServer;
use crate::projector::Phase;
use crate::tokens::{self, Profile, Tokens};

use folder::{places, whole_path};
use operator::{keep_operators_token, operators_token};

pub(crate) use folder::make_folder;
pub use listen::Listening;
use parts::Recording;
pub use parts::Role;
pub use streams::Streams;

/// How long callers in flight may take for their answers at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// How long a ledger may take to become ready before it says what it waits for.
const SAY_AFTER: Duration = Duration::from_secs(5);

/// Who may call, how much, and where they are heard.
#[derive(Debug, Clone)]
pub struct Calling {
    /// Where the API listens.
    pub listening: Listening,
    /// Whose tokens are taken.
    pub tokens: tokens::Settings,
    /// How much callers may ask.
    pub limits: LimitSettings,
}

/// How `rollbook up` runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder.
    pub data: PathBuf,
    /// Who may call, and where.
    pub calling: Calling,
    /// The database of the views; SQLite in the data folder where none is named.
    pub database: Option<String>,
    /// The nats-server to run; the one on PATH where none is named.
    pub nats_server: Option<PathBuf>,
    /// Where to archive, and how long a message may wait for that; nowhere where nothing is named.
    pub archive: Option<(Address, Duration)>,
    /// Whom to call for the feed, where anybody is to be.
    pub webhooks: Option<webhooks::Settings>,
    /// Members of a sample county to load and ask about, where one is wanted.
    pub demo: Option<u32>,
    /// How the guards watch.
    pub guards: guards::Settings,
    /// Where the wrapping keys lie; in the data folder where nothing is named.
    pub wrapping_keys: Option<PathBuf>,
}

/// How `rollbook serve` runs.
#[derive(Debug, Clone)]
pub struct ServeSettings {
    /// The NATS servers, and what they let in.
    pub access: Access,
    /// Replicas the streams have.
    pub replicas: usize,
    /// Whether streams that are not there are made.
    pub create_streams: bool,
    /// The database of the views.
    pub database: String,
    /// The data folder: the ledger's key, the tokens, spool and quarantine.
    pub data: PathBuf,
    /// Who may call, and where.
    pub calling: Calling,
    /// How the guards watch.
    pub guards: guards::Settings,
    /// Where to archive, and how long a message may wait for that, in an archiver.
    pub archive: Option<(Address, Duration)>,
    /// Whom a publisher calls for the feed, where anybody is to be.
    pub webhooks: Option<webhooks::Settings>,
    /// Where a recorder's wrapping keys lie; in the data folder where nothing is named.
    pub wrapping_keys: Option<PathBuf>,
}

/// Runs a whole ledger until it is told to end.
///
/// # Errors
/// Where something it needs is not there, or a setting breaks a promise; the message says what and what to do.
pub async fn up(mut settings: Settings) -> anyhow::Result<()> {
    settings.data = whole_path(&settings.data)?;
    make_folder(&settings.data)?;
    let mut server = NatsServer::start(&settings.data, settings.nats_server.clone()).await?;
    let (access, cancelled) = (server.access().clone(), CancellationToken::new());
    // A client waits for a server that is gone until it is back, and this one nobody else would start again.
    let begun = tokio::select! {
        begun = begin(&settings, &access, &cancelled) => begun,
        () = told_to_end() => return Ok(()),
        status = server.wait() => return bail_server(status.map(|status| status.to_string()), &settings.data),
    };
    let Whole { streams, app, archiving, watch, url, serving } = begun?;
    let run = async {
        ready(&app, &url, &settings.data).await?;
        if let Some(members) = settings.demo {
            demo::show(&settings.data, members).await?;
        }
        std::future::pending().await
    };
    let mut serving = serving;
    let ended = tokio::select! {
        ended = run => ended,
        ended = &mut serving => ended,
        () = told_to_end() => Ok(()),
        status = server.wait() => bail_server(status.map(|status| status.to_string()), &settings.data),
    };
    tracing::info!("ending");
    cancelled.cancel();
    // Callers in flight are answered before the database is closed under them.
    _ = tokio::time::timeout(LAST_ANSWERS, &mut serving).await;
    watch.ended().await;
    if let Some(archiving) = archiving {
        archiving.end().await;
    }
    closed(&app).await;
    drop(streams);
    server.stop().await;
    _ = std::fs::remove_file(settings.data.join("endpoint"));
    ended
}

/// A whole ledger that has begun.
struct Whole {
    streams: Streams,
    app: App,
    archiving: Option<Archiving>,
    watch: Watch,
    url: String,
    serving: BoxFuture<'static, anyhow::Result<()>>,
}

async fn begin(settings: &Settings, access: &Access, cancelled: &CancellationToken) -> anyhow::Result<Whole> {
    let health = Health::default();
    let database = match &settings.database {
        Some(database) => database.clone(),
        None => format!("sqlite://{}", settings.data.join("views.db").display()),
    };
    let streams = Streams::create(access, 1).await?;
    let views = Views::open(&database).await?;
    failpoint!("start.after_streams");
    let watched = Watched { places: places(&settings.data, &database), data: settings.data.clone(), records: true };
    let guards = Guards::new(streams.all(), views.live().clone(), health.clone(), watched, settings.guards)?;
    let guards = guards.comparing(streams.keys());
    // Before anything can be recorded: not even a first rulebook stands on a log that has lost its end, or is not what was
    // archived.
    guards.look().await;
    let archiving = archive(&streams, settings.archive.as_ref(), &health).await?;
    let streams = streams.guarded(&guards);
    let recording = Recording { last_recorded: guards.last_recorded(), wrapping_keys: settings.wrapping_keys.clone() };
    let mut app = parts::whole(&streams, views, &settings.data, &health, recording, cancelled).await?;
    app.archive = archiving.as_ref().map(Archiving::watched);
    feeding::call(&mut app, &streams, settings.webhooks.as_ref(), cancelled).await?;
    let watch = guards.watch(app.status.clone(), cancelled);
    let (url, serving) = listen(&mut app, &streams, &settings.calling, cancelled).await?;
    Ok(Whole { streams, app, archiving, watch, url, serving })
}

/// Runs one part of a ledger until it is told to end.
///
/// # Errors
/// As [`up`].
pub async fn serve(role: Role, mut settings: ServeSettings) -> anyhow::Result<()> {
    settings.data = whole_path(&settings.data)?;
    make_folder(&settings.data)?;
    let (cancelled, health) = (CancellationToken::new(), Health::default());
    let streams = if settings.create_streams {
        Streams::create(&settings.access, settings.replicas).await
    } else {
        Streams::open(&settings.access, settings.replicas).await
    };
    let streams =
        streams.context("the log cannot be used (rollbook streams check compares it, and create makes it)")?;
    let views = Views::open(&settings.database).await?;
    let watched = Watched {
        places: places(&settings.data, &settings.database),
        data: settings.data.clone(),
        records: role == Role::Recorder,
    };
    let guards = Guards::new(streams.all(), views.live().clone(), health.clone(), watched, settings.guards)?;
    let guards = guards.comparing(streams.keys());
    guards.look().await;
    let archiving = archive(&streams, settings.archive.as_ref(), &health).await?;
    let streams = streams.guarded(&guards);
    let recording = Recording { last_recorded: guards.last_recorded(), wrapping_keys: settings.wrapping_keys };
    let mut app = parts::part(role, &streams, views, &settings.data, &health, recording, &cancelled).await?;
    app.archive = archiving.as_ref().map(Archiving::watched);
    feeding::call(&mut app, &streams, settings.webhooks.as_ref(), &cancelled).await?;
    let watch = guards.watch(app.status.clone(), &cancelled);
    let (url, serving) = listen(&mut app, &streams, &settings.calling, &cancelled).await?;
    let run = async {
        say_listening(&url);
        std::future::pending().await
    };
    let ended = tokio::select! {
        ended = run => ended,
        ended = serving => ended,
        () = told_to_end() => Ok(()),
    };
    cancelled.cancel();
    watch.ended().await;
    if let Some(archiving) = archiving {
        archiving.end().await;
    }
    closed(&app).await;
    ended
}

/// Waits for what must come to its end, as the projector that gives its lease back, and closes the database.
async fn closed(app: &App) {
    app.tasks.close();
    _ = tokio::time::timeout(LAST_ANSWERS, app.tasks.wait()).await;
    app.views.close().await;
}

/// Begins to archive, where that is wanted.
async fn archive(
    streams: &Streams,
    wanted: Option<&(Address, Duration)>,
    health: &Health,
) -> anyhow::Result<Option<Archiving>> {
    let Some((address, patience)) = wanted else { return Ok(None) };
    let begun = Archiving::begin(streams.whole(), address, *patience, health).await;
    Ok(Some(begun.with_context(|| format!("could not archive into {address}"))?))
}

/// Learns who may call, and begins to listen.
async fn listen(
    app: &mut App,
    streams: &Streams,
    calling: &Calling,
    cancelled: &CancellationToken,
) -> anyhow::Result<(String, BoxFuture<'static, anyhow::Result<()>>)> {
    app.tokens = Tokens::open(&app.data, &calling.tokens, &app.health).await?;
    if calling.tokens.clients.is_some() {
        streams.remember_for(app).await?;
    }
    app.limits = Limits::new(calling.limits);
    let heard = calling.listening.begin().await?;
    app.tokens.known_as(format!("{}/v1/token", heard.url));
    operators_token(&app.tokens, &app.data, clock::now()).await?;
    tokio::spawn(keep_operators_token(app.tokens.clone(), app.data.clone(), cancelled.clone()));
    Ok((heard.url.clone(), heard.serve(http::router(app.clone()), cancelled.clone())))
}

/// Waits until the views hold what the log holds, then says where the ledger listens.
async fn ready(app: &App, url: &str, data: &Path) -> anyhow::Result<()> {
    let head = app.log.head().await.context("could not read the log")?;
    let mut status = app.status.clone();
    loop {
        let there = |status: &crate::projector::Status| {
            matches!(status.phase, Phase::Stopped { .. })
                || (matches!(status.phase, Phase::Following | Phase::Standby { .. }) && status.position >= head)
        };
        match tokio::time::timeout(SAY_AFTER, status.wait_for(there)).await {
            Ok(Ok(status)) => match &status.phase {
                Phase::Stopped { cause } => bail!("the ledger is not ready: {cause}"),
                Phase::Starting
                | Phase::Following
                | Phase::Standby { .. }
                | Phase::Rederiving { .. }
                | Phase::Waiting { .. } => break,
            },
            Ok(Err(_)) => bail!("the projector has ended"),
            Err(_) => {
                let now = app.status.borrow().position;
                tracing::info!(projector.position = now.0, log.head = head.0, "catching up");
            }
        }
    }
    std::fs::write(data.join("endpoint"), format!("{url}\n")).context("could not write the endpoint file")?;
    say_listening(url);
    if app.tokens.profile() == Profile::Trial {
        eprintln!("operator's token in {}", data.join("admin.token").display());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "scripts wait for this line")]
fn say_listening(url: &str) {
    println!("listening on {url}");
}

/// Until somebody wants this program to end.
pub(crate) async fn told_to_end() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let terminated = async {
        match &mut terminate {
            Some(signal) => _ = signal.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

fn bail_server(status: Option<String>, data: &Path) -> anyhow::Result<()> {
    let status = status.unwrap_or_else(|| "for a reason unknown".to_owned());
    bail!("the nats-server ended ({status}); its log lies in {}", data.join("nats").display())
}
