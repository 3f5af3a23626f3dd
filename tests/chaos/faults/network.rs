//! Bad networks between rollbook and its servers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::Fault;
use crate::chaos::plan::{Database, Shape, Wants};
use crate::chaos::world::World;
use crate::chaos::world::proxy::{Proxy, Weather};

const TO_NATS: Wants = Wants { shape: Some(Shape::Parts), database: None, import: false };

/// Some foul weather, and how long it lasts.
async fn foul(world: &World, network: Option<&Proxy>, random: &mut ChaCha8Rng) {
    let Some(network) = network else { return };
    let weather = match random.random_range(0..6) {
        0 => Weather::Slow { wait: random.random_range(1..60), jitter: random.random_range(0..80) },
        1 => Weather::Slow { wait: random.random_range(400..2_000), jitter: 0 },
        2 => Weather::Trickle { bytes: random.random_range(1..40) },
        3 => Weather::HalfOpen { to_server: true },
        4 => Weather::HalfOpen { to_server: false },
        _ => Weather::Cut,
    };
    world.history.say("network", &format!("{weather:?}"));
    network.weather(weather);
    tokio::time::sleep(Duration::from_millis(random.random_range(300..2_500))).await;
    network.heal();
}

/// Between rollbook and nats-server.
#[derive(Debug)]
pub struct ToNats;

#[async_trait]
impl Fault for ToNats {
    fn name(&self) -> &'static str {
        "network-nats"
    }
    fn about(&self) -> &'static str {
        "the network to nats-server delays, trickles, swallows one direction, or is cut"
    }
    fn wants(&self) -> Wants {
        TO_NATS
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        foul(world, world.nats_network.as_ref(), random).await;
    }
}

/// Between rollbook and PostgreSQL.
#[derive(Debug)]
pub struct ToPostgres;

#[async_trait]
impl Fault for ToPostgres {
    fn name(&self) -> &'static str {
        "network-postgres"
    }
    fn about(&self) -> &'static str {
        "the network to PostgreSQL delays, trickles, swallows one direction, or is cut"
    }
    fn wants(&self) -> Wants {
        Wants { database: Some(Database::Postgres), ..Wants::default() }
    }
    fn times(&self) -> u32 {
        2
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        foul(world, world.database_network.as_ref(), random).await;
    }
}

/// The answer alone is lost.
#[derive(Debug)]
pub struct AckLost;

#[async_trait]
impl Fault for AckLost {
    fn name(&self) -> &'static str {
        "ack-lost"
    }
    fn about(&self) -> &'static str {
        "nats-server stores a message and the connection is reset before its acknowledgement, several times"
    }
    fn wants(&self) -> Wants {
        TO_NATS
    }
    fn times(&self) -> u32 {
        3
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        if let Some(network) = &world.nats_network {
            network.weather(Weather::AckLost { times: random.random_range(1..4) });
        }
    }
}
