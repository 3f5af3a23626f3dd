//! One member: what the ledger holds of them, and from a CIN to their pseudonym.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use rollbook_events::time::Day;
use rollbook_events::{Cin, MemberId, RejectionCode, strict_json};
use rollbook_projections::Table;
use rollbook_projections::store::read::{Filter, Page, Sum, SumBy};
use rollbook_projections::views::{
    authorization, current_enrollment, duplication_conflict, finding, notice_determination, outreach_conversion,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{self, Answer};
use super::ask::Ask;
use super::auth::{Identify, Permit, Read};
use super::basis::Basis;
use super::doc::{self, LookedUp, QueriedOne};
use super::doc_rows::EnrollmentRow;
use super::edge::Edge;
use super::enrollments::on_day;
use super::notices::{self, Whether};
use super::params::{AsOf, Params, Segment, segment};
use super::problem::{Kind, Problem};
use super::rows::Listing;
use super::values::MOST_ROWS;
use super::withheld::withhold;
use crate::policy::Scope;

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(summary)).routes(routes!(lookup))
}

/// What the ledger holds of a member.
#[derive(Debug, Serialize, ToSchema)]
struct Summary {
    /// The member's pseudonym, as it was asked for.
    #[schema(value_type = String, format = Uuid)]
    member: MemberId,
    /// Every pseudonym of theirs that you know of, this one included.
    #[schema(value_type = Vec<String>)]
    linked: Vec<MemberId>,
    /// How many events there are that are yours to see.
    #[schema(minimum = 0)]
    events: u64,
    /// Position of the first; null where none of them is yours to see.
    #[schema(minimum = 1)]
    first_position: Option<u64>,
    /// Position of the last; null where none of them is yours to see.
    #[schema(minimum = 1)]
    last_position: Option<u64>,
    /// Enrollments on the day `effective_at`, or today.
    #[schema(value_type = Vec<EnrollmentRow>)]
    enrollments: Vec<Map<String, Value>>,
    /// Rows of each view.
    counts: Counts,
}

/// How many rows each view has of the member.
#[derive(Debug, Serialize, ToSchema)]
struct Counts {
    /// Spans of enrollments, past and planned ones too.
    #[schema(minimum = 0)]
    enrollments: i64,
    /// Overlaps of services that a rule speaks of, past ones too.
    #[schema(minimum = 0)]
    conflicts: i64,
    /// Outreach episodes.
    #[schema(minimum = 0)]
    outreach: i64,
    /// Determinations whether a notice is required, those that stand.
    #[schema(minimum = 0)]
    notices: i64,
    /// Authorizations, decided and undecided.
    #[schema(minimum = 0)]
    authorizations: i64,
    /// Findings that concern the day `effective_at`, or today.
    #[schema(minimum = 0)]
    findings: i64,
}

/// The day that is asked about.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct OnDay {
    /// The civil day in California that is asked about; today where it is left out.
    #[param(schema_with = doc::day)]
    effective_at: Option<Day>,
}

/// What the ledger holds of a member, under every pseudonym that is the same person.
#[utoipa::path(
    get,
    path = "/v1/members/{member}",
    operation_id = "get_member",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), OnDay, AsOf),
    responses((status = 200, description = "The member", body = Answer<Summary>), QueriedOne)
)]
async fn summary(
    permit: Permit<Read>,
    State(edge): State<Edge>,
    Segment(member): Segment<String>,
    ask: Ask,
    Params(on, as_of, ..): Params<OnDay, AsOf>,
) -> Result<Response, Problem> {
    let member: MemberId = segment("member", &member)?;
    let basis = Basis::of(&edge, &as_of, None).await?;
    let scope = &permit.scope;
    let group = basis.group(&edge, scope, member).await?;
    let mut events = edge.db.events_of(scope.sight(), &group).await?;
    events.retain(|recorded| recorded.position <= basis.position);
    let of_group = of_group(&basis, &group);
    let counts = Counts {
        enrollments: count(&edge, scope, &of_group, &current_enrollment::TABLE).await?,
        conflicts: count(&edge, scope, &of_group, &duplication_conflict::TABLE).await?,
        outreach: count(&edge, scope, &of_group, &outreach_conversion::TABLE).await?,
        notices: 0,
        authorizations: count(&edge, scope, &of_group, &authorization::TABLE).await?,
        findings: 0,
    };
    // An enrollment or overlap may be seen of whom no event is.
    if events.is_empty() && counts.enrollments == 0 && counts.conflicts == 0 {
        return Err(Problem::new(Kind::NotFound, "nothing is known of a member with this pseudonym"));
    }
    let day = on.effective_at.map_or(basis.today, |day| day.0);
    let on_the_day = Filter { holds: Some(day), ..of_group.clone() };
    let mut notices = of_group.clone();
    notices::cut(&mut notices, Whether::No, Whether::Yes, day);
    let summary = Summary {
        member,
        linked: linked(&edge, &basis, scope, member, &group).await?,
        events: u64::try_from(events.len()).unwrap_or(u64::MAX),
        first_position: events.first().map(|first| first.position.0),
        last_position: events.last().map(|last| last.position.0),
        enrollments: enrollments(&edge, scope, &on_the_day, day).await?,
        counts: Counts {
            notices: count(&edge, scope, &notices, &notice_determination::TABLE).await?,
            findings: count(&edge, scope, &on_the_day, &finding::TABLE).await?,
            ..counts
        },
    };
    basis.still(&edge).await?;
    answer::one(&ask, scope, &basis, summary)
}

