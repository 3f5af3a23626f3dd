//! The sample of 5,000 members, imported from its files, matches what its own simulation knows, on both databases; and a
//! rebuild gives every row again, byte for byte.

use std::path::{Path, PathBuf};

use harness::ledger::Ledger;
use harness::postgres::Postgres;
use harness::truth;

/// The kinds of file, in the order plans and providers send them.
pub const KINDS: [&str; 4] = ["member-information", "outreach-tracker", "return-transmission", "events"];

/// The files of a kind, in the order of their names.
pub fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.file_name().unwrap().to_str().unwrap().contains(kind)).collect();
    files.sort();
    assert!(!files.is_empty(), "no {kind} files in {}", folder.display());
    files
}

/// Writes a sample county.
pub fn sample(folder: &Path, members: u32) {
    let settings = rollbook::sample::Settings { members, seed: 7, out: folder.to_owned() };
    rollbook::sample::write_county(&settings, &mut |_| {}).unwrap();
}

/// Imports every file of a county and gives the reports.
pub fn import(ledger: &Ledger, folder: &Path) -> Vec<serde_json::Value> {
    let mut reports = Vec::new();
    for kind in KINDS {
        let files = files(folder, kind);
        let mut arguments = vec!["import", kind, "--json"];
        arguments.extend(files.iter().map(|path| path.to_str().unwrap()));
        reports.extend(ledger.ok(&arguments).lines().map(|line| serde_json::from_str(line).unwrap()));
    }
    reports
}

#[tokio::test]
async fn heavy_the_sample_matches_its_truth_on_both_databases_and_after_a_rebuild() {
    let (county, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    sample(county.path(), 5_000);
    let truth = truth::read(county.path());

    let ledger = Ledger::up(folder.path(), None);
    let reports = import(&ledger, county.path());
    ledger.caught_up().await;
    let differences = truth::differences(&ledger, &truth).await;
    assert!(differences.is_empty(), "on SQLite: {differences:#?}");
    quarantined_as_known(&reports, &truth);

    let again = import(&ledger, county.path());
    assert!(again.iter().all(|report| report["already"] == true), "the same files again change nothing");

    let dumps = ledger.dumps().await;
    ledger.stop();
    for file in ["views.db", "views.db-wal", "views.db-shm"] {
        _ = std::fs::remove_file(folder.path().join(file));
    }
    let ledger = Ledger::up(folder.path(), None);
    ledger.caught_up().await;
    same(&dumps, &ledger.dumps().await, "after the views' database was deleted");
    ledger.ok(&["rebuild", "--yes"]);
    ledger.caught_up().await;
    same(&dumps, &ledger.dumps().await, "after rollbook rebuild");
    ledger.stop();

    let Some(postgres) = Postgres::start() else { return };
    let ledger = Ledger::up(folder.path(), Some(&postgres.url()));
    ledger.caught_up().await;
    same(&dumps, &ledger.dumps().await, "on PostgreSQL");
    let differences = truth::differences(&ledger, &truth).await;
    assert!(differences.is_empty(), "on PostgreSQL: {differences:#?}");
    ledger.stop();
}

/// Compares dumps view by view, so that a failure names the view and its first difference.
fn same(one: &[(&str, String)], other: &[(&str, String)], when: &str) {
    for ((view, one), (_, other)) in one.iter().zip(other) {
        let first = one.lines().zip(other.lines()).find(|(a, b)| a != b);
        assert_eq!(first, None, "{view} differs {when}");
        assert_eq!(one.lines().count(), other.lines().count(), "{view} differs in length {when}");
        // The sample's plans keep their authorizations to themselves.
        let filled = !["authorization", "reassessment", "clock"].contains(view);
        assert!(one.lines().count() > 0 || !filled, "{view} is empty");
    }
}

fn quarantined_as_known(reports: &[serde_json::Value], truth: &serde_json::Value) {
    for known in truth["quarantined"].as_array().unwrap() {
        let report = reports.iter().find(|report| report["name"] == known["file"]);
        let report = report.unwrap_or_else(|| panic!("no report of {}", known["file"]));
        assert_eq!(report["quarantined"], known["rows"], "quarantined of {}: {}", known["file"], report["reasons"]);
    }
}
