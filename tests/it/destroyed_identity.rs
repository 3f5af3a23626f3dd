//! An identity that was destroyed: nobody reads it any more, in stream, views, archive, quarantine and backups, and nothing else
//! is another than it was.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use harness::identities::{self, Read};
use harness::leaks;
use harness::ledger::Ledger;
use harness::program::Program;
use rollbook::log::{Erasable, Log, Message};
use rollbook_events::{MemberId, Position};
use serde_json::{Value, json};

use crate::sample_county::{import, sample};

/// Whom it is about, and somebody else. Obviously nobody.
const GONE: &str = "97531246A";
const STAYS: &str = "97531247C";

/// What stands nowhere else: each would be found in any file that holds it in clear.
const CANARIES: [&str; 8] = [
    GONE,
    "Quillfeather",
    "Zephyrine",
    "1961-07-23",
    "07/23/1961",
    "2139175550",
    "77 Nowhere Canary Row",
    "canary-in-an-unmapped-column",
];

const FILE: &str = "\
MCP Name,CIN,Member Last Name,Member First Name,Member Date of Birth,Member Assigned Date,Medi-Cal Coverage County,Primary Phone Number,Member Residential Address,Client_Note
Anthem,97531246A,Quillfeather,Zephyrine,07/23/1961,05/09/2024,Los Angeles,2139175550,77 Nowhere Canary Row,canary-in-an-unmapped-column
Anthem,97531247C,Stayfield,Morgan,01/02/1980,05/09/2024,Los Angeles,2135550101,1 Elsewhere,kept
Anthem,97531246A,Quillfeather,Zephyrine,07/23/1961,32/13/2024,Los Angeles,2139175550,77 Nowhere Canary Row,canary-in-an-unmapped-column
Anthem,9753124?A,Quillfeather,Zephyrine,07/23/1961,05/09/2024,Los Angeles,2139175550,77 Nowhere Canary Row,canary-in-an-unmapped-column
Anthem,97531247C,Stayfield,Morgan,01/02/1980,32/13/2024,Los Angeles,2135550101,1 Elsewhere,kept
";

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

/// The files below a folder that hold one of these texts.
fn that_hold(folder: &Path, texts: &[String]) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for path in files_below(folder) {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for text in texts {
            if bytes.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes())) {
                found.push((text.clone(), path.clone()));
            }
        }
    }
    found
}

fn canaries() -> Vec<String> {
    CANARIES.map(str::to_owned).to_vec()
}

async fn member(ledger: &Ledger, cin: &str) -> MemberId {
    let (status, answer) = ledger.post("/v1/members/lookup", &json!({ "cin": cin })).await;
    assert_eq!(status, 200);
    answer["data"]["member"].as_str().unwrap().parse().unwrap()
}

/// How many messages about members open, how many do not.
async fn opened(data: &Path, of: Option<MemberId>) -> (usize, usize) {
    let all = identities::read(data).await.unwrap();
    let of_it = all.into_iter().filter(|(member, _)| of.is_none_or(|of| of == *member));
    let count = |(opened, closed), (_, read): (MemberId, Read)| match read {
        Read::Opened(_) => (opened + 1, closed),
        Read::Closed => (opened, closed + 1),
        Read::Destroyed => (opened, closed),
    };
    of_it.fold((0, 0), count)
}

fn verified(ledger: &Ledger) -> Value {
    let report: Value = serde_json::from_str(&ledger.ok(&["--quiet", "verify", "--json", "--views"])).unwrap();
    assert_eq!(report["all_well"], true, "{report:#}");
    report["report"].clone()
}

fn count(report: &Value, place: &str, what: &str) -> u64 {
    let checked = report["checked"].as_array().unwrap();
    let found = checked.iter().find(|checked| checked["place"] == place && checked["what"] == what);
    found.unwrap_or_else(|| panic!("{place}: {what} in {report:#}"))["count"].as_u64().unwrap()
}

/// The age that the ledger gives a member of whom a referral leaves it out.
async fn derived_age(ledger: &Ledger, member: MemberId, n: u8) -> Value {
    let data = json!({ "referral": format!("018f3c1e-7a10-7c3d-9b4e-0000000000{n:02}"), "program": "ecm",
                       "pathway": "self", "requested_by": "member" });
    let position = ledger.record("referral_received", &member.to_string(), "anthem", "2024-08-01", data).await;
    let rows = ledger.rows(&format!("/v1/members/{member}/history")).await;
    let row = rows.iter().find(|row| row["position"] == position).unwrap();
    row["event"]["data"]["age_years"].clone()
}

