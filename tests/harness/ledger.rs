//! A ledger as a person runs it: `rollbook up`, and its verbs.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::program::{Program, Running};

/// A running ledger.
#[derive(Debug)]
pub struct Ledger {
    child: Option<Running>,
    data: PathBuf,
    url: String,
    token: String,
    http: Client,
}

impl Ledger {
    /// Starts one in a data folder, with SQLite there or the database named, and waits until it is ready.
    ///
    /// # Panics
    /// Where it does not become ready; with what it said.
    pub fn up(data: &Path, database: Option<&str>) -> Self {
        let database = database.into_iter().flat_map(|database| ["--database", database]);
        Self::up_with(data, &database.collect::<Vec<_>>())
    }

    /// Starts one with more arguments.
    ///
    /// # Panics
    /// As [`Self::up`].
    pub fn up_with(data: &Path, arguments: &[&str]) -> Self {
        Self::start(data, &["up"].into_iter().chain(arguments.iter().copied()).collect::<Vec<_>>())
    }

    /// Starts `up` or `serve` with arguments of its own, and waits until it listens.
    ///
    /// # Panics
    /// Where it does not come to listen; with what it said.
    pub fn start(data: &Path, arguments: &[&str]) -> Self {
        Self::start_to_die(data, arguments, "")
    }

    /// Starts one that is killed where it passes a point of its program, as in `recorder.before_append=kill`.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_to_die(data: &Path, arguments: &[&str], point: &str) -> Self {
        let mut command = Program::new();
        command.env("ROLLBOOK_FAILPOINT", point).log(data.join("up.log")).data(data);
        command.args(arguments).arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]);
        // A process group of its own, so that a test can kill the whole tree at once.
        let mut child = command.stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("listening on ").map(str::to_owned) else {
            _ = child.wait();
            panic!("the ledger did not come up: {}", std::fs::read_to_string(data.join("up.log")).unwrap_or_default());
        };
        let token = std::fs::read_to_string(data.join("admin.token")).unwrap().trim().to_owned();
        Self { child: Some(child), data: data.to_owned(), url, token, http: Client::new() }
    }

    /// The id of the ledger's process.
    pub fn id(&self) -> i32 {
        self.child.as_ref().map_or(0, |child| i32::try_from(child.id()).unwrap())
    }

    /// Ends it as an operator would.
    pub fn stop(mut self) {
        self.end(Signal::SIGTERM);
    }

    /// Kills the whole process tree, nats-server included, without a word.
    pub fn kill(mut self) {
        let servers = children(self.id());
        self.end(Signal::SIGKILL);
        for server in servers {
            _ = nix::sys::signal::kill(Pid::from_raw(server), Signal::SIGKILL);
            wait_gone(server);
        }
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut child) = self.child.take() {
            let id = i32::try_from(child.id()).unwrap();
            if signal == Signal::SIGKILL {
                _ = killpg(Pid::from_raw(id), signal);
            } else {
                _ = nix::sys::signal::kill(Pid::from_raw(id), signal);
            }
            _ = child.wait();
        }
    }

    /// Runs a verb against this ledger, from beside its data folder.
    ///
    /// # Panics
    /// Where the program cannot be run.
    pub fn verb(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// A verb, ready to be run.
    pub fn command(&self, arguments: &[&str]) -> Program {
        let mut command = Program::new();
        command.args(arguments).env("ROLLBOOK_DATA", &self.data).data(&self.data);
        command
    }

    /// Runs a verb that must succeed, and gives what it printed.
    ///
    /// # Panics
    /// Where it fails; with what it said.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.verb(arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "rollbook {arguments:?}: {}\n{out}\n{err}", output.status);
        out.into_owned()
    }

    /// A token that the ledger issues to somebody of an organization in a role, with more arguments as `--rights hiv`.
    ///
    /// # Panics
    /// Where it issues none.
    pub fn token_for(&self, name: &str, org: &str, role: &str, more: &[&str]) -> String {
        let issue = ["token", "issue", "--name", name, "--org", org, "--role", role];
        let token = self.ok(&[&issue[..], more].concat()).trim().to_owned();
        crate::leaks::secret(&token);
        token
    }

    /// Asks and gives the JSON answer.
    ///
    /// # Panics
    /// Where the answer is no 2xx.
    pub async fn get(&self, path: &str) -> Value {
        let response = self.asked(path, "application/json").await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "GET {path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Asks for every row, as NDJSON.
    ///
    /// # Panics
    /// Where the answer is no 2xx.
    pub async fn rows(&self, path: &str) -> Vec<Value> {
        self.text(path, "application/x-ndjson").await.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asks for a text.
    ///
    /// # Panics
    /// Where the answer is no 2xx.
    pub async fn text(&self, path: &str, accept: &str) -> String {
        let response = self.asked(path, accept).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "GET {path}: {status} {text}");
        text
    }

    /// Asks, whatever the answer.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn asked(&self, path: &str, accept: &str) -> Response {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token).header("accept", accept);
        request.send().await.unwrap()
    }

    /// Submits, and gives status and answer.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Records one event that must be taken, waits until the views hold it, and gives its position.
    ///
    /// # Panics
    /// Where it is refused.
    pub async fn record(&self, kind: &str, member: &str, plan: &str, occurred_at: &str, data: Value) -> u64 {
        let (status, answer) = self
            .post("/v1/events", &json!({ "kind": kind, "member": member, "plan": plan, "county": "los-angeles", "occurred_at": occurred_at, "data": data }))
            .await;
        assert_eq!(status, 201, "{answer}");
        let position = answer["position"].as_u64().unwrap();
        self.get(&format!("/v1/events?limit=1&at_least={position}&wait_ms=30000")).await;
        position
    }

    /// Waits until the views hold all that the log holds, and gives the position.
    pub async fn caught_up(&self) -> u64 {
        loop {
            let status = self.get("/v1/status").await;
            let head = status["data"]["head"].as_u64().unwrap();
            let response =
                self.asked(&format!("/v1/events?limit=1&at_least={head}&wait_ms=30000"), "application/json").await;
            if response.status().is_success() && self.get("/v1/status").await["data"]["head"] == head {
                return head;
            }
        }
    }

    /// Every view, every row there ever was, as text.
    pub async fn dumps(&self) -> Vec<(&'static str, String)> {
        let mut dumps = Vec::new();
        for view in rollbook_projections::views::ALL {
            let name = view.table().name;
            dumps.push((name, self.text(&format!("/v1/views/{name}"), "application/x-ndjson").await));
        }
        dumps
    }

    /// Where it lives.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The operator's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.end(Signal::SIGTERM);
    }
}

/// The processes that a process has started.
fn children(of: i32) -> Vec<i32> {
    let text = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    let mut all: Vec<i32> = text.split_whitespace().filter_map(|id| id.parse().ok()).collect();
    // Any thread of the ledger may have started the server.
    for task in std::fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().filter_map(Result::ok) {
        let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(text.split_whitespace().filter_map(|id| id.parse::<i32>().ok()));
    }
    all
}

/// Waits until a process is gone: its lock on the data folder goes with it.
fn wait_gone(id: i32) {
    while Path::new(&format!("/proc/{id}")).exists() {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        if state.contains(") Z ") {
            return;
        }
        std::thread::yield_now();
    }
}
