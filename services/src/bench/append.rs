//! Appending over HTTP: clients that each wait for their answer before they send again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use reqwest::Method;
use rollbook_events::MemberId;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::figure::{Figure, Latencies};
use super::ground::Ground;
use super::process::Watched;
use super::service::Service;

/// What is appended: an attempt to reach somebody, the most frequent event of all. No two are the same.
#[derive(Debug)]
pub struct Attempts {
    members: Vec<MemberId>,
    next: AtomicU64,
}

impl Attempts {
    /// On these members, in turn.
    pub fn on(members: Vec<MemberId>) -> Self {
        Self { members, next: AtomicU64::new(0) }
    }

    /// The next one.
    pub fn next(&self) -> Value {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let turn = usize::try_from(number).unwrap_or(0) % self.members.len().max(1);
        let (minute, hour, day) = (number % 60, number / 60 % 24, number / 1_440 % 28 + 1);
        json!({
            "kind": "outreach_attempted", "member": self.members.get(turn), "plan": "la-care", "county": "los-angeles",
            "occurred_at": format!("2024-02-{day:02}T{hour:02}:{minute:02}:00-08:00"),
            "data": { "program": "ecm", "channel": "phone", "individualized": true, "response_invited": true,
                "live_staff": true, "callback": false, "reached": "member", "staff": "clinical", "minutes": 15, "provider": "1234567893" }
        })
    }
}

/// So many clients for so long.
///
/// # Errors
/// Where an event is not recorded.
pub async fn over_http(
    name: &'static str,
    (ground, recorder): (&Ground, &Arc<Service>),
    attempts: &Arc<Attempts>,
    (clients, time): (usize, Duration),
    members: u32,
) -> anyhow::Result<Figure> {
    // Connections are made and the first dossiers are read before anything counts.
    run(recorder, attempts, clients, time / 10).await?;
    let (watched, nats) = (recorder.watched(), Watched::from_now(ground.nats().pid()));
    let begun = Instant::now();
    let latencies = run(recorder, attempts, clients, time).await?;
    let figure = Figure::events(name, members, latencies.len(), begun.elapsed()).with(&latencies);
    Ok(figure.cost(watched.cost()).nats(nats.cost()).and("clients", clients))
}

async fn run(
    recorder: &Arc<Service>,
    attempts: &Arc<Attempts>,
    clients: usize,
    time: Duration,
) -> anyhow::Result<Latencies> {
    let mut running = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..clients {
        let (recorder, attempts) = (recorder.clone(), attempts.clone());
        running.spawn(async move {
            let mut latencies = Latencies::new()?;
            while begun.elapsed() < time {
                let one = Instant::now();
                record(&recorder, &attempts.next()).await?;
                latencies.record(one.elapsed());
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = Latencies::new()?;
    while let Some(ended) = running.join_next().await {
        all.add(&ended??)?;
    }
    Ok(all)
}

/// Records one event and gives its position.
pub(super) async fn record(recorder: &Service, event: &Value) -> anyhow::Result<u64> {
    let answer = recorder.request(Method::POST, "/v1/events").json(event).send().await?;
    let status = answer.status();
    let answer: Value = answer.json().await?;
    let detail = || answer.get("detail").and_then(Value::as_str).unwrap_or_default().to_owned();
    ensure!(status.is_success(), "an event was answered {status}: {}", detail());
    Ok(answer.get("position").and_then(Value::as_u64).unwrap_or(0))
}
