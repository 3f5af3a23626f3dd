//! Destroying who a member is. Nothing here tells who anybody is: that is told by no route.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use rollbook_events::{MemberId, RejectionCode, strict_json};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::{Operate, Permit};
use super::doc::{AgainstWhatIs, Destroying};
use super::edge::Edge;
use super::params::{Segment, segment};
use super::problem::{Kind, Problem};
use crate::destruction::{Done, NotDone};
use crate::identity_index::destroying::NotDestroyed;
use crate::log::AppendError;

/// Characters of a reason.
const MOST_REASON: usize = 500;

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(destroy))
}

/// Why.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the shape of the body, for the document; the body is read strictly, by hand")]
struct DestroyBody {
    /// Why, for whoever reads the record later; no name and no number of the person.
    #[schema(min_length = 1, max_length = 500, example = "recorded under the wrong person's CIN")]
    reason: String,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
struct OfIdentity {
    /// What was asked for.
    data: Destruction,
}

/// What became of a member's identity.
#[derive(Debug, Serialize, ToSchema)]
struct Destruction {
    /// The member's pseudonym.
    #[schema(value_type = String, format = Uuid)]
    member: MemberId,
    /// The keys that were destroyed; most often one.
    #[schema(value_type = Vec<String>)]
    keys: Vec<rollbook_events::ids::KeyId>,
    /// Whether that had been done before; then they were erased once more, and nothing new was recorded.
    already: bool,
    /// Recorded identities that nobody can read any more.
    #[schema(minimum = 0)]
    sealed: u64,
    /// Recorded identities that the first release wrote, in clear: no key protects them, and they are as they were.
    #[schema(minimum = 0)]
    in_clear: u64,
    /// Rows that waited in the quarantine and say nothing any more.
    #[schema(minimum = 0)]
    quarantined: u64,
}

/// Destroys the key that a member's identity is sealed with, for good: name, CIN, birth date and contacts can be read by nobody
/// any more, in the stream, its archive and every copy of both. Events, chains and views stay as they are. It is recorded
/// who wanted it, and why. What is recorded of the same person after that is sealed with a new key.
#[utoipa::path(
    post,
    path = "/v1/members/{member}/identity/destroy",
    operation_id = "destroy_identity",
    tag = "operations",
    params(("member" = String, Path, description = "The member's pseudonym", format = Uuid)),
    request_body = DestroyBody,
    responses((status = 200, description = "It is destroyed", body = OfIdentity), Destroying, AgainstWhatIs)
)]
async fn destroy(
    permit: Permit<Operate>,
    State(edge): State<Edge>,
    Segment(member): Segment<String>,
    body: Bytes,
) -> Result<Json<OfIdentity>, Problem> {
    let member: MemberId = segment("member", &member)?;
    let reason = reason(&body)?;
    let Some(destruction) = &edge.destruction else {
        return Err(Problem::new(Kind::NoRecorder, "this program does not know the identity stream"));
    };
    let Done { destroyed, quarantined } =
        destruction.destroy(member, &reason, &permit.caller.actor).await.map_err(problem)?;
    let (keys, already, sealed, in_clear) = (destroyed.keys, destroyed.already, destroyed.sealed, destroyed.in_clear);
    Ok(Json(OfIdentity { data: Destruction { member, keys, already, sealed, in_clear, quarantined } }))
}

fn reason(body: &[u8]) -> Result<String, Problem> {
    let value = strict_json::parse(body).map_err(|rejection| Problem::refusal(&rejection, true))?;
    let refused =
        |code: RejectionCode, detail: &str| Problem::new(Kind::Rejected, "").and("reason", code.as_str(), detail);
    let fields = value.as_object().filter(|fields| fields.keys().all(|name| name == "reason"));
    let Some(Value::String(reason)) = fields.and_then(|fields| fields.get("reason")) else {
        return Err(refused(RejectionCode::MissingField, "is required, a text, and the only field"));
    };
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MOST_REASON || reason.chars().any(char::is_control) {
        let detail = "must be one line of 1 to 500 characters";
        return Err(refused(RejectionCode::TooLarge, detail));
    }
    Ok(reason.to_owned())
}

fn problem(error: NotDone) -> Problem {
    match error {
        NotDone::Key(NotDestroyed::Unknown) => {
            Problem::new(Kind::NotFound, "nothing is recorded of who this member is")
        }
        NotDone::Key(error @ NotDestroyed::InClear { .. }) => Problem::new(Kind::AgainstWhatIs, error.to_string()),
        NotDone::Key(NotDestroyed::Append(AppendError::Unknown { .. })) => {
            Problem::new(Kind::OutcomeUnknown, "of the destruction; ask for it again: it is done once")
        }
        NotDone::Key(NotDestroyed::Append(error @ AppendError::Stayed { .. })) => {
            Problem::new(Kind::RecordingStopped, error.to_string())
        }
        error @ NotDone::Key(NotDestroyed::Read(_) | NotDestroyed::Append(_)) => Problem::unavailable(&error),
        error @ (NotDone::Key(NotDestroyed::NotErased(_)) | NotDone::Quarantine(_)) => {
            tracing::error!(error = crate::error_chain::chain(&error), "a destruction is recorded and not carried out");
            Problem::new(Kind::NotReady, error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_and_the_only_field() {
        assert_eq!(reason(br#"{"reason":" misfiled "}"#).unwrap(), "misfiled");
        for bad in [r#"{}"#, r#"{"reason":""}"#, r#"{"reason":"a\nb"}"#, r#"{"reason":1}"#, r#"{"reason":"a","x":1}"#] {
            assert_eq!(reason(bad.as_bytes()).unwrap_err().status().as_u16(), 422, "{bad}");
        }
        let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(501));
        assert_eq!(reason(long.as_bytes()).unwrap_err().status().as_u16(), 422);
        assert_eq!(reason(b"no").unwrap_err().status().as_u16(), 400);
    }
}
