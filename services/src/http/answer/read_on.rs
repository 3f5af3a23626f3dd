//! Rows about somebody that no view holds: read on a stretch at a time, given as a page, or as every row of them while no more
//! than a stretch is in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use rollbook_events::MemberId;
use rollbook_projections::Cell;
use serde_json::{Map, Value};

use super::{Answer, Asked, STREAM_ROWS, broken_off, headers, json, linked, sealed, text};
use crate::http::accept::Representation;
use crate::http::cursor::Cursor;
use crate::http::edge::Edge;
use crate::http::params::USUAL_ROWS;
use crate::http::problem::Problem;
use crate::http::shown::About;

/// Rows of a stretch, and whether there are more after them.
pub type Stretch = (Vec<Map<String, Value>>, bool);

/// Where such rows come from.
#[async_trait]
pub trait Rows: Send + 'static {
    /// At most so many of the next rows.
    async fn some(&mut self, most: usize) -> Result<Stretch, Problem>;

    /// Where the next rows go on, as [`Asked::place`] then says it.
    fn place(&self) -> (i64, String);
}

impl Asked {
    /// Where the page that is asked for goes on; none where it is the first.
    pub fn place(&self) -> Option<(i64, &str)> {
        match &self.after {
            Some((Some(Cell::Integer(order)), key)) => Some((*order, key)),
            Some(_) | None => None,
        }
    }

    /// The rows that are asked for, of these pseudonyms.
    ///
    /// # Errors
    /// Where the representation is none of ours, the rows cannot be read, or it cannot be written down who is shown.
    pub async fn read_on(
        self,
        edge: &Edge,
        group: BTreeSet<MemberId>,
        columns: Vec<&'static str>,
        mut rows: impl Rows,
    ) -> Result<Response, Problem> {
        let Self { ask, limit, basis, scope, .. } = self;
        let representation = ask.representation(Representation::ALL)?;
        let tag = ask.tag(scope.tag(), &basis, representation);
        if let Some(unchanged) = ask.unchanged(&tag) {
            return Ok(unchanged);
        }
        let every = limit.is_none() && representation != Representation::Json;
        let most = limit.unwrap_or(if every { STREAM_ROWS } else { USUAL_ROWS });
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let (some, more) = rows.some(most).await?;
        let about = if some.is_empty() { About::Nobody } else { About::Members(group) };
        let told = ask.question_of.answered(edge, basis.position)?.about(about).await?;
        let headers = headers(&basis, representation, &tag);
        if every {
            let first = text(&told, representation, &columns, &some, true)?;
            let rest = stream::try_unfold(more.then_some((rows, told)), move |on| {
                let columns = columns.clone();
                async move {
                    let Some((mut rows, told)) = on else { return Ok(None) };
                    let (some, more) = rows.some(most).await.map_err(broken_off)?;
                    let text = text(&told, representation, &columns, &some, false).map_err(broken_off)?;
                    Ok(Some((text, more.then_some((rows, told)))))
                }
            });
            let all = stream::once(async { Ok::<_, std::io::Error>(first) }).chain(rest);
            return Ok((headers, Body::from_stream(all)).into_response());
        }
        let (order, key) = rows.place();
        let cursor = Cursor::after(Some(&Cell::Integer(order)), &key, basis.position);
        let next = if more { Some(sealed(edge, &cursor, &ask, &scope)?) } else { None };
        let headers = linked(headers, &ask, next.as_deref());
        let body = match representation {
            Representation::Json => json(&told, &Answer { next, ..Answer::whole(some, &basis) })?,
            Representation::Ndjson | Representation::Csv => text(&told, representation, &columns, &some, true)?,
        };
        Ok((headers, body).into_response())
    }
}
