//! How rows become an answer: a page of JSON, or every row as NDJSON or CSV, with what it rests on.

mod read_on;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use rollbook_projections::Cell;
use rollbook_projections::store::read::Known;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::accept::Representation;
use super::ask::{Ask, tagging};
use super::basis::Basis;
use super::cursor::Cursor;
use super::edge::Edge;
use super::params::{AsOf, Paging, USUAL_ROWS};
use super::problem::{Kind, Problem};
use super::rows::{Listing, Reader};
use super::sheet;
use super::shown::{About, Shown};
use super::values::CursorText;
use crate::access_log::Told;
use crate::policy::Scope;

pub use read_on::{Rows, Stretch};

/// Rows read at once for a stream.
const STREAM_ROWS: u32 = 2_000;

const POSITION: HeaderName = HeaderName::from_static("rollbook-position");
const LAG: HeaderName = HeaderName::from_static("rollbook-lag-ms");
const RULEBOOK: HeaderName = HeaderName::from_static("rollbook-rulebook");

/// An answer, and what it rests on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer<T> {
    /// What was asked for.
    pub data: T,
    /// The position of the log that the data are known at.
    #[schema(minimum = 0)]
    pub position: u64,
    /// How far the views are behind the log, in milliseconds.
    #[schema(minimum = 0)]
    pub lag_ms: u64,
    /// SHA-256 of the rulebook in force at the position, in hex; null before the first was adopted.
    pub rulebook: Option<String>,
    /// The cursor of the next page; null on the last.
    pub next: Option<String>,
}

impl<T> Answer<T> {
    /// An answer without further pages.
    pub fn whole(data: T, basis: &Basis) -> Self {
        Self { data, position: basis.position.0, lag_ms: basis.lag_ms, rulebook: basis.rulebook_hash(), next: None }
    }
}

/// What a list is asked with.
#[derive(Debug)]
pub struct Asked {
    /// Representation and tag.
    pub ask: Ask,
    /// How many rows.
    limit: Option<u32>,
    /// After which place.
    after: Option<(Option<Cell>, String)>,
    /// What it rests on.
    pub basis: Basis,
    /// What of the ledger is seen.
    scope: Scope,
}

impl Asked {
    /// Finds out what the answer will rest on.
    ///
    /// # Errors
    /// Where the views are not there in time, or the cursor is another question's.
    pub async fn of(edge: &Edge, scope: &Scope, ask: Ask, as_of: &AsOf, paging: Paging) -> Result<Self, Problem> {
        let other = || Problem::new(Kind::BadCursor, "").and("cursor", "bad_parameter", "belongs to another question");
        let open = |sealed: CursorText| edge.seal.open(&sealed.0, &bound_to(&ask, scope)).ok_or_else(other);
        let cursor = paging.cursor.map(open).transpose()?;
        let basis = Basis::of(edge, as_of, cursor.as_ref()).await?;
        let (limit, after) = (paging.limit.map(|limit| limit.0), cursor.map(Cursor::place));
        Ok(Self { ask, limit, after, basis, scope: scope.clone() })
    }

    /// The rows that are asked for.
    ///
    /// # Errors
    /// Where the representation is none of ours, or the views cannot be read.
    pub async fn rows(self, edge: Edge, listing: Listing) -> Result<Response, Problem> {
        let Self { ask, limit, after, basis, scope } = self;
        let representation = ask.representation(Representation::ALL)?;
        let tag = ask.tag(scope.tag(), &basis, representation);
        if let Some(unchanged) = ask.unchanged(&tag) {
            return Ok(unchanged);
        }
        let headers = headers(&basis, representation, &tag);
        let shown = ask.question_of.answered(&edge, basis.position)?;
        let reader = Reader::new(edge, scope, listing, basis, after);
        match (representation, limit) {
            (Representation::Ndjson | Representation::Csv, None) => {
                every_row(reader, shown.into_export().await?, representation, headers).await
            }
            (_, limit) => page(reader, &shown, representation, headers, &ask, limit.unwrap_or(USUAL_ROWS)).await,
        }
    }

