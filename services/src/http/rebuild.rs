//! Views made anew: all of them beside the living ones, or one member's; and the members whose views stand still. What is
//! asked for here is done by the projector that holds the lease, in whichever process that is.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rollbook_events::MemberId;
use rollbook_projections::store::control::{Generation, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::{Observe, Operate, Permit};
use super::doc::{AgainstWhatIs, Named, Operated};
use super::edge::Edge;
use super::params::{Nothing, Params, Segment, segment};
use super::problem::{Kind, Problem};
use super::status::Stuck;
use crate::projector::REBUILT;

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(rebuild, progress, cancel))
        .routes(routes!(accept))
        .routes(routes!(back, forget))
        .routes(routes!(stuck))
        .routes(routes!(rebuild_member, member_rebuilt))
}

/// The generations of the views.
#[derive(Debug, Serialize, ToSchema)]
struct Generations {
    /// Those there are, by number.
    data: Vec<OneGeneration>,
}

/// A generation of the views.
#[derive(Debug, Serialize, ToSchema)]
struct OneGeneration {
    /// Its number, which no other ever has.
    #[schema(minimum = 1)]
    number: i64,
    /// What it is for: `live`, `previous` (kept from before), `building`, or `dropping`.
    role: &'static str,
    /// While it is built: catching_up, comparing, differs (it waits to be accepted or given up), switching or failed.
    stage: String,
    /// Whether it is to become live though it differs.
    accepted: bool,
    /// The last event it held, as last told; while it is built.
    #[schema(minimum = 0)]
    position: u64,
    /// The last event of the log then.
    #[schema(minimum = 0)]
    head: u64,
    /// What the comparison came to, or why it failed.
    told: Option<String>,
}

impl From<Generation> for OneGeneration {
    fn from(of: Generation) -> Self {
        let role = match of.role {
            Role::Live => "live",
            Role::Previous => "previous",
            Role::Building => "building",
            Role::Dropping => "dropping",
        };
        let (position, head) = (of.position.0, of.head.0);
        Self { number: of.number, role, stage: of.stage, accepted: of.accepted, position, head, told: of.told }
    }
}

/// How a rebuild is to go.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct How {
    /// Whether what was built becomes live though it differs from what is.
    #[param(value_type = bool, required = false)]
    accept_differences: Option<bool>,
}

async fn generations(edge: &Edge) -> Result<Json<Generations>, Problem> {
    let found = edge.views.control().generations().await?;
    Ok(Json(Generations { data: found.into_iter().map(OneGeneration::from).collect() }))
}

/// What was asked for, where it could be; else why not.
async fn asked(edge: &Edge, done: bool, why_not: &str) -> Result<(StatusCode, Json<Generations>), Problem> {
    if !done {
        return Err(Problem::new(Kind::AgainstWhatIs, why_not));
    }
    Ok((StatusCode::ACCEPTED, generations(edge).await?))
}

/// Builds the views again from the log, beside the living ones, which go on answering. Once what was built has caught up it
/// is compared with what is live, row by row; where both are the same it becomes live, else it waits to be accepted.
#[utoipa::path(
    post,
    path = "/v1/views/rebuild",
    operation_id = "rebuild_views",
    tag = "operations",
    params(How),
    responses((status = 202, description = "They are being built; ask the same path how far they are", body = Generations), Operated, AgainstWhatIs)
)]
async fn rebuild(
    _: Permit<Operate>,
    State(edge): State<Edge>,
    Params(how, ..): Params<How>,
) -> Result<(StatusCode, Json<Generations>), Problem> {
    let begun = edge.views.control().begin(how.accept_differences == Some(true)).await?;
    asked(&edge, begun, "views are being built already").await
}

/// How far a rebuild is, and which generations of the views there are.
#[utoipa::path(
    get,
    path = "/v1/views/rebuild",
    operation_id = "get_rebuild",
    tag = "operations",
    responses((status = 200, description = "The generations of the views", body = Generations), Operated)
)]
async fn progress(
    _: Permit<Observe>,
    State(edge): State<Edge>,
    _: Params<Nothing>,
) -> Result<Json<Generations>, Problem> {
    generations(&edge).await
}

/// Gives up what is being built.
#[utoipa::path(
    delete,
    path = "/v1/views/rebuild",
    operation_id = "cancel_rebuild",
    tag = "operations",
    responses((status = 202, description = "It is given up", body = Generations), Operated, AgainstWhatIs)
)]
async fn cancel(
    _: Permit<Operate>,
    State(edge): State<Edge>,
    _: Params<Nothing>,
) -> Result<(StatusCode, Json<Generations>), Problem> {
    let given_up = edge.views.control().cancel().await?;
    asked(&edge, given_up, "nothing is being built").await
}

