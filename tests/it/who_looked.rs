//! Who looked at whom: written down before an answer leaves, told to those who may know, and no answer without it.

use harness::ledger::Ledger;
use rollbook::log::{NatsLog, StreamSpec, connect};
use rollbook::nats_server::running;
use serde_json::{Value, json};

const MEMBER: &str = "00000000-0000-8000-8000-000000000001";
const OTHER: &str = "00000000-0000-8000-8000-000000000002";

async fn ledger(data: &std::path::Path) -> Ledger {
    let ledger = Ledger::up(data, None);
    for member in [MEMBER, OTHER] {
        let died = json!({ "on": "2024-02-01" });
        ledger.record("member_died", member, "la-care", "2024-02-02", died).await;
    }
    ledger
}

async fn disclosures(ledger: &Ledger, member: &str) -> Vec<Value> {
    ledger.rows(&format!("/v1/members/{member}/disclosures")).await
}

/// What was asked, and in which form it was given.
fn asked(rows: &[Value]) -> Vec<(&str, &str)> {
    rows.iter().map(|row| (row["operation"].as_str().unwrap(), row["given_as"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn every_answer_about_a_member_is_told_of_and_none_about_another() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path()).await;
    assert_eq!(disclosures(&ledger, OTHER).await.len(), 0, "nothing was shown, so nothing is told");
    let history = format!("/v1/members/{MEMBER}/history");
    ledger.get(&history).await;
    let exported = ledger.rows("/v1/events?kind=member_died").await.len();
    assert_eq!(exported, 2);
    ledger.get(&format!("/v1/members/{MEMBER}")).await;
    ledger.get("/v1/outreach/conversion").await;
    ledger.get(&format!("/v1/members/{MEMBER}/conflicts")).await;
    let seen = disclosures(&ledger, MEMBER).await;
    let history = ("GET /v1/members/{member}/history", "page");
    let (list, summary) = (("GET /v1/events", "export"), ("GET /v1/members/{member}", "page"));
    assert!(asked(&seen).ends_with(&[history, list, summary]), "{seen:?}");
    let last = seen.last().unwrap();
    assert_eq!(
        (&last["actor_org"], &last["actor_role"], &last["member"]),
        (&json!("rollbook"), &json!("owner"), &json!(MEMBER))
    );
    let others = disclosures(&ledger, OTHER).await;
    assert_eq!(asked(&others), [list], "{others:?}");
    assert_eq!(others[0]["member"], OTHER);
    // To be told who looked is to look, too.
    let again = disclosures(&ledger, MEMBER).await;
    assert_eq!(again.len(), seen.len() + 1);
    assert_eq!(asked(&again).last(), Some(&("GET /v1/members/{member}/disclosures", "page")));
    // Page by page each is told once, and there is an end, though each page is written down itself.
    let first = format!("/v1/members/{MEMBER}/disclosures?limit=2");
    let (mut path, mut paged) = (first.clone(), Vec::new());
    while paged.len() <= 2 * again.len() {
        let page = ledger.get(&path).await;
        paged.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{first}&cursor={next}");
    }
    assert_eq!(paged.len(), again.len() + 1, "what was known when the first page was given");
    assert_eq!(paged[..again.len()], again);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path()).await;
    let access = running(folder.path()).await.unwrap().unwrap();
    let client = connect(&access, "test").await.unwrap();
    // It is there, as the promises need it; and then somebody takes it away.
    NatsLog::create(client.clone(), &access, StreamSpec::ACCESS, 1).await.unwrap();
    async_nats::jetstream::new(client).delete_stream("ACCESS").await.unwrap();
    let asked = [
        (format!("/v1/members/{MEMBER}/history"), "application/json"),
        (format!("/v1/members/{MEMBER}"), "application/json"),
        ("/v1/events".to_owned(), "application/x-ndjson"),
        ("/v1/views/event_history".to_owned(), "application/x-ndjson"),
    ];
    // At once, for each waits for the log as long as a caller may.
    let answers = asked.iter().map(|(path, accept)| ledger.asked(path, accept));
    for (answer, (path, _)) in futures_util::future::join_all(answers).await.into_iter().zip(&asked) {
        assert_eq!(answer.status(), 503, "{path}");
        let text = answer.text().await.unwrap();
        assert!(text.contains("/problems/not-written-down") && !text.contains(MEMBER), "{path}: {text}");
    }
    let sums = ledger.asked("/v1/outreach/conversion", "application/json").await;
    assert_eq!(sums.status(), 200, "a sum shows nobody");
}
