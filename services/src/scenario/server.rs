//! Cases against a ledger: facts in over HTTP, answers out of its views. Everyone in a case is a stranger to the ledger,
//! and answers are asked at positions, so that runs do not disturb one another or whoever else uses it.

use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, Response};
use rollbook_events::{Hash, Occurred, pacific_day};
use rollbook_projections::Rulebook;
use serde_json::{Value, json};

use super::expect::{Row, Source};
use super::file::{Case, Given};
use super::given;
use super::ids::Ids;
use super::run::{Answer, Outcome, Played, Question, Way};
use crate::cli::client::{Client, Parameter};
use crate::cli::exit::Stop;
use crate::clock;

/// How long one answer may wait for the views.
const WAIT_MS: &str = "30000";
/// How often the views are looked at while they are derived anew.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Runs cases against a ledger.
#[derive(Debug)]
pub struct Server {
    client: Client,
    built_in: Rulebook,
    /// The rulebook that was in force before the first overlay, and has to be again.
    former: Option<String>,
    /// The text that the last overlay became.
    adopted: Option<String>,
}

impl Server {
    /// Against this ledger.
    ///
    /// # Errors
    /// Where the built-in rulebook cannot be read.
    pub fn new(client: Client) -> anyhow::Result<Self> {
        let built_in = Rulebook::parse(Rulebook::built_in_text()).context("the built-in rulebook cannot be read")?;
        Ok(Self { client, built_in, former: None, adopted: None })
    }

    /// Whether the ledger is there and its rulebook is the built-in one, which the cases are written for.
    ///
    /// # Errors
    /// Where the ledger is not there.
    pub async fn is_built_in(&self) -> anyhow::Result<bool> {
        let status = self.status().await?;
        let hash = self.built_in.hash().to_string();
        Ok(status.get("rulebook").and_then(Value::as_str) == Some(hash.as_str()))
    }

    /// Puts the rulebook in force again that was before.
    ///
    /// # Errors
    /// Where the ledger does not take it.
    pub async fn restore(&mut self) -> anyhow::Result<()> {
        let Some(former) = self.former.take() else { return Ok(()) };
        self.adopted = None;
        let stop = || Stop::unavailable("the rulebook that was in force before could not be adopted again");
        self.adopt(&former, "as before the scenarios").await.with_context(stop)
    }

    async fn prepare(&mut self, case: &Case) -> anyhow::Result<()> {
        let Some(overlay) = &case.overlay else {
            self.restore().await?;
            if case.given.iter().any(Given::is_rulebook) {
                self.remember().await?;
            }
            return Ok(());
        };
        let text = self.built_in.text_with(overlay);
        if self.adopted.as_ref() == Some(&text) {
            return Ok(());
        }
        self.remember().await?;
        self.adopt(&text, "a scenario").await?;
        self.adopted = Some(text);
        Ok(())
    }

    /// Remembers the rulebook in force.
    async fn remember(&mut self) -> anyhow::Result<()> {
        if self.former.is_some() {
            return Ok(());
        }
        let query = [("kind", "rulebook_adopted".to_owned())];
        let adoptions = self.client.get(&["v1", "events"], &query).header(ACCEPT, "application/x-ndjson");
        let adoptions = rows(self.client.send(adoptions).await?).await?;
        let text = adoptions.last().and_then(|row| row.get("event")?.get("data")?.get("text")?.as_str());
        self.former = Some(text.context("the ledger does not tell which rulebook is in force")?.to_owned());
        Ok(())
    }

