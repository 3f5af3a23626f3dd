//! Asking a ledger over HTTP, and what no answer means.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use super::service::Service;
use crate::chaos::history::Outcome;

/// An answer, or none.
#[derive(Debug)]
pub struct Answer {
    /// How the request ended.
    pub outcome: Outcome,
    /// The status.
    pub status: Option<u16>,
    /// The header `rollbook-position`.
    pub position: Option<u64>,
    /// The whole body.
    pub body: String,
    /// What went wrong: the problem's code, or why nothing came.
    pub problem: Option<String>,
}

impl Answer {
    fn none(outcome: Outcome, problem: &str) -> Self {
        Self { outcome, status: None, position: None, body: String::new(), problem: Some(problem.to_owned()) }
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Whether it is a 2xx.
    pub fn is_ok(&self) -> bool {
        self.outcome == Outcome::Ok
    }
}

/// Asks services with the operator's token.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    token: String,
}

impl Api {
    /// With a token.
    pub fn new(token: &str) -> Self {
        Self { http: Client::builder().build().unwrap(), token: token.to_owned() }
    }

    /// Asks a question.
    pub async fn get(&self, service: &Service, path: &str, accept: &str, patience: Duration) -> Answer {
        let Some(url) = service.address() else { return Answer::none(Outcome::Fail, "does not run") };
        self.ask(self.http.get(format!("{url}{path}")).header("accept", accept), patience).await
    }

    /// Sends a body.
    pub async fn post(&self, service: &Service, path: &str, body: String, patience: Duration) -> Answer {
        let Some(url) = service.address() else { return Answer::none(Outcome::Fail, "does not run") };
        let request = self.http.post(format!("{url}{path}")).header("content-type", "application/json");
        self.ask(request.body(body), patience).await
    }

    async fn ask(&self, request: RequestBuilder, patience: Duration) -> Answer {
        let sending = request.bearer_auth(&self.token).timeout(patience).send();
        let response = match sending.await {
            Ok(response) => response,
            // Nobody was there: nothing was sent.
            Err(error) if error.is_connect() => return Answer::none(Outcome::Fail, "refused"),
            Err(error) if error.is_timeout() => return Answer::none(Outcome::Unknown, "no answer in time"),
            Err(_) => return Answer::none(Outcome::Unknown, "the connection broke"),
        };
        let status = response.status().as_u16();
        let header = response.headers().get("rollbook-position");
        let position = header.and_then(|value| value.to_str().ok()?.parse().ok());
        let Ok(body) = response.text().await else {
            return Answer { status: Some(status), ..Answer::none(Outcome::Unknown, "the answer broke off") };
        };
        let value: Value = serde_json::from_str(&body).unwrap_or_default();
        let problem = value["type"].as_str().and_then(|kind| kind.rsplit('/').next()).map(str::to_owned);
        let outcome = match (status, problem.as_deref()) {
            (200..=299, _) => Outcome::Ok,
            (400..=499, _) => Outcome::Fail,
            (503, Some(problem)) if problem != "outcome-unknown" => Outcome::Fail,
            _ => Outcome::Unknown,
        };
        let position = position.or_else(|| value["position"].as_u64());
        Answer { outcome, status: Some(status), position, body, problem: problem.filter(|_| outcome != Outcome::Ok) }
    }
}
