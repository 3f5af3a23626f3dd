//! Putting the parts together.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rollbook_events::families::rules::RulebookAdopted;
use rollbook_events::{
    Actor, County, EventId, Occurred, Position, Sensitivity, Subject, Submission, Whom, pacific_day,
};
use rollbook_projections::Rulebook;
use rollbook_projections::store::Views;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::access_log::AccessLog;
use crate::app::App;
use crate::clock;
use crate::destruction::Destruction;
use crate::failpoint;
use crate::feed::Feed;
use crate::guards::LastRecorded;
use crate::health::Health;
use crate::http::{LimitSettings, Limits};
use crate::identity_index::IdentityIndex;
use crate::identity_keys::wrapping;
use crate::import::Importer;
use crate::ledger_key::LedgerKey;
use crate::log::Log;
use crate::projector::{Lead, Status, follow_live, look_from_outside, watch_progress};
use crate::recorder::{Committer, Histories, Recorder, SWEEP_EVERY, Sweep, Work};
use crate::tokens::Tokens;

use super::keys::keystore;
use super::streams::Streams;

/// Makes the id of an adoption of the text adopted, so that two recorders that start at once adopt it once.
const ADOPTION: Uuid = Uuid::from_u128(0x1f0c_77d2_9a35_4d3e_8b77_54c1_02fe_9b10);

/// A part of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Records.
    Recorder,
    /// Projects.
    Projector,
    /// Answers.
    Query,
    /// Archives, and answers.
    Archiver,
    /// Publishes the feed, and answers.
    Publisher,
}

/// What a recorder is given beside its streams.
pub(super) struct Recording {
    /// When the log's last event was recorded.
    pub(super) last_recorded: LastRecorded,
    /// Where the wrapping keys lie, where that is not the data folder.
    pub(super) wrapping_keys: Option<PathBuf>,
}

/// Recorder, projector, publisher and query in one.
pub(super) async fn whole(
    streams: &Streams,
    views: Views,
    data: &Path,
    health: &Health,
    recording: Recording,
    cancelled: &CancellationToken,
) -> anyhow::Result<App> {
    // Nobody else runs on this folder, whose store is locked: an id that stays need not wait for its own lease to run out.
    let (lead, status) = Lead::new(streams.enrollment.clone(), views.clone(), kept_id(data)?);
    let mut app = bare(streams, views, status, data, health, cancelled)?;
    app.tasks.spawn(lead.run(cancelled.clone()));
    start_recorder(&mut app, streams, recording, cancelled).await?;
    super::feeding::publish(&mut app, streams, cancelled);
    Ok(app)
}

/// One part alone.
pub(super) async fn part(
    role: Role,
    streams: &Streams,
    views: Views,
    data: &Path,
    health: &Health,
    recording: Recording,
    cancelled: &CancellationToken,
) -> anyhow::Result<App> {
    let log = streams.enrollment.clone();
    if role == Role::Projector {
        let (lead, status) = Lead::new(log, views.clone(), new_id());
        let app = bare(streams, views, status, data, health, cancelled)?;
        app.tasks.spawn(lead.run(cancelled.clone()));
        return Ok(app);
    }
    let status = look_from_outside(log, views.live().clone(), cancelled.clone());
    let mut app = bare(streams, views, status, data, health, cancelled)?;
    if role == Role::Recorder {
        start_recorder(&mut app, streams, recording, cancelled).await?;
    }
    match role {
        Role::Publisher => super::feeding::publish(&mut app, streams, cancelled),
        Role::Query => app.feed = Some(Feed::new(streams.feed.clone(), cancelled.clone())),
        // Their keys read no feed.
        Role::Recorder | Role::Projector | Role::Archiver => {}
    }
    Ok(app)
}

/// What every part has.
fn bare(
    streams: &Streams,
    views: Views,
    status: watch::Receiver<Status>,
    data: &Path,
    health: &Health,
    cancelled: &CancellationToken,
) -> anyhow::Result<App> {
    let live = views.live().clone();
    tokio::spawn(follow_live(views.clone(), cancelled.clone()));
    tokio::spawn(watch_progress(status.clone(), live.clone(), health.clone(), cancelled.clone()));
    Ok(App {
        db: live.db(),
        status,
        views,
        tasks: TaskTracker::new(),
        health: health.clone(),
        archive: None,
        publishing: None,
        feed: None,
        webhooks: None,
        log: streams.enrollment.clone(),
        access: AccessLog::over(streams.access.clone(), cancelled.clone()),
        accesses: streams.access.clone(),
        recorder: None,
        importer: None,
        identities: None,
        destruction: None,
        key: LedgerKey::open(&data.join("ledger.key"))?,
        tokens: Tokens::of(data)?,
        limits: Limits::new(LimitSettings::default()),
        metrics: crate::measures::handle()?,
        data: data.to_owned(),
    })
}

/// An id for this run alone.
fn new_id() -> String {
    clock::new_event_id().to_string()
}

/// The id of a data folder, made at its first start.
fn kept_id(data: &Path) -> anyhow::Result<String> {
    let path = data.join("instance");
    match std::fs::read_to_string(&path) {
        Ok(id) if !id.trim().is_empty() => Ok(id.trim().to_owned()),
        Ok(_) | Err(_) => {
            let id = new_id();
            std::fs::write(&path, format!("{id}\n")).with_context(|| format!("could not write {}", path.display()))?;
            Ok(id)
        }
    }
}

async fn start_recorder(
    app: &mut App,
    streams: &Streams,
    recording: Recording,
    cancelled: &CancellationToken,
) -> anyhow::Result<()> {
    let path = recording.wrapping_keys.unwrap_or_else(|| app.data.join(wrapping::FILE));
    let keys = keystore(&*streams.identity, streams.keys(), &path).await?;
    let (log, health) = (streams.identity.clone(), app.health.clone());
    let identities = IdentityIndex::follow(log, keys, &app.key, health, cancelled.clone()).await?;
    let (recorder, queue) = Recorder::new();
    let histories = Histories::new(streams.enrollment.clone(), app.views.live().clone());
    let committer = Committer::new(streams.enrollment.clone(), histories, app.health.clone());
    let committer = committer.not_before(recording.last_recorded).deriving_ages(identities.clone());
    tokio::spawn(committer.run(queue, cancelled.clone()));
    adopt_first(&*streams.enrollment, &recorder).await?;
    failpoint!("start.after_adoption");
    let importer = Importer::new(
        [streams.intake.clone(), streams.enrollment.clone()],
        recorder.clone(),
        identities.clone(),
        app.key.clone(),
        app.data.clone(),
    );
    importer.clear_spool();
    let destruction = Destruction::new(identities.clone(), importer.clone());
    tokio::spawn(destruction.clone().carry_out(app.health.clone(), cancelled.clone()));
    tokio::spawn(Sweep::new(app.views.live().clone(), recorder.clone()).run(SWEEP_EVERY, cancelled.clone()));
    app.recorder = Some(recorder);
    app.identities = Some(identities);
    app.importer = Some(importer);
    app.destruction = Some(destruction);
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
