//! Each outreach attempt, and what the rules make of it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use rollbook_events::families::outreach::{Outreach, OutreachAttempted};
use rollbook_events::time::Day;
use rollbook_events::{Envelope, Event, MemberId, PlanCode, Program, decode};
use rollbook_projections::rules::outreach::judge;
use rollbook_projections::store::read::{Filter, Known};
use rollbook_projections::views::event_history::TABLE;
use rollbook_projections::{Cell, Column, ColumnType as T, Rulebook};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Asked;
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::doc::{self, Queried};
use super::doc_rows::{AttemptPage, AttemptRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::Problem;
use super::rows::Listing;
use super::values::{List, equal};
use super::withheld::is_withheld;
use crate::policy::{Fields, Scope};

/// What an attempt is given as; `known_from` stands at the end because it is the ledger's, not the attempt's.
pub const COLUMNS: &[Column] = &[
    Column { name: "member", kind: T::Uuid, comment: "the member's pseudonym" },
    Column { name: "position", kind: T::Integer, comment: "place in the log" },
    Column { name: "id", kind: T::Uuid, comment: "event id" },
    Column { name: "program", kind: T::Text, comment: "program outreach is for" },
    Column { name: "plan", kind: T::Text, comment: "whose record it is" },
    Column { name: "county", kind: T::Text, comment: "county" },
    Column { name: "occurred_on", kind: T::Day, comment: "civil day of the attempt, in California" },
    Column { name: "occurred_at", kind: T::Instant, comment: "instant of the attempt, where one is known" },
    Column { name: "recorded_at", kind: T::Instant, comment: "when the ledger learned it" },
    Column { name: "provider", kind: T::Text, comment: "who tried" },
    Column { name: "channel", kind: T::Text, comment: "how" },
    Column { name: "reached", kind: T::Text, comment: "who was reached" },
    Column { name: "staff", kind: T::Text, comment: "class of staff" },
    Column { name: "minutes", kind: T::Integer, comment: "how long it took, in minutes" },
    Column { name: "individualized", kind: T::Boolean, comment: "whether it was written for the member" },
    Column { name: "response_invited", kind: T::Boolean, comment: "whether it asked for a response" },
    Column { name: "live_staff", kind: T::Boolean, comment: "whether staff spoke" },
    Column { name: "callback", kind: T::Boolean, comment: "whether it was a call-back that staff took" },
    Column {
        name: "counts",
        kind: T::Boolean,
        comment: "whether it counts as an attempt, whatever it came to and whether or not it precedes enrollment",
    },
    Column { name: "reason", kind: T::Text, comment: "why it does not count" },
    Column {
        name: "contact",
        kind: T::Boolean,
        comment: "whether it counts and reached the member, or who may speak for a child",
    },
    Column { name: "source_system", kind: T::Text, comment: "where it was read" },
    Column { name: "source_file", kind: T::Text, comment: "SHA-256 of the file it was read in" },
    Column { name: "source_row", kind: T::Integer, comment: "row in that file" },
    Column { name: "known_from", kind: T::Integer, comment: "position since which it stands" },
];

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(of_member))
}

/// Which attempts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of these plans' records.
    #[param(schema_with = doc::plans)]
    plan: Option<List<PlanCode>>,
    /// For these programs.
    #[param(schema_with = doc::programs)]
    program: Option<List<Program>>,
    /// Made on this civil day in California or later.
    #[param(schema_with = doc::day)]
    from: Option<Day>,
    /// Made before this civil day.
    #[param(schema_with = doc::day)]
    until: Option<Day>,
    /// Made by the end of this civil day.
    #[param(schema_with = doc::day)]
    effective_at: Option<Day>,
}

