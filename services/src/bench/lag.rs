//! From the moment an event should have been sent to the moment the views show it, at a pace that does not wait.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::append::{Attempts, record};
use super::figure::{Figure, Latencies};
use super::service::Service;

/// How often it is looked how far the views are: what a lag is known to.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// How long the last events may take to be seen.
const SEEN_WITHIN: Duration = Duration::from_secs(60);

/// Sends so many a second for so long. Each lag counts from the moment its event was due, whether or not the ledger had
/// answered those before: so a stall is seen in all the events it delays, not in one.
///
/// # Errors
/// Where an event is not recorded, or not seen in time.
pub async fn at(
    pace: u32,
    (recorder, projector): (&Arc<Service>, &Arc<Service>),
    attempts: &Arc<Attempts>,
    time: Duration,
    members: u32,
) -> anyhow::Result<Figure> {
    let (seen, looking) = look(projector.clone());
    let watched = projector.watched();
    let begun = Instant::now() + Duration::from_millis(20);
    let all = u64::from(pace) * u64::try_from(time.as_millis())? / 1_000;
    let mut sent = JoinSet::new();
    for number in 0..all {
        let due = begun + Duration::from_nanos(number * 1_000_000_000 / u64::from(pace));
        sleep_until(due).await;
        let (recorder, attempts, mut seen) = (recorder.clone(), attempts.clone(), seen.clone());
        sent.spawn(async move {
            let position = record(&recorder, &attempts.next()).await?;
            let shown = seen.wait_for(|(shown, _)| *shown >= position);
            let shown = timeout(SEEN_WITHIN, shown).await.context("an event was not seen in time")??;
            anyhow::Ok(shown.1.saturating_duration_since(due))
        });
    }
    let mut latencies = Latencies::new()?;
    while let Some(ended) = sent.join_next().await {
        latencies.record(ended??);
    }
    let took = begun.elapsed();
    looking.abort();
    let figure = Figure::events("lag", members, all, took).with(&latencies).cost(watched.cost());
    Ok(figure.and("at_per_s", pace).and("p100_ms", latencies.percentile(100.0)))
}

/// How far the views are, and since when that is known.
fn look(projector: Arc<Service>) -> (watch::Receiver<(u64, Instant)>, tokio::task::JoinHandle<()>) {
    let (send, seen) = watch::channel((0, Instant::now()));
    let looking = tokio::spawn(async move {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Any answer says at which position it was computed; nobody is this member.
            let Ok(answer) = projector.get("/v1/members/0b0b0b0b-0b0b-8b0b-8b0b-0b0b0b0b0b0b/enrollments").await else {
                continue;
            };
            let position = answer.get("position").and_then(Value::as_u64).unwrap_or(0);
            // The look took its time: it is known now and not when it was asked.
            send.send_if_modified(|known| {
                let news = position > known.0;
                if news {
                    *known = (position, Instant::now());
                }
                news
            });
        }
    });
    (seen, looking)
}
