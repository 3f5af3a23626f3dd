//! What only a server can show: settings that drift, holes, and what a killed server has kept.
#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::process::{Command, Stdio};
use std::time::Duration;

use async_nats::jetstream::{self, stream};
use futures_util::future::join_all;
use harness::log_contract::{message, next};
use harness::server::{Private, binary};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rollbook::log::{
    Access, AppendError, Erasable, Log, Message, NatsLog, ReadError, SettingsError, StreamSpec, connect,
};
use rollbook_events::ids::Position;
use tokio::sync::mpsc;
use tokio::time::timeout;

const A: &str = "enrollment.a";

async fn jetstream_of(private: &Private) -> jetstream::Context {
    jetstream::new(connect(private.server.access(), "administrator").await.unwrap())
}

fn kill_9(private: &Private) {
    kill(Pid::from_raw(private.server.pid().try_into().unwrap()), Signal::SIGKILL).unwrap();
}

fn setting(error: SettingsError) -> String {
    let SettingsError::Drift { setting, .. } = error else { panic!("expected a drift, got {error}") };
    setting
}

#[tokio::test]
async fn a_setting_that_an_administrator_changes_is_named() {
    let private = Private::start().await;
    let log = private.log(StreamSpec::ENROLLMENT).await;
    log.check().await.unwrap();
    let context = jetstream_of(&private).await;
    let right = context.get_stream("ENROLLMENT").await.unwrap().cached_info().config.clone();
    let drifts: [(&str, stream::Config); 4] = [
        ("max_age", stream::Config { max_age: Duration::from_secs(3_600), ..right.clone() }),
        ("max_msgs_per_subject", stream::Config { max_messages_per_subject: 5, ..right.clone() }),
        ("allow_direct", stream::Config { allow_direct: true, ..right.clone() }),
        ("subjects", stream::Config { subjects: vec!["enrollment.*".into(), "more.*".into()], ..right.clone() }),
    ];
    for (name, drift) in drifts {
        context.update_stream(drift).await.unwrap();
        assert_eq!(setting(log.check().await.unwrap_err()), name);
    }
    context.update_stream(right).await.unwrap();
    log.check().await.unwrap();
    let three = NatsLog::open(context.client(), private.server.access(), StreamSpec::ENROLLMENT, 3);
    assert_eq!(setting(three.check().await.unwrap_err()), "num_replicas");
    private.server.stop().await;
}

#[tokio::test]
async fn without_a_monitoring_address_the_flush_is_not_checked() {
    let private = Private::start().await;
    private.log(StreamSpec::INTAKE).await;
    let access = Access { monitoring: None, ..private.server.access().clone() };
    let client = connect(&access, "test").await.unwrap();
    let log = NatsLog::open(client.clone(), &access, StreamSpec::INTAKE, 1);
    assert!(matches!(log.check().await, Err(SettingsError::NotChecked)));
    let none = NatsLog::open(client, &access, StreamSpec::IDENTITY, 1);
    assert!(matches!(none.check().await, Err(SettingsError::NoStream { stream: "IDENTITY" })));
    private.server.stop().await;
}

#[tokio::test]
async fn a_client_without_the_token_is_kept_out() {
    let private = Private::start().await;
    let access = Access { token: None, ..private.server.access().clone() };
    assert!(connect(&access, "stranger").await.is_err());
    private.server.stop().await;
}

/// A deleted message and one that the server skips because its block is damaged look the same to a reader.
#[tokio::test]
async fn a_hole_ends_the_reading_and_fails_the_check() {
    let private = Private::start().await;
    let context = jetstream_of(&private).await;
    let careless =
        stream::Config { subjects: vec!["enrollment.*".into()], name: "ENROLLMENT".into(), ..Default::default() };
    let stream = context.create_stream(careless).await.unwrap();
    let log = private.log(StreamSpec::ENROLLMENT).await;
    assert!(matches!(log.check().await, Err(SettingsError::Drift { .. })));
    for i in 1..=5 {
        log.append(&[message(A, None, &i.to_string())]).await.unwrap();
    }
    stream.delete_message(3).await.unwrap();
    let mut reader = log.follow(Position(0)).await.unwrap();
    assert_eq!(next(&mut reader).await.unwrap().position, Position(1));
    assert_eq!(next(&mut reader).await.unwrap().position, Position(2));
    let hole = next(&mut reader).await.unwrap_err();
    assert!(matches!(hole, ReadError::Hole { expected: Position(3), found: Position(4) }), "{hole}");
    private.server.stop().await;
}

