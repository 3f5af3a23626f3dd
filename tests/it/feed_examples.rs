//! The subscribers of deploy/examples, with the standard NATS clients, on the shipped servers' configuration: killed in the
//! middle, each goes on where it was and ends with the log's own receipt.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::cluster::Cluster;
use harness::examples::{self, Example};
use rollbook::feed::status::Report;
use rollbook::feed::{Feed, Publisher};
use rollbook::health::Health;
use rollbook::log::{Log, NatsLog, StreamSpec, connect};
use rollbook_events::PlanCode;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::feed_publisher::{event, folded};
use crate::permissions::as_known;

const PATIENCE: Duration = Duration::from_secs(40);
const REPLICAS: usize = 3;

/// A line of JSON that a subscriber printed for each event.
fn printed(text: &[u8]) -> Vec<u64> {
    let lines = std::str::from_utf8(text).unwrap().lines();
    // The last line of one that was killed may have no end.
    lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()?["number"].as_u64()).collect()
}

fn kept(place: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(place).ok()?).ok()
}

fn subscriber(cluster: &Cluster, example: Example, place: &Path) -> Command {
    let access = as_known(cluster, "subscriber");
    let (certificate, key) = access.certificate.unwrap();
    let mut command = example.command();
    command.args(["--plan", "la-care", "--nats", &access.url, "--place"]).arg(place);
    command.arg("--nkey").arg(access.nkey.unwrap()).arg("--ca").arg(access.authority.unwrap());
    command.arg("--cert").arg(certificate).arg("--key").arg(key).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

async fn tried(cluster: &Cluster, example: Example, log: &NatsLog, appended: &mut u64) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place.json");
    let mut first = subscriber(cluster, example, &place).spawn().unwrap();
    let begun = Instant::now();
    while kept(&place).is_none_or(|kept| kept["number"].as_u64() < Some(20)) {
        assert!(begun.elapsed() < PATIENCE, "{example:?} does not come on: {:?}", kept(&place));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let more: Vec<_> = (*appended..*appended + 150).map(event).collect();
    log.append(&more).await.unwrap();
    *appended += 150;
    first.kill().unwrap();
    let before = printed(&first.wait_with_output().unwrap().stdout);

    let plan: PlanCode = "la-care".parse().unwrap();
    let standing = folded(log).await.1.of(&plan);
    let number = standing.number.to_string();
    let kept_then = kept(&place).unwrap()["number"].as_u64().unwrap();
    let again = subscriber(cluster, example, &place).args(["--until", &number]).stderr(Stdio::piped()).spawn().unwrap();
    let output = tokio::task::spawn_blocking(|| again.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{example:?}: {said}");
    let after = printed(&output.stdout);
    assert_eq!(before, (1..=before.len() as u64).collect::<Vec<_>>(), "{example:?}");
    assert_eq!(after, (kept_then + 1..=standing.number).collect::<Vec<_>>(), "{example:?} goes on after its place");
    let told: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(told["receipt"], standing.receipt.to_string(), "{example:?}");
    assert_eq!(kept(&place).unwrap()["receipt"], standing.receipt.to_string(), "{example:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heavy_the_example_subscribers_go_on_where_they_were_and_hold_the_logs_receipt() {
    if !examples::are_run() {
        eprintln!("the examples are left out: ROLLBOOK_TEST_EXAMPLES=skip");
        return;
    }
    let cluster = Cluster::up(&["--nats-only", "--streams"]);
    let access = |who: &str| as_known(&cluster, who);
    let (recorder, publisher) = (access("recorder"), access("publisher"));
    let recording = connect(&recorder, "recorder").await.unwrap();
    let log = NatsLog::open(recording, &recorder, StreamSpec::ENROLLMENT, REPLICAS);
    let publishing = connect(&publisher, "publisher").await.unwrap();
    let source = NatsLog::open(publishing.clone(), &publisher, StreamSpec::ENROLLMENT, REPLICAS);
    let stop = CancellationToken::new();
    let feed = Feed::new(NatsLog::open(publishing, &publisher, StreamSpec::FEED, REPLICAS), stop.clone());
    let running =
        tokio::spawn(Publisher::new(Arc::new(source), feed, Report::new(&Health::default())).run(stop.clone()));
    let mut appended = 200;
    log.append(&(0..appended).map(event).collect::<Vec<_>>()).await.unwrap();
    for example in [Example::Python, Example::Node] {
        tried(&cluster, example, &log, &mut appended).await;
        // Each begins with a consumer of its own.
        let admin = connect(&as_known(&cluster, "admin"), "admin").await.unwrap();
        let deleted =
            async_nats::jetstream::new(admin).delete_consumer_from_stream("la-care", StreamSpec::FEED.name).await;
        deleted.unwrap();
    }
    stop.cancel();
    running.await.unwrap();
}
