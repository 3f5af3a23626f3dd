//! Every refusal and failure as `application/problem+json` (RFC 9457), and the list of what can go wrong.

use std::fmt;

use axum::extract::rejection::PathRejection;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rollbook_events::{Position, Rejection, RejectionCode};
use rollbook_projections::store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error_chain::chain;

/// The media type of every problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! kinds {
    ($($kind:ident = $code:literal $status:ident $title:literal $advice:literal;)+) => {
        /// What can go wrong, as a caller tells it apart.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($kind),+ }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The last part of the problem's `type`.
            pub const fn code(self) -> &'static str { match self { $(Self::$kind => $code),+ } }
            /// The status it is answered with.
            pub const fn status(self) -> StatusCode { match self { $(Self::$kind => StatusCode::$status),+ } }
            /// The same words each time.
            pub const fn title(self) -> &'static str { match self { $(Self::$kind => $title),+ } }
            /// What to do about it.
            pub const fn advice(self) -> &'static str { match self { $(Self::$kind => $advice),+ } }
        }
    };
}

kinds! {
    BadRequest = "bad-request" BAD_REQUEST "The request cannot be understood"
        "Mend what `errors` names; /openapi.json says what each parameter may be.";
    BadCursor = "bad-cursor" BAD_REQUEST "The cursor belongs to no page of this question"
        "Take `next` from the last answer and repeat the other parameters as they were, or begin without a cursor.";
    Malformed = "malformed" BAD_REQUEST "The body is not what two readers would read alike"
        "Send JSON in UTF-8, no key twice in one object, no NUL character, no lone surrogate.";
    Unauthenticated = "unauthenticated" UNAUTHORIZED "No valid token"
        "Send `Authorization: Bearer TOKEN`; `rollbook token` makes one.";
    InvalidClient = "invalid-client" UNAUTHORIZED "No valid assertion"
        "Register the client in the file that --clients names; sign a new assertion, for this endpoint, good for five minutes at most, with a new `jti`.";
    UnsupportedGrant = "unsupported-grant" BAD_REQUEST "Not a request for a token that is given here"
        "Send grant_type=client_credentials, client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer and client_assertion, each once.";
    Forbidden = "forbidden" FORBIDDEN "The token does not permit this" "Ask for a token with the right.";
    NotFound = "not-found" NOT_FOUND "Nothing of this name" "Look at the path; /openapi.json lists all of them.";
    MethodNotAllowed = "method-not-allowed" METHOD_NOT_ALLOWED "Not with this method" "The header Allow names the methods.";
    NotAcceptable = "not-acceptable" NOT_ACCEPTABLE "No such representation"
        "Lists are given as application/json, application/x-ndjson or text/csv, all else as application/json.";
    TooSlow = "too-slow" REQUEST_TIMEOUT "The body came too slowly" "Send it again; what was not answered was not recorded.";
    IdReused = "id-reused" CONFLICT "The id already names another event"
        "Give a new event a new id; the same id again is for the same event alone.";
    AgainstWhatIs = "against-what-is" CONFLICT "Not as the views stand now"
        "GET /v1/views/rebuild says what is live, kept from before and being built.";
    FeedEndsBefore = "feed-ends-before" CONFLICT "The feed does not go so far"
        "Whoever has seen this number has seen another feed: the ledger was restored, or the number is of another plan. GET /v1/feed/receipt says up to where both agree.";
    LogEndsBefore = "log-ends-before" CONFLICT "The log does not go so far"
        "Ask for a position that an answer of this ledger named; `position` is the log's last. Whoever was told a later one was told so by another ledger, or before this one was restored.";
    TooLarge = "too-large" PAYLOAD_TOO_LARGE "More than the ledger takes at once"
        "Send fewer events at once: NDJSON has no limit but that of a line.";
    UriTooLong = "uri-too-long" URI_TOO_LONG "The address is longer than the ledger reads"
        "Ask for fewer values at once.";
    UnsupportedMediaType = "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE "Not a body of this type"
        "Send application/json, or application/x-ndjson for one submission a line.";
    Rejected = "rejected" UNPROCESSABLE_ENTITY "The submission is refused; nothing of it was recorded"
        "Mend the field that `errors` names; /schemas says what each kind of event holds.";
    TooMany = "too-many" TOO_MANY_REQUESTS "More requests at once than are answered"
        "Wait for as many seconds as the header Retry-After says, then ask more slowly.";
    Internal = "internal" INTERNAL_SERVER_ERROR "Something is wrong in the ledger"
        "Tell its operators the x-request-id of the answer.";
    NotReady = "not-ready" SERVICE_UNAVAILABLE "The ledger is not ready" "See /v1/status for the cause.";
    Behind = "behind" SERVICE_UNAVAILABLE "The views have not come so far yet"
        "Ask again, or with `at_least` and a longer `wait_ms`; `position` is how far they are.";
    Rebuilding = "rebuilding" SERVICE_UNAVAILABLE "The views were emptied while they were read"
        "An older program's views are being read again; /v1/status says how far they are.";
    Unavailable = "unavailable" SERVICE_UNAVAILABLE "The ledger cannot do this now" "Ask again later; nothing was recorded.";
    RecordingStopped = "recording-stopped" SERVICE_UNAVAILABLE "Nothing is recorded while something is wrong"
        "See /readyz for what it is, and mend it; nothing was recorded.";
    NotWrittenDown = "not-written-down" SERVICE_UNAVAILABLE "Who is shown what cannot be written down, so nothing is shown"
        "Ask again later; /readyz says what is wrong.";
    OutcomeUnknown = "outcome-unknown" SERVICE_UNAVAILABLE "Whether it was recorded is not known"
        "Send the same events with the same ids again: what is recorded is not recorded twice.";
    NoRecorder = "no-recorder" SERVICE_UNAVAILABLE "This program does not record" "Send it to a recorder.";
    TimedOut = "timed-out" GATEWAY_TIMEOUT "The answer took too long" "Ask for less, or as a stream of NDJSON.";
}

