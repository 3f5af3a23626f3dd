//! The project's own rule files, run both ways: by the rules alone, and through a running ledger.

use std::path::PathBuf;
use std::process::Output;

use harness::ledger::Ledger;
use harness::program::Program;

/// The rule files.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// What a run must have come to: no case failed, and there were cases.
fn all_passed(output: &Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let failed: Vec<&str> =
        out.lines().filter(|line| !line.starts_with("ok   ") && !line.ends_with(" passed, 0 failed")).collect();
    assert!(failed.is_empty() && output.status.success(), "{}\n{err}\n{}", output.status, failed.join("\n"));
    let passed = out.lines().last().and_then(|line| line.strip_suffix(" passed, 0 failed"));
    assert!(passed.and_then(|passed| passed.parse().ok()).is_some_and(|passed: u32| passed > 100), "{passed:?} passed");
}

#[test]
fn every_rule_file_passes_without_a_server() {
    let mut command = Program::new();
    command.args(["--quiet", "scenario"]).arg(folder());
    all_passed(&command.output().unwrap());
}

#[test]
fn heavy_every_rule_file_passes_through_a_ledger() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(data.path(), None);
    let folder = folder();
    let arguments = ["--quiet", "scenario", folder.to_str().unwrap(), "--server", ledger.url()];
    all_passed(&ledger.command(&arguments).env("ROLLBOOK_TOKEN", ledger.token()).output().unwrap());
    ledger.stop();
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_are_run() {
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(files.path().join(name), text).unwrap();
    write("a.toml", "id = \"A\"\ntitel = \"a slip of the pen\"\n");
    write("b.toml", "id = \"B\"\ntitle = \"nobody is enrolled\"\n[expect.enrollment]\nstatus = \"none\"\n");
    let run = |name: &str| {
        let mut command = Program::new();
        command.arg("scenario").arg(files.path().join(name)).output().unwrap()
    };
    let whole = run("");
    assert_eq!(whole.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&whole.stdout), "ok   B       nobody is enrolled\n1 passed, 0 failed\n");
    assert!(String::from_utf8_lossy(&whole.stderr).contains("a.toml:2: `titel` is no key"), "{whole:?}");
    write("b.toml", "id = \"B\"\ntitle = \"somebody is\"\n[expect.enrollment]\nstatus = \"active\"\n");
    let failed = run("b.toml");
    assert_eq!(failed.status.code(), Some(1));
    let out = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert!(out.starts_with("FAIL B       somebody is\n") && out.ends_with("\n0 passed, 1 failed\n"), "{out}");
    assert_eq!(run("absent.toml").status.code(), Some(2));
}
