//! The guards: whatever goes wrong under a running ledger, nothing is acknowledged on top of it, `/readyz` says what it is,
//! and where it was mended it is green again.

mod nats;

use std::path::Path;
use std::time::Duration;

use async_nats::jetstream::{self, stream::Config};
use harness::ledger::Ledger;
use harness::server::Private;
use nats::Nats;
use rollbook::log::{Log, Message, NatsLog, StreamSpec, connect};
use rollbook_events::{EventId, Hash, MemberId, Position, Subject, decode, encode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// How long something that the guards look at each second may take to be seen.
const SOON: Duration = Duration::from_secs(20);
/// Looks each second.
const OFTEN: [&str; 2] = ["--check-every", "1s"];

fn member(number: u128) -> String {
    Uuid::from_u128(0x0b0b_0b0b_0b0b_8b0b_8b0b_0000_0000_0000 + number).to_string()
}

fn id(number: u128) -> String {
    Uuid::from_u128(0x018f_3c1e_7a10_7c3d_9b4e_0000_0000_0000 + number).to_string()
}

/// An event of the member of a number, under the id of another.
fn event(of: u128, named: u128) -> Value {
    json!({
        "id": id(named), "kind": "enrolled", "member": member(of), "plan": "la-care", "county": "los-angeles",
        "occurred_at": "2024-02-01",
        "data": { "enrollment": id(named), "program": "ecm", "basis": "opt_in", "channel": "plan_direct",
            "provider": "1234567893", "from": "2024-02-01" }
    })
}

async fn recorded(ledger: &Ledger, number: u128) -> u64 {
    let (status, answer) = ledger.post("/v1/events", &event(number, number)).await;
    assert_eq!(status, 201, "{answer}");
    answer["position"].as_u64().unwrap()
}

async fn readiness(ledger: &Ledger) -> (u16, String) {
    let response = ledger.asked("/readyz", "application/json").await;
    (response.status().as_u16(), response.text().await.unwrap())
}

/// Waits until the ledger is ready, or says what `why` holds.
async fn until(ledger: &Ledger, why: Option<&str>) {
    let begun = Instant::now();
    loop {
        let (status, text) = readiness(ledger).await;
        let is_so = match why {
            Some(why) => status == 503 && text.contains(why),
            None => status == 200,
        };
        if is_so {
            return;
        }
        assert!(begun.elapsed() < SOON, "waited for {why:?}: {status} {text}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// The ledger acknowledges nothing, says why, and its log does not grow.
async fn refuses(ledger: &Ledger, number: u128, why: &str) {
    let head = ledger.get("/v1/status").await["data"]["head"].clone();
    let (status, problem) = ledger.post("/v1/events", &event(number, number)).await;
    assert_eq!((status, &problem["type"]), (503, &json!("/problems/recording-stopped")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    let mut by_cin = event(number, number + 500);
    by_cin.as_object_mut().unwrap().remove("member");
    by_cin["cin"] = "91234567A".into();
    let (status, problem) = ledger.post("/v1/events", &by_cin).await;
    assert_eq!(status, 503, "nor is anything of a person: {problem}");
    let status = ledger.get("/v1/status").await;
    assert_eq!(status["data"]["head"], head);
    let troubles = status["data"]["troubles"].as_array().unwrap();
    assert!(troubles.iter().any(|trouble| trouble["forbids"] == "recording"), "{status}");
    let doctor = ledger.verb(&["doctor", "--url", ledger.url()]);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert_eq!(doctor.status.code(), Some(1), "{said}");
    assert!(said.contains("nothing is recorded") && said.contains(why), "{said}");
}

/// A connection to the private server of a data folder, as an administrator of this machine has it.
async fn of_folder(data: &Path) -> async_nats::Client {
    let ports = std::fs::read_dir(data.join("nats/ports")).unwrap().next().unwrap().unwrap().path();
    let ports: Value = serde_json::from_slice(&std::fs::read(ports).unwrap()).unwrap();
    let config = std::fs::read_to_string(data.join("nats/nats.conf")).unwrap();
    let token = config.split("token: \"").nth(1).unwrap().split('"').next().unwrap();
    let options = async_nats::ConnectOptions::new().token(token.to_owned());
    options.connect(ports["nats"][0].as_str().unwrap()).await.unwrap()
}

async fn set(client: &async_nats::Client, stream: &str, change: impl Fn(&mut Config)) {
    let context = jetstream::new(client.clone());
    let mut config = context.get_stream(stream).await.unwrap().cached_info().config.clone();
    change(&mut config);
    context.update_stream(config).await.unwrap();
}

#[tokio::test]
async fn a_limit_on_age_stops_recording_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::start(folder.path(), &["up", OFTEN[0], OFTEN[1]]);
    recorded(&ledger, 1).await;
    let admin = of_folder(folder.path()).await;
    for stream in ["ENROLLMENT", "IDENTITY"] {
        set(&admin, stream, |config| config.max_age = Duration::from_secs(3_600)).await;
        let why = format!("max_age of {stream}");
        until(&ledger, Some(&why)).await;
        refuses(&ledger, 2, &why).await;
        set(&admin, stream, |config| config.max_age = Duration::ZERO).await;
        until(&ledger, None).await;
    }
    assert_eq!(recorded(&ledger, 2).await, 3);
    ledger.stop();
}

#[tokio::test]
async fn a_server_that_comes_back_flushing_seldom_is_not_written_to() {
    let mut nats = Nats::start("always");
    let folder = tempfile::tempdir().unwrap();
    let ledger = nats.recorder(folder.path(), &OFTEN);
    recorded(&ledger, 1).await;
    nats.stop();
    until(&ledger, Some("not-ready")).await;
    assert_eq!(ledger.post("/v1/events", &event(2, 2)).await.0, 503, "what cannot be stored is not acknowledged");
    // In quotes: the server reads 2m without them as two million seconds.
    nats.again("\"2m\"");
    until(&ledger, Some("sync_interval of the server is 120s instead of always")).await;
    refuses(&ledger, 2, "sync_interval").await;
    nats.stop();
    nats.again("always");
    until(&ledger, None).await;
    recorded(&ledger, 2).await;
    ledger.stop();
}

#[tokio::test]
async fn a_receipt_beyond_the_end_of_the_stream_stops_recording() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let last = recorded(&ledger, 1).await;
    ledger.stop();
    let file = folder.path().join("receipt.json");
    let right = std::fs::read(&file).unwrap();
    let mut receipt: Value = serde_json::from_slice(&right).unwrap();
    assert_eq!(receipt["ENROLLMENT"]["position"], last, "an orderly end leaves the last position");
    receipt["ENROLLMENT"]["position"] = 1_004.into();
    std::fs::write(&file, serde_json::to_vec_pretty(&receipt).unwrap()).unwrap();
    let ledger = Ledger::start(folder.path(), &["up", OFTEN[0], OFTEN[1]]);
    let why = "the stream ENROLLMENT ends at 2, but 1,004 was acknowledged: restore it from the archive";
    until(&ledger, Some(why)).await;
    refuses(&ledger, 2, why).await;
    ledger.stop();
    let mut other: Value = serde_json::from_slice(&right).unwrap();
    other["ENROLLMENT"]["sha256"] = json!("00".repeat(32));
    std::fs::write(&file, serde_json::to_vec_pretty(&other).unwrap()).unwrap();
    let ledger = Ledger::up(folder.path(), None);
    until(&ledger, Some("the event at 2 of the stream ENROLLMENT is not the one that was acknowledged")).await;
    refuses(&ledger, 2, "is not the one").await;
    ledger.stop();
    std::fs::write(&file, right).unwrap();
    let ledger = Ledger::up(folder.path(), None);
    until(&ledger, None).await;
    assert_eq!(recorded(&ledger, 2).await, last + 1);
    ledger.stop();
}

#[tokio::test]
async fn a_store_that_lost_its_end_while_the_server_was_away_gets_no_event_on_top() {
    let mut nats = Nats::start("always");
    let folder = tempfile::tempdir().unwrap();
    // Looks each minute: what sees it must be the new connection.
    let ledger = nats.recorder(folder.path(), &[]);
    for number in 1..=3 {
        recorded(&ledger, number).await;
    }
    nats.stop();
    let older = nats.copy_of_store();
    nats.again("always");
    until(&ledger, None).await;
    for number in 4..=6 {
        recorded(&ledger, number).await;
    }
    nats.stop();
    nats.put_back(older);
    // Callers go on asking all the while.
    let asking = async {
        for number in 100.. {
            let (status, answer) = ledger.post("/v1/events", &event(number, number)).await;
            assert_eq!(status, 503, "acknowledged on top of a loss: {answer}");
        }
    };
    nats.again("always");
    tokio::select! {
        () = asking => {}
        // What was on its way when the server went may be stored at its return; nobody is told that it was.
        () = until(&ledger, Some("but 7 was acknowledged")) => {}
    }
    refuses(&ledger, 99, "but 7 was acknowledged").await;
    ledger.stop();
    let ledger = nats.recorder(folder.path(), &[]);
    refuses(&ledger, 99, "but 7 was acknowledged").await;
    ledger.stop();
}

/// Appends an event that the ledger did not write: a copy of its last one, changed.
async fn append_changed(log: &NatsLog, of: u128, change: impl Fn(&mut rollbook_events::Envelope)) {
    let last = log.get(log.head().await.unwrap()).await.unwrap().unwrap();
    let mut envelope = decode(&last.body).unwrap();
    envelope.id = EventId(Uuid::parse_str(&id(of + 900)).unwrap());
    envelope.subject = Subject::Member(MemberId(Uuid::parse_str(&member(of)).unwrap()));
    envelope.previous = None;
    change(&mut envelope);
    append(log, &envelope.subject.to_string(), &encode(&envelope).unwrap()).await;
}

async fn append(log: &NatsLog, token: &str, body: &[u8]) {
    let head = log.head().await.unwrap();
    let message = Message {
        subject: format!("enrollment.{token}"),
        id: format!("{token}-{}", head.0),
        expected: None,
        headers: Vec::new(),
        body: body.to_vec().into(),
    };
    assert_eq!(log.append(&[message]).await.unwrap(), [Position(head.0 + 1)]);
}

#[tokio::test]
async fn a_clock_behind_the_log_s_last_event_records_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    recorded(&ledger, 1).await;
    ledger.stop();
    let private = Private::restart(folder).await;
    let log = private.log(StreamSpec::ENROLLMENT).await;
    append_changed(&log, 2, |envelope| envelope.recorded_at += chrono::TimeDelta::hours(1)).await;
    let (server, folder) = (private.server, private.dir);
    server.stop().await;
    let ledger = Ledger::up(folder.path(), None);
    until(&ledger, Some("s behind the log's last event")).await;
    refuses(&ledger, 3, "this machine's clock is 3,5").await;
    ledger.stop();
}

#[tokio::test]
async fn a_disk_with_too_little_room_records_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let last = recorded(&ledger, 1).await;
    ledger.stop();
    let ledger = Ledger::start(folder.path(), &["up", "--least-free", "900TB"]);
    until(&ledger, Some("are free on the disk of the data folder, and 900.00 TiB must be")).await;
    refuses(&ledger, 2, "make room").await;
    ledger.stop();
    let ledger = Ledger::start(folder.path(), &["up", "--least-free", "1MB", "--least-free-percent", "0"]);
    until(&ledger, None).await;
    assert_eq!(recorded(&ledger, 2).await, last + 1);
    ledger.stop();
}

#[tokio::test]
async fn one_member_s_damage_refuses_that_member_alone() {
    let nats = Nats::start("always");
    let folder = tempfile::tempdir().unwrap();
    let ledger = nats.recorder(folder.path(), &OFTEN);
    recorded(&ledger, 1).await;
    let log = NatsLog::open(connect(&nats.access(), "test").await.unwrap(), &nats.access(), StreamSpec::ENROLLMENT, 1);
    append_changed(&log, 2, |envelope| envelope.previous = Some(Hash::of(b"something else"))).await;
    append(&log, &member(3), b"{}").await;
    let lines: Vec<String> = (1..=5).map(|number| event(number, number + 10).to_string()).collect();
    let request = reqwest::Client::new()
        .post(format!("{}/v1/events", ledger.url()))
        .bearer_auth(ledger.token())
        .header("content-type", "application/x-ndjson")
        .body(lines.join("\n"));
    let answers = request.send().await.unwrap().text().await.unwrap();
    let statuses: Vec<Value> =
        answers.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["status"].clone()).collect();
    assert_eq!(statuses, [201, 503, 503, 201, 201], "{answers}");
    until(&ledger, Some("the histories of 2 members cannot be read, the first at position 3")).await;
    recorded(&ledger, 6).await;
    ledger.stop();
}

#[tokio::test]
async fn an_id_names_one_event_also_while_the_views_lag() {
    let nats = Nats::start("always");
    let folder = tempfile::tempdir().unwrap();
    // Nobody projects: the views know nothing.
    let ledger = nats.recorder(folder.path(), &[]);
    recorded(&ledger, 1).await;
    let (status, problem) = ledger.post("/v1/events", &event(2, 1)).await;
    assert_eq!((status, &problem["errors"][0]["code"]), (409, &json!("id_reused")), "{problem}");
    ledger.stop();
    let other = tempfile::tempdir().unwrap();
    let another = nats.recorder(other.path(), &[]);
    let (status, problem) = another.post("/v1/events", &event(3, 1)).await;
    assert_eq!(
        (status, &problem["errors"][0]["code"]),
        (409, &json!("id_reused")),
        "nor by another recorder: {problem}"
    );
    assert_eq!(another.post("/v1/events", &event(1, 1)).await.0, 200, "for its own member it is known");
    another.stop();
}
