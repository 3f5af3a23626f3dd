//! Somebody changes what the promises rest on: a setting of a stream, a stream itself, or the whole store for an older copy of
//! it. Nothing may be acknowledged on top of it, and health must name it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use async_trait::async_trait;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::Fault;
use crate::chaos::check::Violation;
use crate::chaos::history::Outcome;
use crate::chaos::plan::{Database, Shape, Wants};
use crate::chaos::tools::copy_folder;
use crate::chaos::world::service::Role;
use crate::chaos::world::{Setup, World};

/// How often the guards look in these runs, so that nobody waits a minute.
const CHECK_EVERY: &str = "2s";
/// How soon they must have seen it.
const SEEN: Duration = Duration::from_secs(12);

const PARTS: Wants = Wants { shape: Some(Shape::Parts), database: Some(Database::Sqlite), import: false };

/// Waits until every recorder refuses to record and is not ready, with a cause that names what is wrong.
async fn refused(world: &World, named: &[&str]) -> Vec<Violation> {
    world.heal();
    let begun = Instant::now();
    let mut violations = Vec::new();
    for recorder in world.of(Role::Recorder) {
        let mut seen = false;
        while !seen && begun.elapsed() < SEEN {
            let answer = world.api.get(recorder, "/readyz", "application/json", Duration::from_secs(3)).await;
            // A recorder that refuses to run at all says why in its log.
            let said = if recorder.address().is_some() { answer.body.clone() } else { world.last_words(recorder) };
            seen = !answer.is_ok() && named.iter().any(|word| said.contains(word));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if !seen {
            let what = format!("{} does not tell of {named:?} after {} s", recorder.name, SEEN.as_secs());
            violations.push(Violation::new("I14", what));
        }
        let event = json!({ "kind": "member_looked_up", "member": "0b0b0b0b-0b0b-8b0b-8b0b-00000000da3a", "plan": "la-care",
            "county": "los-angeles", "occurred_at": "2024-02-01", "data": { "system": "hmis" } });
        let answer = world.api.post(recorder, "/v1/events", event.to_string(), Duration::from_secs(10)).await;
        if answer.outcome == Outcome::Ok {
            violations.push(Violation::new("I14", format!("{} acknowledged an event on top of it", recorder.name)));
        }
    }
    violations
}

/// An administrator sets an age limit on a stream: the server would delete what is older.
#[derive(Debug)]
pub struct SettingDrifts;

#[async_trait]
impl Fault for SettingDrifts {
    fn name(&self) -> &'static str {
        "setting-drifts"
    }
    fn about(&self) -> &'static str {
        "an administrator sets max_age on a stream; recording must stop, naming it, and go on once it is set back"
    }
    fn wants(&self) -> Wants {
        PARTS
    }
    fn destroys(&self) -> bool {
        true
    }
    fn prepare(&self, setup: &mut Setup) {
        setup.arguments.extend(["--check-every".to_owned(), CHECK_EVERY.to_owned()]);
    }
    async fn strike(&self, world: &Arc<World>, _random: &mut ChaCha8Rng) {
        set_age(world, Duration::from_secs(86_400 * 365)).await;
    }
    async fn judge(&self, world: &Arc<World>) -> Option<Vec<Violation>> {
        let mut violations = refused(world, &["max_age"]).await;
        set_age(world, Duration::ZERO).await;
        violations.extend(crate::chaos::run::heal(world).await);
        Some(violations)
    }
}

async fn set_age(world: &World, age: Duration) {
    let Some(client) = world.nats().await else { return };
    let context = jetstream::new(client);
    let Ok(stream) = context.get_stream("INTAKE").await else { return };
    let mut config = stream.cached_info().config.clone();
    config.max_age = age;
    context.update_stream(config).await.unwrap();
}

/// An administrator deletes a stream.
#[derive(Debug)]
pub struct StreamDeleted;

#[async_trait]
impl Fault for StreamDeleted {
    fn name(&self) -> &'static str {
        "stream-deleted"
    }
    fn about(&self) -> &'static str {
        "an administrator deletes the stream of events; nothing may be acknowledged after it"
    }
    fn wants(&self) -> Wants {
        PARTS
    }
    fn destroys(&self) -> bool {
        true
    }
    fn prepare(&self, setup: &mut Setup) {
        setup.arguments.extend(["--check-every".to_owned(), CHECK_EVERY.to_owned()]);
    }
    async fn strike(&self, world: &Arc<World>, _random: &mut ChaCha8Rng) {
        let Some(client) = world.nats().await else { return };
        _ = jetstream::new(client).delete_stream("ENROLLMENT").await;
    }
    async fn judge(&self, world: &Arc<World>) -> Option<Vec<Violation>> {
        Some(refused(world, &["ENROLLMENT", "enrollment"]).await)
    }
}

/// The store is put back to an older copy of itself, as a restored backup would be.
#[derive(Debug)]
pub struct StoreGoesBack;

#[async_trait]
impl Fault for StoreGoesBack {
    fn name(&self) -> &'static str {
        "store-goes-back"
    }
    fn about(&self) -> &'static str {
        "the store of the log is put back to an older copy, shorter than what was acknowledged"
    }
    fn wants(&self) -> Wants {
        PARTS
    }
    fn destroys(&self) -> bool {
        true
    }
    fn prepare(&self, setup: &mut Setup) {
        setup.arguments.extend(["--check-every".to_owned(), CHECK_EVERY.to_owned()]);
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let older = world.setup.dir.join("older");
        let store = world.nats_store();
        stopped(world, |_| copy_folder(&store, &older));
        let recorded = world.history.seen() + random.random_range(5..30);
        _ = world.until(Duration::from_secs(15), |world| world.history.seen() > recorded).await;
        stopped(world, |_| {
            std::fs::remove_dir_all(&store)?;
            copy_folder(&older, &store)
        });
    }
    async fn judge(&self, world: &Arc<World>) -> Option<Vec<Violation>> {
        Some(refused(world, &["ends at", "was acknowledged", "acknowledged"]).await)
    }
}

/// Does something to the store while its server is away.
fn stopped(world: &World, work: impl FnOnce(&World) -> anyhow::Result<()>) {
    let Some(nats) = world.of(Role::Nats).first().copied().cloned() else { return };
    tokio::task::block_in_place(|| {
        nats.unwant();
        nats.kill_tree();
        let gone = crate::chaos::tools::wait_for("the end of nats-server", Duration::from_secs(10), || {
            nats.look_after();
            nats.id().is_none().then_some(())
        });
        gone.unwrap();
        work(world).unwrap();
        nats.want();
    });
}