impl Which {
    /// What is asked of the view: attempts that stand.
    fn listing(&self, scope: &Scope) -> Listing {
        let mut filter = Filter::default();
        filter.equal.push(("kind", vec!["outreach_attempted".into()]));
        filter.present.push(("voided_by", false));
        filter.equal.extend(equal("plan", self.plan.as_ref()));
        filter.equal.extend(equal("program", self.program.as_ref()));
        filter.at_least.extend(self.from.map(|day| ("occurred_on", day.0.into())));
        filter.less_than.extend(self.until.map(|day| ("occurred_on", day.0.into())));
        let next = self.effective_at.and_then(|day| day.0.succ_opt());
        filter.less_than.extend(next.map(|day| ("occurred_on", day.into())));
        Listing {
            table: &TABLE,
            order: Some("position"),
            filter,
            columns: COLUMNS.iter().map(|column| column.name).collect(),
            shape: {
                let fields = scope.fields().clone();
                Arc::new(move |known, rulebook| shape(known, rulebook, &fields))
            },
            withholds_itself: true,
        }
    }
}

/// What is told of an attempt whose source is withheld: that there was one, and whether it counts.
const OF_A_WITHHELD_ONE: &[&str] = &[
    "member",
    "position",
    "id",
    "program",
    "plan",
    "county",
    "occurred_on",
    "recorded_at",
    "counts",
    "contact",
    "known_from",
];

fn shape(known: &Known, rulebook: Option<&Rulebook>, fields: &Fields) -> Map<String, Value> {
    let is_withheld = is_withheld(&TABLE, known, fields);
    let recorded = known.json(&TABLE);
    let attempt = attempt(known);
    let told = attempt.as_ref().and_then(|(_, attempt)| serde_json::to_value(attempt).ok()).unwrap_or_default();
    let judged = attempt.zip(rulebook).map(|((stored, attempt), rulebook)| {
        let rules = rulebook.parameters(&stored.plan, stored.county, stored.occurred_at.day());
        judge(&attempt, &rules.outreach)
    });
    let value = |column: &Column| match column.name {
        name if is_withheld && !OF_A_WITHHELD_ONE.contains(&name) => Value::Null,
        "counts" => judged.map(|judged| judged.counts).into(),
        "reason" => judged.and_then(|judged| judged.reason).into(),
        "contact" => judged.map(|judged| judged.contact).into(),
        name => told.get(name).or_else(|| recorded.get(name)).cloned().unwrap_or_default(),
    };
    COLUMNS.iter().map(|column| (column.name.to_owned(), value(column))).collect()
}

fn attempt(known: &Known) -> Option<(Envelope, OutreachAttempted)> {
    let index = TABLE.columns.iter().position(|column| column.name == "event")?;
    let Some(Cell::Text(stored)) = known.row.cells.get(index) else { return None };
    let envelope = decode(stored.as_bytes()).ok()?;
    let Event::Outreach(Outreach::OutreachAttempted(attempt)) = &envelope.event else { return None };
    let attempt = attempt.clone();
    Some((envelope, attempt))
}

/// Outreach attempts that stand, each with what the rulebook in force makes of it.
#[utoipa::path(
    get,
    path = "/v1/outreach/attempts",
    operation_id = "list_outreach_attempts",
    tag = "views",
    params(Which, AsOf, Paging),
    responses(
        (status = 200, description = "Attempts in the order they were recorded", content(
            (AttemptPage = "application/json"),
            (AttemptRow = "application/x-ndjson"),
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
    asked.rows(edge, which.listing(&permit.scope)).await
}

/// The outreach attempts to a member, under every pseudonym that is the same person.
#[utoipa::path(
    get,
    path = "/v1/members/{member}/outreach/attempts",
    operation_id = "member_outreach_attempts",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), Which, AsOf, Paging),
    responses(
        (status = 200, description = "Attempts in the order they were recorded; none for a member nothing is known of", content(
            (AttemptPage = "application/json"),
            (AttemptRow = "application/x-ndjson"),
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
    asked.rows(edge, which.listing(&permit.scope).about(Some(group))).await
}
