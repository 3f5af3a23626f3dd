//! A history in which all is well passes; each lie that is put into it is seen by the checker it is for.

use harness::chaos::check::{ALL, all};
use harness::chaos::evidence::{AskedAgain, Evidence, Stored};
use harness::chaos::history::{Outcome, Receipt, Record, What};
use harness::chaos::plan::{Plan, Shape};
use harness::chaos::workload::import::File;
use harness::chaos::workload::submissions::Author;
use rollbook_events::intake::{IntakeEvent, RowCounts, RowOutcome, RowSettled};
use rollbook_events::{Actor, Envelope, EventId, Hash, Subject, Submission, Whom, encode};
use serde_json::{Value, json};

const MEMBER: &str = "0b0b0b0b-0b0b-8b0b-8b0b-000000000001";
const OTHER: &str = "0b0b0b0b-0b0b-8b0b-8b0b-000000000002";

fn id(n: u32) -> String {
    format!("018f3c1e-7a10-7c3d-9b4e-{n:012}")
}

fn looked_up(n: u32, member: &str) -> String {
    json!({ "id": id(n), "kind": "member_looked_up", "member": member, "plan": "la-care", "county": "los-angeles",
        "occurred_at": "2024-02-01", "correlation": id(1_000 + n), "data": { "system": "hmis" } })
    .to_string()
}

/// Stores a submission as a recorder does.
fn store(evidence: &mut Evidence, text: &str, edit: impl FnOnce(&mut Envelope)) {
    let submission = Submission::parse(text.as_bytes()).unwrap();
    let Whom::Member(member) = submission.whom else { panic!("about a member") };
    let position = evidence.head + 1;
    let subject = format!("enrollment.{member}");
    let previous =
        evidence.events.iter().rfind(|stored| stored.subject == subject).map(|stored| Hash::of(&stored.body));
    let recorded_at = "2026-01-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let mut envelope = Envelope {
        id: submission.id.unwrap(),
        subject: Subject::Member(member),
        plan: submission.plan,
        county: submission.county,
        occurred_at: submission.occurred_at,
        recorded_at: recorded_at + chrono::Duration::seconds(i64::try_from(position).unwrap()),
        actor: Actor { org: "rollbook".into(), id: "admin".into(), role: "operator".into() },
        source: None,
        causation: None,
        correlation: submission.correlation,
        replaces: None,
        sensitivity: submission.sensitivity,
        previous,
        event: submission.event,
        unknown: Default::default(),
    };
    edit(&mut envelope);
    let body = encode(&envelope).unwrap();
    let id = envelope.id.to_string();
    evidence.events.push(Stored { position, subject, id, body, envelope: Some(envelope) });
    evidence.head = position;
}

fn request(operation: u64, sent: &[String], outcome: Outcome, at: &[u64]) -> Record {
    let receipts = sent.iter().zip(at).map(|(text, position)| {
        let value: Value = serde_json::from_str(text).unwrap();
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        Receipt { id: text("id"), member: Some(text("member")), position: *position, known: false }
    });
    let what = What::Submit { sent: sent.to_vec(), receipts: receipts.collect(), sound: true };
    record(operation, outcome, at.last().copied(), what)
}

fn record(operation: u64, outcome: Outcome, position: Option<u64>, what: What) -> Record {
    let (begun, ended, client, service) = (operation * 100, operation * 100 + 50, 0, "up".to_owned());
    let status = Some(if outcome == Outcome::Ok { 200 } else { 503 });
    Record { operation, client, service, begun, ended, outcome, status, problem: None, position, what }
}

fn read(operation: u64, path: &str, at_least: Option<u64>, member: Option<&str>, at: u64, listed: &[u64]) -> Record {
    let (path, member, listed) = (path.to_owned(), member.map(str::to_owned), Some(listed.to_vec()));
    record(operation, Outcome::Ok, Some(at), What::Read { path, at_least, digest: String::new(), listed, member })
}

