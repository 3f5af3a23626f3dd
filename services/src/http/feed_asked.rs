//! Questions of the feed: how far it is, a stretch of it to fill a hole with, and the receipt up to a number.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accept::Representation;
use super::ask::Ask;
use super::auth::{Permit, Subscribe};
use super::doc::{self, FeedAsked};
use super::edge::Edge;
use super::feed::{Number, Whose, ends_before, feed, problem};
use super::feed_stream::{Beat, FeedEvent};
use super::params::Params;
use super::problem::Problem;
use super::values::{Expected, from_text};
use crate::feed::Receipt;
use crate::feed::error::FeedError;
use crate::feed::reader::Place;

/// Messages of a range.
const MOST_MESSAGES: u64 = 1_000;
/// Bytes of a range, after which it ends before it has as many.
const MOST_BYTES: usize = 8 * 1_024 * 1_024;

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(status)).routes(routes!(range)).routes(routes!(receipt))
}

/// How far a feed is.
#[derive(Debug, Serialize, ToSchema)]
struct FeedStatusAnswer {
    /// What was asked for.
    data: FeedStatus,
}

/// How far a feed is.
#[derive(Debug, Serialize, ToSchema)]
struct FeedStatus {
    #[serde(flatten)]
    last: Beat,
    /// When its last event was recorded.
    time: Option<DateTime<Utc>>,
    /// Up to which position of the log the feeds of all plans are published: an event before it that this feed does not
    /// tell of is no event of this plan.
    #[schema(minimum = 0)]
    published: u64,
}

/// How far the feed of a plan is: its last number, the position of that event, and the receipt.
#[utoipa::path(
    get,
    path = "/v1/feed/status",
    operation_id = "get_feed_status",
    tag = "feed",
    params(Whose),
    responses((status = 200, description = "How far it is", body = FeedStatusAnswer), FeedAsked)
)]
async fn status(
    permit: Permit<Subscribe>,
    State(edge): State<Edge>,
    ask: Ask,
    Params(whose, ..): Params<Whose>,
) -> Result<Json<FeedStatusAnswer>, Problem> {
    ask.representation(&[Representation::Json])?;
    let plan = whose.plan(&permit)?;
    let feed = feed(&edge)?;
    // The whole before its part: what comes between the two is in the part.
    let published = feed.head().await.map_err(|error| problem(&error))?.0;
    let last = feed.last(&plan).await.map_err(|error| problem(&error))?;
    let place = last.as_ref().map_or_else(Place::beginning, Place::from);
    let time = last.and_then(|last| last.recorded_at);
    Ok(Json(FeedStatusAnswer { data: FeedStatus { last: Beat::of(&plan, place), time, published } }))
}

/// Which stretch.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Stretch {
    /// The first number.
    #[param(schema_with = doc::feed_number)]
    from: Number,
    /// The last number; at most 1000 messages are given, and `next` says where to go on.
    #[param(schema_with = doc::feed_number)]
    to: Option<Number>,
}

/// A stretch of a feed.
#[derive(Debug, Serialize, ToSchema)]
struct FeedRange {
    /// The messages, each as its bytes stand in the feed.
    #[schema(value_type = Vec<FeedEvent>)]
    data: Vec<Box<RawValue>>,
    /// Where the feed stood before the first of them.
    before: Beat,
    /// Where it stands after the last of them.
    after: Beat,
    /// The number to go on from, where more was asked for and is there.
    #[schema(minimum = 1)]
    next: Option<u64>,
}

