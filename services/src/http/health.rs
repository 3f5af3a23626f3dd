//! Whether the program lives, whether it is ready, and what Prometheus reads.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::{Observe, Permit};
use super::doc::{Operated, Unready};
use super::edge::Edge;
use super::problem::{Kind, Problem};
use crate::measures;
use crate::projector::Phase;

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(lives)).routes(routes!(ready)).routes(routes!(metrics))
}

/// That all is well.
#[derive(Debug, Serialize, ToSchema)]
struct Well {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The last event that the views hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    position: Option<u64>,
}

/// Whether the program lives.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "get_health",
    tag = "operations",
    security(()),
    responses((status = 200, description = "It lives", body = Well))
)]
async fn lives() -> Json<Well> {
    Json(Well { status: "ok", position: None })
}

/// Whether it is ready to answer: the views follow the log and no member's views stand still.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "get_readiness",
    tag = "operations",
    security(()),
    responses((status = 200, description = "It is ready", body = Well), Unready)
)]
async fn ready(State(edge): State<Edge>) -> Result<Json<Well>, Problem> {
    causes(&edge)
}

/// That it is ready, or why it is not.
fn causes(edge: &Edge) -> Result<Json<Well>, Problem> {
    let status = edge.status.borrow().clone();
    let mut causes: Vec<String> = edge.health.troubles().into_iter().map(|trouble| trouble.cause).collect();
    // What stops the projector, its guard tells too.
    causes.extend(status.trouble().filter(|cause| !causes.contains(cause)));
    if !causes.is_empty() {
        return Err(Problem::new(Kind::NotReady, causes.join("; ")));
    }
    match status.phase {
        Phase::Following | Phase::Standby { .. } => Ok(Json(Well { status: "ok", position: Some(status.position.0) })),
        Phase::Rederiving { done } => {
            let detail = format!("members are derived anew under another rulebook; {done} are done");
            Err(Problem::new(Kind::NotReady, detail))
        }
        Phase::Starting | Phase::Waiting { .. } | Phase::Stopped { .. } => {
            Err(Problem::new(Kind::NotReady, "the projector does not follow the log"))
        }
    }
}

/// Counters and durations, as Prometheus reads them.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "get_metrics",
    tag = "operations",
    responses((status = 200, description = "Metrics in Prometheus' text format", content_type = "text/plain", body = String), Operated)
)]
async fn metrics(_: Permit<Observe>, State(edge): State<Edge>) -> Response {
    measures::look(&edge, causes(&edge).is_ok());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], edge.metrics.render()).into_response()
}