/// One event, two together, one of whose answer nobody heard, one refused, a file of two rows; and readers.
fn clean() -> Evidence {
    let mut plan = Plan::of(1, None).unwrap();
    plan.shape = Shape::Up;
    let rows = vec![(looked_up(8, MEMBER), true), ("{}".to_owned(), false)];
    let (text, sha256) = (String::new(), Hash::of(b"file"));
    let file = File { text, rows, sha256: sha256.to_string() };
    let mut all = Evidence {
        plan,
        history: Vec::new(),
        power_cuts: Vec::new(),
        events: Vec::new(),
        head: 0,
        intake: Vec::new(),
        file: Some(file),
        views: Default::default(),
        rebuilt: Default::default(),
        asked_again: vec![AskedAgain { path: "/v1/x?known_at=1".into(), then: "a".into(), now: "a".into() }],
        enrollments: String::new(),
        attempts: String::new(),
    };
    for (n, member) in [(1, MEMBER), (2, MEMBER), (3, OTHER), (4, OTHER)] {
        store(&mut all, &looked_up(n, member), |_| {});
    }
    let source =
        rollbook_events::Source { system: "events".into(), file_sha256: Some(sha256), row: Some(1), external_id: None };
    store(&mut all, &looked_up(8, MEMBER), |envelope| envelope.source = Some(source));
    all.history = vec![
        request(1, &[looked_up(1, MEMBER)], Outcome::Ok, &[1]),
        request(2, &[looked_up(2, MEMBER), looked_up(3, OTHER)], Outcome::Ok, &[2, 3]),
        request(3, &[looked_up(4, OTHER)], Outcome::Unknown, &[]),
        request(4, &[looked_up(5, OTHER)], Outcome::Fail, &[]),
        request(5, &[looked_up(1, MEMBER)], Outcome::Ok, &[1]),
        read(6, "/v1/events", None, None, 4, &[1, 2, 3, 4]),
        read(7, "/v1/members", Some(3), Some(OTHER), 5, &[3, 4]),
        record(8, Outcome::Ok, Some(5), What::Status { head: 5 }),
    ];
    let settled = |row, outcome| RowSettled { row, outcome, events: Vec::new(), column: None, reason: None };
    let (id, at) = (id(90).parse::<EventId>().unwrap(), serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
    let rows = vec![settled(1, RowOutcome::Recorded), settled(2, RowOutcome::Quarantined)];
    let counts = RowCounts::default();
    all.intake = vec![IntakeEvent::RowsSettled { id, at, rows, counts }, IntakeEvent::FileCompleted { id, at, counts }];
    let line =
        |stored: &Stored| format!("{}\n", json!({ "position": stored.position, "id": stored.id, "known_until": null }));
    let history: String = all.events.iter().map(line).collect();
    all.views.insert("event_history".to_owned(), history);
    all.rebuilt = all.views.clone();
    all
}

#[test]
fn a_history_in_which_all_is_well_passes() {
    assert_eq!(all(&clean()), []);
}

/// What is found after a lie, by invariant.
fn found(lie: impl FnOnce(&mut Evidence)) -> Vec<&'static str> {
    let mut evidence = clean();
    lie(&mut evidence);
    let mut found: Vec<&str> = all(&evidence).iter().map(|violation| violation.invariant).collect();
    found.dedup();
    found
}

fn seen(invariant: &str, lie: impl FnOnce(&mut Evidence)) {
    let found = found(lie);
    assert!(found.contains(&invariant), "{invariant} is not among {found:?}");
}

/// Takes an event out and closes the gap, as a log that lost it and went on would look.
fn lose(evidence: &mut Evidence, at: usize) {
    evidence.events.remove(at);
}

#[test]
fn an_acknowledged_event_that_is_lost_moved_doubled_or_changed_is_seen() {
    seen("I1", |all| lose(all, 0));
    seen("I1", |all| all.history[0] = request(1, &[looked_up(1, MEMBER)], Outcome::Ok, &[2]));
    seen("I1", |all| store(all, &looked_up(1, MEMBER), |_| {}));
    seen("I1", |all| all.events[0].envelope.as_mut().unwrap().plan = "molina".parse().unwrap());
}

#[test]
fn an_event_that_nobody_asked_for_or_that_was_refused_is_seen() {
    seen("I2", |all| store(all, &looked_up(77, OTHER), |_| {}));
    seen("I2", |all| store(all, &looked_up(5, OTHER), |_| {}));
    seen("I2", |all| store(all, &looked_up(6, OTHER), |of| of.actor.id = "recorder".into()));
    seen("I2", |all| {
        all.events[4].envelope.as_mut().unwrap().event = all.events[4].envelope.clone().map(other_system).unwrap()
    });
}

fn other_system(envelope: Envelope) -> rollbook_events::Event {
    let mut value: Value = serde_json::from_str(&looked_up(8, MEMBER)).unwrap();
    value["data"]["system"] = json!("emr");
    assert_eq!(envelope.event.name(), "member_looked_up");
    Submission::parse(value.to_string().as_bytes()).unwrap().event
}

#[test]
fn two_answers_to_one_id_are_seen() {
    seen("I3", |all| all.history[4] = request(5, &[looked_up(1, MEMBER)], Outcome::Ok, &[4]));
    seen("I3", |all| {
        let mut refused = request(5, &[looked_up(1, MEMBER)], Outcome::Fail, &[]);
        refused.status = Some(409);
        all.history[4] = refused;
    });
}

#[test]
fn an_order_that_time_forbids_and_a_clock_that_falls_are_seen() {
    seen("I4", |all| {
        // The first was asked for only after the second was acknowledged.
        (all.history[0].begun, all.history[0].ended) = (9_000, 9_100);
        (all.history[4].begun, all.history[4].ended) = (9_200, 9_300);
    });
    seen("I4", |all| {
        all.events[3].envelope.as_mut().unwrap().recorded_at = "2026-01-01T00:00:00Z".parse().unwrap();
    });
}

#[test]
fn a_hole_a_broken_chain_and_a_short_log_are_seen() {
    seen("I5", |all| lose(all, 2));
    seen("I5", |all| all.head += 1);
    seen("I5", |all| _ = all.events.pop());
    seen("I5", |all| all.events[1].envelope.as_mut().unwrap().previous = Some(Hash::of(b"another")));
    seen("I5", |all| all.events[1].id = id(99));
    seen("I5", |all| all.events[1].envelope = None);
}

