//! Query parameters: read strictly, an unknown one refused, each refusal naming its parameter and repeating no value.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use serde::Deserialize;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::doc;
use super::problem::{Kind, Problem};
use super::values::{CursorText, KnownAt, Limit, Place, WaitMs};

/// Rows of a page where the caller names no limit.
pub const USUAL_ROWS: u32 = 100;
const USUAL_WAIT_MS: u64 = 5_000;

/// A part of the path, as text.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub struct Segment<T>(pub T);

/// One or more groups of parameters; a parameter of none of them is refused.
#[derive(Debug)]
pub struct Params<A, B = Nothing, C = Nothing, D = Nothing>(pub A, pub B, pub C, pub D);

/// A group of parameters: its documented names are the names it takes.
pub trait Group: serde::de::DeserializeOwned + utoipa::IntoParams + Send {}
impl<T: serde::de::DeserializeOwned + utoipa::IntoParams + Send> Group for T {}

impl<S: Sync, A: Group, B: Group, C: Group, D: Group> FromRequestParts<S> for Params<A, B, C, D> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let mut pairs: Vec<Pair<'_>> = query.split('&').filter(|pair| !pair.is_empty()).map(Pair::of).collect();
        let groups = Self(take(&mut pairs)?, take(&mut pairs)?, take(&mut pairs)?, take(&mut pairs)?);
        match pairs.first() {
            // The name is a caller's own text, which may be anything: only what looks like a name is said back.
            Some(pair) => {
                let name = Some(pair.name).filter(|name| name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'));
                Err(Problem::new(Kind::BadRequest, "").and(
                    name.unwrap_or_default(),
                    "unknown_parameter",
                    "is not a parameter of this path; /openapi.json lists them",
                ))
            }
            None => Ok(groups),
        }
    }
}

/// A parameter as it stands in the query, still encoded.
struct Pair<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> Pair<'a> {
    fn of(pair: &'a str) -> Self {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Self { name, value }
    }
}

/// Takes a group's parameters out of the query and reads them. A repeated one is a list.
fn take<T: Group>(pairs: &mut Vec<Pair<'_>>) -> Result<T, Problem> {
    let mut query = String::from("/?");
    for Parameter { name, .. } in T::into_params(|| None) {
        let values: Vec<&str> = pairs.iter().filter(|pair| pair.name == name).map(|pair| pair.value).collect();
        if !values.is_empty() {
            query.push_str(&format!("{name}={}&", values.join(",")));
        }
        pairs.retain(|pair| pair.name != name);
    }
    let uri: Uri = query.parse().map_err(|_| Problem::parameter("", "the query cannot be read"))?;
    let read = axum::extract::Query::<T>::try_from_uri(&uri);
    read.map(|query| query.0).map_err(|rejection| refusal(&rejection.body_text()))
}

/// axum's words are `…: name: what is wrong`, and may quote the value before they say what was expected.
fn refusal(text: &str) -> Problem {
    let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(text);
    let (name, detail) = text.split_once(": ").unwrap_or(("", text));
    if let Some(missing) = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return Problem::parameter(missing, "is required");
    }
    match detail.find("expected ") {
        Some(at) => Problem::parameter(name, &detail[at..]),
        None => Problem::parameter(name, "expected another value; see /openapi.json"),
    }
}

/// No parameters.
#[derive(Debug, Default, Deserialize)]
pub struct Nothing {}

impl utoipa::IntoParams for Nothing {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

/// As of when, and how long to wait for it.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AsOf {
    /// Answer as the ledger knew it then: at a position of the log, or at an instant (RFC 3339 with its zone). Without it,
    /// as the views know it now.
    #[param(schema_with = doc::known_at)]
    pub known_at: Option<KnownAt>,
    /// Wait until the views have seen this position of the log, as an answer to a submission names it.
    #[param(schema_with = doc::position)]
    pub at_least: Option<Place>,
    /// How long to wait for `at_least`, in milliseconds; 5000 where it is left out. Then 503 with the position reached. A
    /// position that the log itself does not have is not waited for: 409 with the log's last.
    #[param(schema_with = doc::wait_ms)]
    pub wait_ms: Option<WaitMs>,
}

impl AsOf {
    /// How long to wait.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.wait_ms.map_or(USUAL_WAIT_MS, |wait| wait.0))
    }
}

/// Which page.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Rows of a page, 100 where it is left out. NDJSON and CSV give every row where it is left out.
    #[param(schema_with = doc::limit)]
    pub limit: Option<Limit>,
    /// `next` of the last answer; the other parameters stay as they were.
    #[param(schema_with = doc::cursor)]
    pub cursor: Option<CursorText>,
}

/// Reads a part of the path.
///
/// # Errors
/// Where it is not of its type.
pub fn segment<T: FromStr<Err: fmt::Display>>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error| Problem::parameter(name, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::enrollments::Which;
    use axum::http::Request;

    async fn asked(query: &str) -> Result<Params<Which, AsOf, Paging>, (u16, String)> {
        let request = Request::builder().uri(format!("/v1/enrollments?{query}")).body(()).unwrap();
        Params::from_request_parts(&mut request.into_parts().0, &()).await.map_err(|problem: Problem| {
            let body = problem.into_body();
            assert!(!body.detail.contains("Fakename"), "{}", body.detail);
            (body.status, body.errors[0].field.clone())
        })
    }

    #[tokio::test]
    async fn each_group_takes_its_own_and_no_more() {
        let Params(_, as_of, paging, _) = asked("plan=la-care&known_at=7&limit=5&&wait_ms=1").await.unwrap();
        assert_eq!(paging.limit, Some(Limit(5)));
        assert_eq!((as_of.known_at, as_of.patience()), (Some("7".parse().unwrap()), Duration::from_millis(1)));
        assert!(asked("").await.is_ok());
        assert!(asked("plan=la-care&plan=health-net,molina&program=ecm").await.is_ok());
    }

    #[tokio::test]
    async fn a_refusal_names_its_parameter_and_repeats_no_value() {
        for (query, field) in [
            ("colour=Fakename", "colour"),
            ("Fakename=1", ""),
            ("plan=Fakename", "plan"),
            ("program=ecm,Fakename", "program"),
            ("status=Fakename", "status"),
            ("effective_at=Fakename", "effective_at"),
            ("known_at=Fakename", "known_at"),
            ("at_least=-1", "at_least"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("wait_ms=30001", "wait_ms"),
            ("cursor=Fakename", "cursor"),
            ("limit=1&limit=2", "limit"),
            ("plan=", "plan"),
        ] {
            assert_eq!(asked(query).await.unwrap_err(), (400, field.to_owned()), "{query}");
        }
    }
}
