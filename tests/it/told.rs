//! What a running ledger tells its operators: metrics by their names, spans to a collector; nobody's identity in either.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::ledger::Ledger;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const MEMBER: &str = "0b0b0b0b-0b0b-8b0b-8b0b-0b0b0b0b0b0b";

/// Where something was sent, and what.
type Sent = (String, Vec<u8>);

/// A collector that takes every delivery and keeps what was in it.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Sent>>>);

impl Collector {
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self::default();
        let kept = collector.clone();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(kept.clone().take(socket));
            }
        });
        (collector, address)
    }

    async fn take(self, mut socket: TcpStream) {
        let mut bytes = Vec::new();
        loop {
            let Some(end) = bytes.windows(4).position(|four: &[u8]| four == b"\r\n\r\n") else {
                if socket.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                    return;
                }
                continue;
            };
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let whole = end + 4 + length.trim().parse::<usize>().unwrap();
            while bytes.len() < whole {
                socket.read_buf(&mut bytes).await.unwrap();
            }
            self.0.lock().unwrap().push((head, bytes[end + 4..whole].to_vec()));
            bytes.drain(..whole);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            socket.write_all(answer).await.unwrap();
        }
    }

    /// Protobuf keeps texts as they are.
    fn holds(&self, text: &str) -> bool {
        let kept = self.0.lock().unwrap();
        kept.iter().any(|(_, body)| body.windows(text.len()).any(|part| part == text.as_bytes()))
    }
}

// Two threads: while the ledger is waited for, the collector must answer it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_reach_a_collector_and_name_routes_and_nobody() {
    let (collector, address) = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up_with(folder.path(), &["--otlp", &address]);
    let id = "018f3c1e-7a10-7c3d-9b4e-0000000000a1";
    let data = json!({ "enrollment": id, "program": "ecm", "basis": "opt_in", "channel": "plan_direct", "provider": "1234567893", "from": "2024-02-01" });
    ledger.record("enrolled", MEMBER, "la-care", "2024-02-01", data).await;
    ledger.get(&format!("/v1/members/{MEMBER}/history")).await;
    // It delivers what waits before it ends.
    ledger.stop();
    for text in ["rollbook", "request", "append", "/v1/members/{member}/history", "/v1/events", "GET"] {
        assert!(collector.holds(text), "no span has {text}");
    }
    for text in [MEMBER, id, "la-care", "1234567893"] {
        assert!(!collector.holds(text), "a span has {text}");
    }
    let heads = collector.0.lock().unwrap().iter().map(|(head, _)| head.clone()).collect::<Vec<_>>();
    assert!(heads.iter().all(|head| head.starts_with("post /v1/traces ")), "{heads:?}");
}

#[tokio::test]
async fn a_collector_that_is_away_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up_with(folder.path(), &["--otlp", "http://127.0.0.1:1"]);
    ledger.caught_up().await;
    let begun = Instant::now();
    ledger.stop();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn figures_have_a_kind_a_meaning_and_nobodys_identity() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let id = "018f3c1e-7a10-7c3d-9b4e-0000000000a1";
    let event = |from: &str| {
        json!({
            "id": id, "kind": "enrolled", "member": MEMBER, "plan": "la-care", "county": "los-angeles", "occurred_at": from,
            "data": { "enrollment": id, "program": "ecm", "basis": "opt_in", "channel": "plan_direct", "provider": "1234567893", "from": from }
        })
    };
    let (status, answer) = ledger.post("/v1/events", &event("2024-02-01")).await;
    assert_eq!(status, 201, "{answer}");
    // Another event under the same id.
    assert_eq!(ledger.post("/v1/events", &event("2024-03-01")).await.0, 409);
    let position = ledger.caught_up().await;
    ledger.get(&format!("/v1/members/{MEMBER}/history")).await;
    let text = ledger.text("/metrics", "text/plain").await;
    let has = |line: &str| assert!(text.lines().any(|had| had.starts_with(line)), "{line} is not in:\n{text}");
    has("# TYPE rollbook_recorder_append_seconds histogram");
    has("# HELP rollbook_recorder_append_seconds from sending an append to its acknowledgement");
    // The rulebook and the enrollment.
    has("rollbook_recorder_events_total 2");
    has(&format!("rollbook_projector_position {position}"));
    has("rollbook_projector_gap_events 0");
    has("rollbook_projector_lag_seconds 0");
    has("rollbook_ready 1");
    has("rollbook_build_info{version=");
    has("rollbook_recorder_rejections_total{code=\"id_reused\"} 1");
    has("rollbook_http_requests_total{method=\"GET\",route=\"/v1/members/{member}/history\",status=\"200\"} 1");
    if cfg!(target_os = "linux") {
        has("process_resident_memory_bytes ");
    }
    for text_of in [MEMBER, id, "1234567893"] {
        assert!(!text.contains(text_of), "the figures hold {text_of}");
    }
    // Whatever is told is described.
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(
            text.contains(&format!("# HELP {family} ")) || text.contains(&format!("# HELP {name} ")),
            "{name} has no meaning"
        );
    }
    ledger.stop();
}