/// Lets what is being built become live though it differs.
#[utoipa::path(
    post,
    path = "/v1/views/rebuild/accept",
    operation_id = "accept_rebuild",
    tag = "operations",
    responses((status = 202, description = "It becomes live once it has caught up", body = Generations), Operated, AgainstWhatIs)
)]
async fn accept(
    _: Permit<Operate>,
    State(edge): State<Edge>,
    _: Params<Nothing>,
) -> Result<(StatusCode, Json<Generations>), Problem> {
    let accepted = edge.views.control().accept().await?;
    asked(&edge, accepted, "nothing is being built").await
}

/// Goes back to the views that were live before: they catch up beside the living ones, and become live again.
#[utoipa::path(
    post,
    path = "/v1/views/previous",
    operation_id = "go_back_to_previous_views",
    tag = "operations",
    responses((status = 202, description = "They catch up", body = Generations), Operated, AgainstWhatIs)
)]
async fn back(
    _: Permit<Operate>,
    State(edge): State<Edge>,
    _: Params<Nothing>,
) -> Result<(StatusCode, Json<Generations>), Problem> {
    let begun = edge.views.control().back().await?;
    asked(&edge, begun, "no views are kept from before, or others are being built").await
}

/// Drops the views that were live before.
#[utoipa::path(
    delete,
    path = "/v1/views/previous",
    operation_id = "forget_previous_views",
    tag = "operations",
    responses((status = 202, description = "They are dropped", body = Generations), Operated, AgainstWhatIs)
)]
async fn forget(
    _: Permit<Operate>,
    State(edge): State<Edge>,
    _: Params<Nothing>,
) -> Result<(StatusCode, Json<Generations>), Problem> {
    let dropped = edge.views.control().forget().await?;
    asked(&edge, dropped, "no views are kept from before").await
}

/// The members whose views stand still.
#[derive(Debug, Serialize, ToSchema)]
struct AllStuck {
    /// By reference, the longest first, at most 1000.
    data: Vec<Stuck>,
}

/// The members whose views stand still: at which event, and which class of error; never what the event says.
#[utoipa::path(
    get,
    path = "/v1/views/stuck",
    operation_id = "list_stuck_members",
    tag = "operations",
    responses((status = 200, description = "The members", body = AllStuck), Operated)
)]
async fn stuck(_: Permit<Observe>, State(edge): State<Edge>, _: Params<Nothing>) -> Result<Json<AllStuck>, Problem> {
    Ok(Json(AllStuck { data: edge.db.stuck().await?.into_iter().map(Stuck::from).collect() }))
}

/// What became of one member's rows.
#[derive(Debug, Serialize, ToSchema)]
struct OfMember {
    /// What was asked for.
    data: Mended,
}

/// What became of one member's rows.
#[derive(Debug, Serialize, ToSchema)]
struct Mended {
    /// Whether it is over.
    done: bool,
    /// Whether every event of the member is in the views now.
    rebuilt: bool,
    /// What was done, or why nothing was.
    told: Option<String>,
}

/// Makes one member's rows anew from the log, with those of everybody who was ever linked with them, in one transaction: as a
/// rebuild of everything would have made them.
#[utoipa::path(
    post,
    path = "/v1/views/members/{member}",
    operation_id = "rebuild_member",
    tag = "operations",
    params(("member" = String, Path, description = "The member's pseudonym", format = Uuid)),
    responses((status = 202, description = "It is asked for; ask the same path what became of it", body = OfMember), Operated)
)]
async fn rebuild_member(
    _: Permit<Operate>,
    State(edge): State<Edge>,
    Segment(member): Segment<String>,
    _: Params<Nothing>,
) -> Result<(StatusCode, Json<OfMember>), Problem> {
    let member: MemberId = segment("member", &member)?;
    if !edge.views.control().ask_member(member).await? {
        return Err(Problem::new(Kind::Unavailable, "too many members wait to be rebuilt"));
    }
    Ok((StatusCode::ACCEPTED, Json(OfMember { data: Mended { done: false, rebuilt: false, told: None } })))
}

/// What became of a member whose rows were asked to be made anew.
#[utoipa::path(
    get,
    path = "/v1/views/members/{member}",
    operation_id = "get_member_rebuild",
    tag = "operations",
    params(("member" = String, Path, description = "The member's pseudonym", format = Uuid)),
    responses((status = 200, description = "What became of it", body = OfMember), Operated, Named)
)]
async fn member_rebuilt(
    _: Permit<Observe>,
    State(edge): State<Edge>,
    Segment(member): Segment<String>,
    _: Params<Nothing>,
) -> Result<Json<OfMember>, Problem> {
    let member: MemberId = segment("member", &member)?;
    let Some(told) = edge.views.control().member_answer(member).await? else {
        return Err(Problem::new(Kind::NotFound, "nobody asked for this member's rows"));
    };
    let rebuilt = told.as_ref().is_some_and(|told| told.starts_with(REBUILT));
    Ok(Json(OfMember { data: Mended { done: told.is_some(), rebuilt, told } }))
}
