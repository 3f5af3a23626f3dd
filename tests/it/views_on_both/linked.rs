//! Links joined, parted and brought back give the same rows however the log was cut into batches, and the right links.

use rollbook::projector::{Phase, Status};
use rollbook_projections::links::Pair;
use tokio::sync::watch;

use super::*;

/// A short log of events numbered from 1, and the links that stand after it.
struct Told {
    name: &'static str,
    events: Vec<Value>,
    linked: Vec<(u64, u64)>,
}

fn told(name: &'static str, linked: &[(u64, u64)], events: Vec<(u64, &str, Value)>) -> Told {
    let numbered = events.into_iter().zip(1..);
    let events = numbered.map(|((of, kind, data), n)| match kind {
        "rulebook_adopted" => rulebook(data.as_str().unwrap(), n),
        _ => json!({ "id": id(n), "kind": kind, "member": member(of), "plan": "la-care", "county": "los-angeles",
                     "occurred_at": "2024-03-01", "data": data }),
    });
    Told { name, events: events.collect(), linked: linked.to_vec() }
}

fn adopted(text: &str) -> (u64, &'static str, Value) {
    (0, "rulebook_adopted", json!(text))
}

fn enrolled(of: u64) -> (u64, &'static str, Value) {
    let data = json!({ "enrollment": id(5_000 + of), "program": "ecm", "basis": "opt_in", "channel": "plan_direct",
                       "provider": "1234567893", "from": "2024-01-01" });
    (of, "enrolled", data)
}

fn elsewhere(of: u64) -> (u64, &'static str, Value) {
    (of, "participation_reported", json!({ "program": "mssp", "from": "2024-01-05", "evidence": "verified" }))
}

fn link(of: u64, other: u64) -> (u64, &'static str, Value) {
    (of, "member_linked", json!({ "other": member(other), "reason": "cin_merged" }))
}

fn unlink(of: u64, other: u64) -> (u64, &'static str, Value) {
    (of, "member_unlinked", json!({ "other": member(other), "reason": "in error" }))
}

fn void(of: u64, event: u64) -> (u64, &'static str, Value) {
    (of, "event_voided", json!({ "event": id(event), "reason": "in error", "approved_by": "la-care" }))
}

fn mailed(of: u64) -> (u64, &'static str, Value) {
    let data = json!({ "program": "ecm", "channel": "mail", "individualized": true, "response_invited": true,
                       "reached": "nobody", "staff": "clinical", "provider": "1234567893" });
    (of, "outreach_attempted", data)
}

/// Member 1 is the keeper of every group.
fn all_told() -> Vec<Told> {
    let first = Rulebook::built_in_text();
    let begin = |mut rest: Vec<(u64, &'static str, Value)>| {
        let mut events = vec![adopted(first), enrolled(1), elsewhere(2)];
        events.append(&mut rest);
        events
    };
    let identified = (
        2,
        "member_identified",
        json!({ "program": "ecm", "populations": ["homelessness"], "pathway": "assigned_list" }),
    );
    let second = first.replace("mail_counts = false", "mail_counts = true");
    vec![
        told("parted by the other", &[(2, 3)], begin(vec![link(2, 1), unlink(1, 2), link(2, 3)])),
        told(
            "parted by the other, then linked round about",
            &[(1, 3), (2, 3)],
            begin(vec![link(2, 1), unlink(1, 2), link(2, 3), elsewhere(3), link(3, 1)]),
        ),
        told("a link voided", &[], begin(vec![link(2, 1), void(2, 4)])),
        told("an unlinking voided", &[(1, 2)], begin(vec![link(2, 1), unlink(1, 2), void(1, 5)])),
        told("its voiding voided", &[], begin(vec![link(2, 1), unlink(1, 2), void(1, 5), void(1, 6)])),
        told(
            "an unlinking by one voided after the other was linked on",
            &[(1, 2), (2, 3)],
            begin(vec![link(2, 1), unlink(1, 2), link(2, 3), elsewhere(3), void(1, 5)]),
        ),
        told(
            "a keeper's first event",
            &[(1, 2)],
            vec![adopted(first), enrolled(2), link(2, 1), elsewhere(1), enrolled(1)],
        ),
        told("joined again", &[(1, 2)], begin(vec![link(2, 1), unlink(2, 1), link(2, 1)])),
        told(
            "joined again and parted again",
            &[],
            begin(vec![link(2, 1), unlink(2, 1), link(1, 2), unlink(2, 1), enrolled(3)]),
        ),
        told(
            "a keeper without events under a second rulebook",
            &[(1, 2), (2, 3)],
            vec![adopted(first), identified, mailed(2), link(2, 1), mailed(3), link(3, 2), adopted(&second), mailed(3)],
        ),
    ]
}

