//! The rulebook in force, and the editions that were before it.

use axum::extract::State;
use axum::response::Response;
use rollbook_events::families::rules::Rules;
use rollbook_events::{Event, Position};
use rollbook_projections::{Recorded, Rulebook};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{self, Answer};
use super::ask::Ask;
use super::auth::{Permit, Rules as ReadRules};
use super::basis::Basis;
use super::doc::QueriedOne;
use super::edge::Edge;
use super::params::{AsOf, Params};
use super::problem::{Kind, Problem};

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(in_force)).routes(routes!(editions))
}

/// A rulebook that was adopted.
#[derive(Debug, Serialize, ToSchema)]
struct InForce {
    /// The edition's name.
    id: String,
    /// SHA-256 of the text, in hex.
    hash: String,
    /// Position of the event that adopted it.
    #[schema(minimum = 1)]
    adopted_at: u64,
    /// When that was recorded.
    #[schema(format = DateTime)]
    recorded_at: String,
    /// Who adopted it: organization and id.
    by: String,
    /// Why.
    reason: String,
    /// The files laid over the built-in edition.
    overlays: Vec<Laid>,
    /// The whole text, TOML; left out in the list of editions.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// A file laid over the built-in edition.
#[derive(Debug, Serialize, ToSchema)]
struct Laid {
    /// Its name.
    file: String,
    /// The plan it speaks of; null for all of them.
    plan: Option<String>,
    /// The county; null for all of the plan's.
    county: Option<String>,
    /// First day it is in force.
    #[schema(format = Date)]
    from: Option<String>,
    /// First day it is no longer in force.
    #[schema(format = Date)]
    until: Option<String>,
}

fn told(recorded: &Recorded, whole: bool) -> Result<InForce, Problem> {
    let Event::Rules(Rules::RulebookAdopted(adopted)) = &recorded.envelope.event else {
        return Err(Problem::new(Kind::Internal, "an event of the rulebook's subject adopts none"));
    };
    let rulebook = Rulebook::parse(adopted.text.as_str()).map_err(|error| Problem::internal(&error))?;
    let laid = rulebook.overlays().iter().map(|overlay| Laid {
        file: overlay.file.clone(),
        plan: overlay.header.plan.as_ref().map(ToString::to_string),
        county: overlay.header.county.map(|county| county.to_string()),
        from: overlay.header.from.map(|day| day.to_string()),
        until: overlay.header.until.map(|day| day.to_string()),
    });
    let actor = &recorded.envelope.actor;
    Ok(InForce {
        id: rulebook.id().to_owned(),
        hash: rulebook.hash().to_string(),
        adopted_at: recorded.position.0,
        recorded_at: recorded.envelope.recorded_at.to_rfc3339(),
        by: format!("{} {}", actor.org, actor.id),
        reason: adopted.reason.to_string(),
        overlays: laid.collect(),
        text: whole.then(|| rulebook.text().to_owned()),
    })
}

/// The rulebook in force: its text, and the event that adopted it.
#[utoipa::path(
    get,
    path = "/v1/rulebook",
    operation_id = "get_rulebook",
    tag = "views",
    params(AsOf),
    responses((status = 200, description = "The rulebook", body = Answer<InForce>), QueriedOne)
)]
async fn in_force(
    permit: Permit<ReadRules>,
    State(edge): State<Edge>,
    ask: Ask,
    Params(as_of, ..): Params<AsOf>,
) -> Result<Response, Problem> {
    let basis = Basis::of(&edge, &as_of, None).await?;
    let adopted = adoptions(&edge, basis.position).await?;
    let Some(last) = adopted.last() else {
        return Err(Problem::new(Kind::NotFound, "no rulebook was adopted by this position"));
    };
    answer::one(&ask, &permit.scope, &basis, told(last, true)?)
}

/// Every rulebook there was, oldest first, without its text.
#[utoipa::path(
    get,
    path = "/v1/rulebook/editions",
    operation_id = "list_rulebook_editions",
    tag = "views",
    params(AsOf),
    responses((status = 200, description = "The editions", body = Answer<Vec<InForce>>), QueriedOne)
)]
async fn editions(
    permit: Permit<ReadRules>,
    State(edge): State<Edge>,
    ask: Ask,
    Params(as_of, ..): Params<AsOf>,
) -> Result<Response, Problem> {
    let basis = Basis::of(&edge, &as_of, None).await?;
    let adopted = adoptions(&edge, basis.position).await?;
    let told: Result<Vec<InForce>, Problem> = adopted.iter().map(|recorded| told(recorded, false)).collect();
    answer::one(&ask, &permit.scope, &basis, told?)
}

/// The events that adopted a rulebook and stand, oldest first.
async fn adoptions(edge: &Edge, position: Position) -> Result<Vec<Recorded>, Problem> {
    Ok(edge.db.rulebooks(position).await?)
}
