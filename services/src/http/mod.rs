//! The HTTP edge: recording, queries, operations, and the document that describes them, generated from the code.
//!
//! One file a resource; a new one is a file and a line in `routes`. Reading order: `auth` (who may; `crate::policy` says so),
//! `params` (what is asked), `basis` (what an answer rests on), `rows`, `withheld` and `answer` (how rows become an answer),
//! `problem` (what can go wrong), then the resources.
//!
//! **Invariant:** no SQL and no rule stands here. Every failure is `application/problem+json`; none repeats a value, and no
//! log line holds a path, because a path may name a member.

mod accept;
mod answer;
mod ask;
mod auth;
mod authorizations;
mod basis;
mod clocks;
mod conflicts;
mod cursor;
mod disclosures;
mod doc;
mod doc_rows;
mod edge;
mod eligibility;
mod enrollments;
mod events;
mod feed;
mod feed_asked;
mod feed_stream;
mod feed_webhooks;
mod findings;
mod health;
mod identity;
mod intake;
mod layers;
mod limits;
mod lines;
mod members;
mod notice_reasoning;
mod notices;
mod outreach_attempts;
mod outreach_conversion;
mod over_live;
mod params;
mod problem;
mod reassessments;
mod rebuild;
mod receipts;
mod rows;
mod rulebook;
mod rulebook_compare;
mod schemas;
mod sheet;
mod shown;
mod spans;
mod status;
mod submit;
mod submit_lines;
mod token;
mod values;
mod views;
mod withheld;

use axum::Router;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use edge::Edge;

pub use limits::{LimitSettings, Limits};

/// What the document says of the whole.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Rollbook", description = "The enrollment ledger of CalAIM Enhanced Care Management and Community Supports. Every answer names the position of the log it rests on, how far behind that is, and the rulebook in force; every question can be asked as of a day (`effective_at`) and as known at a position or instant (`known_at`). Lists are given as JSON pages, or whole as NDJSON or CSV by `Accept`."),
    components(schemas(problem::Body)),
    security(("bearer" = [])),
    tags(
        (name = "recording", description = "Events and files in"),
        (name = "views", description = "What the ledger knows, across members"),
        (name = "members", description = "What the ledger knows of one member, under every pseudonym that is the same person"),
        (name = "feed", description = "Every event of a plan, numbered and receipted, for services that build on them"),
        (name = "operations", description = "How the ledger is"),
        (name = "documents", description = "What callers build on"),
    )
)]
struct Document;

/// Routes that answer soon.
fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(members::routes())
        .merge(enrollments::routes())
        .merge(conflicts::routes())
        .merge(disclosures::routes())
        .merge(notices::routes())
        .merge(notice_reasoning::routes())
        .merge(findings::routes())
        .merge(eligibility::routes())
        .merge(authorizations::routes())
        .merge(reassessments::routes())
        .merge(clocks::routes())
        .merge(events::routes())
        .merge(outreach_attempts::routes())
        .merge(outreach_conversion::routes())
        .merge(rulebook::routes())
        .merge(views::routes())
        .merge(rebuild::routes())
        .merge(feed_asked::routes())
        .merge(feed_webhooks::routes())
        .merge(status::routes())
        .merge(identity::routes())
        .merge(health::routes())
        .merge(schemas::routes())
        .merge(token::routes())
}

/// Routes that take a body for as long as it comes.
fn streaming_routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .merge(submit::routes())
        .merge(intake::routes())
        .merge(rulebook_compare::routes())
        .merge(feed::routes())
}

/// The API over a running ledger.
pub fn router(app: App) -> Router {
    let (soon, _) = routes().split_for_parts();
    let (streaming, _) = streaming_routes().split_for_parts();
    let all = layers::timed(soon).merge(streaming);
    let all = all.fallback(layers::not_found).method_not_allowed_fallback(layers::method_not_allowed);
    over_live::over_live(app, move |app| {
        let limits = app.limits.clone();
        layers::around(all.clone().with_state(Edge::new(app)), limits)
    })
}

/// The document of the API.
pub fn openapi() -> OpenApi {
    let mut document = routes().merge(streaming_routes()).into_openapi();
    let description = "A JWT of the issuer that the ledger knows, of `POST /v1/token`, or on trial of `rollbook token`";
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(description));
    let bearer = bearer.build();
    document.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(bearer));
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
        // Those that are open to everybody say so; all others take a token, and with it a purpose.
        for operation in operations.into_iter().flatten().filter(|operation| operation.security.is_none()) {
            operation.parameters.get_or_insert_default().push(doc::purpose());
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document as it is committed: pretty, so that a change is read as a diff.
    #[test]
    fn the_committed_document_is_the_generated_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let text = serde_json::to_string_pretty(&openapi()).unwrap() + "\n";
        if option_env!("ROLLBOOK_UPDATE").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == text,
            "openapi.json is not the generated document; run with ROLLBOOK_UPDATE=1 and read the diff"
        );
    }

    #[test]
    fn every_operation_says_what_it_answers_and_who_may_ask() {
        let document = serde_json::to_value(openapi()).unwrap();
        let open = [
            "/healthz",
            "/readyz",
            "/openapi.json",
            "/asyncapi.json",
            "/schemas",
            "/schemas/{name}",
            "/problems/{code}",
            "/v1/token",
        ];
        let mut names = std::collections::BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(names.insert(operation["operationId"].as_str().unwrap()), "{method} {path} is named twice");
                for (status, response) in operation["responses"].as_object().unwrap() {
                    assert!(response["description"].is_string(), "{method} {path} {status} has no description");
                }
                assert!(operation["description"].is_string() || operation["summary"].is_string(), "{method} {path}");
                assert_eq!(operation["security"].is_array(), open.contains(&path.as_str()), "{method} {path}");
                let refuses = !open.contains(&path.as_str()) || path == "/v1/token";
                for status in ["401", "414", "429"] {
                    assert_eq!(operation["responses"][status].is_object(), refuses, "{method} {path} {status}");
                }
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    let schema = &parameter["schema"];
                    let is_number = schema["type"] == "integer";
                    let bounded = schema["minimum"].is_number() && schema["maximum"].is_number();
                    assert!(!is_number || bounded, "{method} {path} {} has no bounds", parameter["name"]);
                }
            }
        }
    }
}
