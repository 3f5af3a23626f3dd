//! A disk that fills up under the log and the views, and is emptied again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::Fault;
use crate::chaos::check::Violation;
use crate::chaos::plan::{Database, Wants};
use crate::chaos::tools::ballast::{Ballast, SmallDisk};
use crate::chaos::world::{Setup, World};

/// What the disk has, and what must stay free on it.
const MEGABYTES: u64 = 256;
const LEAST_MEGABYTES: u64 = 64;
/// How soon the guards must have seen it: they look every five seconds.
const SEEN: Duration = Duration::from_secs(10);

/// The disk is full but for less than must stay free.
#[derive(Debug)]
pub struct FullDisk;

#[async_trait]
impl Fault for FullDisk {
    fn name(&self) -> &'static str {
        "full-disk"
    }
    fn about(&self) -> &'static str {
        "the disk under log and views fills up to less than must stay free; recording must stop, and go on when there is room"
    }
    fn wants(&self) -> Wants {
        Wants { database: Some(Database::Sqlite), ..Wants::default() }
    }
    fn lacks(&self) -> Option<String> {
        let tried = tempfile::tempdir().ok().and_then(|folder| SmallDisk::mount(&folder.path().join("disk"), 1).ok());
        tried.is_none().then(|| "no file system in memory can be mounted here".to_owned())
    }
    fn prepare(&self, setup: &mut Setup) {
        // Where another fault has put the stores on a disk of their own, that one fills up.
        if setup.disk.is_none() && setup.small_disk.is_none() {
            let disk = SmallDisk::mount(&setup.dir.join("small"), MEGABYTES).unwrap();
            setup.stores = disk.path().to_owned();
            setup.small_disk = Some(disk);
        }
        setup.environment.retain(|(name, _)| !name.starts_with("ROLLBOOK_LEAST_FREE"));
        setup.environment.push(("ROLLBOOK_LEAST_FREE".to_owned(), format!("{LEAST_MEGABYTES}MB")));
        setup.environment.push(("ROLLBOOK_LEAST_FREE_PERCENT".to_owned(), "0".to_owned()));
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        // Well below the measure, and far from the end: recording must stop before it is reached.
        let left = random.random_range(LEAST_MEGABYTES / 4..LEAST_MEGABYTES / 2) * 1_024 * 1_024;
        let stores = world.setup.stores.clone();
        let Ok(ballast) = tokio::task::block_in_place(|| Ballast::leaving(&stores, left)) else { return };
        let begun = Instant::now();
        let mut open = true;
        while open && begun.elapsed() < SEEN {
            open = false;
            for recorder in world.recorders() {
                let answer = world.api.get(recorder, "/readyz", "application/json", Duration::from_secs(3)).await;
                // One that does not run at this moment looks at the disk before it records.
                open |= answer.is_ok();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if open {
            let what = format!("a recorder is still ready {} s after its disk was full", SEEN.as_secs());
            world.history.accuse(Violation::new("I14", what));
        }
        drop(ballast);
    }
}