type Dump = (Vec<(&'static str, Vec<Known>)>, Vec<std::collections::BTreeSet<Pair>>);

/// Every row, and the links as known at each position.
async fn all(db: &Db, head: Position) -> Dump {
    let mut links = Vec::new();
    for at in 0..=head.0 {
        links.push(db.links(Position(at)).await.unwrap().pairs());
    }
    (dump(db).await, links)
}

async fn reaches(status: &mut watch::Receiver<Status>, head: Position) {
    let there = |status: &Status| status.position >= head || matches!(status.phase, Phase::Stopped { .. });
    let status = status.wait_for(there).await.unwrap();
    assert_eq!(status.position, head, "{:?}", status.trouble());
}

#[tokio::test]
async fn links_are_the_same_event_by_event_in_one_go_and_after_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = Postgres::start();
    for (n, told) in all_told().into_iter().enumerate() {
        let log = Arc::new(MemoryLog::new(StreamSpec::ENROLLMENT));
        let lite = async |name: &str| lite(folder.path(), &format!("{n}-{name}.db")).await;
        // One is followed by one projector that keeps dossiers at hand, the other by a new one for each event.
        let (followed, anew) = (lite("followed").await, lite("anew").await);
        let (recorder, queue) = Recorder::new();
        let cancelled = CancellationToken::new();
        let committer = Committer::new(log.clone(), Histories::new(log.clone(), anew.clone()), Health::default());
        tokio::spawn(committer.run(queue, cancelled.clone()));
        let (projector, mut status) = Projector::new(log.clone(), followed.clone());
        tokio::spawn(projector.run(cancelled.clone()));
        for event in told.events {
            record(&recorder, event).await;
            project(&log, &anew).await;
            reaches(&mut status, log.head().await.unwrap()).await;
        }
        let head = log.head().await.unwrap();
        let expected = all(&followed, head).await;
        let linked: Vec<Pair> = expected.1.last().unwrap().iter().copied().collect();
        let pairs = told.linked.iter().map(|(a, b)| (member(*a).parse().unwrap(), member(*b).parse().unwrap()));
        assert_eq!(linked, pairs.collect::<Vec<Pair>>(), "{}", told.name);
        assert_eq!(all(&anew, head).await, expected, "{}: by a new projector for each event", told.name);
        if told.name.contains("rulebook") {
            let outreach = expected.0.iter().find(|(view, _)| *view == "outreach_conversion").unwrap();
            let adopted = Position(head.0 - 1);
            assert!(outreach.1.iter().any(|row| row.known_until == Some(adopted)), "{}: mail counts now", told.name);
        }

        let fresh = lite("fresh").await;
        project(&log, &fresh).await;
        assert_eq!(all(&fresh, head).await, expected, "{}: in one go", told.name);
        fresh.reset().await.unwrap();
        project(&log, &fresh).await;
        assert_eq!(all(&fresh, head).await, expected, "{}: after a rebuild", told.name);
        if let Some(postgres) = &postgres {
            let db = Db::open(&postgres.url()).await.unwrap();
            db.reset().await.unwrap();
            project(&log, &db).await;
            assert_eq!(all(&db, head).await, expected, "{}: on PostgreSQL", told.name);
            db.close().await;
        }
        cancelled.cancel();
    }
}

#[tokio::test]
async fn what_a_member_said_before_an_unreadable_event_counts_in_the_same_batch_too() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(MemoryLog::new(StreamSpec::ENROLLMENT));
    let live = lite(folder.path(), "live.db").await;
    let (recorder, queue) = Recorder::new();
    let committer = Committer::new(log.clone(), Histories::new(log.clone(), live.clone()), Health::default());
    tokio::spawn(committer.run(queue, CancellationToken::new()));
    let told = told("stuck", &[], vec![adopted(Rulebook::built_in_text()), enrolled(1), enrolled(2)]);
    for event in told.events {
        record(&recorder, event).await;
        project(&log, &live).await;
    }
    let last = log.get(log.head().await.unwrap()).await.unwrap().unwrap();
    let poison = rollbook::log::Message {
        subject: last.subject,
        id: "poison".to_owned(),
        expected: None,
        headers: Vec::new(),
        body: "{}".into(),
    };
    log.append(&[poison]).await.unwrap();
    let head = log.head().await.unwrap();
    let fresh = lite(folder.path(), "fresh.db").await;
    for db in [&live, &fresh] {
        let recorded_at = db.checkpoint().await.unwrap().recorded_at;
        project(&log, db).await;
        assert_eq!(db.stuck_from().await.unwrap(), [(member(2).parse().unwrap(), head)].into());
        let now = db.checkpoint().await.unwrap().recorded_at;
        assert!(
            now.is_some() && recorded_at.is_none_or(|before| now == Some(before)),
            "an unreadable event says no time"
        );
    }
    assert_eq!(all(&fresh, head).await, all(&live, head).await);
}

#[tokio::test]
async fn a_failure_that_lasts_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(MemoryLog::new(StreamSpec::ENROLLMENT));
    let db = lite(folder.path(), "views.db").await;
    db.close().await;
    let (projector, mut status) = Projector::new(log, db);
    let cancelled = CancellationToken::new();
    let run = tokio::spawn(projector.run(cancelled.clone()));
    let waits = |status: &Status| matches!(status.phase, Phase::Waiting { .. });
    let cause = status.wait_for(waits).await.unwrap().trouble().unwrap();
    assert!(cause.contains("could not write the views"), "{cause}");
    cancelled.cancel();
    run.await.unwrap();
}
