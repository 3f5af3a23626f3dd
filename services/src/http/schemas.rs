//! What callers build on, open to everybody: the API's document, the schemas of the events, and what each problem means.

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use rollbook_events::{schemas, submission};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::doc::Named;
use super::edge::Edge;
use super::params::Segment;
use super::problem::{Kind, Problem};

/// The schema of the object around each event's `data`.
const SUBMISSION: &str = "submission.json";

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(openapi))
        .routes(routes!(asyncapi))
        .routes(routes!(list))
        .routes(routes!(schema))
        .routes(routes!(explain))
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "get_openapi",
    tag = "documents",
    security(()),
    responses((status = 200, description = "The OpenAPI document of this server", content_type = "application/json", body = Object))
)]
async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(super::openapi())
}

/// The contract of the feed.
#[utoipa::path(
    get,
    path = "/asyncapi.json",
    operation_id = "get_asyncapi",
    tag = "documents",
    security(()),
    responses((status = 200, description = "The AsyncAPI document of the feed", content_type = "application/json", body = Object))
)]
async fn asyncapi() -> Json<Value> {
    Json(crate::feed::asyncapi::document())
}

/// The names of the schemas.
#[derive(Debug, Serialize, ToSchema)]
struct Names {
    /// Each is answered under /schemas/{name}.
    data: Vec<String>,
}

/// The JSON Schemas there are: of a submission, and of each kind and version of event.
#[utoipa::path(
    get,
    path = "/schemas",
    operation_id = "list_schemas",
    tag = "documents",
    security(()),
    responses((status = 200, description = "Their names", body = Names))
)]
async fn list() -> Json<Names> {
    let kinds = schemas::all().into_iter().map(|(name, _)| name);
    Json(Names { data: std::iter::once(SUBMISSION.to_owned()).chain(kinds).collect() })
}

/// One JSON Schema.
#[utoipa::path(
    get,
    path = "/schemas/{name}",
    operation_id = "get_schema",
    tag = "documents",
    security(()),
    params(("name" = String, Path, description = "Its name, as in `enrolled.v1.json`")),
    responses((status = 200, description = "The schema", content_type = "application/schema+json", body = Object), Named)
)]
async fn schema(Segment(name): Segment<String>) -> Result<Response, Problem> {
    let schema = if name == SUBMISSION { Some(submission::schema().to_value()) } else { schemas::find(&name) };
    let schema: Value = schema.ok_or_else(|| Problem::new(Kind::NotFound, "/schemas lists the schemas there are"))?;
    Ok(([(CONTENT_TYPE, "application/schema+json")], schema.to_string()).into_response())
}

/// What a problem means and what to do about it.
#[derive(Debug, Serialize, ToSchema)]
struct Explanation {
    /// The problem's `type`.
    #[serde(rename = "type")]
    #[schema(example = "/problems/behind")]
    kind: String,
    /// In words.
    title: &'static str,
    /// The HTTP status it is answered with.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What to do.
    advice: &'static str,
}

/// What a problem means: the `type` of every problem is such an address.
#[utoipa::path(
    get,
    path = "/problems/{code}",
    operation_id = "get_problem",
    tag = "documents",
    security(()),
    params(("code" = String, Path, description = "The last part of the problem's `type`, as in `behind`")),
    responses((status = 200, description = "What it means", body = Explanation), Named)
)]
async fn explain(Segment(code): Segment<String>) -> Result<Json<Explanation>, Problem> {
    let kind = Kind::ALL.iter().copied().find(|kind| kind.code() == code);
    let kind = kind.ok_or_else(|| Problem::new(Kind::NotFound, "there is no such problem"))?;
    Ok(Json(Explanation {
        kind: format!("/problems/{}", kind.code()),
        title: kind.title(),
        status: kind.status().as_u16(),
        advice: kind.advice(),
    }))
}
