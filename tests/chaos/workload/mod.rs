//! What clients do during a run.

pub mod client;
pub mod import;
pub mod read;
pub mod submissions;

use std::sync::Arc;

use super::world::World;

/// Microseconds of a run, past which clients begin nothing new, however much they had in mind.
const LONGEST: u64 = 20_000_000;

/// Whether clients are to stop.
pub fn over(world: &World) -> bool {
    world.history.now() > LONGEST
}

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
    // Nobody is cut off in the middle of a request, whose end would then stand in no history.
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}
