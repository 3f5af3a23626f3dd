//! Recording over HTTP: one submission, several that are recorded together, or one a line (`submit_lines`).

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use rollbook_events::identity::{Identity, IdentitySource};
use rollbook_events::{EventId, Rejection, RejectionCode, Subject, Submission, Whom, strict_json};
use serde_json::value::RawValue;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::{Permit, Record};
use super::doc::Recorded;
use super::doc_rows::SubmissionBody;
use super::edge::Edge;
use super::params::{Nothing, Params};
use super::problem::{Kind, Problem};
use super::receipts::Receipts;
use super::submit_lines::{self, LineAnswer};
use crate::failpoint;
use crate::identity_index::Told;
use crate::log::AppendError;
use crate::policy::{Action, Resource};
use crate::recorder::{MOST_EVENTS, RecordError, Recorder, Work};

/// Bytes of a body that is recorded together.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// How long such a body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(submit))
}

/// Whether a caller may record this: an event in its own organization's record, and a rulebook only the owner.
///
/// # Errors
/// 403 where they may not; then nothing of the request is recorded.
pub fn may_stand(permit: &Permit<Record>, submission: &Submission) -> Result<(), Problem> {
    match submission.whom {
        Whom::Rulebook => permit.also(Action::Adopt, Resource::Ledger),
        Whom::Member(_) | Whom::Cin(_) => permit.also(Action::Record, Resource::Record(&submission.plan)),
    }
    .map(|_| ())
    .map_err(|problem| problem.and("plan", "not_yours", "is of another organization than the token's"))
}

/// Records events. A JSON object is one submission; an array is recorded whole or not at all; NDJSON is a submission a line,
/// each recorded on its own and answered, in order, with a line of its own while the body still comes.
#[utoipa::path(
    post,
    path = "/v1/events",
    operation_id = "record_events",
    tag = "recording",
    params(("Idempotency-Key" = Option<String>, Header, format = Uuid, description = "The event id of a single submission; the same key again records nothing new, for ever")),
    request_body(description = "At most 256 KiB a submission, 8 MiB and 1000 submissions an array; lines without limit", content(
        (SubmissionBody = "application/json"),
        (SubmissionBody = "application/x-ndjson"),
    )),
    responses(
        (status = 201, description = "Recorded, and on disk", body = Receipts),
        (status = 200, description = "The ledger held all of it before; or NDJSON, an answer a line with the line's own status", content(
            (Receipts = "application/json"),
            (LineAnswer = "application/x-ndjson"),
        )),
        Recorded,
    )
)]
async fn submit(
    permit: Permit<Record>,
    State(edge): State<Edge>,
    _: Params<Nothing>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let recorder = recorder(&edge)?;
    let key = idempotency_key(&headers)?;
    match media_type(&headers) {
        "" | "application/json" => {}
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" if key.is_some() => {
            return Err(Problem::parameter("Idempotency-Key", "is for a single submission; give each line an `id`"));
        }
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => {
            return Ok(submit_lines::answer(edge, recorder, permit, body));
        }
        _ => return Err(Problem::new(Kind::UnsupportedMediaType, "send application/json or application/x-ndjson")),
    }
    let text = whole(body).await?;
    let (submissions, is_array) = read(&text, key)?;
    for (index, submission) in submissions.iter().enumerate() {
        may_stand(&permit, submission).map_err(|problem| problem.of(is_array.then_some(index)))?;
    }
    let given = identified(&edge, submissions).await?;
    failpoint!("http.after_identified");
    let recorded = recorder.record(Work::Given(given), permit.caller.actor.clone()).await;
    let recording = recorded.map_err(|error| failure(error, is_array))?;
    let (status, receipts) = Receipts::of(recording, &permit);
    Ok((status, Json(receipts)).into_response())
}

/// The recorder, where this program is one.
pub fn recorder(edge: &Edge) -> Result<Recorder, Problem> {
    edge.recorder.clone().ok_or_else(|| Problem::new(Kind::NoRecorder, "this program answers and does not record"))
}