    /// Rows about somebody that are all at hand, in an order that the position and the question decide.
    ///
    /// # Errors
    /// Where the representation is none of ours, or it cannot be written down who is shown.
    pub async fn whole(
        self,
        edge: &Edge,
        about: About,
        columns: &[&'static str],
        mut rows: Vec<Map<String, Value>>,
    ) -> Result<Response, Problem> {
        let Self { ask, limit, after, basis, scope } = self;
        let representation = ask.representation(Representation::ALL)?;
        let tag = ask.tag(scope.tag(), &basis, representation);
        if let Some(unchanged) = ask.unchanged(&tag) {
            return Ok(unchanged);
        }
        let usual = (representation == Representation::Json).then_some(USUAL_ROWS);
        let most = limit.or(usual).map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        // The cursor's place is how many rows were given before.
        let before = match after {
            Some((Some(Cell::Integer(before)), _)) => usize::try_from(before).unwrap_or(usize::MAX),
            Some(_) | None => 0,
        };
        rows.drain(..before.min(rows.len()));
        let is_last = rows.len() <= most;
        rows.truncate(most);
        let given = Cell::Integer(i64::try_from(before.saturating_add(rows.len())).unwrap_or(i64::MAX));
        let cursor = Cursor::after(Some(&given), "", basis.position);
        let next = if is_last { None } else { Some(sealed(edge, &cursor, &ask, &scope)?) };
        let headers = linked(headers(&basis, representation, &tag), &ask, next.as_deref());
        let told = ask.question_of.answered(edge, basis.position)?.about(about).await?;
        let body = match representation {
            Representation::Json => json(&told, &Answer { next, ..Answer::whole(rows, &basis) })?,
            Representation::Ndjson | Representation::Csv => text(&told, representation, columns, &rows, true)?,
        };
        Ok((headers, body).into_response())
    }
}

/// One thing about somebody, as JSON.
///
/// # Errors
/// Where JSON is not acceptable, or it cannot be written down who is shown.
pub async fn one<T: Serialize>(
    (edge, about): (&Edge, About),
    ask: &Ask,
    scope: &Scope,
    basis: &Basis,
    data: T,
) -> Result<Response, Problem> {
    let representation = ask.representation(&[Representation::Json])?;
    let tag = ask.tag(scope.tag(), basis, representation);
    if let Some(unchanged) = ask.unchanged(&tag) {
        return Ok(unchanged);
    }
    let told = ask.question_of.answered(edge, basis.position)?.about(about).await?;
    Ok((headers(basis, representation, &tag), json(&told, &Answer::whole(data, basis))?).into_response())
}

/// What a cursor is given for: nobody else's question, and nobody's who does not see the same.
fn bound_to(ask: &Ask, scope: &Scope) -> String {
    format!("{} {}", ask.question(), scope.tag())
}

fn sealed(edge: &Edge, cursor: &Cursor, ask: &Ask, scope: &Scope) -> Result<String, Problem> {
    let failed = || Problem::new(Kind::Internal, "the cursor could not be sealed");
    edge.seal.close(cursor, &bound_to(ask, scope)).ok_or_else(failed)
}

fn headers(basis: &Basis, representation: Representation, tag: &str) -> HeaderMap {
    let mut headers: HeaderMap = tagging(tag).into_iter().collect();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(representation.content_type()));
    headers.insert(POSITION, HeaderValue::from(basis.position.0));
    headers.insert(LAG, HeaderValue::from(basis.lag_ms));
    if let Some(Ok(hash)) = basis.rulebook_hash().map(HeaderValue::try_from) {
        headers.insert(RULEBOOK, hash);
    }
    headers
}

