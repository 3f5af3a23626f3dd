//! One process of a run: started, watched, started again where it ends, stopped by its id whatever happens.

use std::fs::File;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::watch;

/// How long an ended process stays away before it is started again.
const AGAIN_AFTER: Duration = Duration::from_millis(120);

/// What a process does in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A whole ledger.
    Up,
    /// Records.
    Recorder,
    /// Projects.
    Projector,
    /// Answers.
    Query,
    /// The log's server.
    Nats,
    /// The views' server.
    Postgres,
}

/// How it is known that a process answers, and where.
#[derive(Debug)]
pub enum Ready {
    /// It prints `listening on URL`.
    Listening,
    /// It writes its ports into this folder.
    Ports(PathBuf),
    /// It takes connections on this socket.
    Socket(PathBuf),
}

type Launch = dyn Fn() -> Command + Send + Sync;

/// One process.
pub struct Service {
    /// Its name, as in `recorder-2`.
    pub name: String,
    /// What it does.
    pub role: Role,
    launch: Box<Launch>,
    ready: Ready,
    dir: PathBuf,
    address: watch::Sender<Option<String>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    child: Option<Child>,
    wanted: bool,
    starts: u32,
    ended_at: Option<Instant>,
    next: Vec<(String, String)>,
    /// Whether it runs with something in its environment that was for one start alone.
    armed: bool,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Service {
    /// A process that is not started yet; what it says is written to files of its name in `dir`.
    pub fn new(name: &str, role: Role, ready: Ready, dir: &Path, launch: Box<Launch>) -> Self {
        let state = Mutex::default();
        Self {
            name: name.to_owned(),
            role,
            launch,
            ready,
            dir: dir.to_owned(),
            address: watch::Sender::new(None),
            state,
        }
    }

    /// Starts it at the next look.
    pub fn want(&self) {
        self.state.lock().unwrap().wanted = true;
    }

    /// Does not start it again once it has ended.
    pub fn unwant(&self) {
        self.state.lock().unwrap().wanted = false;
    }

    /// What the environment of the next start holds besides; of that start alone.
    pub fn next_start(&self, name: &str, value: &str) {
        self.state.lock().unwrap().next.push((name.to_owned(), value.to_owned()));
    }

    /// Whatever was armed is no more: what runs armed is killed, to be started without.
    pub fn disarm(&self) {
        let armed = {
            let mut state = self.state.lock().unwrap();
            state.next.clear();
            std::mem::take(&mut state.armed)
        };
        if armed {
            self.address.send_replace(None);
            self.kill_tree();
        }
    }

    /// Where it answers; none while it does not.
    pub fn address(&self) -> Option<String> {
        self.address.borrow().clone()
    }

    /// Where it answers, to be watched.
    pub fn addresses(&self) -> watch::Receiver<Option<String>> {
        self.address.subscribe()
    }

    /// How often it was started.
    pub fn starts(&self) -> u32 {
        self.state.lock().unwrap().starts
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<i32> {
        self.state.lock().unwrap().child.as_ref().map(|child| i32::try_from(child.id()).unwrap())
    }

    /// Looks after it: notes where it answers and that it has ended, and starts it where it should run.
    pub fn look_after(&self) {
        let mut state = self.state.lock().unwrap();
        if let Some(child) = &mut state.child
            && child.try_wait().unwrap().is_some()
        {
            (state.child, state.ended_at) = (None, Some(Instant::now()));
            self.address.send_replace(None);
        }
        let rested = state.ended_at.is_none_or(|at| at.elapsed() >= AGAIN_AFTER);
        if state.child.is_none() && state.wanted && rested {
            state.starts += 1;
            let out = File::create(self.file("out", state.starts)).unwrap();
            let log = File::options().create(true).append(true).open(self.dir.join(format!("{}.log", self.name)));
            let mut command = (self.launch)();
            state.armed = !state.next.is_empty();
            command.envs(state.next.drain(..)).stdin(Stdio::null()).stdout(out).stderr(log.unwrap());
            state.child = Some(command.process_group(0).spawn().unwrap());
        }
        if let Some(child) = &state.child
            && self.address.borrow().is_none()
            && let Some(address) = self.answers_at(child.id(), state.starts)
        {
            self.address.send_replace(Some(address));
        }
    }

    fn file(&self, what: &str, start: u32) -> PathBuf {
        self.dir.join(format!("{}.{start}.{what}", self.name))
    }

    fn answers_at(&self, id: u32, start: u32) -> Option<String> {
        match &self.ready {
            Ready::Listening => {
                let said = std::fs::read_to_string(self.file("out", start)).ok()?;
                let line = said.lines().find_map(|line| line.strip_prefix("listening on "))?;
                said.contains('\n').then(|| line.trim().to_owned())
            }
            Ready::Ports(folder) => {
                let text = std::fs::read(folder.join(format!("nats-server_{id}.ports"))).ok()?;
                let ports: serde_json::Value = serde_json::from_slice(&text).ok()?;
                Some(ports["nats"][0].as_str()?.to_owned())
            }
            Ready::Socket(path) => UnixStream::connect(path).ok().map(|_| path.to_string_lossy().into_owned()),
        }
    }

    /// Sends it a signal; false where it does not run.
    pub fn signal(&self, signal: Signal) -> bool {
        self.id().is_some_and(|id| kill(Pid::from_raw(id), signal).is_ok())
    }

    /// Kills it and what it has started.
    pub fn kill_tree(&self) {
        let Some(id) = self.id() else { return };
        let children = children(id);
        self.signal(Signal::SIGKILL);
        for child in children {
            _ = kill(Pid::from_raw(child), Signal::SIGKILL);
        }
    }

    /// Waits until it has ended, and reaps it.
    pub async fn gone(&self) {
        while self.id().is_some() {
            self.look_after();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.unwant();
        self.kill_tree();
        if let Some(mut child) = self.state.lock().unwrap().child.take() {
            _ = child.wait();
        }
    }
}

/// The processes that a process has started, from whichever of its threads.
pub fn children(of: i32) -> Vec<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().filter_map(Result::ok);
    let texts = tasks.map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default());
    texts.flat_map(|text| text.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}
