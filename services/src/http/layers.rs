//! What lies around every handler: request ids, spans, timings, panics, headers.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::Span;

use super::limits::Limits;
use super::problem::{Kind, Problem, always_a_problem};

/// How long an answer may take to begin; longer than anybody may wait for a position.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of an address: a hundred of the longest codes of two parameters.
const LONGEST_ADDRESS: usize = 16 * 1024;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Around routes whose answers begin soon; a stream that has begun may take as long as it takes.
pub fn timed<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER_TIMEOUT))
}

/// Around all routes; the last one here is the outermost.
pub fn around(router: Router, limits: Limits) -> Router {
    let header = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::map_response(always_a_problem))
        .layer(middleware::from_fn_with_state(limits, bounded))
        .layer(middleware::from_fn(measured))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(X_FRAME_OPTIONS, "DENY"))
        .layer(header(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .layer(header(REFERRER_POLICY, "no-referrer"))
        .layer(header(CACHE_CONTROL, "no-store"))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(SetSensitiveRequestHeadersLayer::new([AUTHORIZATION]))
}

/// So many at once, and no longer an address than that. Whether it lives and is ready is told however busy it is.
async fn bounded(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let address = request.uri();
    if address.path().len() + address.query().map_or(0, str::len) > LONGEST_ADDRESS {
        return Problem::new(Kind::UriTooLong, "an address has at most 16 KiB").into_response();
    }
    if !address.path().starts_with("/v1/") {
        return next.run(request).await;
    }
    match limits.room() {
        Some(_room) => next.run(request).await,
        None => Problem::too_many(1).into_response(),
    }
}

/// The route and not the path, which may name a member.
fn span<B>(request: &axum::http::Request<B>) -> Span {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    tracing::info_span!("request", method = %request.method(), route = route(request.extensions()), id)
}

fn route(extensions: &axum::http::Extensions) -> &str {
    extensions.get::<MatchedPath>().map_or("none", MatchedPath::as_str)
}

async fn measured(request: Request, next: Next) -> Response {
    let labels = [("method", method(&request)), ("route", route(request.extensions()).to_owned())];
    let began = Instant::now();
    let response = next.run(request).await;
    let status = ("status", response.status().as_u16().to_string());
    let labels = [&labels[..], &[status]].concat();
    metrics::histogram!("rollbook_http_request_seconds", &labels).record(began.elapsed());
    metrics::counter!("rollbook_http_requests_total", &labels).increment(1);
    response
}

/// A method that a caller made up would be a label of its own each time.
fn method(request: &Request) -> String {
    let method = request.method().as_str();
    if ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method) { method } else { "OTHER" }
        .to_owned()
}

/// A panic's message may hold a value, so it goes nowhere; the hook has printed where it was.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::new(Kind::Internal, "").into_response()
}

/// Where no route is.
pub async fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "there is no such path; /openapi.json lists them")
}

/// Where the route has other methods.
pub async fn method_not_allowed() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "the header Allow names the methods of this path")
}

#[cfg(test)]
mod tests {
    use super::super::limits::LimitSettings;
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    async fn asked(method: &str, path: &str) -> Response {
        let panics = || async {
            let empty: Vec<u8> = Vec::new();
            empty[0].to_string()
        };
        let router = Router::new().route("/well", get(|| async { "well" })).route("/panics", get(panics));
        let router = router.fallback(not_found).method_not_allowed_fallback(method_not_allowed);
        let router = around(router, Limits::new(LimitSettings { in_flight: 0, ..LimitSettings::default() }));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn whatever_goes_wrong_is_a_problem() {
        let long = format!("/well?{}", "a".repeat(LONGEST_ADDRESS));
        for (method, path, status) in [
            ("GET", "/none", 404),
            ("POST", "/well", 405),
            ("GET", "/panics", 500),
            ("GET", &long, 414),
            ("GET", "/v1/well", 429),
        ] {
            let response = asked(method, path).await;
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
            assert_eq!(response.headers()["cache-control"], "no-store");
            assert_eq!(response.headers()["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
            assert_eq!(response.headers()["referrer-policy"], "no-referrer");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            assert_eq!(response.headers().get("retry-after").is_some(), status == 429, "{path}");
            assert!(response.headers().contains_key("x-request-id"));
        }
        assert_eq!(asked("POST", "/well").await.headers()["allow"], "GET,HEAD");
    }

    #[tokio::test]
    async fn what_goes_well_is_left_as_it_is() {
        let response = asked("GET", "/well").await;
        assert_eq!(
            (response.status(), &response.headers()["x-content-type-options"]),
            (StatusCode::OK, &"nosniff".parse().unwrap())
        );
    }
}
