//! A part of a ledger as a process of its own: `rollbook serve`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::program::{Program, Running};
use crate::server::Private;

/// How long a part may take to come to where a test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running part.
#[derive(Debug)]
pub struct Part {
    child: Running,
    url: String,
    token: String,
    http: reqwest::Client,
}

impl Part {
    /// Starts one and waits until it listens. Parts of one ledger share its data folder.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn serve(role: &str, nats: &Private, database: &str, data: &Path) -> Self {
        Self::serve_with(role, nats, database, data, &[])
    }

    /// Starts one with more variables in its environment, and waits until it listens.
    ///
    /// # Panics
    /// As [`Self::serve`].
    pub fn serve_with(role: &str, nats: &Private, database: &str, data: &Path, variables: &[(&str, &str)]) -> Self {
        Self::tried(role, nats, database, data, variables).unwrap_or_else(|| {
            let said = std::fs::read_to_string(data.join(format!("{role}.log"))).unwrap_or_default();
            panic!("{role} did not start: {said}")
        })
    }

    /// The same of one that may end before it listens, as one does that kills itself at a point.
    ///
    /// # Panics
    /// Where it cannot be started at all.
    pub fn tried(role: &str, nats: &Private, database: &str, data: &Path, variables: &[(&str, &str)]) -> Option<Self> {
        let access = nats.server.access();
        let mut child = Program::new()
            .log(data.join(format!("{role}.log")))
            .data(data)
            .args(["serve", role, "--listen", "127.0.0.1:0", "--nats", &access.url, "--database", database, "--data"])
            .arg(data)
            .env("ROLLBOOK_NATS_TOKEN", access.token.clone().unwrap_or_default())
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("listening on ").map(str::to_owned) else {
            child.wait().unwrap();
            return None;
        };
        let token = std::fs::read_to_string(data.join("admin.token")).unwrap().trim().to_owned();
        Some(Self { child, url, token, http: reqwest::Client::new() })
    }

    /// Where it lives.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The operator's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !self.child.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// Where it is gone.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Ends it, as an operator would or without a word, and waits until it is gone.
    ///
    /// # Panics
    /// Where it is gone already.
    pub fn end(mut self, signal: Signal) {
        self.signal(signal);
        self.child.wait().unwrap();
    }

    /// Asks, and gives the status and the answer.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Submits, and gives the status and the answer.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Waits until its status is so, and tells how long that took.
    ///
    /// # Panics
    /// Where it does not become so in time.
    pub async fn becomes(&self, what: &str, is: impl Fn(&Value) -> bool) -> Duration {
        let begun = Instant::now();
        loop {
            let (_, status) = self.get("/v1/status").await;
            if is(&status["data"]) {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < PATIENCE, "it did not become {what}: {status}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
            // One that is paused hears nothing else.
            _ = kill(id, Signal::SIGKILL);
            _ = self.child.wait();
        }
    }
}