#[tokio::test]
async fn a_killed_server_has_kept_everything_it_acknowledged() {
    let mut private = Private::start().await;
    let mut before = 0;
    for round in 0..3 {
        let log = private.log(StreamSpec::ENROLLMENT).await;
        let (acknowledged, mut acknowledgements) = mpsc::unbounded_channel();
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (log, acknowledged) = (log.clone(), acknowledged.clone());
                tokio::spawn(async move {
                    for i in 0.. {
                        let subject = format!("enrollment.{round}-{writer}-{i}");
                        // Some alone, some as an atomic batch.
                        let batch: Vec<_> =
                            (0..1 + i % 3).map(|n| message(&subject, Some(0), &format!("{subject}-{n}"))).collect();
                        let Ok(positions) = log.append(&batch).await else { return };
                        acknowledged.send((positions, batch)).unwrap();
                    }
                })
            })
            .collect();
        let mut answers = Vec::new();
        while answers.len() < 150 {
            answers.push(acknowledgements.recv().await.unwrap());
        }
        kill_9(&private);
        private.server.wait().await;
        writers.iter().for_each(tokio::task::JoinHandle::abort);
        join_all(writers).await;
        drop(acknowledged);
        while let Some(answer) = acknowledgements.recv().await {
            answers.push(answer);
        }
        let Private { dir, server } = private;
        drop(server);
        private = Private::restart(dir).await;
        let log = private.log(StreamSpec::ENROLLMENT).await;
        for (positions, batch) in answers {
            for (position, message) in positions.into_iter().zip(batch) {
                let stored = log.get(position).await.unwrap().unwrap();
                assert_eq!((stored.subject, stored.body), (message.subject, message.body));
            }
        }
        let head = log.head().await.unwrap().0;
        assert!(head > before);
        before = head;
        log.check().await.unwrap();
    }
    private.server.stop().await;
}

/// The same server again, on the port that its clients know.
fn start_on_the_same_port(private: &Private) -> std::process::Child {
    let port = private.server.url().rsplit(':').next().unwrap().to_owned();
    let config = private.dir.path().join("nats/nats.conf");
    let mut command = Command::new(binary().unwrap_or_else(|| "nats-server".into()));
    command.arg("--config").arg(config).args(["--port", &port]).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[tokio::test]
async fn appends_and_readers_outlive_a_restart_of_the_server() {
    let mut private = Private::start().await;
    let log = private.log(StreamSpec::ENROLLMENT).await;
    let mut reader = log.follow(Position(0)).await.unwrap();
    let (stored, mut progress) = mpsc::unbounded_channel();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (log, stored) = (log.clone(), stored.clone());
            tokio::spawn(async move {
                let subject = format!("enrollment.{writer}");
                let mut last = 0;
                for i in 0..60 {
                    let batch: Vec<_> =
                        (0..1 + i % 2).map(|n| message(&subject, Some(last), &format!("{subject}-{i}-{n}"))).collect();
                    last = log.append(&batch).await.unwrap().last().unwrap().0;
                    stored.send(()).unwrap();
                }
                let read = log.read(&subject).await.unwrap();
                assert_eq!(read.len(), 90);
                assert_eq!(read.last().unwrap().position.0, last);
            })
        })
        .collect();
    for _ in 0..100 {
        progress.recv().await.unwrap();
    }
    kill_9(&private);
    private.server.wait().await;
    let mut again = start_on_the_same_port(&private);
    for outcome in timeout(Duration::from_secs(90), join_all(writers)).await.unwrap() {
        outcome.unwrap();
    }
    for position in 1..=8 * 90 {
        assert_eq!(next(&mut reader).await.unwrap().position, Position(position));
    }
    assert_eq!(log.head().await.unwrap(), Position(8 * 90));
    again.kill().unwrap();
    again.wait().unwrap();
}

/// Longer than an append waits for an answer, and than it then looks for an outcome: it has sent everything twice.
const FROZEN: Duration = Duration::from_secs(12);

