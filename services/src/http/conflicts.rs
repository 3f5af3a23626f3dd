//! What may not run at once, or only with care: the overlaps of `duplication_conflict`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use rollbook_events::codes::Key;
use rollbook_events::time::Day;
use rollbook_events::{MemberId, PlanCode};
use rollbook_projections::store::read::{Filter, Known, kind_of};
use rollbook_projections::views::duplication_conflict::TABLE;
use rollbook_projections::{Column, ColumnType as T};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Asked;
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::doc::{self, Queried};
use super::doc_rows::{ConflictPage, ConflictRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::Problem;
use super::rows::Listing;
use super::spans::{self, SpanStatus};
use super::values::{List, equal, words};
use crate::ledger_key::LedgerKey;

words! {
    /// What follows from an overlap.
    Outcome {
        /// They duplicate each other.
        Conflict = "conflict",
        /// The member picks one.
        Choose = "choose",
        /// The member is to be disenrolled from the first.
        Exclude = "exclude",
        /// The coverage rules the first out.
        NotEligible = "not_eligible",
        /// Two enrollments in one program.
        DuplicateEnrollment = "duplicate_enrollment",
        /// Both may run, with a duty not to duplicate.
        AllowCoordinated = "allow_coordinated",
        /// The sources disagree: a person decides.
        Review = "review",
        /// Whatever follows.
        Any = "any",
    }
}

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(of_member))
}

/// Which overlaps.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// With these outcomes; `any` gives all. Without it, all but `allow_coordinated`.
    #[param(schema_with = doc::outcomes)]
    outcome: Option<List<Outcome>>,
    /// With one of these plans on either side.
    #[param(schema_with = doc::plans)]
    plan: Option<List<PlanCode>>,
    /// With one of these programs, or coverages, on either side.
    #[param(schema_with = doc::sides)]
    program: Option<List<Key>>,
    /// By these rules of the catalogue.
    #[param(schema_with = doc::rules)]
    rule: Option<List<Key>>,
    /// Whether the member has chosen.
    #[param(value_type = bool, required = false)]
    resolved: Option<bool>,
    /// How the overlap stands on the day `effective_at`, or today. Without it, `effective_at` gives the overlaps that hold on
    /// the day, and without both every overlap is given.
    #[param(schema_with = doc::span_status)]
    status: Option<SpanStatus>,
    /// The civil day in California that is asked about.
    #[param(schema_with = doc::day)]
    effective_at: Option<Day>,
}

impl Which {
    /// What is asked of the view.
    fn listing(&self, edge: &Edge, today: NaiveDate) -> Listing {
        let mut filter = Filter::default();
        match &self.outcome {
            None => filter.unequal.push(("outcome", vec![Outcome::AllowCoordinated.as_str().into()])),
            Some(outcomes) if outcomes.0.contains(&Outcome::Any) => {}
            Some(outcomes) => filter.equal.push(("outcome", outcomes.cells())),
        }
        filter.either.extend(self.plan.as_ref().map(|plans| (["plan_a", "plan_b"], plans.cells())));
        filter.either.extend(self.program.as_ref().map(|programs| (["program_a", "program_b"], programs.cells())));
        filter.equal.extend(equal("rule", self.rule.as_ref()));
        filter.present.extend(self.resolved.map(|resolved| ("resolution", resolved)));
        spans::cut(&mut filter, self.status, self.effective_at.map(|day| day.0), today);
        let mut listing = Listing::of(&TABLE, filter);
        listing.columns.extend(OF_BOTH_SIDES.iter().map(|column| column.name));
        let key = edge.key.clone();
        listing.shape = Arc::new(move |known, _| told(known, &key));
        listing
    }
}

/// What each side is told of an overlap besides the view's columns.
pub const OF_BOTH_SIDES: &[Column] = &[
    Column { name: "conflict", kind: T::Uuid, comment: "names the overlap, the same to each side that asks" },
    Column { name: "kind_a", kind: T::Text, comment: "kind of the first side's program, as ecm or community_support" },
    Column { name: "kind_b", kind: T::Text, comment: "kind of the second side's" },
];

/// A row as it is told. Of a side that is another organization's there are no more than kind, record and days: the store has
/// put the kind in the place of the program, and the first position in that of the true one.
fn told(known: &Known, key: &LedgerKey) -> Map<String, Value> {
    let mut row = known.json(&TABLE);
    row.insert("conflict".to_owned(), key.name_of("conflict", &known.row.key).to_string().into());
    for (program, evidence, kind) in [("program_a", "evidence_a", "kind_a"), ("program_b", "evidence_b", "kind_b")] {
        let written = row.get(program).and_then(Value::as_str).unwrap_or_default().to_owned();
        let is_anothers = row.get(evidence).is_none_or(Value::is_null);
        let told = if is_anothers { written.as_str() } else { kind_of(&written) };
        row.insert(kind.to_owned(), told.into());
        if is_anothers {
            row.insert(program.to_owned(), Value::Null);
        }
    }
    if known.known_from.0 == 0 {
        row.insert("known_from".to_owned(), Value::Null);
    }
    row
}

/// Who is in two services that may not run at once, or only with care, and by which rule. Of a side that is another
/// organization's you are told the kind of its program, the days, and whose record it is, whom to call; `conflict` names the
/// overlap to both.
#[utoipa::path(
    get,
    path = "/v1/conflicts",
    operation_id = "list_conflicts",
    tag = "views",
    params(Which, AsOf, Paging),
    responses(
        (status = 200, description = "Overlaps of spans that a rule speaks of, in the order of their keys", content(
            (ConflictPage = "application/json"),
            (ConflictRow = "application/x-ndjson"),
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
    let listing = which.listing(&edge, asked.basis.today);
    asked.rows(edge, listing).await
}

/// The overlaps of a member's services, under every pseudonym that is the same person.
#[utoipa::path(
    get,
    path = "/v1/members/{member}/conflicts",
    operation_id = "member_conflicts",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), Which, AsOf, Paging),
    responses(
        (status = 200, description = "The member's overlaps; none for a member nothing is known of", content(
            (ConflictPage = "application/json"),
            (ConflictRow = "application/x-ndjson"),
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
    let listing = which.listing(&edge, asked.basis.today).about(Some(group));
    asked.rows(edge, listing).await
}
