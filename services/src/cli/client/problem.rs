//! Answers that refuse: problem details (RFC 9457) as a sentence, and what the refusal means for the caller.

use reqwest::{Response, StatusCode};
use serde::Deserialize;

use crate::cli::exit::{Exit, Stop};

/// What a refusal says.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<FieldError>,
}

#[derive(Debug, Deserialize)]
struct FieldError {
    field: Option<String>,
    detail: Option<String>,
    code: Option<String>,
}

/// What an answer that is no success comes to.
pub async fn problem_of(answer: Response) -> anyhow::Error {
    let status = answer.status();
    // A body that is no problem, or none at all, is told by its status alone.
    let body = answer.bytes().await.unwrap_or_default();
    stop(status, serde_json::from_slice(&body).ok()).into()
}

fn stop(status: StatusCode, problem: Option<Problem>) -> Stop {
    let known = problem.is_some();
    let problem = problem.unwrap_or_default();
    let stop = Stop::new(exit(status, known), said(status, &problem));
    let about_input = matches!(status, StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE);
    let stop = if about_input { stop.about_input() } else { stop };
    match next(status, known) {
        Some(next) => stop.next(next),
        None => stop,
    }
}

fn exit(status: StatusCode, known: bool) -> Exit {
    match status {
        // What is asked for is not there. Without a problem the address is not a ledger's at all.
        StatusCode::NOT_FOUND if known => Exit::No,
        StatusCode::NOT_FOUND | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Exit::Unavailable,
        StatusCode::CONFLICT | StatusCode::GONE | StatusCode::PRECONDITION_FAILED => Exit::No,
        _ if status.is_client_error() => Exit::Usage,
        _ => Exit::Unavailable,
    }
}

fn next(status: StatusCode, known: bool) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED => {
            Some("give a token with --token-file, ROLLBOOK_TOKEN or --data DIR; `rollbook token issue` makes one")
        }
        StatusCode::FORBIDDEN => Some("this token may not do that; ask the ledger's operator for another"),
        StatusCode::NOT_FOUND if !known => Some("is the address that of a ledger, and of this version?"),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Some("try again; rollbook doctor says more"),
        StatusCode::INTERNAL_SERVER_ERROR => Some("look into the ledger's own log for the cause"),
        _ => None,
    }
}

fn said(status: StatusCode, problem: &Problem) -> String {
    let title = problem.title.clone().unwrap_or_else(|| format!("the ledger answered {status}"));
    let mut text = match &problem.detail {
        Some(detail) if *detail != title => format!("{title}: {detail}"),
        _ => title,
    };
    for error in &problem.errors {
        let why = error.detail.as_deref().or(error.code.as_deref()).unwrap_or("refused");
        let line = match error.field.as_deref() {
            Some(field) if !field.is_empty() => format!("{field}: {why}"),
            _ => why.to_owned(),
        };
        // The detail often tells the first of them.
        if problem.detail.as_ref() != Some(&line) {
            text += &format!("\n  {line}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: u16, body: &str) -> (Exit, String) {
        let stop = stop(StatusCode::from_u16(status).unwrap(), serde_json::from_str(body).ok());
        (Exit::of(&stop.clone().into()), stop.to_string())
    }

    #[test]
    fn only_what_was_handed_in_leaves_hope_for_the_next_file() {
        let about_input = |status| Stop::is_about_input(&stop(StatusCode::from_u16(status).unwrap(), None).into());
        assert_eq!([401, 413, 422, 503].map(about_input), [false, true, true, false]);
    }

    #[test]
    fn a_refused_question_is_bad_usage_and_names_the_field() {
        let body = r#"{"title":"bad request","detail":"a filter","errors":[{"field":"plan","code":"x","detail":"expected a code"}]}"#;
        assert_eq!(ended(400, body), (Exit::Usage, "bad request: a filter\n  plan: expected a code".to_owned()));
        let told_once = r#"{"title":"bad","detail":"plan: unknown","errors":[{"field":"plan","detail":"unknown"}]}"#;
        assert_eq!(ended(422, told_once), (Exit::Usage, "bad: plan: unknown".to_owned()));
        assert_eq!(ended(401, "{}").0, Exit::Usage);
    }

    #[test]
    fn what_is_not_there_is_a_no_and_a_strange_server_is_no_ledger() {
        assert_eq!(ended(404, r#"{"title":"no such member"}"#).0, Exit::No);
        assert_eq!(ended(404, "<html>").0, Exit::Unavailable);
    }

    #[test]
    fn a_ledger_that_cannot_answer_is_unavailable() {
        for status in [429, 500, 502, 503, 504] {
            assert_eq!(ended(status, "").0, Exit::Unavailable, "{status}");
        }
    }
}
