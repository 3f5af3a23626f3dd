//! Storage that loses power: the disk under the log and the views forgets what was not flushed, and every process dies.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::Fault;
use crate::chaos::plan::{Database, Shape, Wants};
use crate::chaos::tools::loop_fs::{Kind, LoopFs};
use crate::chaos::tools::strace::{Flush, Strace};
use crate::chaos::tools::wait_for;
use crate::chaos::world::{Setup, World};

/// The image is sparse, so that its size costs nothing.
const MEGABYTES: u64 = 512;
/// How long killed processes may hold the disk.
const GONE: Duration = Duration::from_secs(20);

/// Puts the stores on a disk whose power can be cut.
pub fn on_its_own_disk(setup: &mut Setup) {
    if setup.disk.is_some() {
        return;
    }
    let disk = LoopFs::make(&setup.dir, MEGABYTES, Kind::Ext4).unwrap();
    setup.stores = disk.path().to_owned();
    setup.disk = Some(Mutex::new(disk));
    // The guards' usual measure is more than this disk has.
    setup.environment.push(("ROLLBOOK_LEAST_FREE".to_owned(), "16MB".to_owned()));
    setup.environment.push(("ROLLBOOK_LEAST_FREE_PERCENT".to_owned(), "0".to_owned()));
}

/// The power fails and comes back: all processes end at once, and start on what the disk still has. In one go, without a
/// point where a run that ends could leave it half done.
pub fn fail(world: &World) {
    let Some(disk) = &world.setup.disk else { return };
    let mut disk = disk.lock().unwrap();
    tokio::task::block_in_place(|| {
        for service in &world.services {
            service.unwant();
        }
        world.history.power_is_cut();
        disk.cut_power().unwrap();
        for service in &world.services {
            service.kill_tree();
        }
        let ended = wait_for("the end of every process", GONE, || {
            world.services.iter().for_each(|service| service.look_after());
            world.services.iter().all(|service| service.id().is_none()).then_some(())
        });
        ended.unwrap();
        disk.back().unwrap();
        for service in &world.services {
            service.want();
        }
    });
}

/// The power fails.
#[derive(Debug)]
pub struct PowerLoss;

#[async_trait]
impl Fault for PowerLoss {
    fn name(&self) -> &'static str {
        "power-loss"
    }
    fn about(&self) -> &'static str {
        "the disk under log and views loses what was not flushed, and every process dies"
    }
    fn wants(&self) -> Wants {
        Wants { database: Some(Database::Sqlite), ..Wants::default() }
    }
    fn lacks(&self) -> Option<String> {
        LoopFs::possible().err().map(str::to_owned)
    }
    fn prepare(&self, setup: &mut Setup) {
        on_its_own_disk(setup);
    }
    async fn strike(&self, world: &Arc<World>, _random: &mut ChaCha8Rng) {
        fail(world);
    }
}

/// The disk refuses to flush what the log's server has written; then the power fails, so that whatever was acknowledged all
/// the same is seen to be gone.
#[derive(Debug)]
pub struct FlushRefused;

#[async_trait]
impl Fault for FlushRefused {
    fn name(&self) -> &'static str {
        "flush-refused"
    }
    fn about(&self) -> &'static str {
        "fsync of nats-server fails with EIO, once or from now on; then the power fails"
    }
    fn wants(&self) -> Wants {
        Wants { database: Some(Database::Sqlite), ..Wants::default() }
    }
    fn lacks(&self) -> Option<String> {
        LoopFs::possible().and_then(|()| Strace::possible()).err().map(str::to_owned)
    }
    fn prepare(&self, setup: &mut Setup) {
        on_its_own_disk(setup);
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let flush = if random.random_bool(0.5) { Flush::Fails } else { Flush::FailsOnce };
        let Some(id) = world.nats_id().and_then(|id| u32::try_from(id).ok()) else { return };
        // A server that another fault has just killed has nothing to flush.
        let Ok(strace) = tokio::task::block_in_place(|| Strace::attach(id, flush)) else { return };
        tokio::time::sleep(Duration::from_millis(random.random_range(100..1_500))).await;
        fail_under(world, strace);
    }
}

/// The disk says that it has flushed, and has not; then the power fails. Nothing can survive that: it is planted, to see that
/// the checkers see it, and stands in no plan.
#[derive(Debug)]
pub struct FlushLies;

#[async_trait]
impl Fault for FlushLies {
    fn name(&self) -> &'static str {
        "planted-lying-flush"
    }
    fn about(&self) -> &'static str {
        "planted: fsync of nats-server does nothing and says that it did; then the power fails"
    }
    fn wants(&self) -> Wants {
        Wants { shape: Some(Shape::Parts), database: Some(Database::Sqlite), ..Wants::default() }
    }
    fn destroys(&self) -> bool {
        true
    }
    fn lacks(&self) -> Option<String> {
        FlushRefused.lacks()
    }
    fn prepare(&self, setup: &mut Setup) {
        on_its_own_disk(setup);
    }
    async fn strike(&self, world: &Arc<World>, _random: &mut ChaCha8Rng) {
        let Some(id) = world.nats_id().and_then(|id| u32::try_from(id).ok()) else { return };
        let Ok(strace) = tokio::task::block_in_place(|| Strace::attach(id, Flush::Lies)) else { return };
        let recorded = world.history.seen();
        // Until clients were told of events that no disk has.
        _ = world.until(Duration::from_secs(10), |world| world.history.seen() > recorded + 3).await;
        fail_under(world, strace);
    }
}

/// The power fails while strace holds the server: it is let go only when it is dead, or it would flush after all.
fn fail_under(world: &World, strace: Strace) {
    if let Some(disk) = &world.setup.disk {
        world.history.power_is_cut();
        disk.lock().unwrap().cut_power().unwrap();
    }
    drop(strace);
    fail(world);
}
