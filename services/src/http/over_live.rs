//! The API over whichever generation of the views is live: a request is given one when it comes, and keeps it to its end.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use tower::ServiceExt as _;

use crate::app::App;

/// The router over one generation, and that one's number.
struct OverOne {
    number: i64,
    router: Router,
}

/// The router of the live generation, made by `make` and made anew when another becomes live.
pub fn over_live(app: App, make: impl Fn(App) -> Router + Clone + Send + Sync + 'static) -> Router {
    let number = app.views.live().number();
    let over = Arc::new(Mutex::new(OverOne { number, router: make(app.clone()) }));
    let now = move || {
        let (number, db) = app.views.live().now();
        let mut over = over.lock().unwrap_or_else(PoisonError::into_inner);
        if over.number != number {
            *over = OverOne { number, router: make(App { db, ..app.clone() }) };
        }
        (number, over.router.clone())
    };
    Router::new().fallback(async move |request: Request| -> Response {
        let (number, router) = now();
        let (parts, body) = request.into_parts();
        let question = (parts.method == Method::GET).then(|| parts.clone());
        let answer = answered(router, Request::from_parts(parts, body)).await;
        match question {
            // The generation it was asked of is live no more: it may stand still, or be gone. A question is asked again.
            Some(parts) if answer.status() == StatusCode::SERVICE_UNAVAILABLE && now().0 != number => {
                answered(now().1, Request::from_parts(parts, Body::empty())).await
            }
            Some(_) | None => answer,
        }
    })
}

async fn answered(router: Router, request: Request) -> Response {
    let answer: Result<Response, Infallible> = router.oneshot(request).await;
    answer.unwrap_or_else(|never| match never {})
}
