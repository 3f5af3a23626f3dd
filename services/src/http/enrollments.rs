//! Who is enrolled in what: the spans of `current_enrollment`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use rollbook_events::codes::{Basis, Channel};
use rollbook_events::time::Day;
use rollbook_events::{County, MemberId, PlanCode, Program, Provider};
use rollbook_projections::store::read::Filter;
use rollbook_projections::views::current_enrollment::TABLE;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Asked;
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::doc::{self, Queried};
use super::doc_rows::{EnrollmentPage, EnrollmentRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::Problem;
use super::rows::Listing;
use super::spans::{self, SpanStatus};
use super::values::{List, equal};

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(of_member))
}

/// Which spans.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of these plans.
    #[param(schema_with = doc::plans)]
    plan: Option<List<PlanCode>>,
    /// In these programs.
    #[param(schema_with = doc::programs)]
    program: Option<List<Program>>,
    /// In these counties.
    #[param(schema_with = doc::counties)]
    county: Option<List<County>>,
    /// Served by these providers, by the latest assignment.
    #[param(schema_with = doc::providers)]
    provider: Option<List<Provider>>,
    /// Resting on this.
    #[param(schema_with = doc::bases)]
    basis: Option<List<Basis>>,
    /// Delivered and billed by these, by the latest assignment.
    #[param(schema_with = doc::channels)]
    channel: Option<List<Channel>>,
    /// How the span stands on the day `effective_at`, or today. Without it, `effective_at` gives the spans that cover the
    /// day, and without both every span is given.
    #[param(schema_with = doc::span_status)]
    status: Option<SpanStatus>,
    /// The civil day in California that is asked about.
    #[param(schema_with = doc::day)]
    effective_at: Option<Day>,
}

impl Which {
    /// What is asked of the view.
    pub fn listing(&self, today: NaiveDate) -> Listing {
        let mut filter = Filter::default();
        filter.equal.extend(equal("plan", self.plan.as_ref()));
        filter.equal.extend(equal("program", self.program.as_ref()));
        filter.equal.extend(equal("county", self.county.as_ref()));
        filter.equal.extend(equal("provider", self.provider.as_ref()));
        filter.equal.extend(equal("basis", self.basis.as_ref()));
        filter.equal.extend(equal("channel", self.channel.as_ref()));
        let day = self.effective_at.map(|day| day.0);
        spans::cut(&mut filter, self.status, day, today);
        on_day(Listing::of(&TABLE, filter), day.unwrap_or(today))
    }
}

/// Adds to each row how it stands on a day.
pub fn on_day(mut listing: Listing, day: NaiveDate) -> Listing {
    listing.columns.push("status");
    listing.shape = Arc::new(move |known, _| {
        let mut row = known.json(&TABLE);
        let status = spans::status_on(row.get("from_on"), row.get("until_on"), day);
        row.insert("status".to_owned(), status.as_str().into());
        row
    });
    listing
}

/// Who is enrolled in what, by which plan and provider, from when until when.
#[utoipa::path(
    get,
    path = "/v1/enrollments",
    operation_id = "list_enrollments",
    tag = "views",
    params(Which, AsOf, Paging),
    responses(
        (status = 200, description = "Spans of enrollments, in the order of their keys; `until_on` is the first day no longer covered", content(
            (EnrollmentPage = "application/json"),
            (EnrollmentRow = "application/x-ndjson"),
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

/// The enrollments of a member, under every pseudonym that is the same person.
#[utoipa::path(
    get,
    path = "/v1/members/{member}/enrollments",
    operation_id = "member_enrollments",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), Which, AsOf, Paging),
    responses(
        (status = 200, description = "Spans of the member's enrollments; none for a member nothing is known of", content(
            (EnrollmentPage = "application/json"),
            (EnrollmentRow = "application/x-ndjson"),
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
