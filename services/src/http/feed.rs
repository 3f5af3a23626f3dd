//! The feed of a plan, followed: server-sent events or NDJSON, from any number or position, for as long as the caller listens.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use rollbook_events::{PlanCode, Program};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask::Ask;
use super::auth::{Permit, Subscribe};
use super::doc::{self, Followed};
use super::edge::Edge;
use super::events::KindName;
use super::feed_stream::{FeedLine, Follower, Form, Kept};
use super::params::Params;
use super::problem::{Kind as ProblemKind, Problem};
use super::values::{Expected, List, Place as LogPlace, from_text};
use crate::feed::error::FeedError;
use crate::feed::reader::{MOST_FOLLOWERS, Place};
use crate::feed::{Feed, Heard};
use crate::policy::{Action, Resource};

/// The header by which a caller of server-sent events goes on where it was.
const LAST_EVENT_ID: &str = "last-event-id";

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(follow))
}

/// A number in the feed of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(pub u64);

impl std::str::FromStr for Number {
    type Err = Expected;
    fn from_str(text: &str) -> Result<Self, Expected> {
        let number = text.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok());
        number.map(Self).ok_or(Expected("a number of the plan's feed, a whole number from 0"))
    }
}

from_text! { Number }

/// Whose feed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Whose {
    /// The plan; the caller's own organization where it is left out.
    #[param(schema_with = doc::plan)]
    plan: Option<PlanCode>,
}

impl Whose {
    /// The plan, if its feed is the caller's to read. Any other is answered as a plan that does not exist.
    ///
    /// # Errors
    /// Where it is not, or none is named and the caller's organization has none.
    pub fn plan(self, permit: &Permit<Subscribe>) -> Result<PlanCode, Problem> {
        let own = permit.caller.actor.org.parse::<PlanCode>().ok();
        let plan = self.plan.or(own).ok_or_else(|| Problem::parameter("plan", "is required"))?;
        let outside = |_| Problem::new(ProblemKind::NotFound, "there is no such feed");
        permit.also(Action::Subscribe, Resource::Feed(&plan)).map_err(outside)?;
        Ok(plan)
    }
}

/// From where, and for how long.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct From {
    /// From this number on; 1 where neither this nor `from_position` nor a header `Last-Event-ID` says otherwise.
    #[param(schema_with = doc::feed_number)]
    from: Option<Number>,
    /// From the first event at this position of the log or after it.
    #[param(schema_with = doc::position)]
    from_position: Option<LogPlace>,
    /// `false` ends the answer with the last message there is now; else it waits for more.
    #[param(value_type = bool, required = false)]
    wait: Option<bool>,
}

/// Which messages. Numbers are counted over all of them, so that with a filter some are passed by; heartbeats tell how far.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Of these kinds.
    #[param(schema_with = doc::kinds)]
    kind: Option<List<KindName>>,
    /// About these programs. An event that is redacted names none, and is given whatever is asked for.
    #[param(schema_with = doc::programs)]
    program: Option<List<Program>>,
}

impl Filter {
    fn kept(self) -> Kept {
        let kinds = self.kind.map(|kinds| kinds.0.into_iter().map(|kind| kind.0.name()).collect::<Vec<_>>());
        let programs = self.program.map(|programs| programs.0);
        Box::new(move |heard: &Heard| {
            let of_kind = kinds.as_ref().is_none_or(|kinds| kinds.contains(&heard.kind.as_str()));
            let about = |program: &Program| heard.program.as_deref() == Some(program.as_str());
            of_kind && (heard.redacted || programs.as_ref().is_none_or(|programs| programs.iter().any(about)))
        })
    }
}

/// The headers that a follower sends.
#[derive(Debug)]
struct Headers {
    form: Option<Form>,
    last_event_id: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Headers {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Self { form: Form::of(header(ACCEPT.as_str()).as_deref()), last_event_id: header(LAST_EVENT_ID) })
    }
}

/// The feed of this program, where it gives one.
///
/// # Errors
/// Where it gives none.
pub fn feed(edge: &Edge) -> Result<&Feed, Problem> {
    let elsewhere = || Problem::new(ProblemKind::Unavailable, "this program gives no feed; ask a query server");
    edge.feed.as_ref().ok_or_else(elsewhere)
}

