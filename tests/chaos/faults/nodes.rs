//! Three nodes keep the log, and the one that leads is lost, stands still, or all go one after another.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nix::sys::signal::Signal;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::Fault;
use crate::chaos::plan::{Database, Shape, Wants};
use crate::chaos::world::service::Role;
use crate::chaos::world::{Setup, World};

const PARTS: Wants = Wants { shape: Some(Shape::Parts), database: Some(Database::Sqlite), import: false };

/// The leader is killed.
#[derive(Debug)]
pub struct LeaderKilled;

#[async_trait]
impl Fault for LeaderKilled {
    fn name(&self) -> &'static str {
        "kill-leader"
    }
    fn about(&self) -> &'static str {
        "of three nodes, kill -9 of the one that leads the stream of events"
    }
    fn wants(&self) -> Wants {
        PARTS
    }
    fn times(&self) -> u32 {
        2
    }
    fn prepare(&self, setup: &mut Setup) {
        setup.nodes = true;
    }
    async fn strike(&self, world: &Arc<World>, _random: &mut ChaCha8Rng) {
        world.leader().await.inspect(|node| _ = node.signal(Signal::SIGKILL));
    }
}

/// The leader stands still for a while, and then goes on as if it still led.
#[derive(Debug)]
pub struct LeaderPaused;

#[async_trait]
impl Fault for LeaderPaused {
    fn name(&self) -> &'static str {
        "pause-leader"
    }
    fn about(&self) -> &'static str {
        "of three nodes, the one that leads stands still for 1 to 8 seconds"
    }
    fn wants(&self) -> Wants {
        PARTS
    }
    fn prepare(&self, setup: &mut Setup) {
        setup.nodes = true;
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let Some(node) = world.leader().await else { return };
        node.signal(Signal::SIGSTOP);
        // Where the run ends meanwhile, the healing lets it go on.
        tokio::time::sleep(Duration::from_millis(random.random_range(1_000..8_000))).await;
        node.signal(Signal::SIGCONT);
    }
}

/// Each node is killed in turn, as in a hasty upgrade.
#[derive(Debug)]
pub struct NodesRoll;

#[async_trait]
impl Fault for NodesRoll {
    fn name(&self) -> &'static str {
        "roll-nodes"
    }
    fn about(&self) -> &'static str {
        "of three nodes, each is killed in turn as soon as the one before is back"
    }
    fn wants(&self) -> Wants {
        PARTS
    }
    fn prepare(&self, setup: &mut Setup) {
        setup.nodes = true;
    }
    async fn strike(&self, world: &Arc<World>, _random: &mut ChaCha8Rng) {
        for node in world.of(Role::Nats) {
            node.signal(Signal::SIGKILL);
            let starts = node.starts();
            _ = world.until(Duration::from_secs(10), |_| node.starts() > starts && node.address().is_some()).await;
        }
    }
}
