//! The search through every log of every test: it finds what it is for, in whatever way a process ends, and the logs say all.

use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use harness::leaks;
use harness::ledger::Ledger;
use harness::program::Program;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn found(log: &str) -> Vec<&'static str> {
    leaks::in_log(log.as_bytes()).into_iter().map(|leak| leak.what).collect()
}

#[test]
fn what_must_not_stand_in_a_log_is_found_in_each_way_it_may_be_written() {
    leaks::secret(KEY);
    leaks::secret("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLW9mLWEtdG9rZW4");
    leaks::person("Quillfeather");
    for (log, what) in [
        ("TRACE rollbook: cin=91234567A", "a CIN"),
        ("a card 91234567A29180.", "a CIN"),
        ("(\"91234567a2\")", "a CIN"),
        ("last_name=Some(\"Fakename-0012\")", "a name, an address or a telephone number"),
        ("GIVEN Pseudónimo", "a name, an address or a telephone number"),
        ("b\"Pseud\\xc3\\xb3nimo-0001\"", "a name, an address or a telephone number"),
        ("[70, 97, 107, 101, 110, 97, 109, 101, 45]", "a name, an address or a telephone number"),
        ("quillfeather", "a name, an address or a telephone number"),
        ("call (213) 555-0123", "a name, an address or a telephone number"),
        ("authorization: Bearer eyJhbGciOiJFZERTQSJ9.eyJ", "a token"),
        ("the signature c2lnbmF0dXJlLW9mLWEtdG9rZW4", "a key or a password"),
        ("-----BEGIN PRIVATE KEY-----", "a key or a password"),
        ("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "a key or a password"),
        ("00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF", "a key or a password"),
        ("ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8=", "a key or a password"),
        ("[0, 17, 34, 51, 68, 85, 102, 119, 136, 153, 170, 187, 204, 221, 238, 255, 0, 17]", "a key or a password"),
        ("SUAOL6T5HUOHFZ2U7ESNRYKRNVE2QNQSC7IVIPKXGJFCRMPH2RSSFNHDWQ", "a seed"),
    ] {
        assert_eq!(found(&format!("before\n{log}\nafter")).first(), Some(&what), "{log}");
    }
    let well = "2026-01-01T00:00:00.12345678Z INFO rollbook: 12345678 a 1234567 bytes of 91234567 in 123456789A, id 018f3c1e-7a10 \
                12345678ab 20240201T101500Z Demonstration eyJ Nowhere, SUBJECT nobody";
    assert_eq!(found(well), Vec::<&str>::new());
    let told = leaks::in_log(b"one\ntwo 91234567A 2\nthree\n");
    assert_eq!(told[0].line, "two 91234567A 2", "the line is told");
}

/// Something that runs as the program does, and says what it must not.
fn careless(folder: &Path, then: &str) -> PathBuf {
    let path = folder.join("careless");
    std::fs::write(&path, format!("#!/bin/sh\necho 'the CIN is 9123456''7A' >&2\necho said\n{then}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// How a test fails that does this.
fn failed(what: impl FnOnce()) -> String {
    let panicked = catch_unwind(AssertUnwindSafe(what)).err().unwrap();
    panicked.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_test_fails_whose_program_says_what_it_must_not_however_the_program_ended() {
    let folder = tempfile::tempdir().unwrap();
    let ends = careless(folder.path(), "");
    let of_a_verb = failed(|| drop(Program::at(&ends).output()));
    assert!(of_a_verb.contains("a CIN stands in a log: the CIN is 9123456"), "{of_a_verb}");
    let log = folder.path().join("up.log");
    std::fs::write(&log, "of another process: 91234567A\n").unwrap();
    let waited_for = failed(|| drop(Program::at(&ends).log(&log).spawn().unwrap().wait()));
    assert!(waited_for.starts_with("1 leaks"), "what stood there before is not of this process: {waited_for}");

    let stays = careless(folder.path(), "exec sleep 60");
    let speaking = || {
        let mut running = Program::at(&stays).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut said = [0; 5];
        std::io::Read::read_exact(running.stdout.as_mut().unwrap(), &mut said).unwrap();
        running
    };
    let dropped = failed(|| drop(speaking()));
    assert!(dropped.contains("a CIN"), "{dropped}");
    let killed = failed(|| {
        let mut running = speaking();
        kill(Pid::from_raw(i32::try_from(running.id()).unwrap()), Signal::SIGKILL).unwrap();
        running.wait().unwrap();
    });
    assert!(killed.contains("a CIN"), "{killed}");
}

#[tokio::test]
async fn the_logs_that_are_searched_say_all_but_what_libraries_carry() {
    let folder = tempfile::tempdir().unwrap();
    // As somebody would who wants to see what goes to the servers.
    let wanted = "trace,async_nats=trace,async_nats::jetstream::context=trace,sqlx=trace,sqlx::query=trace,axum::rejection=trace";
    let none: &[&str] = &[];
    for more in [none, &["--log", wanted]] {
        let ledger = Ledger::up_with(folder.path(), more);
        let (status, answer) = ledger
            .post(
                "/v1/events",
                &json!({ "kind": "member_looked_up", "cin": "91234567A", "plan": "la-care",
                "county": "los-angeles", "occurred_at": "2024-02-01", "data": { "system": "hmis" } }),
            )
            .await;
        assert_eq!(status, 201, "{answer}");
        let asked = ledger.asked("/v1/members/91234567A/history", "application/json").await;
        assert!(!asked.status().is_success(), "a CIN is no name of a member");
        ledger.caught_up().await;
        let verb = folder.path().join("verb.log");
        ledger.command(&["history", "91234567A"]).log(&verb).spawn().unwrap().wait().unwrap();
        let said = std::fs::read_to_string(&verb).unwrap();
        assert!(said.contains(" TRACE hyper_util::client::legacy"), "a library's every step is told: {said}");
        ledger.stop();
    }
    let log = std::fs::read_to_string(folder.path().join("up.log")).unwrap();
    for said in [" DEBUG request{", " INFO async_nats"] {
        assert!(log.contains(said), "no line has {said}:\n{log}");
    }
    for (library, levels) in [
        ("async_nats", &["TRACE", "DEBUG"][..]),
        ("sqlx", &["TRACE", "DEBUG", "INFO"]),
        ("axum::rejection", &["TRACE"]),
    ] {
        for level in levels {
            let line =
                log.lines().find(|line| line.contains(&format!(" {level} ")) && line.contains(&format!(" {library}")));
            assert_eq!(line, None, "{library} at {level}");
        }
    }
}
