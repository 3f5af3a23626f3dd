//! What clients do during a run.

pub mod client;
pub mod import;
pub mod read;
pub mod submissions;

use std::sync::Arc;
use std::time::Duration;

use super::world::World;

/// Past it clients stop, however much they had in mind.
const LONGEST: Duration = Duration::from_secs(25);

/// Runs every client, the readers and the import, until all are done or the time is up.
pub async fn run(world: &Arc<World>) {
    let plan = &world.setup.plan;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..plan.clients {
        tasks.spawn(client::run(world.clone(), number));
    }
    for number in 0..2 {
        tasks.spawn(read::run(world.clone(), number));
    }
    if plan.rows > 0 {
        tasks.spawn(import::run(world.clone()));
    }
    _ = tokio::time::timeout(LONGEST, async { while tasks.join_next().await.is_some() {} }).await;
    tasks.abort_all();
    while tasks.join_next().await.is_some() {}
}
