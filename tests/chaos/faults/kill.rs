//! `kill -9` of one process, at a moment that the count of requests decides.

use std::sync::Arc;

use async_trait::async_trait;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::Fault;
use crate::chaos::plan::{Database, Shape, Wants};
use crate::chaos::world::World;
use crate::chaos::world::service::{Role, Service, children};

const PARTS: Wants = Wants { shape: Some(Shape::Parts), database: None, import: false };

fn one_of(world: &World, role: Role, random: &mut ChaCha8Rng) -> Option<Arc<Service>> {
    world.of(role).choose(random).map(|service| Arc::clone(service))
}

/// One of the recorders.
#[derive(Debug)]
pub struct Recorder;

#[async_trait]
impl Fault for Recorder {
    fn name(&self) -> &'static str {
        "kill-recorder"
    }
    fn about(&self) -> &'static str {
        "kill -9 of a recorder, which is started again"
    }
    fn wants(&self) -> Wants {
        PARTS
    }
    fn times(&self) -> u32 {
        3
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        one_of(world, Role::Recorder, random).inspect(|service| _ = service.signal(Signal::SIGKILL));
    }
}

/// One of the projectors.
#[derive(Debug)]
pub struct Projector;

#[async_trait]
impl Fault for Projector {
    fn name(&self) -> &'static str {
        "kill-projector"
    }
    fn about(&self) -> &'static str {
        "kill -9 of a projector, or of both at once"
    }
    fn wants(&self) -> Wants {
        PARTS
    }
    fn times(&self) -> u32 {
        3
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let both = random.random_bool(0.5);
        for service in world.of(Role::Projector) {
            if both || random.random_bool(0.5) {
                service.signal(Signal::SIGKILL);
            }
        }
    }
}

/// The query server.
#[derive(Debug)]
pub struct Query;

#[async_trait]
impl Fault for Query {
    fn name(&self) -> &'static str {
        "kill-query"
    }
    fn about(&self) -> &'static str {
        "kill -9 of the query server"
    }
    fn wants(&self) -> Wants {
        PARTS
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        one_of(world, Role::Query, random).inspect(|service| _ = service.signal(Signal::SIGKILL));
    }
}

/// A whole ledger in one process tree.
#[derive(Debug)]
pub struct WholeLedger;

#[async_trait]
impl Fault for WholeLedger {
    fn name(&self) -> &'static str {
        "kill-up"
    }
    fn about(&self) -> &'static str {
        "kill -9 of `rollbook up`: the program alone, its nats-server alone, or both; or told to end"
    }
    fn wants(&self) -> Wants {
        Wants { shape: Some(Shape::Up), ..Wants::default() }
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let Some(up) = one_of(world, Role::Up, random) else { return };
        match random.random_range(0..4) {
            0 => up.kill_tree(),
            1 => _ = up.signal(Signal::SIGKILL),
            2 => _ = up.signal(Signal::SIGTERM),
            _ => _ = world.nats_id().map(|id| kill(Pid::from_raw(id), Signal::SIGKILL)),
        }
    }
}

/// The log's server.
#[derive(Debug)]
pub struct Nats;

#[async_trait]
impl Fault for Nats {
    fn name(&self) -> &'static str {
        "kill-nats"
    }
    fn about(&self) -> &'static str {
        "kill -9 of nats-server, which is started again on its store"
    }
    fn wants(&self) -> Wants {
        PARTS
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        one_of(world, Role::Nats, random).inspect(|service| _ = service.signal(Signal::SIGKILL));
    }
}

/// The views' server.
#[derive(Debug)]
pub struct Postgres;

#[async_trait]
impl Fault for Postgres {
    fn name(&self) -> &'static str {
        "kill-postgres"
    }
    fn about(&self) -> &'static str {
        "kill -9 of PostgreSQL, its immediate shutdown, or kill -9 of one of its backends"
    }
    fn wants(&self) -> Wants {
        Wants { database: Some(Database::Postgres), ..Wants::default() }
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let Some(server) = one_of(world, Role::Postgres, random) else { return };
        match random.random_range(0..3) {
            0 => server.kill_tree(),
            1 => _ = server.signal(Signal::SIGQUIT),
            _ => {
                let backends = server.id().map(children).unwrap_or_default();
                _ = backends.last().map(|id| kill(Pid::from_raw(*id), Signal::SIGKILL));
            }
        }
    }
}
