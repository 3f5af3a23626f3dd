//! The program under test, by its public face alone: `rollbook up`, its verbs, its HTTP.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::Value;

use crate::leaks::Leak;
use crate::program::{self, Running};

/// How long a ledger may take until it listens; one that stays red for longer counts as refusing.
const READY: Duration = Duration::from_secs(45);
/// How long it may take to end.
const END: Duration = Duration::from_secs(20);

/// Which program is tried.
#[derive(Debug, Clone)]
pub struct Program(pub PathBuf);

impl Program {
    /// A verb with its arguments; the environment names no ledger but the data folder given.
    pub fn verb(&self, data: &Path, arguments: &[&str]) -> program::Program {
        let mut command = program::Program::at(&self.0);
        command.args(arguments).env("ROLLBOOK_DATA", data).env_remove("ROLLBOOK_URL").env_remove("ROLLBOOK_TOKEN");
        command.data(data);
        command
    }

    /// Runs a verb to its end.
    ///
    /// # Errors
    /// Where it cannot be run.
    pub fn run(&self, data: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
        self.verb(data, arguments).output().with_context(|| format!("{} cannot be run", self.0.display()))
    }

    /// Runs a verb that must succeed, and gives what it printed.
    ///
    /// # Errors
    /// Where it fails; with what it said.
    pub fn ok(&self, data: &Path, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.run(data, arguments)?;
        if !output.status.success() {
            bail!("rollbook {}: {}\n{}", arguments.join(" "), output.status, said(&output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The names of the views, as the program lists them where a name is wrong.
    ///
    /// # Errors
    /// Where it lists none.
    pub fn views(&self, data: &Path) -> anyhow::Result<Vec<String>> {
        let output = self.run(data, &["dump", "none"])?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let list = told.split("possible values:").nth(1).and_then(|rest| rest.split(']').next());
        let list = list.with_context(|| format!("no view is named: {told}"))?;
        Ok(list.split(',').map(|name| name.trim().to_owned()).collect())
    }

    /// Starts a ledger on a data folder.
    ///
    /// # Errors
    /// Where the process cannot be started; a ledger that refuses is no error.
    pub fn up(&self, data: &Path, more: &[&str]) -> anyhow::Result<Start> {
        self.start(data, &["up"], more)
    }

    /// Starts a part of a ledger, as in `serve recorder`.
    ///
    /// # Errors
    /// As [`Program::up`].
    pub fn start(&self, data: &Path, verb: &[&str], more: &[&str]) -> anyhow::Result<Start> {
        std::fs::create_dir_all(data)?;
        let log = data.join("up.log");
        let begin = log.metadata().map_or(0, |about| about.len());
        let mut command = self.verb(data, verb);
        command.args(["--listen", "127.0.0.1:0"]).arg("--data").arg(data).args(more);
        command.stdout(Stdio::piped()).log(&log);
        // A group of its own, so that the whole tree can be killed at once.
        let mut child = command.process_group(0).spawn().context("the ledger cannot be started")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let (send, line) = mpsc::channel();
        std::thread::spawn(move || {
            let mut first = String::new();
            _ = BufReader::new(stdout).read_line(&mut first);
            _ = send.send(first);
        });
        let mut ledger = Ledger { child: Some(child), data: data.to_owned(), url: String::new(), token: String::new() };
        let begun = Instant::now();
        loop {
            if let Ok(first) = line.recv_timeout(Duration::from_millis(20))
                && let Some(url) = first.trim().strip_prefix("listening on ")
            {
                ledger.url = url.to_owned();
                ledger.token = std::fs::read_to_string(data.join("admin.token"))?.trim().to_owned();
                return Ok(Start::Up(ledger));
            }
            let ended = ledger.child.as_mut().and_then(|child| child.try_wait().ok().flatten()).is_some();
            if ended || begun.elapsed() > READY {
                drop(ledger);
                return Ok(Start::Refused(last_words(&log, begin)));
            }
        }
    }
}

/// How a start ended.
#[derive(Debug)]
pub enum Start {
    /// It listens.
    Up(Ledger),
    /// It ended, or was not ready in time; the last it said.
    Refused(String),
}

impl Start {
    /// The ledger, where it listens.
    ///
    /// # Errors
    /// Where it refused.
    pub fn ledger(self) -> anyhow::Result<Ledger> {
        match self {
            Self::Up(ledger) => Ok(ledger),
            Self::Refused(said) => bail!("the ledger did not come up: {said}"),
        }
    }
}

/// A running ledger, ended when it is dropped.
#[derive(Debug)]
pub struct Ledger {
    child: Option<Running>,
    data: PathBuf,
    url: String,
    token: String,
}

impl Ledger {
    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The operator's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Its process.
    pub fn pid(&self) -> Option<i32> {
        self.child.as_ref().and_then(|child| i32::try_from(child.id()).ok())
    }

    /// Asks; gives status and answer.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, Value)> {
        let request = client()?.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let answer = request.header("accept", "application/json").send().await?;
        Ok((answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null)))
    }

    /// Submits; gives status and answer.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        let request = client()?.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body);
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null)))
    }

    /// Waits until the views hold what the log holds, and gives the position.
    ///
    /// # Errors
    /// Where they do not in time.
    pub async fn caught_up(&self, patience: Duration) -> anyhow::Result<u64> {
        let begun = Instant::now();
        loop {
            let (code, status) = self.get("/v1/status").await?;
            let number = |key| status.pointer(&format!("/data/{key}")).and_then(Value::as_u64);
            if let (200, Some(head), Some(position)) = (code, number("head"), number("position"))
                && head == position
            {
                return Ok(head);
            }
            if begun.elapsed() > patience {
                bail!("the views have not caught up after {} s: {status}", patience.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Every view, every row there ever was, by name.
    ///
    /// # Errors
    /// Where one cannot be had.
    pub fn dumps(&self, program: &Program) -> anyhow::Result<Vec<(String, String)>> {
        let names = program.views(&self.data)?;
        names.into_iter().map(|name| Ok((name.clone(), program.ok(&self.data, &["dump", &name])?))).collect()
    }

    /// Ends it as an operator would.
    ///
    /// # Errors
    /// Where it does not end in time.
    pub fn stop(mut self) -> anyhow::Result<()> {
        program::refuse(&self.end(Signal::SIGTERM)?);
        Ok(())
    }

    /// Ends it as an operator would, and tells what stands in its logs and must not.
    ///
    /// # Errors
    /// Where it does not end in time, or its log is gone.
    pub fn leaks(mut self) -> anyhow::Result<Vec<Leak>> {
        self.end(Signal::SIGTERM)
    }

    /// Kills the whole tree, nats-server included.
    pub fn kill(mut self) {
        self.end_of_life(Signal::SIGKILL);
    }

    /// Where nobody waits for its last words, a log that cannot be read is told and nothing else.
    fn end_of_life(&mut self, signal: Signal) {
        match self.end(signal) {
            Ok(leaks) => program::refuse(&leaks),
            Err(error) => eprintln!("{error:#}"),
        }
    }

    fn end(&mut self, signal: Signal) -> anyhow::Result<Vec<Leak>> {
        let Some(mut child) = self.child.take() else { return Ok(Vec::new()) };
        let id = Pid::from_raw(i32::try_from(child.id())?);
        let family = super::children(child.id());
        _ = if signal == Signal::SIGKILL { killpg(id, signal) } else { kill(id, signal) };
        let ended = super::wait_for("the end of the ledger", END, || child.try_wait().ok().flatten());
        if ended.is_err() || signal == Signal::SIGKILL {
            _ = killpg(id, Signal::SIGKILL);
            _ = child.wait();
            for process in family {
                super::kill_and_wait(process);
            }
        }
        ended?;
        child.leaks().context("its log cannot be searched")
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.end_of_life(Signal::SIGTERM);
    }
}

/// A client that never waits for ever.
///
/// # Errors
/// Where the system has no sockets.
pub fn client() -> anyhow::Result<reqwest::Client> {
    static CLIENT: std::sync::OnceLock<reqwest::Client> = std::sync::OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
    Ok(CLIENT.get_or_init(|| client).clone())
}

/// What a verb said, both ways.
pub fn said(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{err}")
}

/// The last lines of a log, from a place on.
fn last_words(log: &Path, from: u64) -> String {
    use std::io::Seek;
    let mut text = Vec::new();
    if let Ok(mut file) = std::fs::File::open(log) {
        _ = file.seek(std::io::SeekFrom::Start(from));
        _ = file.read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !program::is_chatter(line.as_bytes())).collect();
    lines.get(lines.len().saturating_sub(4)..).unwrap_or_default().join(" | ")
}
