//! The same log gives the same rows on SQLite and on PostgreSQL, in one go, batch by batch and after a rebuild; voided
//! events, linked members and a second rulebook among it.

mod linked;
mod questions;

use std::sync::Arc;

use harness::postgres::Postgres;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rollbook::health::Health;
use rollbook::log::{Log, MemoryLog, StreamSpec};
use rollbook::projector::{Phase, Projector, Status};
use rollbook::recorder::{Committer, Histories, Recorder, Work};
use rollbook_events::{Actor, Hash, Position, Subject, Submission, Whom};
use rollbook_projections::Rulebook;
use rollbook_projections::store::Db;
use rollbook_projections::store::read::{Filter, Known, Page, Sight};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

pub const ALL: Sight = Sight::everything_for_the_ledger_itself();
pub const MEMBERS: u64 = 12;

pub fn member(n: u64) -> String {
    format!("0b0b0b0b-0b0b-8b0b-8b0b-{n:012x}")
}

pub fn id(n: u64) -> String {
    format!("018f3c1e-7a10-7c3d-9b4e-{n:012x}")
}

pub fn actor() -> Actor {
    Actor { org: "la-care".into(), id: "test".into(), role: "owner".into() }
}

/// A random event about a random member; `earlier` are events it may void.
pub fn event(random: &mut ChaCha8Rng, n: u64, earlier: &[(u64, u64)]) -> Value {
    let of = random.random_range(0..MEMBERS);
    let day =
        |random: &mut ChaCha8Rng| format!("2024-{:02}-{:02}", random.random_range(1..=12), random.random_range(1..=28));
    let (from, at) = (day(random), day(random));
    let plan = *["la-care", "molina"].choose(random).unwrap();
    let enrollment = id(5_000 + of * 4 + random.random_range(0..3));
    let program = *["ecm", "housing_navigation", "tenancy_sustaining"].choose(random).unwrap();
    let other = *["icms_hfh", "mssp", "pace"].choose(random).unwrap();
    let evidence = *["verified", "verified", "suspected", "ruled_out"].choose(random).unwrap();
    let channel = *["phone", "mail"].choose(random).unwrap();
    let reached = *["member", "nobody"].choose(random).unwrap();
    let mut whom = of;
    let (kind, data) = match random.random_range(0..14) {
        0 | 1 => (
            "enrolled",
            json!({ "enrollment": enrollment, "program": program, "basis": "opt_in", "channel": "plan_direct", "provider": "1234567893", "from": from }),
        ),
        2 => ("disenrolled", json!({ "enrollment": enrollment, "until": from, "reason": "unknown" })),
        3 => (
            "provider_assigned",
            json!({ "enrollment": enrollment, "provider": "1558598797", "from": from, "channel": "dhs_subcontract" }),
        ),
        4 => ("participation_reported", json!({ "program": other, "from": from, "evidence": evidence })),
        5 => (
            "member_identified",
            json!({ "program": "ecm", "populations": ["homelessness"], "pathway": "assigned_list" }),
        ),
        6 | 7 => (
            "outreach_attempted",
            json!({ "program": "ecm", "channel": channel, "individualized": true, "response_invited": true, "reached": reached, "staff": "clinical", "provider": "1234567893" }),
        ),
        8 => ("member_linked", json!({ "other": member((of + 1) % MEMBERS), "reason": "cin_merged" })),
        9 => ("member_unlinked", json!({ "other": member((of + 1) % MEMBERS), "reason": "in error" })),
        10 => (
            "authorization_requested",
            json!({ "authorization": id(7_000 + of), "program": program, "urgency": "expedited", "received_at": format!("{from}T22:30:00-07:00"), "requested_by": "provider" }),
        ),
        11 => (
            "authorization_decided",
            json!({ "authorization": id(7_000 + of), "program": program, "outcome": "approved", "decided_at": format!("{from}T08:30:00-07:00") }),
        ),
        12 => ("reassessed", json!({ "enrollment": enrollment, "on": from, "outcome": "continue" })),
        _ => match earlier.choose(random) {
            Some((voided, of)) => {
                whom = *of;
                ("event_voided", json!({ "event": id(*voided), "reason": "in error", "approved_by": "la-care" }))
            }
            None => ("opted_out", json!({ "program": "ecm", "by": "member" })),
        },
    };
    json!({ "id": id(n), "kind": kind, "member": member(whom), "plan": plan, "county": "los-angeles", "occurred_at": at, "data": data })
}

pub fn rulebook(text: &str, n: u64) -> Value {
    json!({ "id": id(n), "kind": "rulebook_adopted", "plan": "dhcs", "county": "sacramento", "occurred_at": "2024-01-01",
            "data": { "hash": Hash::of(text.as_bytes()).to_string(), "text": text, "reason": "test" } })
}

pub async fn record(recorder: &Recorder, value: Value) {
    let submission = Submission::from_value(value).unwrap();
    let subject = match &submission.whom {
        Whom::Rulebook => Subject::Rulebook,
        Whom::Member(member) => Subject::Member(*member),
        Whom::Cin(_) => unreachable!("the test names members"),
    };
    recorder.record(Work::Given(vec![(subject, submission)]), actor()).await.unwrap();
}

/// Projects a log until the views hold all of it.
pub async fn project<L: Log>(log: &Arc<L>, db: &Db) {
    let cancelled = CancellationToken::new();
    let (projector, mut status) = Projector::new(log.clone(), db.clone());
    let run = tokio::spawn(projector.run(cancelled.clone()));
    let head = log.head().await.unwrap();
    let status = status
        .wait_for(|status| {
            status.position >= head || matches!(status.phase, Phase::Stopped { .. } | Phase::Waiting { .. })
        })
        .await
        .unwrap()
        .clone();
    assert_eq!(status.position, head, "{:?}", status.trouble());
    cancelled.cancel();
    run.await.unwrap();
}

