//! `rollbook doctor`: what is wrong, and what to do about it.

mod local;
mod service;

use std::fmt;
use std::path::PathBuf;

use super::client::{Connection, is_loopback};
use super::exit::Exit;
use super::output::Output;
use super::table::clean;

const EXAMPLES: &str = "\
Examples:
  rollbook doctor
  rollbook doctor --url https://ledger.example.org

A line a check: ok, warn or FAIL, and what to do. For a ledger on another machine this machine's own nats-server, data \
folder and disk are not looked at. Exit code 1 if a check fails.";

/// Checks what a ledger needs, and says what to do where something is missing
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// The nats-server that `up` would run [default: the one on PATH]
    #[arg(long, env = "ROLLBOOK_NATS_SERVER", value_name = "PATH")]
    nats_server: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warn { todo: String },
    Fail { todo: String },
}

/// A check and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    what: String,
    verdict: Verdict,
}

impl Check {
    fn ok(what: impl Into<String>) -> Self {
        Self { what: what.into(), verdict: Verdict::Ok }
    }

    fn warn(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { what: what.into(), verdict: Verdict::Warn { todo: todo.into() } }
    }

    fn fail(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { what: what.into(), verdict: Verdict::Fail { todo: todo.into() } }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = clean(&self.what);
        match &self.verdict {
            Verdict::Ok => write!(f, "ok    {what}"),
            Verdict::Warn { todo } => write!(f, "warn  {what}\n      -> {}", clean(todo)),
            Verdict::Fail { todo } => write!(f, "FAIL  {what}\n      -> {}", clean(todo)),
        }
    }
}

/// Checks everything, in the order in which one thing needs the other.
///
/// # Errors
/// Where the address is none, or the output fails.
pub async fn run(doctor: &Doctor, output: &mut Output) -> anyhow::Result<Exit> {
    let url = doctor.connection.address()?;
    let mut checks = Vec::new();
    if is_loopback(&url) {
        checks.push(local::nats_server(doctor.nats_server.clone()));
        checks.extend(local::folder(doctor.connection.data()));
        checks.extend(local::disk(doctor.connection.data()));
    }
    checks.extend(service::checks(&doctor.connection).await?);
    for check in &checks {
        output.line(check)?;
    }
    output.flush()?;
    Ok(exit(&checks))
}

fn exit(checks: &[Check]) -> Exit {
    let failed = checks.iter().any(|check| matches!(check.verdict, Verdict::Fail { .. }));
    if failed { Exit::No } else { Exit::Done }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_is_a_no_and_a_warning_is_not() {
        assert_eq!(exit(&[Check::ok("a"), Check::warn("b", "c")]), Exit::Done);
        assert_eq!(exit(&[Check::ok("a"), Check::fail("b", "c")]), Exit::No);
        assert_eq!(Check::fail("no disk", "buy one").to_string(), "FAIL  no disk\n      -> buy one");
    }
}
