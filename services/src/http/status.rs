//! How the ledger is: positions, lag, what stands still, and why health is red.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use rollbook_events::MemberId;
use rollbook_projections::views;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::{Observe, Permit};
use super::doc::Operated;
use super::edge::Edge;
use super::params::Params;
use super::problem::Problem;
use crate::archive::status::{ArchiveStanding, Watched};
use crate::clock;
use crate::feed::status::FeedStanding;
use crate::health::Trouble;
use crate::projector::Phase;

/// How long the log may take to tell of its settings.
const LOG_TIMEOUT: Duration = Duration::from_secs(3);

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(status))
}

/// How the ledger is.
#[derive(Debug, Serialize, ToSchema)]
struct Told {
    /// What was asked for.
    data: Standing,
}

/// How the ledger is.
#[derive(Debug, Serialize, ToSchema)]
struct Standing {
    /// The last event that the views hold.
    #[schema(minimum = 0)]
    position: u64,
    /// The last event of the log.
    #[schema(minimum = 0)]
    head: u64,
    /// Events that the views have still to read.
    #[schema(minimum = 0)]
    gap: u64,
    /// How far the views are behind, in milliseconds.
    #[schema(minimum = 0)]
    lag_ms: u64,
    /// Milliseconds since the views last moved, or were last seen to be at the head.
    #[schema(minimum = 0)]
    still_ms: Option<u64>,
    /// What the projector is doing: starting, following, rederiving, waiting or stopped; or standby, where
    /// another projector writes these views.
    phase: &'static str,
    /// Who holds the lease to project: an id that means nothing but whether it is the same.
    projector: Option<String>,
    /// The generation of the views that answers; a rebuild makes the next one beside it.
    #[schema(minimum = 1)]
    generation: i64,
    /// Members derived anew so far, while it is rederiving.
    #[schema(minimum = 0)]
    rederived: Option<u64>,
    /// Why health is red, where it is.
    trouble: Option<String>,
    /// Everything that is wrong now, by its check, and what it forbids.
    troubles: Vec<Trouble>,
    /// SHA-256 of the rulebook in force, in hex.
    rulebook: Option<String>,
    /// Members whose views stand still, by reference, at most 1000.
    stuck: Vec<Stuck>,
    /// The database of the views: SQLite or PostgreSQL.
    database: &'static str,
    /// Whether this program records.
    records: bool,
    /// How the archive of each stream stands; empty where this program does not archive.
    archive: Vec<ArchiveStanding>,
    /// How the feed stands; null where this program does not publish it.
    feed: Option<FeedStanding>,
    /// The log's settings: `ok`, or what is wrong with them.
    log: String,
    /// Rows of each view now, where they are asked for.
    rows: Option<Vec<Rows>>,
}

/// A member whose views stand still.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Stuck {
    /// Whose.
    #[schema(value_type = String, format = Uuid)]
    member: MemberId,
    /// At which event.
    #[schema(minimum = 0)]
    position: u64,
    /// Which class of error.
    cause: String,
}

impl From<rollbook_projections::store::write::Stuck> for Stuck {
    fn from(of: rollbook_projections::store::write::Stuck) -> Self {
        Self { member: of.member, position: of.position.0, cause: of.cause }
    }
}

/// How many rows a view has now.
#[derive(Debug, Serialize, ToSchema)]
struct Rows {
    /// The view.
    view: &'static str,
    /// How many.
    #[schema(minimum = 0)]
    rows: u64,
}

/// What more is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct More {
    /// Whether to count the rows of each view, which takes as long as it takes.
    #[param(value_type = bool, required = false)]
    counts: Option<bool>,
}

/// How the ledger is: positions, lag, rulebook, what stands still, the log's settings.
#[utoipa::path(
    get,
    path = "/v1/status",
    operation_id = "get_status",
    tag = "operations",
    params(More),
    responses((status = 200, description = "How the ledger is", body = Told), Operated)
)]
async fn status(
    _: Permit<Observe>,
    State(edge): State<Edge>,
    Params(more, ..): Params<More>,
) -> Result<Json<Told>, Problem> {
    let checkpoint = edge.db.checkpoint().await?;
    let log = tokio::time::timeout(LOG_TIMEOUT, async { (edge.log.head().await, edge.log.check().await) }).await;
    let (head, log) = match log {
        Ok((Ok(head), Ok(()))) => (Some(head), "ok".to_owned()),
        Ok((Ok(head), Err(error))) => (Some(head), error.to_string()),
        Ok((Err(error), _)) => (None, error.to_string()),
        Err(_) => (None, "the log does not answer".to_owned()),
    };
    let mut seen = edge.status.borrow().clone();
    // The checkpoint is where the views are even when the projector has not noticed yet that they were emptied.
    (seen.position, seen.recorded_at) = (checkpoint.position, checkpoint.recorded_at);
    seen.head = head.unwrap_or(seen.head).max(checkpoint.position);
    let now = clock::now();
    let (phase, rederived) = match &seen.phase {
        Phase::Starting => ("starting", None),
        Phase::Following => ("following", None),
        Phase::Standby { .. } => ("standby", None),
        Phase::Rederiving { done } => ("rederiving", Some(*done)),
        Phase::Waiting { .. } => ("waiting", None),
        Phase::Stopped { .. } => ("stopped", None),
    };
    let stuck = edge.db.stuck().await?.into_iter();
    let rows = if more.counts == Some(true) { Some(counts(&edge).await?) } else { None };
    Ok(Json(Told {
        data: Standing {
            position: seen.position.0,
            head: seen.head.0,
            gap: seen.gap(),
            lag_ms: seen.lag_ms(now),
            still_ms: seen.moved_at.and_then(|at| u64::try_from((now - at).num_milliseconds()).ok()),
            phase,
            projector: edge.views.control().lease().await?.map(|lease| lease.holder),
            generation: edge.views.live().number(),
            rederived,
            trouble: seen.trouble(),
            troubles: edge.health.troubles(),
            rulebook: seen.rulebook,
            stuck: stuck.map(Stuck::from).collect(),
            database: edge.db.name(),
            records: edge.recorder.is_some(),
            feed: edge.publishing.as_ref().map(crate::feed::Watched::standing),
            archive: edge.archive.as_ref().map_or_else(Vec::new, Watched::standings),
            log,
            rows,
        },
    }))
}

async fn counts(edge: &Edge) -> Result<Vec<Rows>, Problem> {
    let mut counts = Vec::new();
    for view in views::ALL {
        let rows = edge.db.row_count(view.table()).await?;
        counts.push(Rows { view: view.table().name, rows });
    }
    Ok(counts)
}
