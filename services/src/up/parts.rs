//! Putting the parts together.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, bail};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use rollbook_events::families::rules::{RulebookAdopted, Rules};
use rollbook_events::{
    Actor, County, Event, EventId, Occurred, Position, Sensitivity, Subject, Submission, Whom, pacific_day,
};
use rollbook_projections::Rulebook;
use rollbook_projections::store::Db;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::App;
use crate::clock;
use crate::guards::{Guards, LastRecorded};
use crate::health::Health;
use crate::identity_index::IdentityIndex;
use crate::import::Importer;
use crate::ledger_key::LedgerKey;
use crate::log::{Access, Log, NatsLog, SettingsError, StreamSpec, connect};
use crate::projector::{Phase, Projector, Status};
use crate::recorder::{Committer, Histories, Recorder, SWEEP_EVERY, Sweep, Work};
use crate::tokens::Tokens;

/// Makes the id of an adoption of the text adopted, so that two recorders that start at once adopt it once.
const ADOPTION: Uuid = Uuid::from_u128(0x1f0c_77d2_9a35_4d3e_8b77_54c1_02fe_9b10);
/// How often a query server looks how far the views are.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A part of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Records.
    Recorder,
    /// Projects.
    Projector,
    /// Answers.
    Query,
}

/// The streams of a ledger, with the settings its promises need.
pub struct Streams {
    enrollment: Arc<dyn Log>,
    identity: Arc<dyn Log>,
    intake: Arc<dyn Log>,
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
    /// The setting's name, or that the server cannot be reached.
    pub async fn create(access: &Access, replicas: usize) -> anyhow::Result<Self> {
        let client = connect(access, "rollbook").await.context("could not reach the NATS server")?;
        let open = async |spec| -> anyhow::Result<Arc<dyn Log>> {
            let log = NatsLog::create(client.clone(), access, spec, replicas).await;
            let log: Arc<dyn Log> = Arc::new(log.with_context(|| format!("could not open the stream {}", spec.name))?);
            check(&*log).await.with_context(|| format!("the stream {} cannot be trusted", spec.name))?;
            Ok(log)
        };
        Ok(Self {
            enrollment: open(StreamSpec::ENROLLMENT).await?,
            identity: open(StreamSpec::IDENTITY).await?,
            intake: open(StreamSpec::INTAKE).await?,
        })
    }

    /// All of them.
    pub fn all(&self) -> [Arc<dyn Log>; 3] {
        [self.enrollment.clone(), self.identity.clone(), self.intake.clone()]
    }

    /// The same streams, each behind its guard.
    pub fn guarded(guards: &Guards) -> Self {
        let [enrollment, identity, intake] = guards.streams();
        Self { enrollment, identity, intake }
    }
}

/// Compares what the promises rest on. A server that tells nothing of its flushing is warned of, not trusted silently.
pub(super) async fn check(log: &dyn Log) -> anyhow::Result<()> {
    match log.check().await {
        Err(error @ SettingsError::NotChecked) => {
            tracing::warn!(error = %error, "start with --monitoring to have it compared");
            Ok(())
        }
        checked => Ok(checked?),
    }
}

/// Recorder, projector and query in one.
pub(super) async fn whole(
    streams: &Streams,
    db: Db,
    data: &Path,
    health: &Health,
    last_recorded: LastRecorded,
    cancelled: &CancellationToken,
) -> anyhow::Result<App> {
    let status = start_projector(streams, &db, cancelled);
    let mut app = bare(streams, db, data, status, health)?;
    start_recorder(&mut app, streams, last_recorded, cancelled).await?;
    Ok(app)
}

/// One part alone.
pub(super) async fn part(
    role: Role,
    streams: &Streams,
    db: Db,
    data: &Path,
    health: &Health,
    last_recorded: LastRecorded,
    cancelled: &CancellationToken,
) -> anyhow::Result<App> {
    match role {
        Role::Projector => {
            let status = start_projector(streams, &db, cancelled);
            bare(streams, db, data, status, health)
        }
        Role::Query => {
            let status = look_from_outside(streams.enrollment.clone(), db.clone(), cancelled.clone());
            bare(streams, db, data, status, health)
        }
        Role::Recorder => {
            let status = look_from_outside(streams.enrollment.clone(), db.clone(), cancelled.clone());
            let mut app = bare(streams, db, data, status, health)?;
            start_recorder(&mut app, streams, last_recorded, cancelled).await?;
            Ok(app)
        }
    }
}

fn bare(
    streams: &Streams,
    db: Db,
    data: &Path,
    status: watch::Receiver<Status>,
    health: &Health,
) -> anyhow::Result<App> {
    Ok(App {
        db,
        status,
        health: health.clone(),
        log: streams.enrollment.clone(),
        recorder: None,
        importer: None,
        identities: None,
        key: LedgerKey::open(&data.join("ledger.key"))?,
        tokens: Tokens::of(data),
        metrics: metrics_handle()?,
        data: data.to_owned(),
    })
}

