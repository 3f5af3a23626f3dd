//! The views made anew: a projector of its own on the same log, into an empty SQLite database.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::World;
use super::service::Service;
use crate::chaos::evidence::NoEvidence;

const PATIENCE: Duration = Duration::from_secs(60);

/// Every view at a position, as an untroubled projector makes it.
///
/// # Errors
/// Where it does not come so far, or does not answer.
pub async fn dumps(world: &World, head: u64, names: &[String]) -> Result<BTreeMap<String, String>, NoEvidence> {
    let none = |what: &str| NoEvidence(format!("the views could not be made anew: {what}"));
    let (nats, token) = world.nats_access().ok_or_else(|| none("the log's server does not answer"))?;
    let projector = super::parts::rebuilder(&world.setup, &nats, &token);
    let begun = Instant::now();
    while projector.address().is_none() {
        if begun.elapsed() > PATIENCE {
            return Err(none("the projector does not answer"));
        }
        projector.look_after();
        tokio::time::sleep(super::LOOK_EVERY).await;
    }
    // A ledger's token is that of its data folder.
    let made = wait_and_dump(world, &projector, head, names).await;
    projector.unwant();
    made.map_err(|what| none(&what))
}

async fn wait_and_dump(
    world: &World,
    projector: &Service,
    head: u64,
    names: &[String],
) -> Result<BTreeMap<String, String>, String> {
    let begun = Instant::now();
    loop {
        let path = format!("/v1/events?limit=1&at_least={head}&wait_ms=5000");
        if world.api.get(projector, &path, "application/json", PATIENCE).await.is_ok() {
            break;
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("it does not reach position {head}"));
        }
    }
    let mut views = BTreeMap::new();
    for name in names {
        let path = format!("/v1/views/{name}?known_at={head}");
        let answer = world.api.get(projector, &path, "application/x-ndjson", PATIENCE).await;
        if !answer.is_ok() {
            return Err(format!("{path}: {:?}", answer.problem));
        }
        views.insert(name.clone(), answer.body);
    }
    Ok(views)
}