    async fn adopt(&self, text: &str, reason: &str) -> anyhow::Result<()> {
        let body = json!({
            "kind": "rulebook_adopted", "plan": "dhcs", "county": "sacramento",
            "occurred_at": pacific_day(&clock::now()).to_string(),
            "data": { "hash": Hash::of(text.as_bytes()).to_string(), "text": text, "reason": reason },
        });
        let request = self.client.request(Method::POST, &["v1", "events"], &[]).json(&body);
        let answer = self.client.json(request).await?;
        let position = answer.get("position").and_then(Value::as_u64).unwrap_or_default();
        // Everyone is derived anew, which takes the longer the more there are.
        loop {
            let status = self.status().await?;
            if status.get("position").and_then(Value::as_u64) >= Some(position) {
                return Ok(());
            }
            if let Some(trouble) = status.get("trouble").and_then(Value::as_str) {
                bail!(Stop::unavailable(format!("the views stand still: {trouble}")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn status(&self) -> anyhow::Result<Value> {
        let answer = self.client.json(self.client.get(&["v1", "status"], &[])).await?;
        Ok(answer.get("data").cloned().unwrap_or_default())
    }

    /// Gives one fact; gives its first position where it is new.
    async fn give(&self, submission: &Value) -> anyhow::Result<Result<Option<u64>, Outcome>> {
        let request = self.client.request(Method::POST, &["v1", "events"], &[]).json(submission);
        let answer = match self.client.judged(request).await? {
            Ok(answer) => answer,
            Err(problem) => return Ok(Err(refused(&problem))),
        };
        let answer: Value = answer.json().await.context("the receipt could not be read")?;
        let receipt = answer.get("data").and_then(|data| data.get(0)).cloned().unwrap_or_default();
        let is_known = receipt.get("known").and_then(Value::as_bool).unwrap_or_default();
        Ok(Ok(receipt.get("position").and_then(Value::as_u64).filter(|_| !is_known)))
    }

    async fn ask(&self, path: &[&str], question: &Question, query: Vec<Parameter>) -> anyhow::Result<Answer> {
        let at = question.at.to_string();
        let mut all = vec![("known_at", at.clone()), ("at_least", at), ("wait_ms", WAIT_MS.to_owned())];
        all.extend(query);
        let request = self.client.get(path, &all).header(ACCEPT, "application/x-ndjson, application/json;q=0.5");
        match self.client.judged(request).await? {
            Ok(answer) => Ok(Ok(rows(answer).await?)),
            Err(problem) => {
                let why = problem.get("detail").or_else(|| problem.get("title")).and_then(Value::as_str);
                let path = path.iter().map(|part| if part.len() == 36 { "{member}" } else { part });
                let path = path.collect::<Vec<_>>().join("/");
                Ok(Err(format!("the ledger has no answer at /{path}: {}", why.unwrap_or("it refuses"))))
            }
        }
    }

    async fn of_members(&self, below: &[&str], question: &Question, query: &[Parameter]) -> anyhow::Result<Answer> {
        let mut found: Vec<Row> = Vec::new();
        for member in &question.members {
            let member = member.to_string();
            let mut path = vec!["v1", "members", member.as_str()];
            path.extend(below);
            match self.ask(&path, question, query.to_vec()).await? {
                // Linked members answer for one another.
                Ok(rows) => rows.into_iter().for_each(|row| {
                    if !found.contains(&row) {
                        found.push(row);
                    }
                }),
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(found))
    }
}

impl Way for Server {
    async fn play(&mut self, case: &Case) -> anyhow::Result<Played> {
        self.prepare(case).await?;
        let recorded = given::recorded(case);
        // A new id makes everyone in the case a stranger.
        let salt = format!("{}|{}", case.id, clock::new_event_id());
        let ids = Ids::new(case, &salt, &recorded);
        let (mut outcomes, mut firsts) = (Vec::new(), Vec::new());
        for (index, (given, recorded)) in case.given.iter().zip(&recorded).enumerate() {
            let mut submission = given::submission(case, index, given, &ids);
            if let (Some(at), Some(fields)) = (as_of_now(given, *recorded, clock::now()), submission.as_object_mut()) {
                fields.insert("occurred_at".to_owned(), at.into());
            }
            let taken = self.give(&submission).await?;
            firsts.push(taken.as_ref().ok().copied().flatten());
            outcomes.push(taken.map_or_else(|refused| refused, |_| Outcome::Recorded));
        }
        let head = self.status().await?.get("head").and_then(Value::as_u64).unwrap_or_default();
        if case.given.iter().any(Given::is_rulebook) {
            self.adopted = None;
        }
        Ok(Played { ids, recorded, outcomes, positions: positions(&firsts, head) })
    }

    async fn answer(&mut self, question: &Question) -> anyhow::Result<Answer> {
        let about: Vec<Parameter> = question.about.iter().map(|(key, value)| (*key, value.clone())).collect();
        match question.source {
            Source::View { path, query, .. } => {
                let query: Vec<Parameter> = query.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
                self.of_members(path, question, &query).await
            }
            Source::Eligibility => self.of_members(&["eligibility"], question, &about).await,
            Source::Export | Source::Report | Source::Rejected => Ok(Ok(Vec::new())),
        }
    }
}

/// The position before the first given, then that after each: up to where the next one stands, so that what follows from
/// a fact belongs to it.
fn positions(firsts: &[Option<u64>], head: u64) -> Vec<u64> {
    let mut positions = vec![head];
    for first in firsts.iter().rev() {
        let after = positions.last().copied().unwrap_or(head);
        positions.push(first.map_or(after, |first| first.saturating_sub(1)));
    }
    positions.reverse();
    positions
}

/// When a fact is said to have happened, where it cannot be said as the file does: a ledger refuses what its own clock has
/// not seen. What lies ahead of today is said to be of today; what the file has the ledger learn before it happened is
/// said to lie ahead of today, for that is what the file asks about.
fn as_of_now(given: &Given, recorded: DateTime<Utc>, now: DateTime<Utc>) -> Option<String> {
    let (occurred, today) = (given.occurred()?, pacific_day(&now));
    if given.is_early(recorded) {
        return Some((today + chrono::Duration::days(2)).to_string());
    }
    match occurred {
        Occurred::Day(day) if day > today => Some(today.to_string()),
        Occurred::At(instant) if instant.utc() > now => Some(now.to_rfc3339()),
        Occurred::Day(_) | Occurred::At(_) => None,
    }
}

fn refused(problem: &Value) -> Outcome {
    let error = problem.get("errors").and_then(|errors| errors.get(0)).unwrap_or(problem);
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Outcome::Refused { code: text("code"), field: text("field"), detail: text("detail") }
}

/// The rows of an answer, whether they come in lines or on a page.
async fn rows(answer: Response) -> anyhow::Result<Vec<Row>> {
    let is_json = |value: &reqwest::header::HeaderValue| value.as_bytes().starts_with(b"application/json");
    let is_page = answer.headers().get(CONTENT_TYPE).is_some_and(is_json);
    let text = answer.text().await.context("the answer broke off")?;
    let read = if is_page {
        serde_json::from_str(&text).and_then(|page: Value| serde_json::from_value(page["data"].clone()))
    } else {
        text.lines().filter(|line| !line.is_empty()).map(serde_json::from_str).collect()
    };
    read.context("an answer of the ledger could not be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_a_fact_belongs_to_it() {
        // The first fact brought a determination at 12; the third was refused or known.
        assert_eq!(positions(&[Some(11), Some(13), None, Some(20)], 21), [10, 12, 19, 19, 21]);
        assert_eq!(positions(&[], 7), [7]);
        assert_eq!(positions(&[None], 7), [7, 7]);
    }
}
