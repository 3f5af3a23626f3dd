//! The webhooks: how each stands, and a stretch of a feed called for once more.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::{Observe, Operate, Permit};
use super::doc::{self, AgainstWhatIs, Named, Operated};
use super::edge::Edge;
use super::feed::Number;
use super::params::{Params, Segment};
use super::problem::{Kind, Problem};
use crate::feed::webhooks::attempt::{Attempt, Span};
use crate::feed::webhooks::sender::{Attempts, SendError};
use crate::feed::webhooks::status::WebhookStanding;
use crate::log::AppendError;

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(replay))
}

/// The webhooks that this program calls.
#[derive(Debug, Serialize, ToSchema)]
struct WebhooksAnswer {
    /// How each stands; none where this program calls nobody.
    data: Vec<WebhookStanding>,
}

/// How each webhook stands: what is settled, what was given up, the last attempt and what went wrong.
#[utoipa::path(
    get,
    path = "/v1/feed/webhooks",
    operation_id = "list_webhooks",
    tag = "feed",
    responses((status = 200, description = "How each stands", body = WebhooksAnswer), Operated)
)]
async fn list(_: Permit<Observe>, State(edge): State<Edge>) -> Json<WebhooksAnswer> {
    Json(WebhooksAnswer { data: edge.webhooks.as_ref().map_or_else(Vec::new, |webhooks| webhooks.report.standings()) })
}

/// Which stretch.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Stretch {
    /// The first number.
    #[param(schema_with = doc::feed_number)]
    from: Number,
    /// The last number; the last one settled where it is left out.
    #[param(schema_with = doc::feed_number)]
    to: Option<Number>,
}

/// What was recorded.
#[derive(Debug, Serialize, ToSchema)]
struct ReplayAnswer {
    /// The record, with the stretch that will be called for; null where nothing of it is settled.
    data: Attempt,
}

/// Calls for a stretch of a feed once more, before anything new; it takes the place of a stretch that was asked for before.
#[utoipa::path(
    post,
    path = "/v1/feed/webhooks/{subscription}/replay",
    operation_id = "replay_webhook",
    tag = "feed",
    params(("subscription" = String, Path, description = "Its name in the operator's file"), Stretch),
    responses((status = 200, description = "It is recorded, and will be called for", body = ReplayAnswer), Operated, Named, AgainstWhatIs)
)]
async fn replay(
    _: Permit<Operate>,
    State(edge): State<Edge>,
    Segment(subscription): Segment<String>,
    Params(stretch, ..): Params<Stretch>,
) -> Result<Json<ReplayAnswer>, Problem> {
    let none = || Problem::new(Kind::NotFound, "this program calls no webhook of this name");
    let webhooks = edge.webhooks.as_ref().ok_or_else(none)?;
    if !webhooks.report.standings().iter().any(|standing| standing.subscription == subscription) {
        return Err(none());
    }
    let span = Span { next: stretch.from.0.max(1), last: stretch.to.map_or(u64::MAX, |to| to.0) };
    let attempts: &Attempts = &webhooks.attempts;
    match attempts.replay(&subscription, span).await {
        Ok(Some(asked)) => Ok(Json(ReplayAnswer { data: asked })),
        Ok(None) => Err(none()),
        Err(SendError::Record(AppendError::Conflict { .. })) => {
            Err(Problem::new(Kind::AgainstWhatIs, "a call was recorded at the same moment: ask again"))
        }
        Err(error) => Err(Problem::unavailable(&error)),
    }
}