#[test]
fn half_a_request_and_one_that_is_torn_apart_are_seen() {
    seen("I6", |all| {
        all.history[1] = request(2, &[looked_up(2, MEMBER), looked_up(50, OTHER)], Outcome::Unknown, &[]);
    });
    seen("I6", |all| {
        all.history[1] = request(2, &[looked_up(2, MEMBER), looked_up(4, OTHER)], Outcome::Ok, &[2, 4]);
        all.history.remove(2);
    });
}

#[test]
fn views_that_are_not_what_the_log_says_are_seen() {
    seen("I7", |all| all.rebuilt.values_mut().for_each(|view| view.push_str("{}\n")));
    seen("I7", |all| all.rebuilt.clear());
    seen("I7", |all| {
        all.views.values_mut().for_each(|view| *view = view.lines().skip(1).map(|line| format!("{line}\n")).collect());
        all.rebuilt = all.views.clone();
    });
    seen("I7", |all| all.attempts = format!("{}\n", json!({ "id": id(1) })));
    seen("I7", |all| all.enrollments = format!("{}\n", json!({ "enrolled_event": id(1), "member": MEMBER })));
}

#[test]
fn a_checkpoint_that_runs_ahead_or_falls_is_seen() {
    seen("I8", |all| all.history[7] = record(8, Outcome::Ok, Some(9), What::Status { head: 9 }));
    seen("I8", |all| all.history[7] = record(8, Outcome::Ok, Some(5), What::Status { head: 4 }));
    seen("I8", |all| all.history[5] = read(6, "/v1/events", None, None, 4, &[1, 2, 4]));
    let falls = |all: &mut Evidence| all.history[7] = record(8, Outcome::Ok, Some(2), What::Status { head: 5 });
    seen("I8", falls);
    let cut = |all: &mut Evidence, at| (falls(all), all.power_cuts.push(at)).1;
    let after = |at: u64| found(|all| cut(all, at));
    assert!(after(100).contains(&"I8") && !after(790).contains(&"I8"), "only what the cut took may fall");
}

#[test]
fn a_reader_that_is_shown_less_than_it_asked_for_is_seen() {
    seen("I9", |all| all.history[6] = read(7, "/v1/members", Some(6), Some(OTHER), 5, &[3, 4]));
    seen("I9", |all| all.history[6] = read(7, "/v1/members", Some(3), Some(OTHER), 5, &[3]));
    seen("I9", |all| all.history[6] = read(7, "/v1/members", Some(3), Some(OTHER), 5, &[2, 3, 4]));
}

#[test]
fn a_past_that_changes_is_seen() {
    seen("I10", |all| all.asked_again[0].now = "b".to_owned());
}

#[test]
fn a_row_that_is_lost_or_settled_as_what_it_is_not_is_seen() {
    seen("I13", |all| _ = all.intake.pop());
    seen("I13", |all| _ = all.intake.remove(0));
    seen("I13", |all| all.file.as_mut().unwrap().rows[1].1 = true);
    seen("I13", |all| lose(all, 4));
}

#[test]
fn every_invariant_has_a_lie_that_only_a_checker_of_it_sees() {
    let own = include_str!("sees.rs");
    for check in ALL {
        let lie = format!("seen(\"{}\"", check.invariant);
        assert!(own.contains(&lie), "no lie for {}", check.invariant);
    }
}

#[test]
fn what_authors_call_sound_is_sound_and_what_they_call_unsound_is_refused() {
    let plan = Plan::of(1, None).unwrap();
    let mut author = Author::new(plan.random(0), 9);
    for _ in 0..300 {
        let sound = author.sound().to_string();
        assert!(Submission::parse(sound.as_bytes()).is_ok(), "{sound}: {:?}", Submission::parse(sound.as_bytes()));
        let unsound = author.unsound().to_string();
        // The future is the recorder's to refuse.
        assert!(Submission::parse(unsound.as_bytes()).is_err() || unsound.contains("2199"), "{unsound}");
    }
}

#[test]
fn failpoints_that_the_suite_names_are_in_the_program_and_the_other_way_round() {
    use harness::chaos::faults::failpoints;
    let named = failpoints::ALL.concat();
    let mut texts = String::new();
    let mut waiting = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../services/src"))];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|of| of == "rs") && !path.ends_with("failpoint.rs") {
                texts.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let points: Vec<&str> = texts.split("failpoint!(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(points.len() >= 15, "{points:?}");
    for point in &named {
        assert_eq!(points.iter().filter(|is| is == &point).count(), 1, "{point} must stand once in the program");
    }
    let unused: Vec<_> = points.iter().filter(|point| !named.contains(point)).collect();
    assert!(unused.is_empty(), "no fault uses {unused:?}");
}

#[test]
fn the_suite_names_no_crate_of_the_program_but_the_vocabulary() {
    let mut waiting = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/chaos"))];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let named = ["rollbook::", "rollbook_projections", "sqlx"].iter().any(|word| text.contains(word));
                assert!(!named, "{} names the program's own crates", path.display());
            }
        }
    }
}
