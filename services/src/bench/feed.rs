//! From the log to followers of the feed: everything a publisher has to write, written, read by one follower a plan, and proven
//! complete by the receipts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::corpus::Corpus;
use super::figure::Figure;
use super::ground::Ground;
use super::process::Watched;
use super::service::Service;
use crate::feed::Receipt;
use crate::feed::told::Told;

/// How long nothing may come before the measurement gives up.
const STILL: Duration = Duration::from_secs(120);

/// The plans whose feeds there will be.
pub fn plans(corpus: &Corpus) -> BTreeSet<String> {
    let told = corpus.stored().iter().filter_map(|stored| Told::read(&stored.body).ok());
    told.map(|told| told.plan.to_string()).collect()
}

/// Publishes a whole log to followers, one a plan, who listen from the beginning on. The time begins with the publisher's
/// process, so that on a small ledger the figure is one of its start.
///
/// # Errors
/// Where a message is missing, a receipt differs, or nothing comes any more.
pub async fn publish(
    ground: &Ground,
    database: &str,
    plans: BTreeSet<String>,
    head: u64,
    members: u32,
) -> anyhow::Result<Figure> {
    let (begun, nats) = (Instant::now(), Watched::from_now(ground.nats().pid()));
    let publisher = Arc::new(Service::start(ground, "publisher", database).await?);
    let watched = publisher.watched();
    let followers = plans.len();
    let (send, mut heard) = tokio::sync::mpsc::channel::<u64>(1_024);
    let mut following = JoinSet::new();
    for plan in plans {
        following.spawn(follow(publisher.clone(), plan, send.clone()));
    }
    drop(send);
    let mut all = 0;
    while all < head {
        let more = timeout(STILL, heard.recv()).await.context("nothing comes from the feed any more")?;
        let Some(more) = more else { break };
        all += more;
    }
    let (took, cost) = (begun.elapsed(), watched.cost());
    // They end where nobody counts with them any more; one that broke off before says why.
    drop(heard);
    while let Some(ended) = following.join_next().await {
        ended??;
    }
    ensure!(all == head, "the followers heard {all} messages of {head} events");
    if let Some(publisher) = Arc::into_inner(publisher) {
        publisher.stop().await;
    }
    let figure = Figure::events("feed", members, head, took).cost(cost).nats(nats.cost());
    Ok(figure.and("followers", followers).and("seconds", super::figure::round(took.as_secs_f64())))
}

/// Counts one plan's messages and computes their receipt, until nobody counts any more; then compares it.
async fn follow(publisher: Arc<Service>, plan: String, counted: tokio::sync::mpsc::Sender<u64>) -> anyhow::Result<()> {
    let request = publisher.request(Method::GET, &format!("/v1/feed?plan={plan}&from=1"));
    let answer = request.header(ACCEPT, "application/x-ndjson").send().await?.error_for_status()?;
    let mut chunks = answer.bytes_stream();
    let (mut held, mut number, mut receipt) = (Vec::new(), 0_u64, Receipt::beginning());
    loop {
        let chunk = tokio::select! {
            chunk = chunks.next() => chunk.context("a follower was cut off")??,
            () = counted.closed() => break,
        };
        held.extend_from_slice(&chunk);
        let mut more = 0;
        while let Some(end) = held.iter().position(|c| *c == b'\n') {
            let line: Vec<u8> = held.drain(..=end).collect();
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            if line.starts_with(b"{\"heartbeat\"") {
                continue;
            }
            receipt = receipt.then(line);
            more += 1;
        }
        number += more;
        if more > 0 && counted.send(more).await.is_err() {
            break;
        }
    }
    let answer = publisher.get(&format!("/v1/feed/receipt?plan={plan}&number={number}&receipt={receipt}")).await?;
    ensure!(answer.pointer("/data/equal") == Some(&Value::Bool(true)), "a follower's receipt differs at {number}");
    Ok(())
}