fn media_type(headers: &HeaderMap) -> &str {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim()
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<EventId>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    // The draft writes it as a quoted string, most callers write it bare.
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    text.parse().map(Some).map_err(|error| Problem::parameter("Idempotency-Key", error))
}

async fn whole(body: Body) -> Result<Vec<u8>, Problem> {
    let read = async {
        let (mut text, mut chunks) = (Vec::new(), body.into_data_stream());
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Problem::new(Kind::BadRequest, "the body broke off"))?;
            if text.len() + chunk.len() > MOST_BYTES {
                return Err(Problem::new(Kind::TooLarge, format!("the body is over {MOST_BYTES} bytes")));
            }
            text.extend_from_slice(&chunk);
        }
        Ok(text)
    };
    let slow = |_| Problem::new(Kind::TooSlow, "the body did not come within 30 seconds");
    tokio::time::timeout(BODY_TIMEOUT, read).await.map_err(slow)?
}

/// The submissions of a body, and whether they stood in an array.
fn read(text: &[u8], key: Option<EventId>) -> Result<(Vec<Submission>, bool), Problem> {
    if text.iter().find(|c| !c.is_ascii_whitespace()) != Some(&b'[') {
        let mut submission = one(text).map_err(|(rejection, unreadable)| Problem::refusal(&rejection, unreadable))?;
        match (submission.id, key) {
            (Some(id), Some(key)) if id != key => {
                return Err(Problem::parameter(
                    "Idempotency-Key",
                    "is not the submission's own `id`; send one of them",
                ));
            }
            (id, key) => submission.id = key.or(id),
        }
        return Ok((vec![submission], false));
    }
    if key.is_some() {
        return Err(Problem::parameter("Idempotency-Key", "is for a single submission; give each of several an `id`"));
    }
    let malformed = |detail: String| Problem::refusal(&Rejection::new(RejectionCode::Malformed, "", detail), true);
    let text = std::str::from_utf8(text)
        .map_err(|error| malformed(format!("is not UTF-8 after byte {}", error.valid_up_to())))?;
    // The array is taken apart first, so that each submission is read within its own bounds.
    let elements: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| malformed(format!("is not JSON, line {} column {}", error.line(), error.column())))?;
    if elements.is_empty() {
        return Err(malformed("is an array without a submission".to_owned()));
    }
    if elements.len() > MOST_EVENTS {
        return Err(Problem::new(Kind::TooLarge, format!("an array holds at most {MOST_EVENTS} submissions")));
    }
    let submissions = elements.iter().enumerate().map(|(index, element)| {
        one(element.get().as_bytes())
            .map_err(|(rejection, unreadable)| Problem::refusal(&rejection.under(&index.to_string()), unreadable))
    });
    Ok((submissions.collect::<Result<_, _>>()?, true))
}

/// One submission; a refusal says whether already its JSON could not be read.
pub fn one(text: &[u8]) -> Result<Submission, (Rejection, bool)> {
    let value = strict_json::parse(text).map_err(|rejection| (rejection, true))?;
    Submission::from_value(value).map_err(|rejection| (rejection, false))
}

/// Puts the pseudonym in the place of each CIN, after the identity stream has it.
///
/// # Errors
/// Where the identity stream cannot be written.
pub async fn identified(edge: &Edge, submissions: Vec<Submission>) -> Result<Vec<(Subject, Submission)>, Problem> {
    let mut told = Vec::new();
    let mut given = Vec::with_capacity(submissions.len());
    for mut submission in submissions {
        let subject = match submission.whom {
            Whom::Rulebook => Subject::Rulebook,
            Whom::Member(member) => Subject::Member(member),
            Whom::Cin(cin) => {
                let member = edge.key.member(&cin);
                let source = IdentitySource { system: "api".to_owned(), file_sha256: None, row: None };
                told.push(Told { member, identity: Identity::of(cin), source });
                Subject::Member(member)
            }
        };
        // The CIN goes no further than this.
        submission.whom = subject.member().map_or(Whom::Rulebook, Whom::Member);
        given.push((subject, submission));
    }
    let Some(identities) = &edge.identities else {
        return Err(Problem::new(Kind::NoRecorder, "this program does not know the identity stream"));
    };
    if !told.is_empty() {
        identities.record(&told).await.map_err(|error| match error {
            AppendError::Unknown { .. } => Problem::new(Kind::OutcomeUnknown, "of the identity; no event was recorded"),
            AppendError::Stayed { .. } => Problem::new(Kind::RecordingStopped, error.to_string()),
            error @ (AppendError::Conflict { .. }
            | AppendError::TooLarge { .. }
            | AppendError::TooMany { .. }
            | AppendError::Malformed { .. }
            | AppendError::Unavailable { .. }
            | AppendError::Refused { .. }) => Problem::unavailable(&error),
        })?;
    }
    Ok(given)
}

