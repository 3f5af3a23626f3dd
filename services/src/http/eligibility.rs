//! Which programs a member may have, and why: no view, but worked out from the facts when somebody asks.

use axum::extract::State;
use axum::response::Response;
use rollbook_events::codes::Channel;
use rollbook_events::time::Day;
use rollbook_events::{County, Envelope, MemberId, PlanCode, Program};
use rollbook_projections::rules::eligibility::Question;
use rollbook_projections::rules::eligibility::table::{TABLE, rows};
use rollbook_projections::rules::facts::Facts;
use rollbook_projections::store::read::Known;
use rollbook_projections::{Cell, Dossier, Row, Rulebook};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Asked;
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::basis::Basis;
use super::doc::{self, Queried};
use super::doc_rows::{EligibilityPage, EligibilityRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::Problem;
use super::rows::columns;
use super::values::List;
use crate::policy::Scope;

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(of_member))
}

/// What is asked about.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// These programs; ECM and every Community Support where it is left out.
    #[param(schema_with = doc::programs)]
    program: Option<List<Program>>,
    /// Through this channel; without it, rows name one only where it makes a difference.
    #[param(schema_with = doc::channel)]
    channel: Option<Channel>,
    /// Of this plan; that of the member's last event where it is left out.
    #[param(schema_with = doc::plan)]
    plan: Option<PlanCode>,
    /// In this county; that of the member's last event where it is left out.
    #[param(schema_with = doc::county)]
    county: Option<County>,
    /// On this civil day in California; without it, every span of days is given.
    #[param(schema_with = doc::day)]
    effective_at: Option<Day>,
}

impl Which {
    /// The answers by what a dossier holds, in the order they are asked for.
    fn rows(&self, dossier: &Dossier, rulebook: &Rulebook) -> Vec<Row> {
        let Some(last) = dossier.last().map(|last| &*last.envelope) else { return Vec::new() };
        let facts = Facts::of(dossier, rulebook);
        let (plan, county) = (self.plan.as_ref().unwrap_or(&last.plan), self.county.unwrap_or(last.county));
        let programs = self.program.as_ref().map_or_else(|| usual(last, rulebook), |programs| programs.0.clone());
        let question = |program| Question { program, channel: self.channel, plan, county };
        let mut all: Vec<Row> = programs.into_iter().flat_map(|program| rows(&facts, &question(program))).collect();
        all.retain(|row| self.effective_at.is_none_or(|day| holds(row, day)));
        all
    }
}

/// The programs that the rules on notices speak of, which are ECM and the Community Supports (NOA-6).
fn usual(last: &Envelope, rulebook: &Rulebook) -> Vec<Program> {
    let programs = &rulebook.parameters(&last.plan, last.county, last.occurred_at.day()).notices.programs;
    if programs.is_empty() { vec![Program::Ecm] } else { programs.clone() }
}

/// Whether a row's span holds a day.
fn holds(row: &Row, day: Day) -> bool {
    let cell = |name: &str| {
        let index = TABLE.columns.iter().position(|column| column.name == name)?;
        row.cells.get(index)
    };
    let from = matches!(cell("from_on"), Some(Cell::Day(from)) if *from <= day.0);
    from && !matches!(cell("until_on"), Some(Cell::Day(until)) if *until <= day.0)
}

/// Which programs a member may have, and why, as spans of days; under every pseudonym that is the same person. Nothing of it
/// is stored, so that `known_from` and `known_until` are null; `known_at` asks by what was known then. It is answered by those
/// events alone that are yours to see: what another organization told of the member does not count in it.
#[utoipa::path(
    get,
    path = "/v1/members/{member}/eligibility",
    operation_id = "member_eligibility",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), Which, AsOf, Paging),
    responses(
        (status = 200, description = "Spans, by program, channel and day; none for a member nothing is known of", content(
            (EligibilityPage = "application/json"),
            (EligibilityRow = "application/x-ndjson"),
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
    let rows = answers(&edge, &permit.scope, &asked.basis, member, &which).await?;
    asked.basis.still(&edge).await?;
    asked.whole(&edge, &columns(&TABLE), rows)
}

async fn answers(
    edge: &Edge,
    scope: &Scope,
    basis: &Basis,
    member: MemberId,
    which: &Which,
) -> Result<Vec<Map<String, Value>>, Problem> {
    let Some(rulebook) = &basis.rulebook else { return Ok(Vec::new()) };
    let dossier = basis.dossier(edge, scope, member).await?;
    let rows = which.rows(&dossier, rulebook).into_iter().map(|row| {
        let mut told = Known { row, known_from: basis.position, known_until: None }.json(&TABLE);
        told.insert("known_from".to_owned(), Value::Null);
        told
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(from: &str, until: Option<&str>) -> Row {
        let day = |text: &str| Cell::Day(text.parse().unwrap());
        let cells = TABLE.columns.iter().map(|column| match column.name {
            "from_on" => day(from),
            "until_on" => until.map_or(Cell::Null, day),
            _ => Cell::Null,
        });
        Row { key: String::new(), member: None, cells: cells.collect() }
    }

    #[test]
    fn a_span_holds_its_first_day_and_not_the_first_day_no_longer() {
        let on = |day: &str, row: &Row| holds(row, day.parse().unwrap());
        let closed = row("2024-01-01", Some("2024-02-01"));
        let days = ["2023-12-31", "2024-01-01", "2024-01-31", "2024-02-01"];
        assert_eq!(days.map(|day| on(day, &closed)), [false, true, true, false]);
        assert!(on("2199-01-01", &row("2024-01-01", None)));
    }
}