/// A stretch of the feed of a plan, as one who missed messages asks for them again.
#[utoipa::path(
    get,
    path = "/v1/feed/range",
    operation_id = "get_feed_range",
    tag = "feed",
    params(Whose, Stretch),
    responses(
        (status = 200, description = "The messages there are of those numbers", content(
            (FeedRange = "application/json"),
            (FeedEvent = "application/x-ndjson"),
        )),
        FeedAsked,
    )
)]
async fn range(
    permit: Permit<Subscribe>,
    State(edge): State<Edge>,
    ask: Ask,
    Params(whose, stretch, ..): Params<Whose, Stretch>,
) -> Result<Response, Problem> {
    let representation = ask.representation(&[Representation::Json, Representation::Ndjson])?;
    let plan = whose.plan(&permit)?;
    let feed = feed(&edge)?;
    let position = edge.status.borrow().position;
    ask.question_of.answered(&edge, position)?.into_export().await?;
    let first = stretch.from.0.max(1);
    let wanted = stretch.to.map_or(u64::MAX, |to| to.0);
    let told = |error: FeedError| problem(&error);
    let Some(before) = feed.after(&plan, first - 1).await.map_err(told)? else {
        return Err(ends_before(feed, &plan).await);
    };
    let there = feed.last(&plan).await.map_err(told)?.map_or(0, |last| last.standing.number);
    let last = wanted.min(there).min(first.saturating_add(MOST_MESSAGES - 1));
    let (mut bodies, mut bytes, mut after): (Vec<Bytes>, _, _) = (Vec::new(), 0, before);
    if last >= first {
        let mut messages = feed.follow(&plan, before).await.map_err(told)?;
        while after.standing.number < last && bytes < MOST_BYTES {
            let heard = messages.next().await.unwrap_or(Err(FeedError::Ended)).map_err(told)?;
            bytes += heard.body.len();
            after = Place::from(&heard);
            bodies.push(heard.body);
        }
    }
    if representation == Representation::Ndjson {
        let lines: Vec<u8> = bodies.iter().flat_map(|body| body.iter().chain(b"\n")).copied().collect();
        return Ok(([(CONTENT_TYPE, Representation::Ndjson.content_type())], lines).into_response());
    }
    let raw = bodies.iter().map(|body| serde_json::from_slice(body)).collect::<Result<_, _>>();
    let next = (after.standing.number < wanted.min(there)).then_some(after.standing.number + 1);
    Ok(Json(FeedRange {
        data: raw.map_err(|error| Problem::internal(&error))?,
        before: Beat::of(&plan, before),
        after: Beat::of(&plan, after),
        next,
    })
    .into_response())
}

/// A receipt, as a caller sends it.
#[derive(Debug, Clone, Copy)]
struct Held(Receipt);

impl std::str::FromStr for Held {
    type Err = Expected;
    fn from_str(text: &str) -> Result<Self, Expected> {
        text.parse().map(Self).map_err(|_| Expected("a receipt, 64 hexadecimal digits"))
    }
}

from_text! { Held }

/// Up to where, and what the caller holds.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct UpTo {
    /// Up to this number; the last one where it is left out.
    #[param(schema_with = doc::feed_number)]
    number: Option<Number>,
    /// The receipt that the caller has computed, to be compared.
    #[param(schema_with = doc::receipt)]
    receipt: Option<Held>,
}

/// A receipt.
#[derive(Debug, Serialize, ToSchema)]
struct ReceiptAnswer {
    /// What was asked for.
    data: ReceiptUpTo,
}

/// How many messages there are up to a number, and the hash that runs over them.
#[derive(Debug, Serialize, ToSchema)]
struct ReceiptUpTo {
    #[serde(flatten)]
    up_to: Beat,
    /// Whether the caller's receipt is this one: it has every message up to this number, as it is here, in order. Null where it
    /// sent none.
    equal: Option<bool>,
}

/// The receipt of the feed of a plan up to a number, for both sides to compare: count and running hash.
#[utoipa::path(
    get,
    path = "/v1/feed/receipt",
    operation_id = "get_feed_receipt",
    tag = "feed",
    params(Whose, UpTo),
    responses((status = 200, description = "The receipt", body = ReceiptAnswer), FeedAsked)
)]
async fn receipt(
    permit: Permit<Subscribe>,
    State(edge): State<Edge>,
    ask: Ask,
    Params(whose, up_to, ..): Params<Whose, UpTo>,
) -> Result<Json<ReceiptAnswer>, Problem> {
    ask.representation(&[Representation::Json])?;
    let plan = whose.plan(&permit)?;
    let feed = feed(&edge)?;
    let place = match up_to.number {
        Some(number) => feed.after(&plan, number.0).await.map_err(|error| problem(&error))?,
        None => {
            let last = feed.last(&plan).await.map_err(|error| problem(&error))?;
            Some(last.as_ref().map_or_else(Place::beginning, Place::from))
        }
    };
    let Some(place) = place else { return Err(ends_before(feed, &plan).await) };
    let equal = up_to.receipt.map(|held| held.0 == place.standing.receipt);
    Ok(Json(ReceiptAnswer { data: ReceiptUpTo { up_to: Beat::of(&plan, place), equal } }))
}
