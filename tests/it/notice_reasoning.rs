//! A request that is refused brings a determination about; the ledger explains it, and decides it again to the same bytes.

use harness::ledger::Ledger;
use serde_json::{Value, json};

const MEMBER: &str = "0d0d0d0d-0d0d-8d0d-8d0d-0d0d0d0d0d0d";
const AUTHORIZATION: &str = "018f3c1e-7a10-7c3d-9b4e-00000000000a";
const NOTICE: &str = "018f3c1e-7a10-7c3d-9b4e-00000000000b";

/// The member asks for ECM and is denied.
async fn denied(ledger: &Ledger) {
    let request = json!({
        "authorization": AUTHORIZATION, "program": "ecm", "urgency": "standard", "requested_by": "member",
        "received_at": "2024-03-01T09:30:00-08:00",
    });
    ledger.record("authorization_requested", MEMBER, "la-care", "2024-03-01", request).await;
    let decision = json!({
        "authorization": AUTHORIZATION, "program": "ecm", "outcome": "denied",
        "decided_at": "2024-03-04T10:00:00-08:00", "reasons": ["no_population_of_focus"],
    });
    ledger.record("authorization_decided", MEMBER, "la-care", "2024-03-04", decision).await;
    ledger.caught_up().await;
}

async fn one_notice(ledger: &Ledger, query: &str) -> Value {
    let rows = ledger.rows(&format!("/v1/notices?{query}")).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0].clone()
}

#[tokio::test]
async fn a_denial_is_listed_explained_and_decided_again() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    denied(&ledger).await;
    let row = one_notice(&ledger, "outcome=required&notice=denial&issued=false&plan=la-care").await;
    assert_eq!((&row["rule"], &row["mail_by"]), (&json!("NOA-1"), &json!("2024-03-06")));
    assert!(ledger.rows("/v1/notices?outcome=review").await.is_empty());
    let gone = ledger.rows("/v1/notices?standing=false").await;
    assert!(gone.is_empty(), "{gone:?}");
    let id = row["determination"].as_str().unwrap();

    let answer = ledger.get(&format!("/v1/notices/{id}?reproduce=true")).await;
    let told = &answer["data"];
    assert_eq!((&told["determination"]["determination"], &told["reproduced"]), (&json!(id), &json!({ "equal": true })));
    assert_eq!(told["limbs"][0]["limb"], "request_not_granted");
    assert_eq!(told["evidence"][0]["kind"], "authorization_decided");
    assert!(told["rulebook"]["adopted_at"].as_u64().is_some_and(|position| position >= 1));
    assert!(ledger.get(&format!("/v1/notices/{id}")).await["data"].get("reproduced").is_none());
    assert_eq!(ledger.asked(&format!("/v1/notices/{AUTHORIZATION}"), "application/json").await.status(), 404);

    let text = ledger.ok(&["notices", "explain", id, "--reproduce"]);
    assert!(text.contains("a Notice of Action (denial) is required"), "{text}");
    assert!(text.contains("on 2024-03-04 the request for ecm was denied (no population of focus)"), "{text}");
    assert!(text.contains("comes out the same, byte for byte"), "{text}");
    assert!(ledger.ok(&["notices", MEMBER]).contains(id));
    ledger.stop();
}

#[tokio::test]
async fn what_follows_is_told_and_what_was_known_then_stays_known() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    denied(&ledger).await;
    let row = one_notice(&ledger, "issued=false").await;
    let id = row["determination"].as_str().unwrap().to_owned();
    let before = ledger.caught_up().await;
    let issued = json!({
        "notice": NOTICE, "program": "ecm", "determination": id, "kind": "denial", "mailed_on": "2024-03-08",
    });
    ledger.record("notice_issued", MEMBER, "la-care", "2024-03-08", issued).await;
    assert_eq!(one_notice(&ledger, "issued=true&late=true").await["late_by_days"], 2);
    let told = ledger.get(&format!("/v1/notices/{id}")).await["data"]["sentences"].to_string();
    assert!(told.contains("mailed on 2024-03-08, 2 days late"), "{told}");
    let then = ledger.get(&format!("/v1/notices/{id}?known_at={before}")).await["data"]["sentences"].to_string();
    assert!(then.contains("No notice is on record"), "{then}");

    // A decision that is voided takes its determination with it; the new one says so, and both come out the same again.
    let history = ledger.rows(&format!("/v1/members/{MEMBER}/history")).await;
    let decision = history.iter().find(|row| row["kind"] == "authorization_decided").unwrap();
    let void = json!({ "event": decision["id"], "reason": "another member", "approved_by": "la-care compliance" });
    ledger.record("event_voided", MEMBER, "la-care", "2024-03-09", void).await;
    ledger.caught_up().await;
    assert_eq!(one_notice(&ledger, "standing=any&voided=true").await["determination"], json!(id));
    for row in ledger.rows("/v1/notices?standing=any&voided=any").await {
        let Some(id) = row["determination"].as_str() else { continue };
        let again = ledger.get(&format!("/v1/notices/{id}?reproduce=true")).await;
        assert_eq!(again["data"]["reproduced"], json!({ "equal": true }), "{again}");
    }
    ledger.stop();
}

/// The request is on record under one pseudonym, its denial under another: apart, linked, and apart again.
#[tokio::test]
async fn what_was_decided_of_linked_pseudonyms_comes_out_the_same_after_they_are_parted() {
    const OTHER: &str = "0e0e0e0e-0e0e-8e0e-8e0e-0e0e0e0e0e0e";
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    let referral = json!({ "referral": NOTICE, "program": "ecm", "pathway": "self", "requested_by": "member" });
    ledger.record("referral_received", MEMBER, "la-care", "2024-03-01", referral).await;
    let decision = json!({
        "authorization": AUTHORIZATION, "program": "ecm", "outcome": "denied", "referral": NOTICE,
        "decided_at": "2024-03-04T10:00:00-08:00", "reasons": ["no_population_of_focus"],
    });
    ledger.record("authorization_decided", OTHER, "la-care", "2024-03-04", decision).await;
    let link = json!({ "other": OTHER, "reason": "cin_merged" });
    ledger.record("member_linked", MEMBER, "la-care", "2024-04-02", link).await;
    let unlink = json!({ "other": OTHER, "reason": "in error" });
    ledger.record("member_unlinked", MEMBER, "la-care", "2024-06-03", unlink).await;
    ledger.caught_up().await;
    let rows = ledger.rows(&format!("/v1/members/{OTHER}/notices?standing=any&voided=any")).await;
    let mut outcomes: Vec<&str> = rows.iter().map(|row| row["outcome"].as_str().unwrap()).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["required", "review", "review"]);
    for row in &rows {
        let id = row["determination"].as_str().unwrap();
        let again = ledger.get(&format!("/v1/notices/{id}?reproduce=true")).await;
        assert_eq!(again["data"]["reproduced"], json!({ "equal": true }), "{again}");
    }
    ledger.stop();
}
