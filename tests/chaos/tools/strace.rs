//! System calls of a running process that fail or lie, by strace.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{there_is, wait_for};

/// What becomes of each flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// The disk refuses once.
    FailsOnce,
    /// The disk refuses from now on.
    Fails,
    /// The disk says that it is done, and does nothing.
    Lies,
}

impl Flush {
    fn injection(self) -> &'static str {
        match self {
            Self::FailsOnce => "inject=fsync,fdatasync:error=EIO:when=1",
            Self::Fails => "inject=fsync,fdatasync:error=EIO",
            Self::Lies => "inject=fsync,fdatasync:retval=0",
        }
    }
}

/// A strace that holds a process. Dropping it lets the process go, which lives on.
#[derive(Debug)]
pub struct Strace {
    child: Child,
    log: tempfile::NamedTempFile,
}

impl Strace {
    /// Whether this machine allows it; the reason where it does not.
    ///
    /// # Errors
    /// The reason, in words for a report.
    pub fn possible() -> Result<(), &'static str> {
        if !there_is("strace") {
            return Err("strace is missing");
        }
        let traced = Command::new("strace").args(["-qq", "-e", "trace=none", "true"]).stderr(Stdio::null()).status();
        if traced.is_ok_and(|status| status.success()) { Ok(()) } else { Err("no process may be traced here") }
    }

    /// Takes hold of every thread of a process; from the return on its flushes end as asked.
    ///
    /// # Errors
    /// Where strace does not start or may not attach.
    pub fn attach(pid: u32, flush: Flush) -> anyhow::Result<Self> {
        let log = tempfile::NamedTempFile::new()?;
        let mut child = Command::new("strace")
            .args(["-f", "-e", "trace=fsync,fdatasync", "-e", flush.injection(), "-o"])
            .arg(log.path())
            .args(["-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("strace does not start")?;
        let mut said = BufReader::new(child.stderr.take().context("no stderr of strace")?);
        let mut line = String::new();
        said.read_line(&mut line)?;
        if !line.contains("attached") {
            _ = child.kill();
            _ = child.wait();
            bail!("strace cannot hold process {pid}: {}", line.trim());
        }
        // What it says from now on is nobody's business, but the pipe must not fill.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Ok(Self { child, log })
    }

    /// Flushes it has seen, and how many of them were tampered with.
    ///
    /// # Errors
    /// Where its log cannot be read.
    pub fn seen(&self) -> anyhow::Result<(usize, usize)> {
        let text = String::from_utf8_lossy(&std::fs::read(self.log.path())?).into_owned();
        Ok((text.matches("sync(").count(), text.matches("(INJECTED)").count()))
    }

    /// Waits until at least one flush was tampered with.
    ///
    /// # Errors
    /// Where none was in time.
    pub fn wait_for_one(&self, patience: Duration) -> anyhow::Result<()> {
        wait_for("a flush that strace tampers with", patience, || {
            self.seen().is_ok_and(|(_, injected)| injected > 0).then_some(())
        })
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // SIGINT lets go of the process; SIGKILL would leave its threads stopped.
        if let Ok(id) = i32::try_from(self.child.id()) {
            _ = kill(Pid::from_raw(id), Signal::SIGINT);
        }
        _ = self.child.wait();
    }
}
