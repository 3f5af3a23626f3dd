//! Subscribers as somebody would write them: on the stream and over HTTP, each with a place of its own on a disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use bytes::Bytes;
use futures_util::StreamExt;
use rollbook::feed::Receipt;
use rollbook::log::{Access, StreamSpec, connect};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// What a subscriber keeps on its disk: everything it took, and the receipt over it. One lock is one write.
#[derive(Debug, Default)]
pub struct Kept {
    pub numbers: Vec<u64>,
    pub receipt: Option<Receipt>,
    pub wrong: Vec<String>,
}

impl Kept {
    pub fn last(&self) -> u64 {
        self.numbers.last().copied().unwrap_or(0)
    }

    /// Takes a message in; one that came again is passed by, one that does not follow is told of.
    fn take(&mut self, body: &[u8]) {
        let number = serde_json::from_slice::<Value>(body).unwrap()["feednumber"].as_u64().unwrap();
        if number <= self.last() {
            return;
        }
        if number != self.last() + 1 {
            self.wrong.push(format!("{number} after {}", self.last()));
        }
        self.receipt = Some(self.receipt.unwrap_or_else(Receipt::beginning).then(body));
        self.numbers.push(number);
    }
}

pub type Disk = Arc<Mutex<Kept>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Nats,
    Http,
}

pub struct Subscriber {
    pub by: By,
    pub plan: &'static str,
    pub disk: Disk,
    pub paused: watch::Sender<bool>,
    running: Option<JoinHandle<()>>,
}

/// Where the programs of this run are.
#[derive(Clone)]
pub struct Where {
    pub access: Access,
    /// Address and token of whoever gives the feed now.
    pub http: watch::Receiver<(String, String)>,
}

impl Subscriber {
    pub fn new(by: By, plan: &'static str) -> Self {
        Self { by, plan, disk: Disk::default(), paused: watch::Sender::new(false), running: None }
    }

    pub fn start(&mut self, at: &Where) {
        let (by, plan, disk, paused, at) = (self.by, self.plan, self.disk.clone(), self.paused.subscribe(), at.clone());
        self.running = Some(tokio::spawn(async move {
            loop {
                match by {
                    By::Nats => on_the_stream(plan, &disk, paused.clone(), &at).await,
                    By::Http => over_http(plan, &disk, paused.clone(), &at).await,
                }
                sleep(Duration::from_millis(50)).await;
            }
        }));
    }

    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }
}

/// As the examples do it: a durable consumer, each message acknowledged once it is kept.
async fn on_the_stream(plan: &str, disk: &Disk, mut paused: watch::Receiver<bool>, at: &Where) {
    let Ok(client) = connect(&at.access, "subscriber").await else { return };
    let config = pull::Config {
        durable_name: Some(plan.to_owned()),
        filter_subject: format!("feed.{plan}.>"),
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_secs(2),
        max_ack_pending: 200,
        ..pull::Config::default()
    };
    let jetstream = async_nats::jetstream::new(client);
    let Ok(consumer) = jetstream.create_consumer_on_stream(config, StreamSpec::FEED.name).await else { return };
    let Ok(mut messages) = consumer.stream().max_messages_per_batch(50).messages().await else { return };
    // What was sent and not acknowledged before a kill comes again after others: it is taken in order.
    let mut early: BTreeMap<u64, Bytes> = BTreeMap::new();
    while let Some(Ok(message)) = messages.next().await {
        if paused.wait_for(|paused| !paused).await.is_err() {
            return;
        }
        let number = serde_json::from_slice::<Value>(&message.payload).unwrap()["feednumber"].as_u64().unwrap();
        early.insert(number, message.payload.clone());
        {
            let mut kept = disk.lock().unwrap();
            while let Some(entry) = early.first_entry().filter(|entry| *entry.key() <= kept.last() + 1) {
                kept.take(&entry.remove());
            }
        }
        // Kept first, acknowledged then. One that came early is not kept yet, and is not acknowledged: it comes again.
        if early.is_empty() && message.ack().await.is_err() {
            return;
        }
    }
}

async fn over_http(plan: &str, disk: &Disk, mut paused: watch::Receiver<bool>, at: &Where) {
    let (url, token) = at.http.borrow().clone();
    let from = disk.lock().unwrap().last() + 1;
    let request = reqwest::Client::new().get(format!("{url}/v1/feed?plan={plan}&from={from}")).bearer_auth(token);
    let Ok(answer) = request.header("accept", "application/x-ndjson").send().await else { return };
    if !answer.status().is_success() {
        return;
    }
    let (mut chunks, mut held) = (answer.bytes_stream(), Vec::new());
    while let Some(Ok(chunk)) = chunks.next().await {
        if paused.wait_for(|paused| !paused).await.is_err() {
            return;
        }
        held.extend_from_slice(&chunk);
        while let Some(end) = held.iter().position(|c| *c == b'\n') {
            let line: Vec<u8> = held.drain(..=end).collect();
            let line = line.strip_suffix(b"\n").unwrap();
            if !line.starts_with(b"{\"heartbeat\"") {
                disk.lock().unwrap().take(line);
            }
        }
    }
}