#[tokio::test]
async fn an_answer_that_comes_too_late_is_found_out_and_nothing_is_stored_twice() {
    let private = Private::start().await;
    let log = private.log(StreamSpec::ENROLLMENT).await;
    log.append(&[message(A, Some(0), "before")]).await.unwrap();
    let server = Pid::from_raw(private.server.pid().try_into().unwrap());
    kill(server, Signal::SIGSTOP).unwrap();
    let appends = [
        vec![message(A, Some(1), "guarded")],
        vec![message("enrollment.b", None, "free")],
        vec![message("enrollment.c", Some(0), "batch-1"), message("enrollment.d", Some(0), "batch-2")],
        vec![message("enrollment.e", None, "free-batch-1"), message("enrollment.e", None, "free-batch-2")],
        // Another writer's, which must come to nothing or be the one that wins.
        vec![message(A, Some(1), "rival")],
    ];
    let thaw = async {
        tokio::time::sleep(FROZEN).await;
        kill(server, Signal::SIGCONT).unwrap();
    };
    let (outcomes, ()) = tokio::join!(join_all(appends.iter().map(|append| log.append(append))), thaw);
    let mut positions: Vec<_> = outcomes.iter().flatten().flatten().copied().collect();
    positions.sort();
    assert_eq!(positions, (2..=7).map(Position).collect::<Vec<_>>(), "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1);
    assert!(matches!(outcomes.iter().find_map(|o| o.as_ref().err()), Some(AppendError::Conflict { .. })));
    for (append, outcome) in appends.iter().zip(&outcomes) {
        for (message, position) in append.iter().zip(outcome.iter().flatten()) {
            assert_eq!(log.get(*position).await.unwrap().unwrap().body, message.body);
        }
    }
    assert_eq!(log.head().await.unwrap(), Position(7));
    private.server.stop().await;
}

#[tokio::test]
async fn a_stream_that_is_erased_from_is_read_as_what_it_holds() {
    let private = Private::start().await;
    let log = private.log(StreamSpec::IDENTITY_KEYS).await;
    log.check().await.unwrap();
    let subject = |n: u64| format!("key.m{n}");
    let body = |n: u64| format!("body-of-{n}-which-stands-nowhere-else");
    for first in (1..=1_500).step_by(500) {
        let batch: Vec<_> = (first..first + 500).map(|n| message(&subject(n), Some(0), &body(n))).collect();
        log.append(&batch).await.unwrap();
    }
    let holds = |n: u64| {
        let store = private.dir.path().join("nats/store/jetstream/$G/streams/IDENTITY_KEYS/msgs");
        let files = std::fs::read_dir(store).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        let body = body(n);
        files.into_iter().any(|bytes| bytes.windows(body.len()).any(|part| part == body.as_bytes()))
    };
    assert!(holds(700) && holds(701));
    for gone in [1, 700, 1_500] {
        log.erase(Position(gone)).await.unwrap();
        log.erase(Position(gone)).await.unwrap();
        assert!(!holds(gone), "the server lets go of a message and does not write over it");
    }
    assert!(holds(701));
    let wanted: Vec<String> = (0..=1_501).map(subject).collect();
    let found = log.last_of_each(&wanted).await.unwrap();
    assert_eq!(found.len(), 1_497);
    assert!(found.values().all(|stored| stored.subject == subject(stored.position.0)));
    assert!(log.last_of_each(&[subject(1)]).await.unwrap().is_empty());
    let some = log.some_after(Position(0)).await.unwrap();
    assert_eq!((some.len(), some[0].position, some[698].position), (1_497, Position(2), Position(701)));
    assert!(log.some_after(Position(1_499)).await.unwrap().is_empty());
    // A subject whose only message was erased has none: what is expected of it is the beginning.
    log.append(&[message(&subject(700), Some(0), "again")]).await.unwrap();
    let conflict = log.append(&[message(&subject(701), Some(0), "another")]).await.unwrap_err();
    assert!(matches!(conflict, AppendError::Conflict { .. }), "{conflict}");
    log.check().await.unwrap();
    // Nobody takes anything out of the log.
    let enrollment = private.log(StreamSpec::ENROLLMENT).await;
    enrollment.append(&[message("enrollment.a", None, "{}")]).await.unwrap();
    assert!(enrollment.erase(Position(1)).await.is_err());
    assert!(enrollment.get(Position(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_stream_that_may_forget_is_given_its_limit_and_keeps_the_last_of_each() {
    let private = Private::start().await;
    let context = jetstream_of(&private).await;
    // As an earlier release made it.
    let log = private.log(StreamSpec::ATTEMPTS).await;
    let right = context.get_stream("FEED_ATTEMPTS").await.unwrap().cached_info().config.clone();
    let of_each = |most| stream::Config { max_messages_per_subject: most, ..right.clone() };
    context.update_stream(of_each(-1)).await.unwrap();
    assert_eq!(setting(log.check().await.unwrap_err()), "max_msgs_per_subject");
    private.log(StreamSpec::ATTEMPTS).await.check().await.unwrap();
    // The same with a limit that is soon reached.
    context.update_stream(of_each(3)).await.unwrap();
    log.append(&[message("attempt.quiet", Some(0), "only")]).await.unwrap();
    for n in 0..8_u64 {
        let last = log.last("attempt.busy").await.unwrap().map_or(Position(0), |last| last.position);
        let told = Message { expected: Some(last), ..message("attempt.busy", None, &n.to_string()) };
        assert_eq!(log.append(&[told]).await.unwrap(), [Position(n + 2)]);
    }
    let kept: Vec<_> = log.read("attempt.busy").await.unwrap().into_iter().map(|stored| stored.body).collect();
    assert_eq!(kept, ["5", "6", "7"]);
    assert_eq!(log.last("attempt.quiet").await.unwrap().unwrap().position, Position(1), "however old it is");
    context.update_stream(right).await.unwrap();
    log.check().await.unwrap();
    private.server.stop().await;
}