fn of_group(basis: &Basis, group: &BTreeSet<MemberId>) -> Filter {
    let members = Some(group.iter().copied().collect());
    Filter { known_at: Some(basis.position), members, ..Filter::default() }
}

/// The pseudonyms of a group that the scope knows, and the one that was asked for.
async fn linked(
    edge: &Edge,
    basis: &Basis,
    scope: &Scope,
    member: MemberId,
    group: &BTreeSet<MemberId>,
) -> Result<Vec<MemberId>, Problem> {
    let mut linked = basis.seen(edge, scope, group).await?;
    linked.insert(member);
    Ok(linked.into_iter().collect())
}

/// The enrollments that a filter gives, each with how it stands on a day.
async fn enrollments(
    edge: &Edge,
    scope: &Scope,
    filter: &Filter,
    day: NaiveDate,
) -> Result<Vec<Map<String, Value>>, Problem> {
    let page = Page { order: None, after: None, most: MOST_ROWS };
    let mut rows = edge.db.page(scope.sight(), &current_enrollment::TABLE, filter, &page).await?;
    withhold(edge, scope, &current_enrollment::TABLE, &mut rows).await?;
    for row in &mut rows {
        row.known_until = None;
    }
    let listing = on_day(Listing::of(&current_enrollment::TABLE, filter.clone()), day);
    Ok(rows.iter().map(|known| (listing.shape)(known, None)).collect())
}

async fn count(edge: &Edge, scope: &Scope, filter: &Filter, table: &'static Table) -> Result<i64, Problem> {
    let sum = SumBy { by: Vec::new(), sums: vec![("rows", Sum::Rows)] };
    let found = edge.db.sum(scope.sight(), table, filter, &sum).await?;
    Ok(found.first().and_then(|(_, sums)| sums.first()).copied().unwrap_or(0))
}

/// A CIN, in a body because addresses end in logs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read field by field, so that no refusal can repeat the CIN")]
struct Lookup {
    /// The CIN, or the BIC id that begins with it.
    #[schema(pattern = "^[0-9]{8}[A-Za-z]([0-9]|[0-9]{5})?$", example = "90000000A")]
    cin: String,
}

/// A pseudonym.
#[derive(Debug, Serialize, ToSchema)]
struct Found {
    /// What was asked for.
    data: FoundMember,
}

/// A pseudonym.
#[derive(Debug, Serialize, ToSchema)]
struct FoundMember {
    /// The pseudonym of the member with this CIN, whether or not anything is known of them.
    #[schema(value_type = String, format = Uuid)]
    member: MemberId,
}

/// From a CIN to the pseudonym that this ledger has for it; a function of the CIN and the ledger's key alone.
#[utoipa::path(
    post,
    path = "/v1/members/lookup",
    operation_id = "look_up_member",
    tag = "members",
    request_body = Lookup,
    responses((status = 200, description = "The pseudonym", body = Found), LookedUp)
)]
async fn lookup(_: Permit<Identify>, State(edge): State<Edge>, body: Bytes) -> Result<Json<Found>, Problem> {
    let value = strict_json::parse(&body).map_err(|rejection| Problem::refusal(&rejection, true))?;
    let refused =
        |code: RejectionCode, detail: &str| Problem::new(Kind::Rejected, "").and("cin", code.as_str(), detail);
    let fields = value.as_object().filter(|fields| fields.keys().all(|name| name == "cin"));
    let Some(Value::String(cin)) = fields.and_then(|fields| fields.get("cin")) else {
        return Err(refused(RejectionCode::MissingField, "is required, a text, and the only field"));
    };
    let cin: Cin = cin
        .parse()
        .map_err(|error: rollbook_events::cin::BadCin| refused(RejectionCode::BadIdentifier, &error.to_string()))?;
    Ok(Json(Found { data: FoundMember { member: edge.key.member(&cin) } }))
}