/// A county with two people of whom every word is a canary, one of whom waits in the quarantine too.
async fn ledger_with_canaries(data: &Path, county: &Path) -> Ledger {
    CANARIES.into_iter().for_each(leaks::person);
    sample(county, 30);
    let ledger = Ledger::up_with(data, &["--archive-within", "1"]);
    import(&ledger, county);
    let file = county.join("anthem-member-information-canaries.csv");
    std::fs::write(&file, FILE).unwrap();
    let report: Value =
        serde_json::from_str(&ledger.ok(&["import", "member-information", "--json", file.to_str().unwrap()])).unwrap();
    assert_eq!((&report["recorded"], &report["quarantined"]), (&json!(2), &json!(3)), "{report}");
    ledger.caught_up().await;
    ledger
}

#[tokio::test]
async fn heavy_a_destroyed_identity_is_read_nowhere_and_everything_else_is_as_it_was() {
    let [county, folder, safe] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let data = folder.path();
    let ledger = ledger_with_canaries(data, county.path()).await;
    let (gone, stays) = (member(&ledger, GONE).await, member(&ledger, STAYS).await);
    assert_eq!(derived_age(&ledger, gone, 1).await, 63);
    let (opens, closed) = opened(data, None).await;
    assert!(opens > 30 && closed == 0, "{opens} open, {closed} do not");
    let holding = that_hold(data, &canaries());
    assert!(
        !holding.is_empty() && holding.iter().all(|(_, path)| path.starts_with(data.join("quarantine"))),
        "{holding:?}"
    );
    let backup = safe.path().join("keys.ndjson");
    ledger.ok(&["identity", "backup-keys", backup.to_str().unwrap()]);
    let text = std::fs::read_to_string(&backup).unwrap();
    let line = text.lines().find(|line| line.contains(&gone.to_string())).unwrap();
    let wrapped: Value = serde_json::from_str(line).unwrap();
    let secret = vec![wrapped["wrapped"].as_str().unwrap().to_owned()];
    assert!(base64::engine::general_purpose::STANDARD.decode(&secret[0]).unwrap().len() == 60);
    assert!(!that_hold(&data.join("nats"), &secret).is_empty(), "the search finds a key where there is one");
    let (head, dumps) = (ledger.caught_up().await, ledger.dumps().await);
    verified(&ledger);

    let told = ledger.ok(&["identity", "destroy", GONE, "--reason", "a test of it", "--yes", "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["already"], &told["sealed"], &told["in_clear"]), (&json!(false), &json!(1), &json!(0)), "{told}");
    assert_eq!(told["quarantined"], 2, "one row by its CIN, one by its names: {told}");
    let wanted = [canaries(), secret.clone()].concat();
    assert_eq!(that_hold(data, &wanted), [], "right after it, with everything running");
    assert_eq!(opened(data, Some(gone)).await, (0, 1));
    assert_eq!(opened(data, None).await, (opens - 1, 1), "all the others open");
    assert_eq!((ledger.caught_up().await, ledger.dumps().await), (head, dumps), "events and views are as they were");
    let report = verified(&ledger);
    assert_eq!(count(&report, "IDENTITY", "sealed messages whose key was destroyed"), 1);
    assert_eq!(count(&report, "IDENTITY_KEYS", "keys that were destroyed"), 1);
    assert!(derived_age(&ledger, gone, 2).await.is_null(), "an age was derived of nobody");
    assert_eq!(derived_age(&ledger, stays, 3).await, 44);

    restored_copies_do_not_bring_it_back(ledger, data, (&backup, line), gone).await;
    assert_eq!(that_hold(data, &wanted), [], "with everything stopped");
}

/// Waits until nothing of a member opens.
async fn is_closed(data: &Path, member: MemberId) {
    let closed = async {
        while opened(data, Some(member)).await.0 > 0 || quarantines(data, GONE) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let closed = tokio::time::timeout(Duration::from_secs(20), closed).await;
    assert!(closed.is_ok(), "a start does not carry out what IDENTITY tells");
}

fn quarantines(data: &Path, text: &str) -> bool {
    !that_hold(&data.join("quarantine"), &[text.to_owned()]).is_empty()
}

/// From the backup that was made before, and from a copy of the stream itself.
async fn restored_copies_do_not_bring_it_back(ledger: Ledger, data: &Path, copy: (&Path, &str), gone: MemberId) {
    let told = ledger.ok(&["identity", "restore-keys", copy.0.to_str().unwrap(), "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["destroyed"], &told["restored"]), (&json!(1), &json!(0)), "{told}");
    assert_eq!(opened(data, Some(gone)).await, (0, 1));

    let (_, keys) = identities::streams(data).await.unwrap();
    let subject = format!("key.{gone}");
    let mut body: Value = serde_json::from_str(copy.1).unwrap();
    body["state"] = "wrapped".into();
    let body = serde_json::to_vec(&body).unwrap().into();
    let raw = Message { subject: subject.clone(), id: "raw".to_owned(), expected: None, headers: Vec::new(), body };
    keys.append(&[raw]).await.unwrap();
    assert_eq!(opened(data, Some(gone)).await, (1, 0), "a key that somebody puts back by hand opens, for now");
    let found = ledger.verb(&["--quiet", "verify"]);
    assert_eq!(found.status.code(), Some(1), "verify says so");
    ledger.stop();
    let ledger = Ledger::up(data, None);
    is_closed(data, gone).await;
    verified(&ledger);

    // Whoever is told of again is somebody new, who is read; what was sealed before is not.
    let enrolled = json!({ "kind": "member_looked_up", "cin": GONE, "plan": "anthem", "county": "los-angeles",
                           "occurred_at": "2024-09-01", "data": { "system": "hmis" } });
    assert_eq!(ledger.post("/v1/events", &enrolled).await.0, 201);
    assert_eq!(opened(data, Some(gone)).await, (1, 1));
    let again = ledger.ok(&["identity", "destroy", &gone.to_string(), "--reason", "again", "--yes", "--json"]);
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!((&again["already"], &again["sealed"]), (&json!(false), &json!(2)), "{again}");
    let third = ledger.ok(&["identity", "destroy", &gone.to_string(), "--reason", "again", "--yes", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&third).unwrap()["already"], true);
    assert_eq!(opened(data, Some(gone)).await, (0, 2));
    verified(&ledger);
    ledger.stop();
}

#[tokio::test]
async fn a_destruction_that_was_killed_is_carried_out_by_the_next_start() {
    let (county, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let data = folder.path();
    let ledger = ledger_with_canaries(data, county.path()).await;
    let gone = member(&ledger, GONE).await;
    ledger.stop();
    for (point, again) in [("identity.after_destroyed=kill", true), ("identity.after_erased=kill@2", false)] {
        let ledger = Ledger::start_to_die(data, &["up"], point);
        let killed = ledger.verb(&["identity", "destroy", &gone.to_string(), "--reason", "a test of it", "--yes"]);
        assert_eq!(killed.status.code(), Some(3), "{point}");
        ledger.kill();
        let ledger = Ledger::up(data, None);
        is_closed(data, gone).await;
        let quarantined = that_hold(data, &[GONE.to_owned()]);
        assert_eq!(quarantined, [], "{point}: rows are found by their CIN, also without the key");
        verified(&ledger);
        if again {
            // Somebody new, for the next point.
            let said = json!({ "kind": "member_looked_up", "cin": GONE, "plan": "anthem", "county": "los-angeles",
                               "occurred_at": "2024-09-01", "data": { "system": "hmis" } });
            assert_eq!(ledger.post("/v1/events", &said).await.0, 201);
        }
        ledger.stop();
    }
}

#[tokio::test]
async fn a_wrapping_key_is_changed_while_the_ledger_goes_on() {
    let (county, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let data = folder.path();
    let ledger = ledger_with_canaries(data, county.path()).await;
    let before = opened(data, None).await;
    ledger.stop();
    let path = data.join("wrapping.keys");
    let old = std::fs::read_to_string(&path).unwrap();
    let new = "5a".repeat(32);
    std::fs::write(&path, format!("{new}\n{old}")).unwrap();
    let ledger = Ledger::up(data, None);
    let told: Value = serde_json::from_str(&ledger.ok(&["identity", "rewrap", "--json"])).unwrap();
    assert_eq!((&told["left"], &told["keys"]), (&json!(0), &told["rewrapped"]), "{told}");
    let names = old_names(data).await;
    assert_eq!(names.len(), 1, "every key is wrapped with the first: {names:?}");
    ledger.stop();
    std::fs::write(&path, format!("{new}\n")).unwrap();
    let ledger = Ledger::up(data, None);
    assert_eq!(opened(data, None).await, before);
    verified(&ledger);
    ledger.stop();
    // Without any, or with others, it does not begin beside keys that it could not use.
    for wrong in [None, Some("b".repeat(64))] {
        std::fs::remove_file(&path).unwrap();
        if let Some(wrong) = wrong {
            std::fs::write(&path, wrong).unwrap();
        }
        let up = Program::new().args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(data).output().unwrap();
        assert_eq!(up.status.code(), Some(3), "{}", String::from_utf8_lossy(&up.stderr));
        std::fs::write(&path, &new).unwrap();
    }
}

/// The names of the wrapping keys in use, by what is stored.
async fn old_names(data: &Path) -> std::collections::BTreeSet<String> {
    let (_, keys) = identities::streams(data).await.unwrap();
    let stored = keys.some_after(Position(0)).await.unwrap();
    let name = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["wrapped_by"].as_str().map(str::to_owned);
    stored.iter().filter_map(|stored| name(&stored.body)).collect()
}
