//! The accounting of disclosures: who was shown something of a member, when, in which role, and what for.

use async_trait::async_trait;
use axum::extract::State;
use axum::response::Response;
use rollbook_events::access::AccessRecorded;
use rollbook_events::{MemberId, Position};
use rollbook_projections::view::{Column, ColumnType as T};
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Asked, Rows, Stretch};
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::doc::Queried;
use super::doc_rows::{DisclosurePage, DisclosureRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::{Kind, Problem};
use crate::access_log::{Disclosed, Disclosures, DisclosuresError};
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
    ask: Ask,
    Params(as_of, paging, ..): Params<AsOf, Paging>,
) -> Result<Response, Problem> {
    let member: MemberId = segment("member", &member)?;
    let mut asked = Asked::of(&edge, &permit.scope, ask, &as_of, paging).await?;
    // Later pages are of what the stream held at the first: each answer is written down there, and its reader would never end.
    let (after, up_to) = match asked.place().map(|(after, up_to)| (u64::try_from(after), up_to.parse().map(Position))) {
        Some((Ok(after), Ok(up_to))) => (Position(after), up_to),
        Some(_) => return Err(Problem::new(Kind::BadCursor, "")),
        None => {
            let head = edge.accesses.head().await;
            (Position(0), head.map_err(|error| unavailable(&DisclosuresError::Log(error)))?)
        }
    };
    // The answer changes with that stream, and not with the log that the position is of.
    asked.ask.rests_also_on(format!("ACCESS {up_to}"));
    let group = asked.basis.group(&edge, &permit.scope, member).await?;
    let to_whom = (!permit.scope.sight().is_everything()).then(|| permit.caller.actor.org.clone());
    let all = Disclosures::of(edge.accesses.clone(), &group, after, up_to, to_whom);
    let columns = COLUMNS.iter().map(|column| column.name).collect();
    asked.read_on(&edge, group, columns, ReadOn { all, last: after, up_to }).await
}

/// The disclosures as rows.
struct ReadOn {
    all: Disclosures,
    last: Position,
    up_to: Position,
}

#[async_trait]
impl Rows for ReadOn {
    async fn some(&mut self, most: usize) -> Result<Stretch, Problem> {
        let (some, more) = self.all.some(most).await.map_err(|error| unavailable(&error))?;
        self.last = some.last().map_or(self.last, |(position, _)| *position);
        Ok((some.into_iter().map(row).collect(), more))
    }

    fn place(&self) -> (i64, String) {
        (i64::try_from(self.last.0).unwrap_or(i64::MAX), self.up_to.0.to_string())
    }
}

fn row((position, recorded): Disclosed) -> Map<String, Value> {
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
