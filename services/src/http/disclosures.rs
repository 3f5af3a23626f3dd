//! The accounting of disclosures: who was shown something of a member, when, in which role, and what for.

use axum::extract::State;
use axum::response::Response;
use rollbook_events::access::AccessRecorded;
use rollbook_events::{MemberId, Position};
use rollbook_projections::view::{Column, ColumnType as T};
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Asked;
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::doc::Queried;
use super::doc_rows::{DisclosurePage, DisclosureRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::{Kind, Problem};
use super::shown::About;
use crate::access_log::{DisclosuresError, disclosures};
use crate::error_chain::chain;

/// What a disclosure is given as.
pub const COLUMNS: &[Column] = &[
    Column { name: "member", kind: T::Uuid, comment: "the pseudonym that was shown" },
    Column { name: "at", kind: T::Instant, comment: "when it was written down, which is before the answer left" },
    Column { name: "actor_org", kind: T::Text, comment: "whose person or machine was shown it" },
    Column { name: "actor_id", kind: T::Text, comment: "which person or machine" },
    Column { name: "actor_role", kind: T::Text, comment: "in which role" },
    Column { name: "purpose", kind: T::Text, comment: "what for, where it was stated" },
    Column { name: "operation", kind: T::Text, comment: "what was asked: method and route" },
    Column { name: "given_as", kind: T::Text, comment: "page, or export of every row" },
    Column { name: "answer", kind: T::Uuid, comment: "groups what one answer showed" },
    Column { name: "position", kind: T::Integer, comment: "position of the log that the answer rested on" },
    Column { name: "access_position", kind: T::Integer, comment: "position on the stream ACCESS" },
];

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(of_member))
}

/// Who was shown something of a member, under every pseudonym that is the same person, the earliest first. Whoever sees
/// everything is told of everybody; an organization of its own people and machines, for another's interest in a member would
/// tell that it has one.
#[utoipa::path(
    get,
    path = "/v1/members/{member}/disclosures",
    operation_id = "member_disclosures",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), AsOf, Paging),
    responses(
        (status = 200, description = "Disclosures; none of a member of whom nothing was shown", content(
            (DisclosurePage = "application/json"),
            (DisclosureRow = "application/x-ndjson"),
            (String = "text/csv"),
        )),
        Queried,
    )
)]
async fn of_member(
    permit: Permit<Read>,
    State(edge): State<Edge>,
    Segment(member): Segment<String>,
    mut ask: Ask,
    Params(as_of, paging, ..): Params<AsOf, Paging>,
) -> Result<Response, Problem> {
    let member: MemberId = segment("member", &member)?;
    let head = edge.accesses.head().await.map_err(|error| unavailable(&DisclosuresError::Log(error)))?;
    // The answer changes with that stream, and not with the log that the position is of.
    ask.rests_also_on(format!("ACCESS {head}"));
    let asked = Asked::of(&edge, &permit.scope, ask, &as_of, paging).await?;
    let group = asked.basis.group(&edge, &permit.scope, member).await?;
    let mut all = disclosures(&*edge.accesses, &group).await.map_err(|error| unavailable(&error))?;
    let own = &permit.caller.actor.org;
    let is_told = |actor_org: &String| permit.scope.sight().is_everything() || actor_org == own;
    all.retain(|(position, recorded)| *position <= head && is_told(&recorded.actor.org));
    let about = if all.is_empty() { About::Nobody } else { About::Members(group) };
    let rows = all.into_iter().map(row).collect();
    let columns: Vec<&'static str> = COLUMNS.iter().map(|column| column.name).collect();
    asked.whole(&edge, about, &columns, rows).await
}

fn row((position, recorded): (Position, AccessRecorded)) -> Map<String, Value> {
    let AccessRecorded { member, at, actor, purpose, operation, given_as, answer, .. } = recorded;
    let row = json!({
        "member": member, "at": at, "actor_org": actor.org, "actor_id": actor.id, "actor_role": actor.role,
        "purpose": purpose, "operation": operation, "given_as": given_as, "answer": answer,
        "position": recorded.position, "access_position": position,
    });
    row.as_object().cloned().unwrap_or_default()
}

fn unavailable(error: &DisclosuresError) -> Problem {
    tracing::error!(error = chain(error), "disclosures could not be given");
    Problem::new(Kind::Unavailable, "")
}
