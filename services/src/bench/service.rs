//! A part of the ledger as an operator runs it: this very program, `rollbook serve`, in a process of its own.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::ground::Ground;
use super::process::Watched;

const START_TIMEOUT: Duration = Duration::from_secs(120);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the views may stand still before the measurement gives up on them.
const STILL: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How often it is asked whether a sweep has ended, which is long.
const SWEPT_EVERY: Duration = Duration::from_millis(200);

/// How long a part is watched to tell whether it rests.
const REST: Duration = Duration::from_secs(1);

/// A part that runs.
#[derive(Debug)]
pub struct Service {
    child: Child,
    pid: u32,
    url: String,
    token: String,
    http: Client,
}

impl Service {
    /// Starts a part on a database and waits until it listens.
    ///
    /// # Errors
    /// Where it does not; what it said lies in its log.
    pub async fn start(ground: &Ground, part: &str, database: &str) -> anyhow::Result<Self> {
        let log = ground.folder().join(format!("{part}.log"));
        let mut command = Command::new(ground.program());
        command.args(["serve", part, "--listen", "127.0.0.1:0", "--nats", ground.nats().url(), "--database", database]);
        command.arg("--data").arg(ground.data());
        if let Some(monitoring) = ground.nats().monitoring_url() {
            command.args(["--monitoring", monitoring]);
        }
        if let Some(token) = &ground.nats().access().token {
            command.env("ROLLBOOK_NATS_TOKEN", token);
        }
        let log_file = File::options().create(true).append(true).open(&log).context("could not make a log file")?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("could not start `rollbook serve {part}`"))?;
        let pid = child.id().context("a process without an id")?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            _ = timeout(START_TIMEOUT, stdout.read_line(&mut line)).await;
        }
        let Some(url) = line.trim().strip_prefix("listening on ").map(str::to_owned) else {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            bail!("`rollbook serve {part}` did not come up; it said: {}", said.trim());
        };
        let token = std::fs::read_to_string(ground.data().join("admin.token")).context("there is no token")?;
        let http = Client::builder().no_proxy().tls_built_in_native_certs(false).build()?;
        Ok(Self { child, pid, url, token: token.trim().to_owned(), http })
    }

    /// Its process, watched from now on.
    pub fn watched(&self) -> Watched {
        Watched::from_now(self.pid)
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A request to it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    /// Asks, and gives the answer.
    ///
    /// # Errors
    /// Where the answer is none.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.request(Method::GET, path).send().await?;
        let status = answer.status();
        if !status.is_success() {
            bail!("{path} was answered {status}");
        }
        Ok(answer.json().await?)
    }

    /// How far the views are, and the log's last position.
    ///
    /// # Errors
    /// Where the answer is none.
    pub async fn standing(&self) -> anyhow::Result<(u64, u64)> {
        let status = self.get("/v1/status").await?;
        let number = |name: &str| status.pointer(&format!("/data/{name}")).and_then(Value::as_u64).unwrap_or(0);
        Ok((number("position"), number("head")))
    }

    /// Waits until the views hold what the log holds; gives the position.
    ///
    /// # Errors
    /// Where they stand still for long.
    pub async fn caught_up(&self) -> anyhow::Result<u64> {
        let (mut moved, mut last) = (Instant::now(), 0);
        loop {
            let (position, head) = self.standing().await?;
            if position >= head {
                return Ok(position);
            }
            if position != last {
                (moved, last) = (Instant::now(), position);
            }
            if moved.elapsed() > STILL {
                bail!("the views stand still at {position} of {head}");
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until every clock that had run out is determined.
    ///
    /// # Errors
    /// Where the log stands still for long meanwhile.
    pub async fn swept(&self) -> anyhow::Result<()> {
        let (mut moved, mut last) = (Instant::now(), 0);
        loop {
            let metrics = self.request(Method::GET, "/metrics").send().await?.text().await?;
            if metrics.lines().any(|line| line.starts_with("rollbook_recorder_sweeps_total ")) {
                return Ok(());
            }
            let head = self.standing().await?.1;
            if head != last {
                (moved, last) = (Instant::now(), head);
            }
            if moved.elapsed() > STILL {
                bail!("a sweep stands still at {head}");
            }
            sleep(SWEPT_EVERY).await;
        }
    }

    /// Waits until it has little to do of its own: what a part reads at its start would else be in the first figures.
    pub async fn at_rest(&self) {
        let patience = Instant::now() + STILL;
        while Instant::now() < patience {
            let watched = Watched::from_now(self.pid);
            sleep(REST).await;
            if watched.cost().is_none_or(|cost| cost.cpu < REST / 4) {
                return;
            }
        }
    }

    /// Ends it as an operator would.
    pub async fn stop(mut self) {
        signal(&self.child, Signal::SIGTERM);
        if timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            _ = self.child.kill().await;
        }
    }
}

/// Sends a signal to a process that this one started and has not waited for.
pub(super) fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) {
        _ = kill(Pid::from_raw(pid), signal);
    }
}
