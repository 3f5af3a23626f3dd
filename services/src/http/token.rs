//! Access tokens for machine clients, in return for an assertion that they signed (SMART Backend Services, RFC 7523).

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Form, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::doc::TokenRefused;
use super::edge::Edge;
use super::params::{Nothing, Params};
use super::problem::{Kind, Problem};
use crate::clock;
use crate::tokens::{ACCESS_SECONDS, Refused};

/// Bytes of a request: an assertion, escaped, and what stands around it.
const MOST_BYTES: usize = 16 * 1024;
const GRANT: &str = "client_credentials";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(issue)).layer(DefaultBodyLimit::max(MOST_BYTES))
}

/// A request for an access token.
#[derive(Deserialize, ToSchema)]
struct TokenRequest {
    /// Always `client_credentials`.
    #[schema(pattern = "^client_credentials$")]
    grant_type: String,
    /// Always `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    #[schema(pattern = "^urn:ietf:params:oauth:client-assertion-type:jwt-bearer$")]
    client_assertion_type: String,
    /// A JWT that the client signed: `iss` and `sub` its id, `aud` this endpoint's address, `iat`, `exp` at most five minutes ahead, and a
    /// `jti` that it never used before.
    #[schema(min_length = 1, max_length = 8192)]
    client_assertion: String,
}

/// An access token.
#[derive(Serialize, ToSchema)]
struct AccessToken {
    /// The token, for the header `Authorization: Bearer`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that it holds.
    #[schema(minimum = 300, maximum = 900)]
    expires_in: i64,
}

/// Gives a registered client an access token for ten minutes, in return for an assertion that it signed with its own key. There is no
/// secret that both sides know, and nothing to renew but the assertion.
#[utoipa::path(
    post,
    path = "/v1/token",
    operation_id = "issue_token",
    tag = "documents",
    security(()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "An access token", body = AccessToken), TokenRefused)
)]
async fn issue(
    State(edge): State<Edge>,
    _: Params<Nothing>,
    request: Result<Form<TokenRequest>, FormRejection>,
) -> Result<Json<AccessToken>, Problem> {
    let Form(request) = request.map_err(|rejection| refused(&rejection))?;
    if request.grant_type != GRANT || request.client_assertion_type != ASSERTION {
        return Err(Problem::new(Kind::UnsupportedGrant, ""));
    }
    let access = edge.tokens.access(&request.client_assertion, clock::now()).await.map_err(|why| {
        if matches!(why, Refused::Full | Refused::NotAsked) {
            tracing::warn!(%why, "an assertion was refused");
            return Problem::new(Kind::Unavailable, "");
        }
        tracing::debug!(%why, "an assertion was refused");
        Problem::new(Kind::InvalidClient, "the client is unknown, or its assertion holds not or no more")
    })?;
    edge.limits.admit_to_token(&access.known).map_err(Problem::too_many)?;
    Ok(Json(AccessToken { access_token: access.token, token_type: "Bearer", expires_in: ACCESS_SECONDS }))
}

fn refused(rejection: &FormRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Kind::TooLarge, "a request for a token has at most 16 KiB"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new(Kind::UnsupportedMediaType, "send application/x-www-form-urlencoded")
        }
        _ => Problem::new(Kind::UnsupportedGrant, ""),
    }
}
