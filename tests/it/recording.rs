//! What `POST /v1/events` takes, refuses and answers.

use std::time::{Duration, Instant};

use harness::ledger::Ledger;
use serde_json::{Value, json};

const MEMBER: &str = "0b0b0b0b-0b0b-8b0b-8b0b-0b0b0b0b0b0b";
const ID: &str = "018f3c1e-7a10-7c3d-9b4e-0000000000a0";

fn enrolled(id: &str, from: &str) -> Value {
    json!({
        "id": id, "kind": "enrolled", "member": MEMBER, "plan": "la-care", "county": "los-angeles", "occurred_at": from,
        "data": { "enrollment": id, "program": "ecm", "basis": "opt_in", "channel": "plan_direct", "provider": "1234567893", "from": from }
    })
}

#[tokio::test]
async fn a_submission_is_recorded_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let (one, two) = ("018f3c1e-7a10-7c3d-9b4e-0000000000a1", "018f3c1e-7a10-7c3d-9b4e-0000000000a2");
    let mut bad = enrolled(two, "2024-03-01");
    bad["data"]["program"] = "hn".into();
    let (status, problem) = ledger.post("/v1/events", &json!([enrolled(one, "2024-02-01"), bad])).await;
    assert_eq!(status, 422, "{problem}");
    assert_eq!(problem["errors"][0]["field"], "1.data.program");
    assert_eq!(problem["errors"][0]["code"], "unknown_code");
    let head = ledger.caught_up().await;
    assert_eq!(head, 1, "nothing but the rulebook is in the log");

    let (status, answer) =
        ledger.post("/v1/events", &json!([enrolled(one, "2024-02-01"), enrolled(two, "2024-03-01")])).await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(answer["findings"][0]["code"], "duplicate_enrollment");
    let positions: Vec<&Value> =
        answer["data"].as_array().unwrap().iter().map(|receipt| &receipt["position"]).collect();
    assert_eq!(positions, [&json!(2), &json!(3)]);
    ledger.stop();
}

#[tokio::test]
async fn a_position_that_the_log_does_not_have_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let last =
        ledger.record("enrolled", MEMBER, "la-care", "2024-02-01", enrolled(ID, "2024-02-01")["data"].clone()).await;
    for (question, status) in [
        (format!("at_least={last}&wait_ms=0"), 200),
        (format!("known_at={last}"), 200),
        (format!("at_least={}&wait_ms=30000", last + 1), 409),
        (format!("known_at={}", last + 1), 409),
        (format!("at_least={}&wait_ms=30000", i64::MAX), 409),
    ] {
        for path in ["/v1/enrollments", "/v1/views/finding", "/v1/rulebook", &format!("/v1/members/{MEMBER}")] {
            let begun = Instant::now();
            let answer = ledger.asked(&format!("{path}?{question}"), "*/*").await;
            assert_eq!(answer.status(), status, "{path}?{question}");
            if status == 409 {
                let problem: Value = answer.json().await.unwrap();
                assert_eq!(problem["type"], "/problems/log-ends-before", "{problem}");
                assert_eq!(problem["position"], last, "{problem}");
                assert!(begun.elapsed() < Duration::from_secs(20), "it was waited for");
            }
        }
    }
    ledger.stop();
}

#[tokio::test]
async fn the_same_id_again_is_the_same_event_and_another_event_under_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let id = "018f3c1e-7a10-7c3d-9b4e-0000000000b1";
    let (status, first) = ledger.post("/v1/events", &enrolled(id, "2024-02-01")).await;
    assert_eq!(status, 201, "{first}");
    let (status, again) = ledger.post("/v1/events", &enrolled(id, "2024-02-01")).await;
    assert_eq!(status, 200, "{again}");
    assert_eq!(
        (&again["data"][0]["position"], &again["data"][0]["known"]),
        (&first["data"][0]["position"], &json!(true))
    );
    let (status, problem) = ledger.post("/v1/events", &enrolled(id, "2024-03-01")).await;
    assert_eq!((status, &problem["errors"][0]["code"]), (409, &json!("id_reused")));
    let mut other = enrolled(id, "2024-02-01");
    other["member"] = "0c0c0c0c-0c0c-8c0c-8c0c-0c0c0c0c0c0c".into();
    ledger.caught_up().await;
    let (status, problem) = ledger.post("/v1/events", &other).await;
    assert_eq!((status, &problem["errors"][0]["code"]), (409, &json!("id_reused")), "nor under another member");
    assert_eq!(ledger.caught_up().await, 2);

    let data = folder.path().to_owned();
    ledger.stop();
    let ledger = Ledger::up(&data, None);
    let (status, _) = ledger.post("/v1/events", &enrolled(id, "2024-02-01")).await;
    assert_eq!(status, 200, "the id holds for ever, over restarts too");
    ledger.stop();
}

#[tokio::test]
async fn a_body_of_lines_is_answered_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let mut lines: Vec<String> = (0..300)
        .map(|n| {
            enrolled(&format!("018f3c1e-7a10-7c3d-9b4e-{n:012x}"), "2024-02-01")
                .to_string()
                .replace(MEMBER, &format!("0b0b0b0b-0b0b-8b0b-8b0b-{n:012x}"))
        })
        .collect();
    lines[7] = "{\"kind\":\"enrolled\",\"kind\":\"enrolled\"}".to_owned();
    let request = reqwest::Client::new()
        .post(format!("{}/v1/events", ledger.url()))
        .bearer_auth(ledger.token())
        .header("content-type", "application/x-ndjson")
        .body(lines.join("\n"));
    let answers: Vec<Value> = request
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 300);
    for (line, answer) in (1..).zip(&answers) {
        assert_eq!(answer["line"], json!(line));
        let expected = if line == 8 { "4" } else { "201" };
        assert!(answer["status"].to_string().starts_with(expected), "{answer}");
    }
    assert!(answers[7].to_string().contains("duplicate_key"), "{}", answers[7]);
    assert_eq!(ledger.caught_up().await, 300);
    ledger.stop();
}

#[tokio::test]
async fn nobody_is_let_in_without_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    for token in ["", "rollbook_0", "Bearer"] {
        let request = reqwest::Client::new().get(format!("{}/v1/enrollments", ledger.url())).bearer_auth(token);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
    ledger.stop();
}

#[tokio::test]
async fn a_cin_becomes_a_pseudonym_and_goes_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let mut submission = enrolled("018f3c1e-7a10-7c3d-9b4e-0000000000c1", "2024-02-01");
    submission.as_object_mut().unwrap().remove("member");
    submission["cin"] = "91234567A".into();
    let (status, answer) = ledger.post("/v1/events", &submission).await;
    assert_eq!(status, 201, "{answer}");
    let (_, found) = ledger.post("/v1/members/lookup", &json!({ "cin": "91234567A29180" })).await;
    assert_eq!(found["data"]["member"], answer["data"][0]["member"]);
    ledger.caught_up().await;
    for (view, dump) in ledger.dumps().await {
        assert!(!dump.contains("91234567A"), "{view} holds a CIN");
    }
    assert!(ledger.ok(&["history", "91234567A"]).contains("enrolled"));
    let log = std::fs::read_to_string(ledger.data().join("up.log")).unwrap();
    assert!(!log.contains("91234567A"), "the program's log holds a CIN");
    ledger.stop();
}
