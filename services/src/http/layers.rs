//! What lies around every handler: request ids, spans, timings, panics, headers.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::Span;

use super::problem::{Kind, Problem, always_a_problem};

/// How long an answer may take to begin; longer than anybody may wait for a position.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Around routes whose answers begin soon; a stream that has begun may take as long as it takes.
pub fn timed<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER_TIMEOUT))
}

/// Around all routes; the last one here is the outermost.
pub fn around(router: Router) -> Router {
    let header = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::map_response(always_a_problem))
        .layer(middleware::from_fn(measured))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(CACHE_CONTROL, "no-store"))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
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
        let router = around(router.fallback(not_found).method_not_allowed_fallback(method_not_allowed));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn whatever_goes_wrong_is_a_problem() {
        for (method, path, status) in [("GET", "/none", 404), ("POST", "/well", 405), ("GET", "/panics", 500)] {
            let response = asked(method, path).await;
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
            assert_eq!(response.headers()["cache-control"], "no-store");
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