pub async fn dump(db: &Db) -> Vec<(&'static str, Vec<Known>)> {
    let mut dumps = Vec::new();
    for view in rollbook_projections::views::ALL {
        let filter = Filter { ever: true, ..Filter::default() };
        let page = Page { order: None, after: None, most: 100_000 };
        dumps.push((view.table().name, db.page(&ALL, view.table(), &filter, &page).await.unwrap()));
    }
    dumps
}

pub async fn lite(folder: &std::path::Path, name: &str) -> Db {
    Db::open(&format!("sqlite://{}", folder.join(name).display())).await.unwrap()
}

#[tokio::test]
async fn one_log_gives_the_same_rows_whatever_the_database_and_the_batches() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(MemoryLog::new(StreamSpec::ENROLLMENT));
    let live = lite(folder.path(), "live.db").await;
    let (recorder, queue) = Recorder::new();
    let committer = Committer::new(log.clone(), Histories::new(log.clone(), live.clone()), Health::default());
    let cancelled = CancellationToken::new();
    tokio::spawn(committer.run(queue, cancelled.clone()));
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let first = Rulebook::built_in_text();
    record(&recorder, rulebook(first, 9_000)).await;
    let mut earlier = Vec::new();
    for n in 0..400 {
        if n == 250 {
            // Another edition: mail counts from here on, and every member is derived anew.
            let second = first.replace("mail_counts = false", "mail_counts = true");
            assert_ne!(second, first);
            record(&recorder, rulebook(&second, 9_001)).await;
        }
        let value = event(&mut random, n, &earlier);
        let of = (0..MEMBERS).find(|of| value["member"] == json!(member(*of))).unwrap();
        earlier.push((n, of));
        record(&recorder, value).await;
        if n % 37 == 0 {
            project(&log, &live).await;
        }
    }
    project(&log, &live).await;
    let expected = dump(&live).await;
    assert!(expected.iter().all(|(_, rows)| !rows.is_empty()), "every view has rows");
    assert!(
        expected
            .iter()
            .any(|(view, rows)| *view != "event_history" && rows.iter().any(|row| row.known_until.is_some()))
    );

    let fresh = lite(folder.path(), "fresh.db").await;
    project(&log, &fresh).await;
    assert_eq!(dump(&fresh).await, expected, "in one go");
    fresh.reset().await.unwrap();
    assert_eq!(fresh.checkpoint().await.unwrap().position, Position(0));
    project(&log, &fresh).await;
    assert_eq!(dump(&fresh).await, expected, "after a rebuild");

    if let Some(postgres) = Postgres::start() {
        let db = Db::open(&postgres.url()).await.unwrap();
        project(&log, &db).await;
        assert_eq!(dump(&db).await, expected, "on PostgreSQL");
        assert_eq!(
            questions::every_question(&db).await,
            questions::every_question(&live).await,
            "each statement gives the same on both"
        );
        db.close().await;
    }
    cancelled.cancel();
}

#[tokio::test]
async fn a_log_that_was_changed_stops_its_members_and_one_that_was_cut_stops_the_projector() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(MemoryLog::new(StreamSpec::ENROLLMENT));
    let db = lite(folder.path(), "views.db").await;
    let (recorder, queue) = Recorder::new();
    tokio::spawn(
        Committer::new(log.clone(), Histories::new(log.clone(), db.clone()), Health::default())
            .run(queue, CancellationToken::new()),
    );
    record(&recorder, rulebook(Rulebook::built_in_text(), 9_000)).await;
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for n in 0..40 {
        record(&recorder, event(&mut random, n, &[])).await;
    }
    let stopped = async |log: Arc<MemoryLog>, db: Db| {
        let (projector, mut status) = Projector::new(log, db);
        let cancelled = CancellationToken::new();
        let run = tokio::spawn(projector.run(cancelled.clone()));
        let stands = |status: &Status| matches!(status.phase, Phase::Stopped { .. });
        let cause = status.wait_for(stands).await.unwrap().trouble().unwrap();
        cancelled.cancel();
        run.await.unwrap();
        cause
    };

    // Another event in the place of one: the next event of its member no longer names it.
    let changed = Arc::new(MemoryLog::new(StreamSpec::ENROLLMENT));
    let mut position = Position(0);
    let mut messages = Vec::new();
    while let Some(stored) = log.get(Position(position.0 + 1)).await.unwrap() {
        position = stored.position;
        messages.push(stored);
    }
    let chained = messages.iter().position(|m| std::str::from_utf8(&m.body).unwrap().contains("previoushash")).unwrap();
    for (index, stored) in messages.iter().enumerate() {
        let text = std::str::from_utf8(&stored.body).unwrap();
        let text = if index < chained && index > 0 {
            text.replace("\"actorid\":\"test\"", "\"actorid\":\"mallory\"")
        } else {
            text.to_owned()
        };
        let message = rollbook::log::Message {
            subject: stored.subject.clone(),
            id: index.to_string(),
            expected: None,
            headers: Vec::new(),
            body: text.into(),
        };
        changed.append(&[message]).await.unwrap();
    }
    let views = lite(folder.path(), "changed.db").await;
    project(&changed, &views).await;
    let stuck = views.stuck().await.unwrap();
    assert!(!stuck.is_empty() && stuck.iter().all(|of| of.cause.contains("chain of a member is broken at position")));

    project(&log, &db).await;
    let shorter = Arc::new(MemoryLog::new(StreamSpec::ENROLLMENT));
    let cause = stopped(shorter, db).await;
    let held = log.head().await.unwrap();
    assert!(cause.contains(&format!("before the views' checkpoint {held}:")), "{cause}");
}
