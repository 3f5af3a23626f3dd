//! The processes of one run, the networks between them, and one task that looks after all of them.

pub mod api;
mod nodes;
mod parts;
pub mod postgres;
pub mod proxy;
pub mod rebuild;
pub mod service;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::task::JoinHandle;

use super::history::History;
use super::plan::{Database, Plan, Shape};
use super::tools::ballast::SmallDisk;
use super::tools::loop_fs::LoopFs;
use crate::program::is_chatter;
use api::Api;
pub use parts::faketime;
use proxy::Proxy;
use service::{Role, Service, children};

/// How long processes may take to answer at the start.
const START: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What faults may ask of a run before anything starts.
#[derive(Debug)]
pub struct Setup {
    /// The plan.
    pub plan: Plan,
    /// Where everything of the run lies.
    pub dir: PathBuf,
    /// Where stores and databases lie; the same unless a fault needs them on a file system of its own.
    pub stores: PathBuf,
    /// Whether rollbook's clocks can be moved.
    pub clocks: bool,
    /// More lines for the configuration of a nats-server that stands alone.
    pub nats_settings: String,
    /// A program and arguments that nats-server is started by, where it stands alone.
    pub nats_under: Vec<String>,
    /// More environment for every rollbook.
    pub environment: Vec<(String, String)>,
    /// More arguments for every `rollbook up` and `rollbook serve`.
    pub arguments: Vec<String>,
    /// Whether the log is kept by three nodes; a ledger in parts alone.
    pub nodes: bool,
    /// The disk that the stores lie on, where its power can be cut.
    pub disk: Option<Mutex<LoopFs>>,
    /// The disk that the stores lie on, where it can be filled.
    pub small_disk: Option<SmallDisk>,
}

impl Setup {
    /// As a run is without faults.
    pub fn new(plan: Plan, dir: &Path) -> Self {
        let (dir, stores) = (dir.to_owned(), dir.to_owned());
        let (nats_settings, nats_under, environment) = (String::new(), Vec::new(), Vec::new());
        let arguments = Vec::new();
        let (clocks, nodes, disk, small_disk) = (false, false, None, None);
        Self { plan, dir, stores, clocks, nats_settings, nats_under, environment, arguments, nodes, disk, small_disk }
    }
}

/// A ledger and everything under it.
#[derive(Debug)]
pub struct World {
    /// What it was started with.
    pub setup: Setup,
    /// What clients do.
    pub history: Arc<History>,
    /// Every process.
    pub services: Vec<Arc<Service>>,
    /// The network to nats-server, where that stands alone.
    pub nats_network: Option<Proxy>,
    /// The network to PostgreSQL, where there is one.
    pub database_network: Option<Proxy>,
    /// The network to nats-server's monitoring; always fair.
    _monitoring: Option<Proxy>,
    /// The operator's way in.
    pub api: Api,
    looking_after: JoinHandle<()>,
}

/// A process that could not be brought up.
#[derive(Debug)]
pub struct NotStarted(pub String);

impl World {
    /// The processes of a role, in order.
    pub fn of(&self, role: Role) -> Vec<&Arc<Service>> {
        self.services.iter().filter(|service| service.role == role).collect()
    }

    /// Whoever records.
    pub fn recorders(&self) -> Vec<&Arc<Service>> {
        if self.setup.plan.shape == Shape::Up { self.of(Role::Up) } else { self.of(Role::Recorder) }
    }

    /// Whoever answers questions.
    pub fn readers(&self) -> Vec<&Arc<Service>> {
        if self.setup.plan.shape == Shape::Up { self.of(Role::Up) } else { self.of(Role::Query) }
    }

    /// Whoever projects.
    pub fn projectors(&self) -> Vec<&Arc<Service>> {
        if self.setup.plan.shape == Shape::Up { self.of(Role::Up) } else { self.of(Role::Projector) }
    }

    /// Every rollbook.
    pub fn rollbooks(&self) -> Vec<&Arc<Service>> {
        self.services.iter().filter(|service| !matches!(service.role, Role::Nats | Role::Postgres)).collect()
    }

