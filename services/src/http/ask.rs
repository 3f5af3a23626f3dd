//! What a caller asks for apart from the parameters: a representation, and whether it already has the answer.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, ETAG, IF_NONE_MATCH, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rollbook_events::Hash;

use super::accept::{Representation, negotiate};
use super::basis::Basis;
use super::problem::{Kind, Problem};

/// Parameters that say which page, not which question.
const OF_THE_PAGE: &[&str] = &["cursor", "limit"];
/// Parameters that say how long to wait, which changes no answer.
const OF_WAITING: &[&str] = &["at_least", "wait_ms"];

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    accept: Option<String>,
    if_none_match: Option<String>,
    path: String,
    query: Vec<String>,
}

impl<S: Sync> FromRequestParts<S> for Ask {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Several headers of one name are one list.
        let header = |name: HeaderName| {
            let values: Vec<&str> =
                parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
            (!values.is_empty()).then(|| values.join(","))
        };
        let mut query: Vec<String> = parts.uri.query().unwrap_or_default().split('&').map(str::to_owned).collect();
        query.retain(|pair| !pair.is_empty());
        Ok(Self {
            accept: header(ACCEPT),
            if_none_match: header(IF_NONE_MATCH),
            path: parts.uri.path().to_owned(),
            query,
        })
    }
}

impl Ask {
    /// The representation to give.
    ///
    /// # Errors
    /// Where none of those offered is acceptable.
    pub fn representation(&self, offered: &[Representation]) -> Result<Representation, Problem> {
        let names: Vec<&str> = offered.iter().map(|of| of.content_type()).collect();
        let none = || Problem::new(Kind::NotAcceptable, format!("this path gives {}", names.join(", ")));
        negotiate(self.accept.as_deref(), offered).ok_or_else(none)
    }

    /// A short name of the question, whatever page of it and however long to wait.
    pub fn question(&self) -> String {
        let mut pairs = self.without(&[OF_THE_PAGE, OF_WAITING].concat());
        pairs.sort_unstable();
        let mut name = Hash::of(format!("{}?{}", self.path, pairs.join("&")).as_bytes()).to_string();
        name.truncate(16);
        name
    }

    /// The address of the next page.
    pub fn next_page(&self, cursor: &str) -> String {
        let cursor = format!("cursor={cursor}");
        let mut pairs = self.without(&["cursor"]);
        pairs.push(&cursor);
        format!("{}?{}", self.path, pairs.join("&"))
    }

    /// The strong tag of the answer: the same tag is the same bytes. It is of one scope, by that one's own tag: nobody's tag
    /// tells anybody else whether they would be given the same.
    pub fn tag(&self, scope: &str, basis: &Basis, representation: Representation) -> String {
        let asked = self.without(OF_WAITING).join("&");
        // Only JSON tells in its body how far the views are behind.
        let lag = if representation == Representation::Json { basis.lag_ms } else { 0 };
        let rulebook = basis.rulebook_hash().unwrap_or_default();
        let Basis { position, today, .. } = basis;
        let path = &self.path;
        let all = format!("{representation:?}|{scope}|{position}|{rulebook}|{lag}|{today}|{path}?{asked}");
        let mut digest = Hash::of(all.as_bytes()).to_string();
        digest.truncate(32);
        format!("\"{digest}\"")
    }

    /// 304, where the caller has the answer.
    pub fn unchanged(&self, tag: &str) -> Option<Response> {
        let held = self.if_none_match.as_deref()?;
        let same = |held: &str| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag;
        let tagged = || (StatusCode::NOT_MODIFIED, tagging(tag)).into_response();
        held.split(',').map(str::trim).any(same).then(tagged)
    }

    fn without(&self, names: &[&str]) -> Vec<&str> {
        let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        self.query.iter().map(String::as_str).filter(|pair| !names.contains(&name(pair).as_str())).collect()
    }
}

/// The headers that tag an answer.
pub fn tagging(tag: &str) -> [(HeaderName, HeaderValue); 2] {
    let tag = HeaderValue::from_str(tag).unwrap_or(HeaderValue::from_static("\"\""));
    [(ETAG, tag), (VARY, HeaderValue::from_static("accept, authorization"))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;
    use rollbook_events::Position;

    async fn ask(uri: &str) -> Ask {
        let request = Request::builder().uri(uri).header(IF_NONE_MATCH, "\"a\", W/\"b\"").body(()).unwrap();
        Ask::from_request_parts(&mut request.into_parts().0, &()).await.unwrap()
    }

    fn basis(position: u64) -> Basis {
        Basis { position: Position(position), lag_ms: 0, rulebook: None, newest: true, today: chrono::NaiveDate::MIN }
    }

    #[tokio::test]
    async fn a_question_is_the_same_on_each_page_and_whatever_the_order() {
        let question = ask("/v1/enrollments?plan=a&program=ecm").await.question();
        assert_eq!(ask("/v1/enrollments?program=ecm&plan=a&cursor=x&limit=5&wait_ms=1").await.question(), question);
        assert_ne!(ask("/v1/enrollments?plan=b&program=ecm").await.question(), question);
        assert_ne!(ask("/v1/conflicts?plan=a&program=ecm").await.question(), question);
        let next = ask("/v1/conflicts?plan=a&cursor=x").await.next_page("y");
        assert_eq!(next, "/v1/conflicts?plan=a&cursor=y");
    }

    #[tokio::test]
    async fn a_tag_changes_with_the_position_the_page_and_the_representation() {
        let one = ask("/v1/enrollments?plan=a").await;
        let tag = one.tag("s", &basis(1), Representation::Json);
        assert_eq!(ask("/v1/enrollments?plan=a&at_least=1").await.tag("s", &basis(1), Representation::Json), tag);
        assert_ne!(one.tag("s", &basis(2), Representation::Json), tag);
        assert_ne!(one.tag("s", &basis(1), Representation::Csv), tag);
        assert_ne!(one.tag("t", &basis(1), Representation::Json), tag, "another scope");
        assert_ne!(ask("/v1/enrollments?plan=a&limit=1").await.tag("s", &basis(1), Representation::Json), tag);
        assert!(one.unchanged("\"b\"").is_some() && one.unchanged("\"c\"").is_none());
    }
}
