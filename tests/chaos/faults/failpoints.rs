//! Kills and stops at named points of the program's own code.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nix::sys::signal::Signal;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::Fault;
use crate::chaos::plan::{Shape, Wants};
use crate::chaos::world::World;
use crate::chaos::world::service::{Role, Service};

/// The variable that arms a point.
const VARIABLE: &str = "ROLLBOOK_FAILPOINT";

/// Points of whoever records.
pub const RECORDING: &[&str] = &[
    "recorder.before_queue",
    "recorder.before_round",
    "recorder.before_append",
    "recorder.after_append",
    "recorder.before_append_alone",
    "recorder.after_append_alone",
    "recorder.after_placing",
    "recorder.before_answer",
    "recorder.after_conflict",
    "log.between_parts",
    "log.before_commit",
    "log.after_ack",
    "log.before_finding_out",
    "identity.after_keys",
    "identity.before_append",
    "identity.after_append",
    "http.after_identified",
];

/// Points of whoever projects.
pub const PROJECTING: &[&str] = &["projector.after_resume", "projector.before_write", "projector.after_write"];

/// Points of an import.
pub const IMPORTING: &[&str] = &[
    "import.after_spooled",
    "import.before_rows",
    "import.after_quarantine",
    "import.after_settled",
    "import.before_completed",
];

/// Points of the start.
pub const STARTING: &[&str] = &["start.after_streams", "start.after_adoption"];

/// Points of whoever publishes the feed.
pub const PUBLISHING: &[&str] = &["feed.before_write", "log.between_records", "feed.after_write"];
/// Points of whoever destroys an identity; no client of a run does, a test of its own strikes them.
pub const DESTROYING: &[&str] = &["identity.after_destroyed", "identity.after_erased"];

/// Every point.
pub const ALL: [&[&str]; 6] = [RECORDING, PROJECTING, IMPORTING, STARTING, PUBLISHING, DESTROYING];

/// Starts a process again so that it ends, or stops for a while, where it passes a point for the n-th time.
async fn arm(world: &World, service: &Service, point: &str, at: u32, random: &mut ChaCha8Rng) {
    let action = if random.random_bool(0.8) { "kill" } else { "pause" };
    world.history.say(point, &format!("{action} {} at passing {at}", service.name));
    service.next_start(VARIABLE, &format!("{point}={action}@{at}"));
    let starts = service.starts();
    service.signal(Signal::SIGKILL);
    world.until(Duration::from_secs(15), |_| service.starts() > starts).await;
    if action == "pause" {
        tokio::time::sleep(Duration::from_millis(random.random_range(300..2_500))).await;
        service.signal(Signal::SIGCONT);
    }
}

fn recording(world: &World, random: &mut ChaCha8Rng) -> Option<Arc<Service>> {
    world.recorders().choose(random).map(|service| Arc::clone(service))
}

/// While something is recorded.
#[derive(Debug)]
pub struct Recording;

#[async_trait]
impl Fault for Recording {
    fn name(&self) -> &'static str {
        "failpoint-recording"
    }
    fn about(&self) -> &'static str {
        "a recorder is killed or stopped at a named point between a request and its answer"
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let (point, at) = (*RECORDING.choose(random).unwrap(), random.random_range(1..8));
        if let Some(service) = recording(world, random) {
            arm(world, &service, point, at, random).await;
        }
    }
}

/// While the views are written.
#[derive(Debug)]
pub struct Projecting;

#[async_trait]
impl Fault for Projecting {
    fn name(&self) -> &'static str {
        "failpoint-projecting"
    }
    fn about(&self) -> &'static str {
        "a projector is killed or stopped at a named point around the writing of the views"
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let (point, at) = (*PROJECTING.choose(random).unwrap(), random.random_range(1..6));
        let projectors = world.projectors();
        let Some(service) = projectors.choose(random).map(|service| Arc::clone(service)) else { return };
        arm(world, &service, point, at, random).await;
    }
}

/// While the feed is written.
#[derive(Debug)]
pub struct Publishing;

#[async_trait]
impl Fault for Publishing {
    fn name(&self) -> &'static str {
        "failpoint-publishing"
    }
    fn about(&self) -> &'static str {
        "a ledger is killed or stopped at a named point around the writing of the feed"
    }
    fn wants(&self) -> Wants {
        Wants { shape: Some(Shape::Up), ..Wants::default() }
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let (point, at) = (*PUBLISHING.choose(random).unwrap(), random.random_range(1..6));
        let ledgers = world.of(Role::Up);
        let Some(service) = ledgers.choose(random).map(|service| Arc::clone(service)) else { return };
        arm(world, &service, point, at, random).await;
    }
}

/// While a file is imported.
#[derive(Debug)]
pub struct Importing;

#[async_trait]
impl Fault for Importing {
    fn name(&self) -> &'static str {
        "failpoint-importing"
    }
    fn about(&self) -> &'static str {
        "a recorder is killed or stopped at a named point of an import"
    }
    fn wants(&self) -> Wants {
        Wants { import: true, ..Wants::default() }
    }
    fn times(&self) -> u32 {
        3
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let (point, at) = (*IMPORTING.choose(random).unwrap(), random.random_range(1..3));
        if let Some(service) = recording(world, random) {
            arm(world, &service, point, at, random).await;
        }
    }
}

/// While a ledger starts.
#[derive(Debug)]
pub struct Starting;

#[async_trait]
impl Fault for Starting {
    fn name(&self) -> &'static str {
        "failpoint-starting"
    }
    fn about(&self) -> &'static str {
        "a ledger is killed in the middle of its start, and started again"
    }
    fn wants(&self) -> Wants {
        Wants { shape: Some(Shape::Up), ..Wants::default() }
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let point = *STARTING.choose(random).unwrap();
        for service in world.of(Role::Up) {
            service.next_start(VARIABLE, &format!("{point}=kill@1"));
            service.kill_tree();
        }
    }
}
