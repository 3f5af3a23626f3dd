//! The feed over HTTP: every event of a plan once, numbered and receipted; lost, it is published again to the byte.

use std::time::Duration;

use bytes::Bytes;
use harness::ledger::Ledger;
use harness::server;
use rollbook::feed::Receipt;
use rollbook::log::{NatsLog, StreamSpec, connect};
use rollbook::nats_server::NatsServer;
use serde_json::{Value, json};

use crate::feed_publisher::every;

const MEMBER: &str = "0a0a0a0a-0a0a-8a0a-8a0a-0a0a0a0a0a0a";

fn attempt(n: u64, plan: &str, sensitivity: &str) -> Value {
    json!({ "kind": "outreach_attempted", "member": MEMBER, "plan": plan, "county": "los-angeles",
            "occurred_at": format!("2024-02-{:02}T10:{:02}:00-08:00", n % 28 + 1, n % 60), "sensitivity": sensitivity,
            "data": { "program": "ecm", "channel": "phone", "individualized": true, "response_invited": true, "live_staff": true,
                "callback": false, "reached": "member", "staff": "clinical", "minutes": n % 50 + 1, "provider": "1234567893" } })
}

/// Waits until the feed tells of all that the log holds, and gives the position.
async fn published(ledger: &Ledger) -> u64 {
    let head = ledger.caught_up().await;
    let until = tokio::time::Instant::now() + Duration::from_secs(30);
    while ledger.get("/v1/status").await["data"]["feed"]["position"].as_u64().unwrap() < head {
        assert!(tokio::time::Instant::now() < until, "{}", ledger.get("/v1/status").await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    head
}

/// The messages of a plan as they stand, computed to a receipt that the last heartbeat must tell.
async fn heard(ledger: &Ledger, query: &str) -> (Vec<Value>, String) {
    let text = ledger.text(&format!("/v1/feed?wait=false&{query}"), "application/x-ndjson").await;
    let lines: Vec<&str> = text.lines().collect();
    let [first, between @ .., last] = &lines[..] else { panic!("a heartbeat at either end: {text}") };
    let beat = |line: &str| serde_json::from_str::<Value>(line).unwrap()["heartbeat"].clone();
    let mut receipt: Receipt = beat(first)["receipt"].as_str().unwrap().parse().unwrap();
    for line in between {
        receipt = receipt.then(line.as_bytes());
    }
    if !query.contains("kind=") && !query.contains("program=") {
        assert_eq!(beat(last)["receipt"], receipt.to_string());
        assert_eq!(
            beat(last)["number"].as_u64().unwrap() - beat(first)["number"].as_u64().unwrap(),
            between.len() as u64
        );
    }
    (between.iter().map(|line| serde_json::from_str(line).unwrap()).collect(), receipt.to_string())
}

fn numbers(messages: &[Value]) -> Vec<u64> {
    messages.iter().map(|message| message["feednumber"].as_u64().unwrap()).collect()
}

async fn refused(ledger: &Ledger, path: &str, accept: &str) -> (u16, Value) {
    let answer = ledger.asked(path, accept).await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_plan_is_told_each_event_once_from_wherever_it_asks() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let mut positions = Vec::new();
    for (n, (plan, sensitivity)) in
        (0..).zip([("la-care", "none"), ("molina", "none"), ("la-care", "part2"), ("la-care", "none")])
    {
        let (status, answer) = ledger.post("/v1/events", &attempt(n, plan, sensitivity)).await;
        assert_eq!(status, 201, "{answer}");
        positions.push(answer["position"].as_u64().unwrap());
    }
    let head = published(&ledger).await;
    let (all, receipt) = heard(&ledger, "plan=la-care").await;
    assert_eq!(numbers(&all), [1, 2, 3]);
    let told: Vec<u64> = all.iter().map(|message| message["logposition"].as_u64().unwrap()).collect();
    assert_eq!(told, [positions[0], positions[2], positions[3]]);
    assert_eq!((all[0]["plan"].as_str(), all[0]["data"]["program"].as_str()), (Some("la-care"), Some("ecm")));
    let hidden = &all[1];
    assert_eq!((&hidden["redacted"], &hidden["sensitivity"]), (&json!(true), &json!("part2")));
    assert!(hidden["data"].is_null() && hidden["actorid"].is_null() && hidden["type"].is_string(), "{hidden}");
    assert!(all.iter().all(|message| message.get("previoushash").is_none()));
    assert_eq!(numbers(&heard(&ledger, "plan=molina").await.0), [1]);
    assert_eq!(numbers(&heard(&ledger, "plan=kaiser").await.0), [0_u64; 0]);

    // From a number, a position, the last id seen.
    assert_eq!(numbers(&heard(&ledger, "plan=la-care&from=3").await.0), [3]);
    assert_eq!(numbers(&heard(&ledger, "plan=la-care&from=4").await.0), [0_u64; 0]);
    let from = positions[0] + 1;
    assert_eq!(numbers(&heard(&ledger, &format!("plan=la-care&from_position={from}")).await.0), [2, 3]);
    let url = format!("{}/v1/feed?plan=la-care&wait=false", ledger.url());
    let request = reqwest::Client::new().get(url).bearer_auth(ledger.token()).header("last-event-id", "2");
    let events = request.header("accept", "text/event-stream").send().await.unwrap().text().await.unwrap();
    let (ids, beats) = (
        events.matches("id: 3\nevent: outreach_attempted\ndata: {").count(),
        events.matches("event: heartbeat").count(),
    );
    assert_eq!((ids, beats, events.matches("id: ").count()), (1, 2, 1), "{events}");

    // Filters; a redacted event names no program and is given.
    assert_eq!(numbers(&heard(&ledger, "plan=la-care&program=respite").await.0), [2]);
    assert_eq!(numbers(&heard(&ledger, "plan=la-care&kind=enrolled").await.0), [0_u64; 0]);

    // Receipts and stretches.
    let path = format!("/v1/feed/receipt?plan=la-care&number=3&receipt={receipt}");
    assert_eq!(ledger.get(&path).await["data"]["equal"], true);
    assert_eq!(ledger.get(&path.replace("number=3", "number=2")).await["data"]["equal"], false);
    let status = ledger.get("/v1/feed/status?plan=la-care").await["data"].clone();
    assert_eq!(
        (&status["number"], &status["receipt"], &status["published"]),
        (&json!(3), &json!(receipt), &json!(head))
    );
    let range = ledger.get("/v1/feed/range?plan=la-care&from=2&to=9").await;
    assert_eq!(range["data"], json!(all[1..]));
    assert_eq!(
        (&range["before"]["number"], &range["after"]["receipt"], &range["next"]),
        (&json!(1), &json!(receipt), &Value::Null)
    );
    let lines = ledger.text("/v1/feed/range?plan=la-care&from=1", "application/x-ndjson").await;
    assert_eq!(
        lines.lines().fold(Receipt::beginning(), |receipt, line| receipt.then(line.as_bytes())).to_string(),
        receipt
    );

    // What has not been is not told, and what is asked wrong is refused.
    for path in
        ["/v1/feed?plan=la-care&from=5", "/v1/feed/range?plan=la-care&from=5", "/v1/feed/receipt?plan=la-care&number=4"]
    {
        let (status, problem) = refused(&ledger, path, "*/*").await;
        assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/feed-ends-before")), "{path}");
    }
    assert_eq!(refused(&ledger, "/v1/feed?plan=la-care&from=x", "*/*").await.0, 400);
    assert_eq!(refused(&ledger, "/v1/feed?plan=la-care", "text/html").await.0, 406);

    // A subscriber of one plan has its own feed, and is told of no other.
    let issued = ledger.ok(&["token", "issue", "--name", "sub", "--org", "la-care", "--role", "subscriber"]);
    let token = issued.trim();
    let asks = async |path: &str| {
        let request = reqwest::Client::new().get(format!("{}{path}", ledger.url())).bearer_auth(token);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let own: Value = serde_json::from_str(&asks("/v1/feed/status").await.1).unwrap();
    assert_eq!((&own["data"]["plan"], &own["data"]["number"]), (&json!("la-care"), &json!(3)));
    for path in
        ["/v1/feed?wait=false&plan=", "/v1/feed/status?plan=", "/v1/feed/range?from=1&plan=", "/v1/feed/receipt?plan="]
    {
        let (others, nobodys) = (asks(&format!("{path}molina")).await, asks(&format!("{path}nobody-at-all")).await);
        assert_eq!(others.0, 404, "{path}: {}", others.1);
        assert_eq!(others, nobodys, "{path}");
    }

    // The command line asks the same.
    let followed = ledger.ok(&["feed", "follow", "--plan", "la-care", "--from", "2", "--no-wait"]);
    assert_eq!(followed.lines().count(), 4, "{followed}");
    assert!(
        ledger.ok(&["feed", "receipt", "--plan", "la-care", "--number", "3", "--equals", &receipt]).contains("true")
    );
    let other = ledger.verb(&["feed", "receipt", "--plan", "la-care", "--number", "2", "--equals", &receipt]);
    assert_eq!(other.status.code(), Some(1));
    ledger.stop();
}

#[tokio::test]
async fn a_feed_that_was_lost_is_published_again_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    for n in 0..12 {
        let plan = ["la-care", "molina", "health-net"][usize::try_from(n % 3).unwrap()];
        let (status, _) = ledger.post("/v1/events", &attempt(n, plan, ["none", "hiv"][usize::from(n % 4 == 0)])).await;
        assert_eq!(status, 201);
    }
    published(&ledger).await;
    ledger.stop();
    let once = whole_feed(folder.path(), true).await;
    assert!(once.len() > 12, "the rulebook is an event too");
    let ledger = Ledger::up(folder.path(), None);
    published(&ledger).await;
    ledger.stop();
    assert_eq!(whole_feed(folder.path(), false).await, once);
}

/// Every message of the feed of a data folder that nobody uses; then the stream is deleted, where that is wanted.
async fn whole_feed(data: &std::path::Path, delete: bool) -> Vec<(String, String, Bytes)> {
    let server = NatsServer::start(data, server::binary()).await.unwrap();
    let client = connect(server.access(), "test").await.unwrap();
    let log = NatsLog::open(client.clone(), server.access(), StreamSpec::FEED, 1);
    let records = every(&log).await;
    if delete {
        async_nats::jetstream::new(client.clone()).delete_stream(StreamSpec::FEED.name).await.unwrap();
    }
    drop((log, client));
    server.stop().await;
    records.into_iter().map(|record| (record.subject, record.headers[0].1.clone(), record.body)).collect()
}
