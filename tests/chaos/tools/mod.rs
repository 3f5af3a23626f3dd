//! Tools that hurt: storage that loses power, fills up or fails to flush; files that rot; servers of a cluster that die.

pub mod ballast;
pub mod ledger;
pub mod loop_fs;
pub mod nats;
pub mod store_files;
pub mod strace;
pub mod streams;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Runs a system program to its end; an error has what it said.
///
/// # Errors
/// Where it cannot be run or fails.
pub fn run(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("{program} cannot be run"))?;
    if !output.status.success() {
        bail!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a system program is there to be run.
pub fn there_is(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// A path as the arguments of programs want it.
///
/// # Errors
/// Where it is not UTF-8.
pub fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

/// Looks again and again until something is there.
///
/// # Errors
/// Where it is not there in time; `what` says what was waited for.
pub fn wait_for<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if begun.elapsed() > patience {
            bail!("{what}: not after {} s", patience.as_secs());
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The processes that a process has started, whichever of its threads did.
pub fn children(of: u32) -> Vec<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().filter_map(Result::ok);
    let texts = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    texts.flat_map(|text| text.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<i32>>()).collect()
}

/// Kills a process that somebody else has started, and waits until it is gone.
pub fn kill_and_wait(process: i32) {
    _ = kill(Pid::from_raw(process), Signal::SIGKILL);
    _ = wait_for("the end of a process", Duration::from_secs(10), || {
        let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        (state.is_empty() || state.contains(") Z ")).then_some(())
    });
}

/// Copies a folder with all that is in it.
///
/// # Errors
/// Where it cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    run("cp", &["-a", "--reflink=auto", &format!("{}/.", text(from)?), text(to)?]).map(drop)
}
