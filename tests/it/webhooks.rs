//! Webhooks: signed, ids alone, in order, every try on record; failed ones tried again and in the end given up, and called for
//! once more on demand; nobody is called who was not listed, and nobody led on elsewhere.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::leaks;
use harness::ledger::Ledger;
use rollbook::feed::webhooks::signature::{self, Secret};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PATIENCE: Duration = Duration::from_secs(40);

/// A call as it came.
#[derive(Debug, Clone)]
struct Call {
    headers: Vec<(String, String)>,
    body: String,
}

impl Call {
    fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(of, _)| of == name).unwrap().1
    }

    fn number(&self) -> u64 {
        serde_json::from_str::<Value>(&self.body).unwrap()["data"]["number"].as_u64().unwrap()
    }
}

/// Somebody who is called, and answers as told; at last always with the same.
#[derive(Clone)]
struct Receiver {
    calls: Arc<Mutex<Vec<Call>>>,
    answers: Arc<Mutex<Vec<&'static str>>>,
    url: String,
}

const WELL: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 500 Broken\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
const ELSEWHERE: &str =
    "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self { calls: Arc::default(), answers: Arc::default(), url };
        let own = receiver.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (mut text, mut chunk) = (Vec::new(), [0; 4_096]);
                let call = loop {
                    let read = socket.read(&mut chunk).await.unwrap();
                    text.extend_from_slice(&chunk[..read]);
                    if let Some(call) = whole(&String::from_utf8_lossy(&text)) {
                        break call;
                    }
                };
                own.calls.lock().unwrap().push(call);
                let answer = {
                    let mut answers = own.answers.lock().unwrap();
                    if answers.len() > 1 { answers.remove(0) } else { answers.first().copied().unwrap_or(WELL) }
                };
                _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        receiver
    }

    fn answers(&self, answers: &[&'static str]) {
        *self.answers.lock().unwrap() = answers.to_vec();
    }

    async fn calls(&self, many: usize) -> Vec<Call> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let calls = self.calls.lock().unwrap().clone();
            if calls.len() >= many {
                return calls;
            }
            assert!(tokio::time::Instant::now() < until, "{} of {many} calls", calls.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn whole(text: &str) -> Option<Call> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: Vec<(String, String)> = head.lines().skip(1).filter_map(pair).collect();
    let length: usize = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    (body.len() >= length).then(|| Call { headers, body: body.to_owned() })
}

async fn record(ledger: &Ledger, n: u64, plan: &str, kind: &str) {
    let data = match kind {
        "outreach_attempted" => {
            json!({ "program": "ecm", "channel": "phone", "individualized": true, "response_invited": true,
            "live_staff": true, "callback": false, "reached": "member", "staff": "clinical", "minutes": n, "provider": "1234567893" })
        }
        _ => json!({ "medi_cal": "fee_for_service", "medicare": "none", "from": "2022-02-01" }),
    };
    let event = json!({ "kind": kind, "member": "0a0a0a0a-0a0a-8a0a-8a0a-0a0a0a0a0a0a", "plan": plan, "county": "los-angeles",
        "occurred_at": format!("2024-02-{:02}", n % 28 + 1), "data": data });
    let (status, answer) = ledger.post("/v1/events", &event).await;
    assert_eq!(status, 201, "{answer}");
}

async fn standing(ledger: &Ledger, is: impl Fn(&Value) -> bool) -> Value {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let standing = ledger.get("/v1/feed/webhooks").await["data"][0].clone();
        if is(&standing) {
            return standing;
        }
        assert!(tokio::time::Instant::now() < until, "{standing}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_receiver_is_called_in_order_until_it_is_given_up_and_again_on_demand() {
    let (receiver, folder) = (Receiver::start().await, tempfile::tempdir().unwrap());
    let secret = folder.path().join("a.whsec");
    std::fs::write(&secret, SECRET).unwrap();
    leaks::secret(SECRET.trim_start_matches("whsec_"));
    let file = folder.path().join("webhooks.toml");
    let text = format!(
        "allow_hosts = [\"127.0.0.1\"]\nallow_loopback = true\nattempts = 3\nfirst_pause_ms = 50\n[[subscription]]\nname = \"a\"\n\
         plan = \"la-care\"\nurl = {:?}\nsecret_files = [{:?}]\nkinds = [\"outreach_attempted\"]\n",
        receiver.url,
        secret.to_str().unwrap()
    );
    std::fs::write(&file, text).unwrap();
    let with = ["--webhooks", file.to_str().unwrap()];
    let ledger = Ledger::up_with(folder.path(), &with);
    // A subscription begins with what comes after it.
    standing(&ledger, |standing| standing["last"].is_object()).await;
    receiver.answers(&[WELL, BROKEN, ELSEWHERE, WELL]);
    record(&ledger, 1, "la-care", "outreach_attempted").await;
    record(&ledger, 2, "la-care", "coverage_reported").await;
    record(&ledger, 3, "molina", "outreach_attempted").await;
    record(&ledger, 4, "la-care", "outreach_attempted").await;
    let calls = receiver.calls(4).await;
    assert_eq!(
        calls.iter().map(Call::number).collect::<Vec<_>>(),
        [1, 3, 3, 3],
        "in order, and again until it is taken"
    );
    let call = &calls[3];
    assert_eq!(calls[1].header("webhook-id"), call.header("webhook-id"), "the same event each time");
    let secret: Secret = SECRET.parse().unwrap();
    let timestamp = call.header("webhook-timestamp").parse().unwrap();
    let signature = signature::header(&[secret], call.header("webhook-id"), timestamp, call.body.as_bytes());
    assert_eq!(call.header("webhook-signature"), signature);
    let body: Value = serde_json::from_str(&call.body).unwrap();
    let names: Vec<&String> = body["data"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["event", "kind", "plan", "number", "position", "links"], "ids and links alone");
    let message = ledger.get(body["data"]["links"]["message"].as_str().unwrap()).await;
    assert_eq!(message["data"][0]["id"], body["data"]["event"]);

    // Given up, which is told, and not what comes after it.
    standing(&ledger, |standing| standing["settled"] == 3).await;
    receiver.answers(&[BROKEN, BROKEN, BROKEN, WELL]);
    record(&ledger, 5, "la-care", "outreach_attempted").await;
    record(&ledger, 6, "la-care", "outreach_attempted").await;
    let calls = receiver.calls(8).await;
    assert_eq!(calls[4..].iter().map(Call::number).collect::<Vec<_>>(), [4, 4, 4, 5]);
    let given_up = standing(&ledger, |standing| standing["settled"] == 5).await;
    assert_eq!(given_up["given_up"], 1, "{given_up}");
    assert_eq!(ledger.verb(&["feed", "webhooks"]).status.code(), Some(1));

    // Killed, it goes on after what is settled; and calls once more for what an operator asks for.
    ledger.kill();
    let ledger = Ledger::up_with(folder.path(), &with);
    standing(&ledger, |standing| standing["settled"] == 5).await;
    ledger.ok(&["feed", "replay", "a", "--from", "3", "--to", "4"]);
    let calls = receiver.calls(10).await;
    assert_eq!(calls[8..].iter().map(Call::number).collect::<Vec<_>>(), [3, 4]);
    standing(&ledger, |standing| standing["replay"].is_null() && standing["last"]["number"] == 4).await;
    record(&ledger, 7, "la-care", "outreach_attempted").await;
    assert_eq!(receiver.calls(11).await[10].number(), 6);
    assert_eq!(ledger.post("/v1/feed/webhooks/b/replay?from=1", &json!({})).await.0, 404);
    ledger.stop();
}