/// What cannot be told of the feed.
pub fn problem(error: &FeedError) -> Problem {
    match error {
        FeedError::Read(_) | FeedError::Log { .. } | FeedError::Moved | FeedError::Ended => Problem::unavailable(error),
        FeedError::Settings(_)
        | FeedError::Damaged { .. }
        | FeedError::Ahead { .. }
        | FeedError::Differs { .. }
        | FeedError::Event { .. }
        | FeedError::Append(_) => Problem::internal(error),
    }
}

/// That the caller has seen more than there is.
pub async fn ends_before(feed: &Feed, plan: &PlanCode) -> Problem {
    let last = feed.last(plan).await.ok().flatten().map_or(0, |last| last.standing.number);
    Problem::new(ProblemKind::FeedEndsBefore, format!("the feed of this plan ends at number {last}"))
}

/// After which message the answer begins.
async fn place(feed: &Feed, plan: &PlanCode, from: &From, last_event_id: Option<&str>) -> Result<Place, Problem> {
    let seen = match (last_event_id, from.from, from.from_position) {
        (Some(id), _, _) => id.parse::<Number>().map_err(|error| Problem::parameter("Last-Event-ID", error))?.0,
        (None, Some(_), Some(_)) => return Err(Problem::parameter("from_position", "is not asked with `from`")),
        (None, from, None) => from.map_or(0, |number| number.0.saturating_sub(1)),
        (None, None, Some(position)) => {
            let first = feed.from(plan, position.0).await.map_err(|error| problem(&error))?;
            match first {
                Some(heard) => heard.standing.number - 1,
                None => feed.last(plan).await.map_err(|error| problem(&error))?.map_or(0, |last| last.standing.number),
            }
        }
    };
    match feed.after(plan, seen).await.map_err(|error| problem(&error))? {
        Some(place) => Ok(place),
        None => Err(ends_before(feed, plan).await),
    }
}

/// Follows the feed of a plan: every event once, in the order of the log, numbered 1, 2, 3, ….
///
/// An answer begins with a heartbeat: the number and receipt after which it begins. Each message follows as its bytes stand in the
/// feed, one a line or one a `data:`; the receipt after it is SHA-256 over the receipt before and the SHA-256 of those bytes,
/// from 32 zero bytes on. While nothing comes, a heartbeat every 15 seconds tells number, position and receipt; a finite answer ends
/// with one. Who is cut off goes on with `from`, or with the header `Last-Event-ID`, which holds the last number seen. A caller
/// that takes nothing for 30 seconds is cut off.
#[utoipa::path(
    get,
    path = "/v1/feed",
    operation_id = "follow_feed",
    tag = "feed",
    params(
        Whose, From, Filter,
        ("Last-Event-ID" = Option<String>, Header, description = "The last number seen: it goes on after that one"),
    ),
    responses(
        (status = 200, description = "The messages, for as long as the caller listens", content(
            (FeedLine = "application/x-ndjson"),
            (String = "text/event-stream"),
        )),
        Followed,
    )
)]
async fn follow(
    permit: Permit<Subscribe>,
    State(edge): State<Edge>,
    ask: Ask,
    headers: Headers,
    Params(whose, from, filter, _): Params<Whose, From, Filter>,
) -> Result<Response, Problem> {
    let form = headers.form.ok_or_else(|| {
        Problem::new(ProblemKind::NotAcceptable, "this path gives text/event-stream and application/x-ndjson")
    })?;
    let plan = whose.plan(&permit)?;
    let feed = feed(&edge)?.clone();
    let after = place(&feed, &plan, &from, headers.last_event_id.as_deref()).await?;
    let many = || Problem::new(ProblemKind::Unavailable, format!("{MOST_FOLLOWERS} follow already, which is the most"));
    let admitted = feed.admit().ok_or_else(many)?;
    let ended: CancellationToken = feed.ended().clone();
    let position = edge.status.borrow().position;
    ask.question_of.answered(&edge, position)?.into_export().await?;
    let follower = Follower { feed, plan, after, kept: filter.kept(), form, wait: from.wait != Some(false) };
    let body = Body::from_stream(follower.begin(admitted, ended));
    Ok(([(CONTENT_TYPE, form.content_type())], body).into_response())
}
