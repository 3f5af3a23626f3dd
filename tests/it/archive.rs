//! The archive: what is lost is restored from it to the byte, what is damaged is found, and nothing is recorded on top of a
//! stream that is not what was archived.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use harness::ledger::Ledger;
use harness::log_contract::message;
use harness::program::Program;
use harness::server::{Private, binary};
use rollbook::archive::{Address, Archiving, Shelf};
use rollbook::health::{Forbids, Health};
use rollbook::log::{Log, NatsLog, StreamSpec};
use serde_json::{Value, json};

use crate::sample_county::{import, sample};

const SOON: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs a verb that needs no ledger that runs.
fn verb(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn command(arguments: &[&str]) -> Program {
    let mut command = Program::new();
    command.args(arguments);
    if let Some(server) = binary() {
        command.env("ROLLBOOK_NATS_SERVER", server);
    }
    command
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What `verify --json` says of a data folder, with its exit code.
fn verified(data: &Path, archive: &Path, more: &[&str]) -> (i32, Value) {
    let mut arguments = vec!["--quiet", "verify", "--json", "--data", text(data), "--archive", text(archive)];
    arguments.extend(more);
    let output = verb(&arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = serde_json::from_str(&said)
        .unwrap_or_else(|_| panic!("verify said: {said} {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), report)
}

fn count(report: &Value, place: &str, what: &str) -> u64 {
    let checked = report["report"]["checked"].as_array().unwrap();
    let found = checked.iter().find(|checked| {
        checked["place"] == place && checked["what"].as_str().is_some_and(|words| words.starts_with(what))
    });
    found.unwrap_or_else(|| panic!("{place}: {what} in {report:#}"))["count"].as_u64().unwrap()
}

fn places(report: &Value) -> Vec<&str> {
    report["report"]["findings"].as_array().unwrap().iter().map(|found| found["place"].as_str().unwrap()).collect()
}

fn segments(archive: &Path, stream: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(archive.join(stream)).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some()).collect();
    files.sort();
    files
}

/// What is done to a segment and the one beside it.
type Damage<'a> = &'a dyn Fn(&Path, &Path);

#[tokio::test]
async fn heavy_a_ledger_lost_is_restored_from_its_archive_with_every_row_of_every_view() {
    let (county, lost, new) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    sample(county.path(), 60);
    let ledger = Ledger::up(lost.path(), None);
    import(&ledger, county.path());
    let head = ledger.caught_up().await;
    let dumps = ledger.dumps().await;
    let copies = tempfile::tempdir().unwrap();
    let keys = copies.path().join("keys.ndjson");
    ledger.ok(&["identity", "backup-keys", text(&keys)]);
    ledger.stop();
    let archive = lost.path().join("archive");

    let restored = command(&["restore", "--archive", text(&archive), "--into", text(new.path()), "--json"]).output();
    let restored = restored.unwrap();
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let told: Value = serde_json::from_slice(&restored.stdout).unwrap();
    assert_eq!(told["streams"][0]["messages"], head);
    assert_eq!(told["missing"], json!(["ledger.key", "token.key", "tokens.json", "wrapping.keys"]));
    for file in ["ledger.key", "token.key", "tokens.json", "admin.token", "wrapping.keys"] {
        std::fs::copy(lost.path().join(file), new.path().join(file)).unwrap();
    }
    // The archive holds no key: what is sealed does not open before they are put back.
    let (code, report) = verified(new.path(), &archive, &[]);
    assert!(code == 1 && places(&report).contains(&"IDENTITY_KEYS"), "{report:#}");
    let restored = verb(&["identity", "restore-keys", text(&keys), "--data", text(new.path()), "--json"]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let told: Value = serde_json::from_slice(&restored.stdout).unwrap();
    assert_eq!(told["restored"], told["keys"]);

    let ledger = Ledger::up(new.path(), None);
    assert_eq!(ledger.caught_up().await, head);
    for ((view, before), (_, after)) in dumps.iter().zip(ledger.dumps().await) {
        assert!(*before == after, "{view} differs");
    }
    let (code, report) = verified(new.path(), &archive, &["--views"]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(count(&report, "ENROLLMENT", "messages read"), head);
    assert_eq!(count(&report, "archive of ENROLLMENT", "messages equal"), head);
    assert_eq!(count(&report, "event_history", "rows equal to the stream's"), head);
    assert_eq!(count(&report, "event_history", "rows equal to a clean fold's"), dumps[0].1.lines().count() as u64);
    assert!(count(&report, "archive of IDENTITY", "messages equal") > 0);
    assert_eq!(count(&report, "IDENTITY", "sealed messages opened"), count(&report, "IDENTITY", "messages read"));
    assert!(count(&report, "archive of INTAKE", "messages equal") > 0);
    ledger.stop();

    damage_is_found(new.path(), &archive);
}

/// Each kind of damage in turn, on copies.
fn damage_is_found(whole: &Path, archive: &Path) {
    let block = |data: &Path| data.join("nats/store/jetstream/$G/streams/ENROLLMENT/msgs/1.blk");
    let flip = |file: &Path| {
        let mut bytes = std::fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        std::fs::write(file, bytes).unwrap();
    };
    let cases: [(&str, Damage<'_>); 5] = [
        ("ENROLLMENT", &|data, _| flip(&block(data))),
        ("ENROLLMENT", &|data, _| std::fs::remove_file(block(data)).unwrap()),
        ("the views", &|data, _| std::fs::remove_file(data.join("views.db")).unwrap()),
        ("INTAKE/000000000001.segment", &|_, archive| flip(&segments(archive, "INTAKE")[0])),
        ("archive of ENROLLMENT", &|_, archive| {
            std::fs::remove_file(segments(archive, "ENROLLMENT").last().unwrap()).unwrap();
        }),
    ];
    for (place, damage) in cases {
        let copy = tempfile::tempdir().unwrap();
        let (data, shelf) = (copy.path().join("data"), copy.path().join("archive"));
        for (from, to) in [(whole, &data), (archive, &shelf)] {
            assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
        }
        damage(&data, &shelf);
        let (code, report) = verified(&data, &shelf, &[]);
        let found = places(&report);
        // What was stored a moment ago may lawfully not be archived yet.
        let young = place.starts_with("archive of") && found.is_empty();
        assert!(young || (code == 1 && found.contains(&place)), "{place}: {code} {report:#}");
    }
}

/// Appends messages that nothing else but the archive reads.
async fn append(log: &NatsLog, from: u64, to: u64) {
    let batch: Vec<_> =
        (from..=to).map(|n| message(&format!("intake.{}", n % 7), None, &format!("{{\"n\":{n}}}"))).collect();
    for part in batch.chunks(500) {
        log.append(part).await.unwrap();
    }
}

async fn archiving(log: &NatsLog, archive: &Path, health: &Health) -> Archiving {
    let address = Address::Folder(archive.to_owned());
    Archiving::begin(&[(StreamSpec::INTAKE, log.clone())], &address, PATIENCE, health).await.unwrap()
}

/// Waits until the archive holds a position.
async fn archived(archiving: &Archiving, position: u64) {
    let there = async {
        while archiving.watched().standings()[0].position < position {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, there).await.unwrap_or_else(|_| panic!("{:?}", archiving.watched().standings()));
}

/// The archive from its first segment to its last, each compared with the one before.
async fn walked(archive: &Path) -> u64 {
    let shelf = Shelf::new(Address::Folder(archive.to_owned()).open().unwrap(), "INTAKE");
    let mut link = rollbook::archive::chain::Link::beginning("INTAKE");
    while let Some(segment) = shelf.after(&link).await.unwrap() {
        link = segment.link;
    }
    assert_eq!(shelf.last_number().await.unwrap(), link.number);
    link.last.0
}

#[tokio::test]
async fn two_archivers_at_once_write_one_archive() {
    let (private, archive, health) = (Private::start().await, tempfile::tempdir().unwrap(), Health::default());
    let log = private.log(StreamSpec::INTAKE).await;
    let (one, two) = (archiving(&log, archive.path(), &health).await, archiving(&log, archive.path(), &health).await);
    for round in 0..6 {
        append(&log, round * 400 + 1, round * 400 + 400).await;
        tokio::time::sleep(PATIENCE / 4).await;
    }
    archived(&one, 2_400).await;
    archived(&two, 2_400).await;
    assert_eq!(walked(archive.path()).await, 2_400);
    one.end().await;
    two.end().await;
    assert_eq!(health.troubles(), []);
}

#[tokio::test]
async fn a_stream_that_is_not_what_was_archived_stops_recording_and_says_where() {
    let (private, archive, health) = (Private::start().await, tempfile::tempdir().unwrap(), Health::default());
    let log = private.log(StreamSpec::INTAKE).await;
    append(&log, 1, 50).await;
    let first = archiving(&log, archive.path(), &health).await;
    archived(&first, 50).await;
    first.end().await;

    let shorter = Private::start().await;
    let log = shorter.log(StreamSpec::INTAKE).await;
    append(&log, 1, 20).await;
    let second = archiving(&log, archive.path(), &health).await;
    let refusal = health.refusal().unwrap();
    assert!(refusal.contains("ends at position 20, but its archive at 50"), "{refusal}");
    second.end().await;

    append(&log, 1_021, 1_060).await;
    let other = Health::default();
    let third = archiving(&log, archive.path(), &other).await;
    let refusal = other.refusal().unwrap();
    assert!(refusal.contains("position 50 of the stream INTAKE is not the message that was archived"), "{refusal}");
    third.end().await;
    assert_eq!(walked(archive.path()).await, 50, "nothing was added on top of it");
}

#[tokio::test]
async fn a_damaged_end_of_the_archive_is_named_and_forbids_nothing() {
    let (private, archive, health) = (Private::start().await, tempfile::tempdir().unwrap(), Health::default());
    let log = private.log(StreamSpec::INTAKE).await;
    append(&log, 1, 50).await;
    let first = archiving(&log, archive.path(), &health).await;
    first.end().await;
    let last = segments(archive.path(), "INTAKE").pop().unwrap();
    std::fs::write(&last, "no segment").unwrap();
    let second = archiving(&log, archive.path(), &health).await;
    let troubles = health.troubles();
    assert!(troubles[0].cause.contains("INTAKE/000000000001.segment is damaged"), "{troubles:?}");
    assert_eq!(troubles[0].forbids, Forbids::Nothing);
    second.end().await;

    std::fs::remove_file(last).unwrap();
    let third = archiving(&log, archive.path(), &health).await;
    archived(&third, 50).await;
    assert_eq!(health.troubles(), [], "it is written again from the stream");
    third.end().await;
}

#[tokio::test]
async fn a_restore_killed_anywhere_goes_on_and_never_over_another_stream() {
    let (private, archive, health) = (Private::start().await, tempfile::tempdir().unwrap(), Health::default());
    let log = private.log(StreamSpec::INTAKE).await;
    append(&log, 1, 12_000).await;
    let archiving = archiving(&log, archive.path(), &health).await;
    archived(&archiving, 12_000).await;
    archiving.end().await;
    assert_eq!(walked(archive.path()).await, 12_000);

    let target = Private::start().await;
    let access = target.server.access().clone();
    let secret = target.dir.path().join("nats.token");
    std::fs::write(&secret, access.token.unwrap()).unwrap();
    let place = ["restore", "--archive", text(archive.path()), "--nats", &access.url];
    let arguments = [&place[..], &["--nats-token-file", text(&secret), "--json"]].concat();
    let new = target.log(StreamSpec::INTAKE).await;
    for kill in 1..=3_u64 {
        let mut child = command(&arguments).stdout(Stdio::null()).spawn().unwrap();
        while new.head().await.unwrap().0 < kill * 2_500 && child.try_wait().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let restored = verb(&arguments);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let told: Value = serde_json::from_slice(&restored.stdout).unwrap();
    assert_eq!(told["streams"][2]["messages"], 12_000);
    assert!(told["streams"][2]["there_before"].as_u64().unwrap() >= 2_500, "{told}");

    append(&new, 20_001, 20_001).await;
    let longer = verb(&arguments);
    let said = String::from_utf8_lossy(&longer.stderr);
    assert_eq!(longer.status.code(), Some(1), "{said}");
    assert!(said.contains("further than its archive"), "{said}");
}

#[tokio::test]
async fn a_ledger_that_lost_its_streams_does_not_begin_anew_beside_its_archive() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(folder.path(), None);
    ledger.caught_up().await;
    ledger.stop();
    assert!(walked_enrollment(folder.path()) > 0);
    std::fs::remove_dir_all(folder.path().join("nats")).unwrap();
    let up = verb(&["up", "--data", text(folder.path()), "--listen", "127.0.0.1:0"]);
    assert_eq!(up.status.code(), Some(3));
    let said = String::from_utf8_lossy(&up.stderr);
    assert!(said.contains("the stream ENROLLMENT ends at position 0, but its archive at 1"), "{said}");
    let into = text(folder.path());
    let restored = verb(&["restore", "--archive", text(&folder.path().join("archive")), "--into", into]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    Ledger::up(folder.path(), None).stop();
}

fn walked_enrollment(data: &Path) -> usize {
    segments(&data.join("archive"), "ENROLLMENT").len()
}