/// Why nothing was recorded; of several submissions the refused one is named by its index.
pub fn failure(error: RecordError, is_array: bool) -> Problem {
    match error {
        RecordError::Rejected { index, rejection } => {
            let rejection = if is_array { rejection.under(&index.to_string()) } else { rejection };
            Problem::refusal(&rejection, false)
        }
        RecordError::NotSubmitted(why) => Problem::new(Kind::Rejected, why.reason),
        RecordError::TooMany => Problem::new(Kind::TooLarge, error.to_string()),
        RecordError::Unknown => Problem::new(Kind::OutcomeUnknown, error.to_string()),
        RecordError::Stayed { .. } => Problem::new(Kind::RecordingStopped, error.to_string()),
        RecordError::Unavailable { .. } | RecordError::Stopped => Problem::unavailable(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"kind":"enrolled","member":"0b0b0b0b-0b0b-8b0b-8b0b-0b0b0b0b0b0b","plan":"la-care",
        "county":"los-angeles","occurred_at":"2024-02-01","data":{"enrollment":"018f3c1e-7a10-7c3d-9b4e-0123456789ab",
        "program":"ecm","basis":"opt_in","channel":"plan_direct","provider":"1234567893","from":"2024-02-01"}}"#;

    fn problem(text: &str, key: Option<&str>) -> (u16, String) {
        let body = read(text.as_bytes(), key.map(|key| key.parse().unwrap())).unwrap_err().into_body();
        (body.status, body.errors.first().map(|error| error.field.clone()).unwrap_or_default())
    }

    #[test]
    fn the_key_is_the_id_of_a_single_submission() {
        let key = "018f3c1e-7a10-7c3d-9b4e-0000000000a1";
        let (submissions, is_array) = read(GOOD.as_bytes(), Some(key.parse().unwrap())).unwrap();
        assert_eq!((submissions[0].id.unwrap().to_string().as_str(), is_array), (key, false));
        assert_eq!(problem(&format!("[{GOOD}]"), Some(key)), (400, "Idempotency-Key".to_owned()));
        let with_id = GOOD.replacen('{', r#"{"id":"018f3c1e-7a10-7c3d-9b4e-0000000000a2","#, 1);
        assert_eq!(problem(&with_id, Some(key)), (400, "Idempotency-Key".to_owned()));
    }

    #[test]
    fn what_is_wrong_in_an_array_is_named_by_its_index() {
        assert_eq!(read(format!(" [{GOOD},{GOOD}]").as_bytes(), None).unwrap().0.len(), 2);
        let bad = GOOD.replace("\"ecm\"", "\"hn\"");
        assert_eq!(problem(&format!("[{GOOD},{bad}]"), None), (422, "1.data.program".to_owned()));
        assert_eq!(problem(&format!("[{GOOD},{{\"a\":1,\"a\":1}}]"), None), (400, "1.a".to_owned()));
        assert_eq!(problem("[]", None).0, 400);
        assert_eq!(problem("[1", None).0, 400);
        assert_eq!(problem("", None).0, 400);
        assert_eq!(problem(&format!("[{}1]", "1,".repeat(1_000)), None).0, 413);
        assert_eq!(problem(&format!("\"{}\"", "x".repeat(300_000)), None).0, 413);
    }
}
