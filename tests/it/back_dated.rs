//! A fact told late opens a conflict from the day it was true, and what was known yesterday stays what was known.

use harness::ledger::Ledger;
use serde_json::json;

const MEMBER: &str = "0b0b0b0b-0b0b-8b0b-8b0b-0b0b0b0b0b0b";

#[tokio::test]
async fn a_back_dated_icms_span_opens_a_conflict_from_its_effective_date_and_not_before_it_was_known() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let yesterday = ledger
        .record("enrolled", MEMBER, "la-care", "2024-02-01", json!({
            "enrollment": "018f3c1e-7a10-7c3d-9b4e-000000000001", "program": "housing_navigation", "basis": "opt_in",
            "channel": "plan_direct", "provider": "1234567893", "from": "2024-02-01"
        }))
        .await;
    assert!(ledger.rows("/v1/conflicts").await.is_empty());
    let today = ledger
        .record(
            "participation_reported",
            MEMBER,
            "la-county-dhs",
            "2024-09-10",
            json!({
                "program": "icms_hfh", "from": "2024-05-01", "evidence": "verified", "provider": "la-county-dhs"
            }),
        )
        .await;

    let now = ledger.rows("/v1/conflicts?effective_at=2024-05-01").await;
    assert_eq!(now.len(), 1);
    assert_eq!((&now[0]["outcome"], &now[0]["from_on"]), (&json!("conflict"), &json!("2024-05-01")));
    assert_eq!(now[0]["known_from"], today);
    assert!(ledger.rows("/v1/conflicts?effective_at=2024-04-30").await.is_empty());
    assert!(ledger.rows(&format!("/v1/conflicts?effective_at=2024-05-01&known_at={yesterday}")).await.is_empty());
    let table = ledger.ok(&["conflicts", "--effective-at", "2024-05-01"]);
    assert!(table.contains("icms_hfh") && table.contains("2024-05-01"), "{table}");
    ledger.stop();
}

#[tokio::test]
async fn a_voided_event_vanishes_from_then_on_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let enrolled = json!({
        "enrollment": "018f3c1e-7a10-7c3d-9b4e-000000000002", "program": "ecm", "basis": "opt_in",
        "channel": "plan_direct", "provider": "1234567893", "from": "2024-02-01"
    });
    let first = ledger.record("enrolled", MEMBER, "la-care", "2024-02-01", enrolled).await;
    let history = ledger.rows(&format!("/v1/members/{MEMBER}/history")).await;
    let event = history[0]["id"].as_str().unwrap();
    let void = json!({ "event": event, "reason": "another member", "approved_by": "la-care compliance" });
    ledger.record("event_voided", MEMBER, "la-care", "2024-03-01", void).await;
    assert!(ledger.rows("/v1/enrollments").await.is_empty());
    assert_eq!(ledger.rows(&format!("/v1/enrollments?known_at={first}")).await.len(), 1);
    let history = ledger.rows(&format!("/v1/members/{MEMBER}/history")).await;
    assert_eq!(history.len(), 2);
    assert!(history.iter().any(|row| row["id"] == event && row["voided_by"].is_string()));
    ledger.stop();
}

#[tokio::test]
async fn linked_members_share_a_dossier_while_the_link_stands() {
    const OTHER: &str = "0c0c0c0c-0c0c-8c0c-8c0c-0c0c0c0c0c0c";
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    ledger
        .record("enrolled", MEMBER, "la-care", "2024-02-01", json!({
            "enrollment": "018f3c1e-7a10-7c3d-9b4e-000000000003", "program": "tenancy_sustaining", "basis": "opt_in",
            "channel": "plan_direct", "provider": "1234567893", "from": "2024-02-01"
        }))
        .await;
    ledger
        .record(
            "participation_reported",
            OTHER,
            "la-county-dhs",
            "2024-03-01",
            json!({
                "program": "icms_odr", "from": "2024-03-01", "evidence": "verified"
            }),
        )
        .await;
    assert!(ledger.rows("/v1/conflicts").await.is_empty());
    let linked = ledger
        .record("member_linked", MEMBER, "la-care", "2024-04-01", json!({ "other": OTHER, "reason": "cin_merged" }))
        .await;
    assert_eq!(ledger.rows("/v1/conflicts").await.len(), 1);
    assert_eq!(ledger.rows(&format!("/v1/members/{OTHER}/conflicts")).await.len(), 1);
    ledger
        .record("member_unlinked", OTHER, "la-care", "2024-05-01", json!({ "other": MEMBER, "reason": "in error" }))
        .await;
    assert!(ledger.rows("/v1/conflicts").await.is_empty());
    assert_eq!(ledger.rows(&format!("/v1/conflicts?known_at={linked}")).await.len(), 1);

    let before = ledger.dumps().await;
    ledger.ok(&["rebuild", "--yes"]);
    ledger.caught_up().await;
    assert_eq!(ledger.dumps().await, before, "a rebuild gives the same rows");
    ledger.stop();
}
