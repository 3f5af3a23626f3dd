//! The lists of authorizations, reassessments, clocks, findings and eligibility: what each filter leaves in and out.

use harness::ledger::Ledger;
use serde_json::{Value, json};

const ASKED: &str = "0e0e0e0e-0e0e-8e0e-8e0e-0e0e0e0e0e0e";
const CARRIED: &str = "0f0f0f0f-0f0f-8f0f-8f0f-0f0f0f0f0f0f";

/// One member who asked and was denied late, and one carried over from Whole Person Care.
async fn told(ledger: &Ledger) {
    let request = json!({
        "authorization": "018f3c1e-7a10-7c3d-9b4e-00000000001a", "program": "ecm", "urgency": "standard",
        "requested_by": "member", "received_at": "2024-03-01T09:30:00-08:00",
    });
    ledger.record("authorization_requested", ASKED, "la-care", "2024-03-01", request).await;
    let decision = json!({
        "authorization": "018f3c1e-7a10-7c3d-9b4e-00000000001a", "program": "ecm", "outcome": "denied",
        "decided_at": "2024-03-11T10:00:00-07:00", "reasons": ["no_population_of_focus"],
    });
    ledger.record("authorization_decided", ASKED, "la-care", "2024-03-11", decision).await;
    let enrolled = json!({
        "enrollment": "018f3c1e-7a10-7c3d-9b4e-00000000001b", "program": "ecm", "basis": "grandfathered_wpc",
        "channel": "plan_direct", "provider": "1234567893", "from": "2022-01-01",
    });
    ledger.record("enrolled", CARRIED, "health-net", "2022-01-01", enrolled).await;
    ledger.caught_up().await;
}

/// How many rows each of these questions has.
async fn counts(ledger: &Ledger, list: &str, queries: &[&str]) -> Vec<usize> {
    let mut counts = Vec::new();
    for query in queries {
        counts.push(ledger.rows(&format!("/v1/{list}?{query}")).await.len());
    }
    counts
}

#[tokio::test]
async fn each_filter_compares_what_the_rows_hold() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    told(&ledger).await;
    let queries =
        ["", "late=true", "late=false", "decided=true", "decided=false", "urgency=expedited", "outcome=denied"];
    assert_eq!(counts(&ledger, "authorizations", &queries).await, [1, 1, 0, 1, 0, 0, 1]);
    let queries = ["due_before=2024-03-09", "due_before=2024-03-08", "plan=health-net", "program=ecm,respite"];
    assert_eq!(counts(&ledger, "authorizations", &queries).await, [1, 0, 0, 1]);

    let queries = ["", "done=false", "done=true", "due_before=2022-07-01", "due_before=2022-07-02", "plan=la-care"];
    assert_eq!(counts(&ledger, "reassessments", &queries).await, [1, 1, 0, 0, 1, 0]);

    let governing = ledger.rows("/v1/clocks?clock=authorization&governing=true").await;
    assert!(!governing.is_empty() && governing.iter().all(|row| row["due_on"] == "2024-03-08"), "{governing:?}");
    let [met, open] = counts(&ledger, "clocks", &["met=true", "met=false"]).await[..] else { panic!("two questions") };
    assert_eq!(met + open, counts(&ledger, "clocks", &[""]).await[0]);
    assert!(met > 0 && open > 0);

    let queries = ["code=reassessment_late&plan=health-net", "code=reassessment_late&status=planned"];
    assert_eq!(counts(&ledger, "findings", &queries).await, [1, 0]);
    let queries = ["code=reassessment_late&effective_at=2022-07-01", "code=reassessment_late&effective_at=2022-07-02"];
    assert_eq!(counts(&ledger, "findings", &queries).await, [0, 1]);
    assert_eq!(ledger.asked("/v1/findings?code=unheard_of", "application/json").await.status(), 400);

    let mine = ledger.rows(&format!("/v1/members/{CARRIED}/authorizations")).await;
    assert!(mine.is_empty());
    assert!(ledger.ok(&["reassessments", "--member", CARRIED, "--done", "false"]).contains("2022-07-01"));
    let summary = ledger.get(&format!("/v1/members/{ASKED}")).await;
    let counts = &summary["data"]["counts"];
    assert_eq!((&counts["authorizations"], &counts["notices"]), (&json!(1), &json!(1)));
    assert!(counts["findings"].as_u64().is_some_and(|findings| findings > 0));
    ledger.stop();
}

#[tokio::test]
async fn eligibility_is_answered_by_what_was_known_then() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    told(&ledger).await;
    let path = format!("/v1/members/{CARRIED}/eligibility?program=ecm&effective_at=2022-03-01");
    let before = ledger.caught_up().await;
    let one = ledger.rows(&path).await;
    let covered = json!({ "medi_cal": "fee_for_service", "medicare": "none", "from": "2022-02-01" });
    ledger.record("coverage_reported", CARRIED, "health-net", "2022-02-01", covered).await;
    let now = ledger.rows(&path).await;
    assert_eq!((&now[0]["outcome"], &now[0]["plan"]), (&json!("not_eligible"), &json!("health-net")));
    assert!(now[0]["known_from"].is_null() && now[0]["because"].is_string());
    assert_ne!(one[0]["outcome"], "not_eligible");
    assert_eq!(ledger.rows(&format!("{path}&known_at={before}")).await, one);

    let first = ledger.get(&format!("/v1/members/{CARRIED}/eligibility?limit=3")).await;
    assert_eq!(first["data"].as_array().map(Vec::len), Some(3));
    let cursor = first["next"].as_str().unwrap();
    let second = ledger.get(&format!("/v1/members/{CARRIED}/eligibility?limit=1000&cursor={cursor}")).await;
    let whole = ledger.rows(&format!("/v1/members/{CARRIED}/eligibility")).await;
    let rows = |page: &Value| page["data"].as_array().unwrap().clone();
    assert_eq!([rows(&first), rows(&second)].concat(), whole);
    assert!(ledger.rows("/v1/members/0a0a0a0a-0a0a-8a0a-8a0a-0a0a0a0a0a0a/eligibility").await.is_empty());
    let table = ledger.ok(&["eligibility", CARRIED, "--program", "ecm", "--effective-at", "2022-03-01"]);
    assert!(table.contains("not_eligible"), "{table}");
    ledger.stop();
}
