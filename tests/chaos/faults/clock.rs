//! Clocks that jump. Those of nats-server cannot be moved, and are trusted by nobody.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::Fault;
use crate::chaos::world::{Setup, World, faketime};

/// Seconds that a clock is moved by.
const JUMPS: [i64; 6] = [-3_600, -60, -2, 2, 60, 3_600];

/// The clocks of rollbook's own processes.
#[derive(Debug)]
pub struct Jump;

#[async_trait]
impl Fault for Jump {
    fn name(&self) -> &'static str {
        "clock"
    }
    fn about(&self) -> &'static str {
        "the clock of a rollbook jumps by seconds to an hour, either way, and back; sometimes across a restart"
    }
    fn times(&self) -> u32 {
        2
    }
    fn lacks(&self) -> Option<String> {
        faketime()
            .is_none()
            .then(|| "libfaketime is not installed (Debian, Ubuntu: apt-get install faketime)".to_owned())
    }
    fn prepare(&self, setup: &mut Setup) {
        setup.clocks = true;
    }
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng) {
        let ahead = *JUMPS.choose(random).unwrap();
        let all = random.random_bool(0.5);
        let one = world.rollbooks().choose(random).map(|service| service.name.clone());
        let moved: Vec<_> =
            world.rollbooks().into_iter().filter(|service| all || Some(&service.name) == one.as_ref()).collect();
        for service in &moved {
            world.history.say("clock", &format!("{} is {ahead:+} s", service.name));
            world.set_clock(service, ahead);
        }
        let restart = random.random_bool(0.4);
        tokio::time::sleep(Duration::from_millis(random.random_range(300..1_500))).await;
        for service in &moved {
            if restart {
                service.kill_tree();
            }
            world.set_clock(service, 0);
        }
    }
}
