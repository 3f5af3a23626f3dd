//! Whole views, for dumps and comparisons, and building them again.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use rollbook_events::Position;
use rollbook_projections::store::read::{Filter, Known, Page};
use rollbook_projections::{Cell, Table, views};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accept::Representation;
use super::answer::broken_off;
use super::ask::Ask;
use super::auth::{Operate, Permit, Read};
use super::basis::Basis;
use super::doc::{Operated, QueriedOne};
use super::edge::Edge;
use super::params::{AsOf, Nothing, Params, Segment};
use super::policy::Scope;
use super::problem::{Kind, Problem};
use super::sheet;

/// Rows read at once.
const ROWS_AT_ONCE: u32 = 4_000;

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(rebuild)).routes(routes!(dump))
}

/// That the views were emptied.
#[derive(Debug, Serialize, ToSchema)]
struct Begun {
    /// What was asked for.
    data: Watch,
}

/// Where to watch.
#[derive(Debug, Serialize, ToSchema)]
struct Watch {
    /// Where `position` climbs to `head` again.
    #[schema(example = "/v1/status")]
    status: String,
}

/// Empties every view; the projector then builds them again from the log, and they come out the same to the byte.
#[utoipa::path(
    post,
    path = "/v1/views/rebuild",
    operation_id = "rebuild_views",
    tag = "operations",
    responses((status = 202, description = "The views are empty and are being built; watch /v1/status", body = Begun), Operated)
)]
async fn rebuild(
    _: Permit<Operate>,
    State(edge): State<Edge>,
    _: Params<Nothing>,
) -> Result<(StatusCode, Json<Begun>), Problem> {
    edge.db.reset().await?;
    tracing::warn!("the views were emptied, to be built again from the log");
    Ok((StatusCode::ACCEPTED, Json(Begun { data: Watch { status: "/v1/status".to_owned() } })))
}

/// Every row that a view ever had up to a position, in the order of their keys: `row_key`, then the row as the view has it,
/// `known_until` included. Two ledgers with the same log give the same bytes.
#[utoipa::path(
    get,
    path = "/v1/views/{view}",
    operation_id = "dump_view",
    tag = "operations",
    params(("view" = String, Path, description = "The view's name, as in `current_enrollment`"), AsOf),
    responses(
        (status = 200, description = "Rows, one a line; the header rollbook-position names the position", content_type = "application/x-ndjson", body = String),
        QueriedOne,
    )
)]
async fn dump(
    permit: Permit<Read>,
    State(edge): State<Edge>,
    Segment(name): Segment<String>,
    ask: Ask,
    Params(as_of, ..): Params<AsOf>,
) -> Result<Response, Problem> {
    let Some(view) = views::find(&name) else {
        let names: Vec<&str> = views::ALL.iter().map(|view| view.table().name).collect();
        return Err(Problem::new(Kind::NotFound, format!("the views are {}", names.join(", "))));
    };
    ask.representation(&[Representation::Ndjson])?;
    let basis = Basis::of(&edge, &as_of, None).await?;
    let position = basis.position;
    let mut dump = Dump::new(edge, &permit.scope, view.table(), basis);
    // The first rows are read before the status is sent, so that a failure can still be told.
    let first = dump.next().await?;
    let rest = stream::try_unfold(dump, |mut dump| async move {
        let lines = dump.next().await.map_err(broken_off)?;
        Ok(lines.map(|lines| (lines, dump)))
    });
    let all = stream::iter(first.map(Ok::<_, std::io::Error>)).chain(rest);
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(Representation::Ndjson.content_type())),
        (HeaderName::from_static("rollbook-position"), HeaderValue::from(position.0)),
    ];
    Ok((headers, Body::from_stream(all)).into_response())
}

/// Walks through every row there ever was up to a position.
struct Dump {
    edge: Edge,
    table: &'static Table,
    filter: Filter,
    basis: Basis,
    after: Option<String>,
    done: bool,
}

impl Dump {
    fn new(edge: Edge, scope: &Scope, table: &'static Table, basis: Basis) -> Self {
        let next =
            Cell::Integer(i64::try_from(basis.position.0).map_or(i64::MAX, |position| position.saturating_add(1)));
        let filter = Filter { ever: true, less_than: vec![("known_from", next)], ..Filter::default() };
        Self { edge, table, filter: scope.narrow(filter), basis, after: None, done: false }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.done {
            return Ok(None);
        }
        let mut most = ROWS_AT_ONCE;
        let rows = loop {
            let page = Page { order: None, after: self.after.clone().map(|key| (None, key)), most };
            let mut rows = self.edge.db.page(self.table, &self.filter, &page).await?;
            self.done = rows.len() < usize::try_from(most).unwrap_or(usize::MAX);
            if self.done || whole_keys(&mut rows) {
                break rows;
            }
            // One row with more versions than a page holds.
            most = most.saturating_mul(2);
        };
        self.basis.still(&self.edge).await?;
        self.after = rows.last().map(|last| last.row.key.clone());
        let rows: Vec<_> = rows.into_iter().map(|known| line(self.table, known, self.basis.position)).collect();
        sheet::ndjson(&rows).map(|lines| Some(lines.into())).map_err(|error| Problem::internal(&error))
    }
}

/// Drops the last key's versions, of which there may be more on the next page; false where nothing would be left.
fn whole_keys(rows: &mut Vec<Known>) -> bool {
    let Some(last) = rows.last().map(|last| last.row.key.clone()) else { return true };
    let kept = rows.iter().rposition(|known| known.row.key != last).map_or(0, |index| index + 1);
    if kept == 0 {
        return false;
    }
    rows.truncate(kept);
    true
}

fn line(table: &Table, mut known: Known, position: Position) -> serde_json::Map<String, serde_json::Value> {
    known.known_until = known.known_until.filter(|until| *until <= position);
    let mut line = serde_json::Map::new();
    line.insert("row_key".to_owned(), known.row.key.clone().into());
    line.extend(known.json(table));
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollbook_projections::Row;

    fn known(key: &str, from: u64) -> Known {
        let row = Row { key: key.to_owned(), member: None, cells: Vec::new() };
        Known { row, known_from: Position(from), known_until: None }
    }

    #[test]
    fn a_page_ends_between_two_keys() {
        let mut rows = vec![known("a", 1), known("b", 1), known("b", 2)];
        assert!(whole_keys(&mut rows));
        assert_eq!(rows, [known("a", 1)]);
        let mut rows = vec![known("b", 1), known("b", 2)];
        assert!(!whole_keys(&mut rows), "one key alone fills the page");
        assert_eq!(rows.len(), 2);
    }
}
