//! An import that is killed anywhere, with the whole process tree, goes on where it was and comes to the same end.

use std::collections::BTreeSet;

use harness::ledger::Ledger;
use harness::truth;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::sample_county::{KINDS, files, import, sample};

/// Kills that must have hit a running import.
const KILLS: u32 = 10;

#[tokio::test]
async fn heavy_an_import_killed_ten_times_at_random_comes_to_the_same_end() {
    let (county, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    sample(county.path(), 1_000);
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    for kill in 0..KILLS {
        let ledger = Ledger::up(folder.path(), None);
        let posting = tokio::spawn(post_until_killed(ledger.url().to_owned(), ledger.token().to_owned(), kill));
        let mut importing = Vec::new();
        for kind in KINDS {
            let files = files(county.path(), kind);
            let mut arguments = vec!["import", kind, "--json"];
            arguments.extend(files.iter().map(|path| path.to_str().unwrap()));
            importing.push(ledger.command(&arguments).stdout(std::process::Stdio::null()).spawn().unwrap());
        }
        // Not a wait for luck: how far the import gets before the kill is what is drawn at random.
        let events = random.random_range(20..900);
        let from = head(&ledger).await;
        while head(&ledger).await < from + events
            && importing.iter_mut().any(|import| import.try_wait().unwrap().is_none())
        {
            tokio::task::yield_now().await;
        }
        ledger.kill();
        for mut import in importing {
            _ = import.wait();
        }
        acknowledged.extend(posting.await.unwrap());
    }
    let ledger = Ledger::up(folder.path(), None);
    let reports = import(&ledger, county.path());
    assert!(reports.iter().all(|report| report["state"] == "completed"));
    ledger.caught_up().await;
    let differences = truth::differences(&ledger, &truth::read(county.path())).await;
    assert!(differences.is_empty(), "{differences:#?}");

    let history = ledger.rows("/v1/views/event_history").await;
    let now: Vec<&Value> = history.iter().filter(|row| row["known_until"].is_null()).collect();
    let ids: BTreeSet<&str> = now.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), now.len(), "an event stands twice");
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !ids.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(!acknowledged.is_empty());

    let untroubled = tempfile::tempdir().unwrap();
    let other = Ledger::up(untroubled.path(), None);
    let expected = import(&other, county.path());
    other.caught_up().await;
    assert_eq!(totals(&reports), totals(&expected), "rows by outcome are those of an import that was never killed");
    let imported = now.iter().filter(|row| row["kind"] != "member_looked_up").count();
    assert_eq!(imported, other.rows("/v1/events").await.len(), "as many events as an import that was never killed");
    other.stop();
    ledger.stop();
}

/// The log's last position.
async fn head(ledger: &Ledger) -> u64 {
    ledger.get("/v1/status").await["data"]["head"].as_u64().unwrap()
}

/// Submits one event after another beside the import, until nobody answers; gives the ids that were acknowledged.
async fn post_until_killed(url: String, token: String, kill: u32) -> BTreeSet<String> {
    let client = reqwest::Client::new();
    let mut acknowledged = BTreeSet::new();
    for n in 0.. {
        let id = format!("018f3c1e-7a10-7c3d-{kill:04x}-{n:012x}");
        let event = json!({
            "id": id, "kind": "member_looked_up", "member": format!("0b0b0b0b-0b0b-8b0b-8b0b-{:012x}", n % 7),
            "plan": "la-care", "county": "los-angeles", "occurred_at": "2024-02-01", "data": { "system": "hmis" }
        });
        let answer = client.post(format!("{url}/v1/events")).bearer_auth(&token).json(&event).send().await;
        match answer {
            Ok(answer) if answer.status() == 201 => _ = acknowledged.insert(id),
            Ok(answer) if answer.status().is_server_error() => {}
            Ok(answer) => panic!("a good event was answered {}", answer.status()),
            Err(_) => return acknowledged,
        }
    }
    acknowledged
}

fn totals(reports: &[Value]) -> Vec<(String, u64, u64)> {
    let number = |report: &Value, key: &str| report[key].as_u64().unwrap();
    let of = |report: &Value| {
        (report["name"].as_str().unwrap().to_owned(), number(report, "rows"), number(report, "quarantined"))
    };
    reports.iter().map(of).collect()
}
