//! A store written by the first release, read by this one: the log to the byte, and the views as they were told then.

use std::path::Path;
use std::process::Command;

use harness::identities::Read;
use harness::ledger::Ledger;
use serde_json::{Value, json};

/// As the first release knew it; what a view says more today does not count.
fn of_old(rows: &str, like: &Value) -> Vec<Value> {
    let columns: Vec<&String> = like.as_object().unwrap().keys().collect();
    let rows = rows.lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        columns.iter().map(|name| ((*name).clone(), row[name.as_str()].clone())).collect()
    });
    rows.collect()
}

/// Rows without the views' own names for them, which say whose record an id stands in since one id may stand in several.
fn without_keys(rows: &str) -> Vec<String> {
    let rows = rows.lines().map(|line| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        assert!(row.as_object_mut().unwrap().remove("row_key").is_some(), "a row without a key");
        row.to_string()
    });
    let mut rows: Vec<String> = rows.collect();
    rows.sort_unstable();
    rows
}

fn unpack(release: &str, into: &Path) {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(release);
    let unpacked = Command::new("tar").arg("-xzf").arg(&store).arg("-C").arg(into).status().unwrap();
    assert!(unpacked.success(), "{} could not be unpacked", store.display());
}

#[tokio::test]
async fn a_store_of_the_first_release_is_read_as_it_was_told_then() {
    let folder = tempfile::tempdir().unwrap();
    unpack("first-release.tar.gz", folder.path());
    let ledger = Ledger::up(&folder.path().join("data"), None);
    for view in ["event_history", "current_enrollment", "duplication_conflict"] {
        let then = std::fs::read_to_string(folder.path().join(format!("{view}.ndjson"))).unwrap();
        let now = ledger.text(&format!("/v1/views/{view}"), "application/x-ndjson").await;
        assert!(view != "event_history" || then == now, "the history differs from what the first release told");
        assert!(without_keys(&then) == without_keys(&now), "{view} differs from what the first release told");
    }
    let then = std::fs::read_to_string(folder.path().join("outreach_conversion.ndjson")).unwrap();
    let like: Value = serde_json::from_str(then.lines().next().unwrap()).unwrap();
    let now = ledger.text("/v1/views/outreach_conversion", "application/x-ndjson").await;
    assert_eq!(of_old(&then, &like), of_old(&now, &like));
    ledger.stop();
}

#[tokio::test]
async fn a_history_begun_by_the_first_release_goes_on_in_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    unpack("first-release.tar.gz", folder.path());
    let ledger = Ledger::up(&folder.path().join("data"), None);
    let history = std::fs::read_to_string(folder.path().join("event_history.ndjson")).unwrap();
    let rows: Vec<Value> = history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = rows.iter().rfind(|row| row["member"].is_string()).unwrap();
    let member = last["member"].as_str().unwrap();
    let observed = json!({ "housed": true, "on": "2025-07-01" });
    let at = ledger.record("housing_observed", member, "la-care", "2025-07-01", observed).await;
    assert!(at > rows.len() as u64 / 2, "positions go on where the first release stopped");
    let told = ledger.rows(&format!("/v1/members/{member}/history")).await;
    assert_eq!(told.iter().filter(|row| row["position"] == at).count(), 1);
    assert!(told.iter().any(|row| row["position"] == last["position"]), "what was told before still stands");
    // A broken chain would have stopped the projector and turned health red.
    ledger.get("/readyz").await;
    ledger.stop();
}

#[tokio::test]
async fn identities_that_the_first_release_wrote_are_told_to_be_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    unpack("first-release.tar.gz", folder.path());
    let data = folder.path().join("data");
    let ledger = Ledger::up(&data, None);
    let all = harness::identities::read(&data).await.unwrap();
    assert!(all.len() > 30 && all.iter().all(|(_, read)| matches!(read, Read::Opened(_))));
    let member = all[0].0.to_string();
    let refused = ledger.verb(&["identity", "destroy", &member, "--reason", "a test of it", "--yes"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && said.contains("in clear"), "{said}");
    assert_eq!(harness::identities::read(&data).await.unwrap(), all);
    let verified = ledger.ok(&["--quiet", "verify", "--archive", "none"]);
    assert!(verified.contains("are in clear") && verified.contains("all well"), "{verified}");
    ledger.stop();
}
