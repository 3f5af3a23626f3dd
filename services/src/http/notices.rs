//! Whether Notices of Action are required, and what became of them: the rows of `notice_determination`.

use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use rollbook_events::codes::{Key, NoticeKind, NoticeOutcome};
use rollbook_events::time::Day;
use rollbook_events::{County, MemberId, PlanCode, Program};
use rollbook_projections::Cell;
use rollbook_projections::store::read::Filter;
use rollbook_projections::views::notice_determination::TABLE;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Asked;
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::doc::{self, Queried};
use super::doc_rows::{NoticePage, NoticeRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::Problem;
use super::rows::Listing;
use super::values::{List, equal, words};

words! {
    /// Whether something is so.
    Whether {
        /// It is.
        Yes = "true",
        /// It is not.
        No = "false",
        /// Whichever way it is.
        Any = "any",
    }
}

impl Whether {
    /// What it must be; none where it may be either.
    const fn only(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Any => None,
        }
    }
}

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(of_member))
}

/// Which determinations.
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
    /// That say so.
    #[param(schema_with = doc::notice_outcomes)]
    outcome: Option<List<NoticeOutcome>>,
    /// Of these kinds of notice.
    #[param(schema_with = doc::notice_kinds)]
    notice: Option<List<NoticeKind>>,
    /// By these rules of the catalogue.
    #[param(schema_with = doc::rules)]
    rule: Option<List<Key>>,
    /// Whether a notice was mailed for it.
    #[param(value_type = bool, required = false)]
    issued: Option<bool>,
    /// To be mailed before this civil day in California.
    #[param(schema_with = doc::day)]
    due_before: Option<Day>,
    /// Whether the notice was mailed after its last lawful day; what was not mailed is neither late nor in time.
    #[param(value_type = bool, required = false)]
    late: Option<bool>,
    /// Whether the event that raised the question was voided; `false` where it is left out.
    #[param(schema_with = doc::whether)]
    voided: Option<Whether>,
    /// Whether no other determination has taken its place; `true` where it is left out.
    #[param(schema_with = doc::whether)]
    standing: Option<Whether>,
    /// That concern this civil day in California or one before it: the end of service, the decision, the day a
    /// request's clock ran out. Without it every determination is given, and of the undecided requests those whose
    /// clock has run out by today.
    #[param(schema_with = doc::day)]
    effective_at: Option<Day>,
}

impl Which {
    /// What is asked of the view.
    fn listing(&self, today: NaiveDate) -> Listing {
        let mut filter = Filter::default();
        filter.equal.extend(equal("plan", self.plan.as_ref()));
        filter.equal.extend(equal("county", self.county.as_ref()));
        filter.equal.extend(equal("program", self.program.as_ref()));
        filter.equal.extend(equal("outcome", self.outcome.as_ref()));
        filter.equal.extend(equal("notice", self.notice.as_ref()));
        filter.equal.extend(equal("rule", self.rule.as_ref()));
        filter.present.extend(self.issued.map(|issued| ("issued_notice", issued)));
        filter.less_than.extend(self.due_before.map(|day| ("mail_by", day.0.into())));
        match self.late {
            Some(true) => filter.at_least.push(("late_by_days", Cell::Integer(1))),
            Some(false) => filter.less_than.push(("late_by_days", Cell::Integer(1))),
            None => {}
        }
        let (voided, standing) = (self.voided.unwrap_or(Whether::No), self.standing.unwrap_or(Whether::Yes));
        cut(&mut filter, voided, standing, self.effective_at.map_or(today, |day| day.0));
        let next = self.effective_at.and_then(|day| day.0.succ_opt());
        filter.less_than.extend(next.map(|day| ("from_on", day.into())));
        Listing::of(&TABLE, filter)
    }
}

/// Cuts a filter down to determinations that stand and are of nothing voided, or to others; in any case without requests
/// whose clock has not run out by a day.
pub fn cut(filter: &mut Filter, voided: Whether, standing: Whether, day: NaiveDate) {
    filter.equal.extend(voided.only().map(|voided| ("voided", vec![voided.into()])));
    filter.present.extend(standing.only().map(|standing| ("superseded_by", !standing)));
    // Days end in 2199, long before the calendar does.
    let next = day.succ_opt().unwrap_or(day);
    filter.present_unless.push(("determination", ("from_on", next.into())));
}

/// Whether Notices of Action are required and why, by when they were due, and whether they were mailed.
#[utoipa::path(
    get,
    path = "/v1/notices",
    operation_id = "list_notices",
    tag = "views",
    params(Which, AsOf, Paging),
    responses(
        (status = 200, description = "Determinations, in the order of their keys; `determination` is null where a request ran out undecided and no event tells of it yet", content(
            (NoticePage = "application/json"),
            (NoticeRow = "application/x-ndjson"),
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

/// The determinations on a member, under every pseudonym that is the same person.
#[utoipa::path(
    get,
    path = "/v1/members/{member}/notices",
    operation_id = "member_notices",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), Which, AsOf, Paging),
    responses(
        (status = 200, description = "The member's determinations; none for a member nothing is known of", content(
            (NoticePage = "application/json"),
            (NoticeRow = "application/x-ndjson"),
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