/// Names the next page, where there is one, as RFC 8288 does.
fn linked(mut headers: HeaderMap, ask: &Ask, cursor: Option<&str>) -> HeaderMap {
    let link = cursor.map(|cursor| HeaderValue::try_from(format!("<{}>; rel=\"next\"", ask.next_page(cursor))));
    if let Some(Ok(link)) = link {
        headers.insert(LINK, link);
    }
    headers
}

async fn page(
    mut reader: Reader,
    shown: &Shown,
    representation: Representation,
    headers: HeaderMap,
    ask: &Ask,
    limit: u32,
) -> Result<Response, Problem> {
    let mut rows = reader.next(limit + 1).await?;
    let kept = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_last = rows.len() <= kept;
    rows.truncate(kept);
    let cursor = rows.last().filter(|_| !is_last).map(|last| {
        let order = reader.listing.order_value(last);
        let cursor = Cursor::after(order, &last.row.key, reader.basis.position);
        sealed(reader.edge(), &cursor, ask, &reader.scope)
    });
    let cursor = cursor.transpose()?;
    let headers = linked(headers, ask, cursor.as_deref());
    let told = shown.about(of_rows(&rows)).await?;
    let shaped = reader.shaped(&rows);
    let body = match representation {
        Representation::Json => json(&told, &Answer { next: cursor, ..Answer::whole(shaped, &reader.basis) })?,
        Representation::Ndjson | Representation::Csv => {
            text(&told, representation, &reader.listing.columns, &shaped, true)?
        }
    };
    Ok((headers, body).into_response())
}

async fn every_row(
    mut reader: Reader,
    shown: Shown,
    representation: Representation,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // The first rows are read before the status is sent, so that a failure can still be told.
    let (first, more) = chunk(&mut reader, &shown, representation, true).await?;
    let rest = stream::try_unfold(more.then_some((reader, shown)), move |on| async move {
        let Some((mut reader, shown)) = on else { return Ok(None) };
        let (rows, more) = chunk(&mut reader, &shown, representation, false).await.map_err(broken_off)?;
        Ok(Some((rows, more.then_some((reader, shown)))))
    });
    let all = stream::once(async { Ok::<_, std::io::Error>(first) });
    Ok((headers, Body::from_stream(futures_util::StreamExt::chain(all, rest))).into_response())
}

/// A failure after the status was sent can only break the answer off; the log has said why.
pub fn broken_off(problem: Problem) -> std::io::Error {
    let body = problem.into_body();
    tracing::warn!(problem = body.kind, "an answer was broken off");
    std::io::Error::other(body.title)
}

async fn chunk(
    reader: &mut Reader,
    shown: &Shown,
    representation: Representation,
    first: bool,
) -> Result<(Bytes, bool), Problem> {
    let rows = reader.next(STREAM_ROWS).await?;
    let more = rows.len() == usize::try_from(STREAM_ROWS).unwrap_or(usize::MAX);
    let told = shown.about(of_rows(&rows)).await?;
    let shaped = reader.shaped(&rows);
    Ok((text(&told, representation, &reader.listing.columns, &shaped, first)?, more))
}

/// Whom rows speak of.
pub fn of_rows(rows: &[Known]) -> About {
    About::Members(rows.iter().filter_map(|known| known.row.member).collect())
}

fn json<T: Serialize>(_: &Told, answer: &T) -> Result<Bytes, Problem> {
    serde_json::to_vec(answer).map(Bytes::from).map_err(|error| Problem::internal(&error))
}

fn text(
    _: &Told,
    representation: Representation,
    columns: &[&str],
    rows: &[Map<String, Value>],
    first: bool,
) -> Result<Bytes, Problem> {
    let text = match representation {
        Representation::Csv => sheet::csv(columns, rows, first).map_err(|error| Problem::internal(&error)),
        Representation::Json | Representation::Ndjson => sheet::ndjson(rows).map_err(|error| Problem::internal(&error)),
    };
    text.map(Bytes::from)
}