    /// The log's server, whoever started it.
    pub fn nats_id(&self) -> Option<i32> {
        match self.of(Role::Nats).first() {
            Some(nats) => nats.id(),
            None => self.of(Role::Up).first()?.id().and_then(|id| children(id).first().copied()),
        }
    }

    /// The log's store.
    pub fn nats_store(&self) -> PathBuf {
        let data = if self.setup.plan.shape == Shape::Up { "up/nats/store" } else { "nats/store" };
        self.setup.stores.join(data)
    }

    /// A connection of one's own to the log's server, past every network; none while it does not answer.
    pub async fn nats(&self) -> Option<async_nats::Client> {
        let (url, token) = self.nats_access()?;
        let options = async_nats::ConnectOptions::new().token(token).connection_timeout(Duration::from_secs(2));
        options.connect(url).await.ok()
    }

    /// Where the log's server listens, and the token it asks for.
    pub fn nats_access(&self) -> Option<(String, String)> {
        if let Some(nats) = self.of(Role::Nats).first() {
            return Some((nats.address()?, parts::NATS_TOKEN.to_owned()));
        }
        let nats = self.setup.stores.join("up/nats");
        let conf = std::fs::read_to_string(nats.join("nats.conf")).ok()?;
        let token = conf.split("token: \"").nth(1)?.split('"').next()?.to_owned();
        let ports = std::fs::read(nats.join("ports").join(format!("nats-server_{}.ports", self.nats_id()?))).ok()?;
        let ports: serde_json::Value = serde_json::from_slice(&ports).ok()?;
        Some((ports["nats"][0].as_str()?.to_owned(), token))
    }

    /// The clock that a rollbook sees: seconds that it is ahead. Needs [`Setup::clocks`].
    pub fn set_clock(&self, service: &Service, ahead: i64) {
        parts::set_clock(&self.setup, &service.name, ahead);
    }

    /// Every network fair, every clock right, everything that was stopped goes on, everything that should run is started.
    pub fn heal(&self) {
        for network in self.nats_network.iter().chain(&self.database_network) {
            network.heal();
        }
        for service in &self.services {
            if self.setup.clocks {
                self.set_clock(service, 0);
            }
            service.disarm();
            service.signal(Signal::SIGCONT);
            service.want();
        }
        if let Some(id) = self.nats_id() {
            _ = kill(Pid::from_raw(id), Signal::SIGCONT);
        }
    }

    /// Waits for a condition; false where it does not come in time.
    pub async fn until(&self, patience: Duration, met: impl Fn(&Self) -> bool) -> bool {
        let begun = Instant::now();
        while !met(self) {
            if begun.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        true
    }

    /// The end of what a process said, for a person who looks for the cause.
    pub fn last_words(&self, service: &Service) -> String {
        let log = std::fs::read_to_string(self.setup.dir.join(format!("{}.log", service.name))).unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|line| !is_chatter(line.as_bytes())).collect();
        lines[lines.len().saturating_sub(20)..].join(" | ")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.looking_after.abort();
        for service in &self.services {
            service.unwant();
            service.kill_tree();
        }
        // A server that its parent left behind is known by the folder it works in, which is this run's alone.
        for id in processes_about(&self.setup.dir).into_iter().chain(processes_about(&self.setup.stores)) {
            _ = kill(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

/// The processes, other than this one, whose command line names a folder.
fn processes_about(dir: &Path) -> Vec<i32> {
    let dir = dir.to_string_lossy().into_owned();
    let own = std::process::id();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let about = entries.filter_map(|entry| {
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let named = String::from_utf8_lossy(&line).split('\0').any(|word| word.contains(&dir));
        (named && u32::try_from(id) != Ok(own)).then_some(id)
    });
    about.collect()
}

/// Which views live in a database that a run cannot have here.
pub fn lacks(plan: &Plan) -> Option<String> {
    if plan.database == Database::Postgres && postgres::programs().is_none() {
        return Some("PostgreSQL is left out (ROLLBOOK_TEST_POSTGRES=skip)".to_owned());
    }
    plan.faults().iter().find_map(|fault| fault.lacks())
}
