//! Processes that stop and go on: nobody told them that time went by.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::Fault;
use crate::chaos::plan::{Shape, Wants};
use crate::chaos::world::World;
use crate::chaos::world::service::Role;

/// Stops a process for so long; what is paused at the end of the run, the healing wakes.
async fn stopped(id: i32, long: Duration) {
    _ = kill(Pid::from_raw(id), Signal::SIGSTOP);
    tokio::time::sleep(long).await;
    _ = kill(Pid::from_raw(id), Signal::SIGCONT);
}

/// Any process.
#[derive(Debug)]
pub struct Anyone;

#[async_trait]
impl Fault for Anyone {
    fn name(&self) -> &'static str {
        "pause"
    }
    fn about(&self) -> &'static str {
        "SIGSTOP of any process, nats-server and PostgreSQL among them, for 0.2 to 3 seconds"
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let mut ids: Vec<i32> = world.services.iter().filter_map(|service| service.id()).collect();
        ids.extend(world.nats_id());
        let Some(id) = ids.choose(random) else { return };
        stopped(*id, Duration::from_millis(random.random_range(200..3_000))).await;
    }
}

/// A projector that sleeps through another's work and then goes on with what it had in hand.
#[derive(Debug)]
pub struct StaleProjector;

#[async_trait]
impl Fault for StaleProjector {
    fn name(&self) -> &'static str {
        "stale-projector"
    }
    fn about(&self) -> &'static str {
        "a projector is stopped in the middle of its work and wakes when another has gone on in its place"
    }
    fn wants(&self) -> Wants {
        Wants { shape: Some(Shape::Parts), ..Wants::default() }
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let projectors = world.of(Role::Projector);
        let Some(service) = projectors.choose(random).map(|service| Arc::clone(service)) else { return };
        let from = world.history.seen();
        service.signal(Signal::SIGSTOP);
        let ahead = random.random_range(5..25);
        world.until(Duration::from_secs(6), |world| world.history.seen() > from + ahead).await;
        service.signal(Signal::SIGCONT);
    }
}

/// A recorder that wakes with a decision from long ago.
#[derive(Debug)]
pub struct StaleRecorder;

#[async_trait]
impl Fault for StaleRecorder {
    fn name(&self) -> &'static str {
        "stale-recorder"
    }
    fn about(&self) -> &'static str {
        "a recorder is stopped with requests in hand and wakes when another has recorded for the same members"
    }
    fn wants(&self) -> Wants {
        Wants { shape: Some(Shape::Parts), ..Wants::default() }
    }
    fn times(&self) -> u32 {
        3
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let recorders = world.of(Role::Recorder);
        let Some(service) = recorders.choose(random).map(|service| Arc::clone(service)) else { return };
        let from = world.history.seen();
        service.signal(Signal::SIGSTOP);
        let ahead = random.random_range(3..15);
        world.until(Duration::from_secs(4), |world| world.history.seen() > from + ahead).await;
        service.signal(Signal::SIGCONT);
    }
}