fn start_projector(streams: &Streams, db: &Db, cancelled: &CancellationToken) -> watch::Receiver<Status> {
    let (projector, status) = Projector::new(streams.enrollment.clone(), db.clone());
    tokio::spawn(projector.run(cancelled.clone()));
    status
}

async fn start_recorder(
    app: &mut App,
    streams: &Streams,
    last_recorded: LastRecorded,
    cancelled: &CancellationToken,
) -> anyhow::Result<()> {
    let identities = IdentityIndex::follow(streams.identity.clone(), app.health.clone(), cancelled.clone()).await?;
    let (recorder, queue) = Recorder::new();
    let histories = Histories::new(streams.enrollment.clone(), app.db.clone());
    let committer = Committer::new(streams.enrollment.clone(), histories, app.health.clone());
    let committer = committer.not_before(last_recorded).deriving_ages(identities.clone());
    tokio::spawn(committer.run(queue, cancelled.clone()));
    adopt_first(&*streams.enrollment, &recorder).await?;
    let importer = Importer::new(
        [streams.intake.clone(), streams.enrollment.clone()],
        recorder.clone(),
        identities.clone(),
        app.key.clone(),
        app.data.clone(),
    );
    importer.clear_spool();
    tokio::spawn(Sweep::new(app.db.clone(), recorder.clone()).run(SWEEP_EVERY, cancelled.clone()));
    app.recorder = Some(recorder);
    app.identities = Some(identities);
    app.importer = Some(importer);
    Ok(())
}

/// The first event of a ledger adopts the built-in rulebook; from then on what is adopted stands in the log.
async fn adopt_first(log: &dyn Log, recorder: &Recorder) -> anyhow::Result<()> {
    if log.last("enrollment.rulebook").await?.is_some() {
        return Ok(());
    }
    if log.head().await? > Position(0) {
        bail!("the log does not begin with a rulebook; it was not begun by this program");
    }
    let text = Rulebook::built_in_text();
    let rulebook = Rulebook::parse(text).context("the built-in rulebook cannot be read")?;
    let now = clock::now();
    let submission = Submission {
        id: Some(EventId(Uuid::new_v5(&ADOPTION, rulebook.hash().to_string().as_bytes()))),
        whom: Whom::Rulebook,
        // The department's rules, filed under its seat.
        plan: "dhcs".parse()?,
        county: County::Sacramento,
        occurred_at: Occurred::Day(pacific_day(&now)),
        source: None,
        correlation: None,
        replaces: None,
        sensitivity: Sensitivity::None,
        event: RulebookAdopted {
            hash: rulebook.hash(),
            text: text.parse()?,
            reason: "first event of the ledger".parse()?,
        }
        .into(),
    };
    let actor = Actor { org: "rollbook".to_owned(), id: "ledger".to_owned(), role: "operator".to_owned() };
    recorder.record(Work::Given(vec![(Subject::Rulebook, submission)]), actor).await?;
    Ok(())
}

/// The status of views that another program projects.
fn look_from_outside(log: Arc<dyn Log>, db: Db, cancelled: CancellationToken) -> watch::Receiver<Status> {
    let (send, status) = watch::channel(Status::default());
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = cancelled.cancelled() => return,
            }
            let looked = async {
                let checkpoint = db.checkpoint().await.map_err(|error| crate::error_chain::chain(&error))?;
                let head = log.head().await.map_err(|error| crate::error_chain::chain(&error))?;
                let stuck = db.stuck().await.map_err(|error| crate::error_chain::chain(&error))?;
                let rulebooks =
                    db.rulebooks(checkpoint.position).await.map_err(|error| crate::error_chain::chain(&error))?;
                Ok::<_, String>((checkpoint, head, stuck.len(), rulebooks))
            };
            match looked.await {
                Ok((checkpoint, head, stuck, rulebooks)) => send.send_modify(|status| {
                    if status.position != checkpoint.position || checkpoint.position == head {
                        status.moved_at = Some(clock::now());
                    }
                    status.phase = Phase::Following;
                    status.position = checkpoint.position;
                    status.recorded_at = checkpoint.recorded_at;
                    status.head = head;
                    status.stuck = u64::try_from(stuck).unwrap_or(u64::MAX);
                    status.rulebook = rulebooks.last().and_then(adopted_hash);
                }),
                Err(cause) => send.send_modify(|status| status.phase = Phase::Stopped { cause }),
            }
        }
    });
    status
}

fn adopted_hash(recorded: &rollbook_projections::Recorded) -> Option<String> {
    let Event::Rules(Rules::RulebookAdopted(adopted)) = &recorded.envelope.event else { return None };
    Some(adopted.hash.to_string())
}

/// The one recorder of metrics that a process can have.
fn metrics_handle() -> anyhow::Result<PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().install_recorder().context("could not set up the metrics")?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}
