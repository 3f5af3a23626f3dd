//! Whole views, for dumps and comparisons.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use rollbook_projections::store::read::{Filter, Walk};
use rollbook_projections::{Table, views};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accept::Representation;
use super::answer::{broken_off, of_rows};
use super::ask::Ask;
use super::auth::{Dump as MayDump, Permit};
use super::basis::Basis;
use super::doc::QueriedOne;
use super::edge::Edge;
use super::params::{AsOf, Params, Segment};
use super::problem::{Kind, Problem};
use super::sheet;
use super::shown::Shown;
use super::withheld::withhold;
use crate::policy::Scope;

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(dump))
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
        (status = 200, description = "Rows, one a line; the header rollbook-position names the position", content_type = "application/x-ndjson", body = Object),
        QueriedOne,
    )
)]
async fn dump(
    permit: Permit<MayDump>,
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
    let shown = ask.question_of.answered(&edge, position)?.into_export().await?;
    let mut dump = Dump::new(edge, shown, &permit.scope, view.table(), basis);
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

/// A dump on its way.
struct Dump {
    edge: Edge,
    shown: Shown,
    scope: Scope,
    table: &'static Table,
    basis: Basis,
    walk: Walk,
}

impl Dump {
    fn new(edge: Edge, shown: Shown, scope: &Scope, table: &'static Table, basis: Basis) -> Self {
        let walk = Walk::new(scope.sight().clone(), table, Filter::default(), basis.position);
        Self { edge, shown, scope: scope.clone(), table, basis, walk }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let Some(mut rows) = self.walk.next(&self.edge.db).await? else { return Ok(None) };
        withhold(&self.edge, &self.scope, self.table, &mut rows).await?;
        self.basis.still(&self.edge).await?;
        self.shown.about(of_rows(&rows)).await?;
        let rows: Vec<_> = rows.iter().map(|known| known.line(self.table)).collect();
        sheet::ndjson(&rows).map(|lines| Some(lines.into())).map_err(|error| Problem::internal(&error))
    }
}
