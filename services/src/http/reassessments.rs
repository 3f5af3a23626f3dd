//! When members are to be reassessed, and when they were: the rows of `reassessment`.

use axum::extract::State;
use axum::response::Response;
use rollbook_events::time::Day;
use rollbook_events::{County, MemberId, PlanCode, Program};
use rollbook_projections::Cell;
use rollbook_projections::store::read::Filter;
use rollbook_projections::views::reassessment::TABLE;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Asked;
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::doc::{self, Queried};
use super::doc_rows::{ReassessmentPage, ReassessmentRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::Problem;
use super::rows::Listing;
use super::values::{List, equal};

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(of_member))
}

/// Which reassessments.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// In these plans' records.
    #[param(schema_with = doc::plans)]
    plan: Option<List<PlanCode>>,
    /// In these counties.
    #[param(schema_with = doc::counties)]
    county: Option<List<County>>,
    /// For these programs.
    #[param(schema_with = doc::programs)]
    program: Option<List<Program>>,
    /// To be done before this civil day in California.
    #[param(schema_with = doc::day)]
    due_before: Option<Day>,
    /// Whether it is on record as done.
    #[param(value_type = bool, required = false)]
    done: Option<bool>,
    /// Whether it was done after its last day; what is not done is neither late nor in time.
    #[param(value_type = bool, required = false)]
    late: Option<bool>,
}

impl Which {
    /// What is asked of the view.
    fn listing(&self) -> Listing {
        let mut filter = Filter::default();
        filter.equal.extend(equal("plan", self.plan.as_ref()));
        filter.equal.extend(equal("county", self.county.as_ref()));
        filter.equal.extend(equal("program", self.program.as_ref()));
        filter.less_than.extend(self.due_before.map(|day| ("due_on", day.0.into())));
        filter.present.extend(self.done.map(|done| ("done_on", done)));
        match self.late {
            Some(true) => filter.at_least.push(("late_by_days", Cell::Integer(1))),
            Some(false) => filter.less_than.push(("late_by_days", Cell::Integer(1))),
            None => {}
        }
        Listing::of(&TABLE, filter)
    }
}

/// By when members are to be reassessed, when they were, and from when on the next would not be too frequent.
#[utoipa::path(
    get,
    path = "/v1/reassessments",
    operation_id = "list_reassessments",
    tag = "views",
    params(Which, AsOf, Paging),
    responses(
        (status = 200, description = "Spans of enrollments that are to be reassessed or were, in the order of their keys", content(
            (ReassessmentPage = "application/json"),
            (ReassessmentRow = "application/x-ndjson"),
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
    asked.rows(edge, which.listing()).await
}

/// The reassessments of a member, under every pseudonym that is the same person.
#[utoipa::path(
    get,
    path = "/v1/members/{member}/reassessments",
    operation_id = "member_reassessments",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), Which, AsOf, Paging),
    responses(
        (status = 200, description = "The member's reassessments; none for a member nothing is known of", content(
            (ReassessmentPage = "application/json"),
            (ReassessmentRow = "application/x-ndjson"),
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
    asked.rows(edge, which.listing().about(Some(group))).await
}
