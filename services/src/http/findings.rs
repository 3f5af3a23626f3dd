//! What a reader must look at: the rows of `finding`.

use std::fmt;
use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use rollbook_events::codes::Key;
use rollbook_events::time::Day;
use rollbook_events::{County, MemberId, PlanCode, Program};
use rollbook_projections::rules::finding;
use rollbook_projections::store::read::Filter;
use rollbook_projections::views::finding::TABLE;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Asked;
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::doc::{self, Queried};
use super::doc_rows::{FindingPage, FindingRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::Problem;
use super::rows::Listing;
use super::spans::{self, SpanStatus};
use super::values::{Expected, List, equal};

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(of_member))
}

/// The code of a finding, one of those there are.
#[derive(Debug, Clone, Copy)]
struct CodeName(&'static str);

impl fmt::Display for CodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for CodeName {
    type Err = Expected;
    fn from_str(text: &str) -> Result<Self, Expected> {
        finding::code(text).map(Self).ok_or(Expected("a code of a finding; /openapi.json lists them"))
    }
}

/// Which findings.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// With these codes.
    #[param(schema_with = doc::finding_codes)]
    code: Option<List<CodeName>>,
    /// In these plans' records.
    #[param(schema_with = doc::plans)]
    plan: Option<List<PlanCode>>,
    /// In these counties.
    #[param(schema_with = doc::counties)]
    county: Option<List<County>>,
    /// About these programs.
    #[param(schema_with = doc::programs)]
    program: Option<List<Program>>,
    /// By these rules of the catalogue.
    #[param(schema_with = doc::rules)]
    rule: Option<List<Key>>,
    /// How the matter stands on the day `effective_at`, or today. Without it, `effective_at` gives the findings that concern
    /// the day, and without both every finding is given.
    #[param(schema_with = doc::span_status)]
    status: Option<SpanStatus>,
    /// The civil day in California that is asked about.
    #[param(schema_with = doc::day)]
    effective_at: Option<Day>,
}

impl Which {
    /// What is asked of the view.
    fn listing(&self, today: NaiveDate) -> Listing {
        let mut filter = Filter::default();
        filter.equal.extend(equal("code", self.code.as_ref()));
        filter.equal.extend(equal("plan", self.plan.as_ref()));
        filter.equal.extend(equal("county", self.county.as_ref()));
        filter.equal.extend(equal("program", self.program.as_ref()));
        filter.equal.extend(equal("rule", self.rule.as_ref()));
        spans::cut(&mut filter, self.status, self.effective_at.map(|day| day.0), today);
        Listing::of(&TABLE, filter)
    }
}

/// What a reader must look at: each with its code, the rule that says so, the days it concerns and the events it rests on.
#[utoipa::path(
    get,
    path = "/v1/findings",
    operation_id = "list_findings",
    tag = "views",
    params(Which, AsOf, Paging),
    responses(
        (status = 200, description = "Findings, in the order of their keys; `until_on` is the first day they no longer concern", content(
            (FindingPage = "application/json"),
            (FindingRow = "application/x-ndjson"),
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
    let listing = which.listing(asked.basis.today);
    asked.rows(edge, listing).await
}

/// The findings on a member, under every pseudonym that is the same person.
#[utoipa::path(
    get,
    path = "/v1/members/{member}/findings",
    operation_id = "member_findings",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), Which, AsOf, Paging),
    responses(
        (status = 200, description = "The member's findings; none for a member nothing is known of", content(
            (FindingPage = "application/json"),
            (FindingRow = "application/x-ndjson"),
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
    let listing = which.listing(asked.basis.today).about(Some(group));
    asked.rows(edge, listing).await
}
