//! A plain nats-server on a store of one's own: to read what lies there without the program under test, or to be hurt.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::wait_for;
use crate::ports::free_port;

/// How long a server may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it flushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// Before each answer, as the ledger needs it.
    Always,
    /// Every two minutes, as the server does by itself.
    Lazy,
}

/// A running server, killed when it is dropped.
#[derive(Debug)]
pub struct Nats {
    child: Child,
    program: PathBuf,
    config: PathBuf,
    /// Where clients come in.
    pub port: u16,
    /// Where it tells of itself.
    pub monitoring: u16,
}

/// The program that `ROLLBOOK_NATS_SERVER` names, or the one on `PATH`.
#[expect(clippy::disallowed_methods, reason = "the environment says which server is tried")]
pub fn program() -> PathBuf {
    std::env::var_os("ROLLBOOK_NATS_SERVER").map_or_else(|| PathBuf::from("nats-server"), PathBuf::from)
}

impl Nats {
    /// Starts one whose store lies in `store`; its settings and its log go to `beside`.
    ///
    /// # Errors
    /// Where it does not become ready.
    pub fn start(store: &Path, beside: &Path, sync: Sync) -> anyhow::Result<Self> {
        Self::start_as(&program(), store, beside, sync, "")
    }

    /// Starts a program with more settings.
    ///
    /// # Errors
    /// Where it does not become ready.
    pub fn start_as(program: &Path, store: &Path, beside: &Path, sync: Sync, more: &str) -> anyhow::Result<Self> {
        let (port, monitoring) = (free_port()?, free_port()?);
        std::fs::create_dir_all(beside)?;
        let sync = match sync {
            Sync::Always => "always",
            Sync::Lazy => "2m",
        };
        let settings = format!(
            "listen: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitoring}\"\nmax_payload: 1MB\nlog_file: \"{}\"\n\
             jetstream {{ store_dir: \"{}\", sync_interval: {sync} }}\n{more}\n",
            beside.join("nats.log").display(),
            store.display()
        );
        let config = beside.join("nats.conf");
        std::fs::write(&config, settings)?;
        let child = spawn(program, &config)?;
        let mut nats = Self { child, program: program.to_owned(), config, port, monitoring };
        nats.ready()?;
        Ok(nats)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Where it tells of itself.
    pub fn monitoring_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitoring)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// Where it is gone.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill(Pid::from_raw(i32::try_from(self.child.id())?), signal)?)
    }

    /// Kills it without a word, and waits until it is gone.
    pub fn kill(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }

    /// Ends it as an operator would.
    ///
    /// # Errors
    /// Where it does not end.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.signal(Signal::SIGTERM)?;
        wait_for("the end of nats-server", PATIENCE, || self.child.try_wait().ok().flatten()).map(drop)
    }

    /// Starts it again after it was killed, with the same ports and settings.
    ///
    /// # Errors
    /// Where it does not become ready.
    pub fn again(&mut self) -> anyhow::Result<()> {
        self.kill();
        self.child = spawn(&self.program, &self.config)?;
        self.ready()
    }

    /// Waits until it lets clients in, which it does when it has read its store, whatever it made of that.
    fn ready(&mut self) -> anyhow::Result<()> {
        let port = self.port;
        let child = &mut self.child;
        let outcome = wait_for("a ready nats-server", PATIENCE, || {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(Err(status));
            }
            greets(port).then_some(Ok(()))
        })?;
        outcome.map_err(|status| anyhow::anyhow!("nats-server ended with {status}"))
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(program: &Path, config: &Path) -> anyhow::Result<Child> {
    let output = std::fs::File::create(config.with_extension("out"))?;
    let mut command = Command::new(program);
    command.arg("--config").arg(config).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    command.spawn().with_context(|| format!("{} cannot be run", program.display()))
}

/// Whether the server greets a client.
fn greets(port: u16) -> bool {
    use std::io::Read;
    let Ok(mut socket) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut greeting = [0; 4];
    let patient = socket.set_read_timeout(Some(Duration::from_secs(2))).is_ok();
    patient && socket.read_exact(&mut greeting).is_ok() && &greeting == b"INFO"
}
