//! The audit list: every event in the order of the log, from `event_history`.

use axum::extract::State;
use axum::response::Response;
use chrono::Duration;
use rollbook_events::time::{Day, start_of_pacific_day};
use rollbook_events::{Kind, MemberId, PlanCode, Position, Program};
use rollbook_projections::Cell;
use rollbook_projections::store::read::Filter;
use rollbook_projections::views::event_history::TABLE;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Asked;
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::doc::{self, Queried};
use super::doc_rows::{EventPage, EventRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::Problem;
use super::rows::Listing;
use super::values::{Expected, List, PlaceOrDay, equal};

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(of_member))
}

/// The name of a kind of event.
#[derive(Debug, Clone, Copy)]
pub struct KindName(pub Kind);

impl std::fmt::Display for KindName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

impl std::str::FromStr for KindName {
    type Err = Expected;
    fn from_str(text: &str) -> Result<Self, Expected> {
        Kind::parse(text).map(Self).ok_or(Expected("a kind of event; /schemas lists them"))
    }
}

/// Which events.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of these kinds.
    #[param(schema_with = doc::kinds)]
    kind: Option<List<KindName>>,
    /// Of these plans' records.
    #[param(schema_with = doc::plans)]
    plan: Option<List<PlanCode>>,
    /// About these programs.
    #[param(schema_with = doc::programs)]
    program: Option<List<Program>>,
    /// Recorded from this position on, or from the beginning of this civil day in California on.
    #[param(schema_with = doc::place_or_day)]
    from: Option<PlaceOrDay>,
    /// Recorded before this position, or before the beginning of this civil day.
    #[param(schema_with = doc::place_or_day)]
    until: Option<PlaceOrDay>,
    /// Of what had happened by the end of this civil day, whenever it was recorded.
    #[param(schema_with = doc::day)]
    effective_at: Option<Day>,
}

impl Which {
    /// What is asked of the view.
    async fn listing(&self, edge: &Edge) -> Result<Listing, Problem> {
        let mut filter = Filter::default();
        filter.equal.extend(equal("kind", self.kind.as_ref()));
        filter.equal.extend(equal("plan", self.plan.as_ref()));
        filter.equal.extend(equal("program", self.program.as_ref()));
        if let Some(from) = self.from {
            filter.at_least.push(("position", place(edge, from).await?));
        }
        if let Some(until) = self.until {
            filter.less_than.push(("position", place(edge, until).await?));
        }
        if let Some(next) = self.effective_at.and_then(|day| day.0.succ_opt()) {
            filter.less_than.push(("occurred_on", next.into()));
        }
        Ok(Listing { order: Some("position"), ..Listing::of(&TABLE, filter) })
    }
}

/// The first position that is meant; of a day, the first one recorded on it or later.
async fn place(edge: &Edge, at: PlaceOrDay) -> Result<Cell, Problem> {
    let position = match at {
        PlaceOrDay::Place(position) => position,
        PlaceOrDay::Day(day) => {
            let before = start_of_pacific_day(day.0).to_utc() - Duration::microseconds(1);
            Position(edge.db.position_at(before).await?.0 + 1)
        }
    };
    Ok(Cell::Integer(i64::try_from(position.0).unwrap_or(i64::MAX)))
}

/// Every event in the order it was recorded: who said what, when it was true, when it was known, what corrected it.
#[utoipa::path(
    get,
    path = "/v1/events",
    operation_id = "list_events",
    tag = "views",
    params(Which, AsOf, Paging),
    responses(
        (status = 200, description = "Events in the order of their positions, voided ones included", content(
            (EventPage = "application/json"),
            (EventRow = "application/x-ndjson"),
            (String = "text/csv"),
        )),
        Queried,
    )
)]
async fn list(
    permit: Permit<Read>,
    State(edge): State<Edge>,
    ask: Ask,
    Params(which, as_of, paging, _): Params<Which, AsOf, Paging>,
) -> Result<Response, Problem> {
    let asked = Asked::of(&edge, &permit.scope, ask, &as_of, paging).await?;
    let listing = which.listing(&edge).await?;
    asked.rows(edge, listing).await
}

/// Every event of a member, under every pseudonym that is the same person.
#[utoipa::path(
    get,
    path = "/v1/members/{member}/history",
    operation_id = "member_history",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), Which, AsOf, Paging),
    responses(
        (status = 200, description = "The member's events in the order of their positions; none for a member nothing is known of", content(
            (EventPage = "application/json"),
            (EventRow = "application/x-ndjson"),
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
    Params(which, as_of, paging, _): Params<Which, AsOf, Paging>,
) -> Result<Response, Problem> {
    let member: MemberId = segment("member", &member)?;
    let asked = Asked::of(&edge, &permit.scope, ask, &as_of, paging).await?;
    let group = asked.basis.group(&edge, &permit.scope, member).await?;
    let listing = which.listing(&edge).await?.about(Some(group));
    asked.rows(edge, listing).await
}
