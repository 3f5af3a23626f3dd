//! The adapter against a server that speaks the few calls of S3 it needs, over HTTP.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;

use super::*;

type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

/// The most names in one answer, so that a listing takes several.
const NAMES_AT_ONCE: usize = 2;

async fn listed(State(objects): State<Objects>, Query(asked): Query<HashMap<String, String>>) -> String {
    let text = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let after = text("start-after").max(text("continuation-token"));
    let objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
    let names: Vec<&String> =
        objects.keys().filter(|name| name.starts_with(&text("prefix")) && **name > after).collect();
    let page: Vec<&&String> = names.iter().take(NAMES_AT_ONCE).collect();
    let more = names.len() > page.len();
    let contents: String = page
        .iter()
        .map(|name| {
            format!(
                "<Contents><Key>{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"e\"</ETag>\
                 <Size>1</Size></Contents>"
            )
        })
        .collect();
    let next = page.last().filter(|_| more);
    let next = next.map(|name| format!("<NextContinuationToken>{name}</NextContinuationToken>")).unwrap_or_default();
    format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>ledger</Name><IsTruncated>{more}</IsTruncated>{contents}{next}\
         </ListBucketResult>"
    )
}

async fn object(State(objects): State<Objects>, UrlPath(name): UrlPath<String>) -> Response<Body> {
    let objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, body) = match objects.get(&name) {
        Some(bytes) => (StatusCode::OK, bytes.clone()),
        None => (StatusCode::NOT_FOUND, Bytes::from_static(b"<Error><Code>NoSuchKey</Code></Error>")),
    };
    let answer = Response::builder().status(status).header("etag", "\"e\"");
    answer.header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT").body(Body::from(body)).unwrap()
}

async fn put(
    State(objects): State<Objects>,
    UrlPath(name): UrlPath<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
    let only_new = headers.get("if-none-match").is_some_and(|value| value == "*");
    let signed = headers.get("authorization").is_some_and(|value| value.to_str().unwrap().contains("AWS4-HMAC-SHA256"));
    let status = match (signed, only_new && objects.contains_key(&name)) {
        (false, _) => StatusCode::FORBIDDEN,
        (true, true) => StatusCode::PRECONDITION_FAILED,
        (true, false) => {
            objects.insert(name, body);
            StatusCode::OK
        }
    };
    Response::builder().status(status).header("etag", "\"e\"").body(Body::empty()).unwrap()
}

/// A server with one bucket, and the adapter for it.
async fn bucket(prefix: &str) -> (S3, Objects) {
    let objects = Objects::default();
    let app = Router::new()
        .route("/ledger", get(listed))
        .route("/ledger/{*name}", get(object).put(put))
        .with_state(objects.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (client(&endpoint, prefix), objects)
}

fn client(endpoint: &str, prefix: &str) -> S3 {
    let builder = AmazonS3Builder::new()
        .with_bucket_name("ledger")
        .with_region("us-west-2")
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_access_key_id("key")
        .with_secret_access_key("secret");
    S3::new(builder, prefix, "s3://ledger/archive".to_owned()).unwrap()
}

#[tokio::test]
async fn an_object_is_put_once_and_never_changed() {
    for prefix in ["", "deep/archive"] {
        let (place, objects) = bucket(prefix).await;
        assert_eq!(place.list("A", None).await.unwrap(), Vec::<String>::new());
        assert_eq!(place.get("A/1").await.unwrap(), None);
        assert_eq!(place.put_new("A/1", Bytes::from_static(b"one")).await.unwrap(), Put::Stored);
        assert_eq!(place.put_new("A/1", Bytes::from_static(b"two")).await.unwrap(), Put::Taken);
        assert_eq!(place.get("A/1").await.unwrap().as_deref(), Some(b"one".as_slice()));
        for name in ["A/2", "A/3", "A/4", "A/5", "B/1"] {
            place.put_new(name, Bytes::from_static(b"more")).await.unwrap();
        }
        let (mut all, mut rest) = (place.list("A", None).await.unwrap(), place.list("A", Some("3")).await.unwrap());
        all.sort();
        rest.sort();
        assert_eq!((all.join(" "), rest.join(" ")), ("1 2 3 4 5".to_owned(), "4 5".to_owned()));
        let names: Vec<String> = objects.lock().unwrap().keys().cloned().collect();
        assert!(names.iter().all(|name| name.starts_with(prefix)), "{names:?}");
    }
}

#[tokio::test]
async fn a_place_that_is_away_says_so_and_names_itself() {
    // A port that nobody listens on any more.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&endpoint, "").put_new("A/1", Bytes::from_static(b"one")).await.unwrap_err();
    assert_eq!(error.to_string(), "the archive at s3://ledger/archive could not be written");
}
