//! A whole cluster of real processes, as deploy/cluster brings it up, while a server is killed under it.

use std::path::Path;
use std::time::{Duration, Instant};

use harness::cluster::Cluster;
use reqwest::Client;
use serde_json::{Value, json};

/// How long nothing may be recorded after the server that leads is gone.
const MOST_UNAVAILABLE: Duration = Duration::from_secs(10);

fn event(n: u32) -> Value {
    let id = format!("018f3c1e-7a10-7c3d-9b4e-{n:012x}");
    json!({
        "id": id, "kind": "enrolled", "member": format!("0b0b0b0b-0b0b-8b0b-8b0b-{n:012x}"), "plan": "la-care",
        "county": "los-angeles", "occurred_at": "2024-02-01",
        "data": { "enrollment": id, "program": "ecm", "basis": "opt_in", "channel": "plan_direct", "provider": "1234567893", "from": "2024-02-01" }
    })
}

/// Someone who records at one recorder and reads at the query server.
struct Caller<'a> {
    cluster: &'a Cluster,
    http: Client,
    token: String,
}

impl Caller<'_> {
    fn url(&self, service: &str, path: &str) -> String {
        format!("{}{path}", self.cluster.process(service)["url"].as_str().unwrap())
    }

    /// Records an event, the same again and again until it is acknowledged; its position.
    async fn record(&self, recorder: &str, n: u32) -> u64 {
        let begun = Instant::now();
        loop {
            let request = self.http.post(self.url(recorder, "/v1/events")).bearer_auth(&self.token).json(&event(n));
            let answer = request.timeout(Duration::from_secs(60)).send().await;
            match answer {
                Ok(answer) if answer.status().is_success() => {
                    let answer: Value = answer.json().await.unwrap();
                    return answer["data"][0]["position"].as_u64().or(answer["position"].as_u64()).unwrap();
                }
                Ok(answer) => {
                    let status = answer.status();
                    assert!(status.is_server_error(), "{status}: {}", answer.text().await.unwrap());
                }
                Err(error) => assert!(error.is_timeout() || error.is_connect(), "{error}"),
            }
            assert!(begun.elapsed() < Duration::from_secs(90), "event {n} was never acknowledged");
        }
    }

    async fn rows(&self, service: &str, at_least: u64) -> Vec<Value> {
        let url = self.url(service, &format!("/v1/events?at_least={at_least}&wait_ms=30000"));
        let begun = Instant::now();
        loop {
            let request = self.http.get(&url).bearer_auth(&self.token).header("accept", "application/x-ndjson");
            let answer = request.send().await.unwrap();
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            if status.is_success() {
                return text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            }
            // Who is shown what is written down by a quorum too, so a reader comes back as a recorder does.
            assert!(status == 503 && begun.elapsed() < Duration::from_secs(30), "{status} {text}");
        }
    }
}

#[tokio::test]
async fn heavy_a_cluster_goes_on_when_the_server_that_leads_is_killed() {
    let cluster = Cluster::up(&[]);
    let token = std::fs::read_to_string(Path::new(cluster.told["token"].as_str().unwrap())).unwrap();
    let caller = Caller { cluster: &cluster, http: Client::new(), token: token.trim().to_owned() };
    let mut positions = Vec::new();
    for n in 1..=20 {
        // Two recorders on one log: whoever is asked, the event has one place.
        positions.push(caller.record(if n % 2 == 0 { "recorder-1" } else { "recorder-2" }, n).await);
    }
    let leader = cluster.leader("ENROLLMENT").unwrap();
    cluster.verb(&["kill", &leader]);
    let begun = Instant::now();
    positions.push(caller.record("recorder-1", 21).await);
    let unavailable = begun.elapsed();
    assert!(unavailable <= MOST_UNAVAILABLE, "nothing was recorded for {unavailable:?} after {leader} was killed");
    for n in 22..=40 {
        positions.push(caller.record("recorder-1", n).await);
    }
    assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
    let rows = caller.rows("query", *positions.last().unwrap()).await;
    let recorded: Vec<u64> =
        rows.iter().filter(|row| row["kind"] == "enrolled").map(|row| row["position"].as_u64().unwrap()).collect();
    let mut sorted = recorded.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, positions, "the query server does not show what was acknowledged");
    let other = cluster.leader("ENROLLMENT").unwrap();
    assert_ne!(other, leader);
    // It comes back and catches up: now another may go.
    cluster.verb(&["start", &leader]);
    assert!(cluster.verb(&["status"]).lines().all(|line| line.contains(" runs ")), "{}", cluster.verb(&["status"]));
    println!("recording stood still for {} ms after {leader} was killed", unavailable.as_millis());
}
