//! What clients and files do to a ledger without anybody being at fault: late, twice, in another order, at once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nix::sys::signal::Signal;
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::Fault;
use crate::chaos::history::What;
use crate::chaos::plan::{Shape, Wants};
use crate::chaos::workload::submissions::Operation;
use crate::chaos::workload::{client, import};
use crate::chaos::world::World;

/// The client that delivers late.
const LATE: u32 = 210;

/// Requests of the past, once more.
#[derive(Debug)]
pub struct Late;

#[async_trait]
impl Fault for Late {
    fn name(&self) -> &'static str {
        "late-deliveries"
    }
    fn about(&self) -> &'static str {
        "requests that were made, acknowledged or not, come again in another order, several at once, to either recorder"
    }
    fn times(&self) -> u32 {
        3
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let mut past: Vec<Operation> = Vec::new();
        for record in world.history.records() {
            let What::Submit { sent, sound, .. } = record.what else { continue };
            let submissions: Vec<Value> = sent.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
            // What has no id of its own would rightly be recorded again.
            if submissions.iter().all(|submission| submission["id"].is_string()) {
                past.push(Operation { array: submissions.len() > 1, submissions, sound, patience: 0 });
            }
        }
        past.shuffle(random);
        past.truncate(random.random_range(8..24));
        let mut sending = tokio::task::JoinSet::new();
        for (turn, operation) in (0..).zip(past) {
            let world = world.clone();
            sending.spawn(async move {
                client::submit(&world, LATE, turn, &operation, client::PATIENCE).await;
            });
            if turn % 4 == 3 {
                while sending.join_next().await.is_some() {}
            }
        }
        while sending.join_next().await.is_some() {}
    }
}

/// The same file at once, several times, at every recorder.
#[derive(Debug)]
pub struct SameFile;

#[async_trait]
impl Fault for SameFile {
    fn name(&self) -> &'static str {
        "same-file"
    }
    fn about(&self) -> &'static str {
        "the same file is imported several times at once, at every recorder"
    }
    fn wants(&self) -> Wants {
        Wants { import: true, ..Wants::default() }
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let file = Arc::new(import::file(&world.setup.plan));
        let mut sending = tokio::task::JoinSet::new();
        for turn in 0..random.random_range(2..5) {
            let (world, file) = (world.clone(), file.clone());
            sending.spawn(async move { import::send(&world, &file, turn, Duration::from_secs(6)).await });
        }
        while sending.join_next().await.is_some() {}
    }
}

/// An import that is killed anywhere.
#[derive(Debug)]
pub struct KilledImport;

#[async_trait]
impl Fault for KilledImport {
    fn name(&self) -> &'static str {
        "kill-import"
    }
    fn about(&self) -> &'static str {
        "whoever imports a file is killed at a drawn number of events, and the file is sent again"
    }
    fn wants(&self) -> Wants {
        Wants { import: true, ..Wants::default() }
    }
    fn times(&self) -> u32 {
        3
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let from = world.history.seen();
        let more = random.random_range(1..40);
        world.until(Duration::from_secs(3), |world| world.history.seen() > from + more).await;
        let recorders = world.recorders();
        let Some(service) = recorders.choose(random) else { return };
        if world.setup.plan.shape == Shape::Up && random.random_bool(0.5) {
            service.kill_tree();
        } else {
            service.signal(Signal::SIGKILL);
        }
    }
}

/// An operator who restarts everything in turn.
#[derive(Debug)]
pub struct RollingRestart;

#[async_trait]
impl Fault for RollingRestart {
    fn name(&self) -> &'static str {
        "rolling-restart"
    }
    fn about(&self) -> &'static str {
        "every rollbook is told to end and started again, one after another, under load"
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let mut all: Vec<_> = world.rollbooks().into_iter().cloned().collect();
        all.shuffle(random);
        for service in all {
            let starts = service.starts();
            service.signal(Signal::SIGTERM);
            let again = |_: &World| service.starts() > starts && service.address().is_some();
            world.until(Duration::from_secs(12), again).await;
        }
    }
}