impl Kind {
    /// Its name in OAuth 2.0, where it has one.
    fn oauth(self) -> Option<&'static str> {
        if self == Self::InvalidClient {
            return Some("invalid_client");
        }
        (self == Self::UnsupportedGrant).then_some("invalid_request")
    }
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: a parameter's name, or a dotted path in the body, which in an array begins with the index of the submission.
    #[schema(example = "2.data.from")]
    pub field: String,
    /// What is wrong, as a code.
    #[schema(example = "bad_date")]
    pub code: String,
    /// What is expected, in words; it never repeats the value.
    pub detail: String,
}

/// A refusal or failure, as it is answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Body {
    /// What went wrong, as a path that this server answers with an explanation.
    #[serde(rename = "type")]
    #[schema(example = "/problems/rejected")]
    pub kind: String,
    /// The same in words.
    pub title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What went wrong here.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The position that the views have reached; of `log-ends-before`, the log's last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// What went wrong with a request for a token, as OAuth 2.0 names it (RFC 6749, section 5.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
}

/// A refusal or failure on its way.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    position: Option<u64>,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem, with what went wrong here.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), position: None, retry_after: None }
    }

    /// More than is answered; again after this many seconds.
    pub fn too_many(seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(Kind::TooMany, "") }
    }

    /// A parameter that is not what it must be.
    pub fn parameter(name: &str, detail: impl fmt::Display) -> Self {
        Self::new(Kind::BadRequest, "").and(name, "bad_parameter", detail)
    }

    /// The same problem, naming one more field.
    #[must_use]
    pub fn and(mut self, field: &str, code: &str, detail: impl fmt::Display) -> Self {
        let (field, code, detail) = (field.to_owned(), code.to_owned(), detail.to_string());
        if self.detail.is_empty() {
            self.detail = if field.is_empty() { detail.clone() } else { format!("{field}: {detail}") };
        }
        self.errors.push(FieldError { field, code, detail });
        self
    }

    /// The same of one submission of several, which is named by its index.
    #[must_use]
    pub fn of(mut self, index: Option<usize>) -> Self {
        if let Some(index) = index {
            self.errors.iter_mut().for_each(|error| error.field = format!("{index}.{}", error.field));
        }
        self
    }

    /// The views are not there yet.
    pub fn behind(asked: Position, reached: Position) -> Self {
        let detail = format!("position {asked} was asked for and the views hold {reached}; ask with at_least={asked}");
        Self { position: Some(reached.0), ..Self::new(Kind::Behind, detail) }
    }

    /// The log itself ends before what is asked for, so that waiting for it would help nobody.
    pub fn log_ends_before(asked: Position, last: Position) -> Self {
        let detail = format!("position {asked} was asked for and the log ends at {last}");
        Self { position: Some(last.0), ..Self::new(Kind::LogEndsBefore, detail) }
    }

    /// A submission's refusal; what no reader could read is told from what may not be recorded.
    pub fn refusal(rejection: &Rejection, unreadable: bool) -> Self {
        let kind = match (rejection.code, unreadable) {
            (RejectionCode::TooLarge, true) => Kind::TooLarge,
            (_, true) => Kind::Malformed,
            (RejectionCode::IdReused, false) => Kind::IdReused,
            (_, false) => Kind::Rejected,
        };
        Self::new(kind, "").and(&rejection.field, rejection.code.as_str(), &rejection.detail)
    }

    /// What went wrong inside: logged here, once, and not told.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = chain(error), "a request failed");
        Self::new(Kind::Internal, "")
    }

    /// What could not be reached: logged here, once, and not told.
    pub fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = chain(error), "a request failed");
        Self::new(Kind::Unavailable, "")
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// As it is answered.
    pub fn into_body(self) -> Body {
        Body {
            kind: format!("/problems/{}", self.kind.code()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: self.detail,
            errors: self.errors,
            position: self.position,
            error: self.kind.oauth(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (kind, status, retry_after) = (self.kind, self.status(), self.retry_after);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if kind == Kind::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rollbook\""));
        }
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        } else if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        let body = serde_json::to_vec(&self.into_body()).unwrap_or_default();
        (status, headers, body).into_response()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Undecodable { .. } | StoreError::Migration { .. } | StoreError::Address => {
                Self::internal(&error)
            }
            StoreError::Database { .. } | StoreError::Fenced { .. } | StoreError::RowSecurity { .. } => {
                Self::unavailable(&error)
            }
        }
    }
}

impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        Self::new(Kind::BadRequest, "a part of the path is not text in UTF-8")
    }
}

/// Turns a bare error of a layer or of axum itself into a problem; its headers stay, for one of them is `Allow`.
pub async fn always_a_problem(response: Response) -> Response {
    let status = response.status();
    let is_problem =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() == PROBLEM_JSON.as_bytes());
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let kind = Kind::ALL.iter().copied().find(|kind| kind.status() == status).unwrap_or(Kind::Internal);
    let mut problem = Problem::new(kind, "").into_response();
    if let Some(allow) = response.headers().get(ALLOW) {
        problem.headers_mut().insert(ALLOW, allow.clone());
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_field_and_what_cannot_be_read_is_no_refusal() {
        let rejection = Rejection::new(RejectionCode::BadDate, "data.from", "expected a date").under("2");
        let body = Problem::refusal(&rejection, false).into_body();
        assert_eq!((body.status, body.errors[0].field.as_str()), (422, "2.data.from"));
        let status = |code, unreadable| Problem::refusal(&Rejection::new(code, "", ""), unreadable).status().as_u16();
        assert_eq!(status(RejectionCode::DuplicateKey, true), 400);
        assert_eq!(status(RejectionCode::TooLarge, true), 413);
        assert_eq!(status(RejectionCode::IdReused, false), 409);
    }

    #[test]
    fn codes_are_unique() {
        let codes: std::collections::BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
    }

    #[tokio::test]
    async fn a_bare_error_becomes_a_problem_and_keeps_allow() {
        let bare = (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET")]).into_response();
        let problem = always_a_problem(bare).await;
        assert_eq!(problem.headers()[CONTENT_TYPE], PROBLEM_JSON);
        assert_eq!(problem.headers()[ALLOW], "GET");
        assert_eq!(problem.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
