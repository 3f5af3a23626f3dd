//! Every clock of the rules: the rows of `clock`.

use axum::extract::State;
use axum::response::Response;
use rollbook_events::codes::Key;
use rollbook_events::time::Day;
use rollbook_events::{County, MemberId, PlanCode, Program};
use rollbook_projections::Cell;
use rollbook_projections::store::read::Filter;
use rollbook_projections::views::clock::TABLE;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Asked;
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::doc::{self, Queried};
use super::doc_rows::{ClockPage, ClockRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::Problem;
use super::rows::Listing;
use super::values::{List, equal};

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(of_member))
}

/// Which clocks.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// These clocks, as in `notice_advance`.
    #[param(schema_with = doc::clocks)]
    clock: Option<List<Key>>,
    /// In these plans' records.
    #[param(schema_with = doc::plans)]
    plan: Option<List<PlanCode>>,
    /// In these counties.
    #[param(schema_with = doc::counties)]
    county: Option<List<County>>,
    /// For these programs.
    #[param(schema_with = doc::programs)]
    program: Option<List<Program>>,
    /// Set by these rules of the catalogue; `CLK-6 extended` where it is extended.
    #[param(schema_with = doc::clock_rules)]
    rule: Option<List<Key>>,
    /// Whether it is the one that counts among those of its matter.
    #[param(value_type = bool, required = false)]
    governing: Option<bool>,
    /// That run out before this civil day in California.
    #[param(schema_with = doc::day)]
    due_before: Option<Day>,
    /// Whether what it waits for is on record.
    #[param(value_type = bool, required = false)]
    met: Option<bool>,
    /// Whether that came late; what is still waited for is neither late nor in time.
    #[param(value_type = bool, required = false)]
    late: Option<bool>,
}

impl Which {
    /// What is asked of the view.
    fn listing(&self) -> Listing {
        let mut filter = Filter::default();
        filter.equal.extend(equal("clock", self.clock.as_ref()));
        filter.equal.extend(equal("plan", self.plan.as_ref()));
        filter.equal.extend(equal("county", self.county.as_ref()));
        filter.equal.extend(equal("program", self.program.as_ref()));
        filter.equal.extend(equal("rule", self.rule.as_ref()));
        filter.equal.extend(self.governing.map(|governing| ("governing", vec![governing.into()])));
        filter.less_than.extend(self.due_before.map(|day| ("due_on", day.0.into())));
        filter.present.extend(self.met.map(|met| ("met_on", met)));
        match self.late {
            Some(true) => filter.at_least.push(("late_by_days", Cell::Integer(1))),
            Some(false) => filter.less_than.push(("late_by_days", Cell::Integer(1))),
            None => {}
        }
        Listing::of(&TABLE, filter)
    }
}

/// Every clock: since when it runs, when it has run out, which one governs, and when it was met.
#[utoipa::path(
    get,
    path = "/v1/clocks",
    operation_id = "list_clocks",
    tag = "views",
    params(Which, AsOf, Paging),
    responses(
        (status = 200, description = "Clocks, in the order of their keys; days and instants, never a state of today", content(
            (ClockPage = "application/json"),
            (ClockRow = "application/x-ndjson"),
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

/// The clocks of a member, under every pseudonym that is the same person.
#[utoipa::path(
    get,
    path = "/v1/members/{member}/clocks",
    operation_id = "member_clocks",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), Which, AsOf, Paging),
    responses(
        (status = 200, description = "The member's clocks; none for a member nothing is known of", content(
            (ClockPage = "application/json"),
            (ClockRow = "application/x-ndjson"),
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
