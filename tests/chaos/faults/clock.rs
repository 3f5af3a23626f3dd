//! Clocks that jump. Those of nats-server cannot be moved, and are trusted by nobody.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::Fault;
use crate::chaos::check::Violation;
use crate::chaos::history::Outcome;
use crate::chaos::workload::client::{self, PATIENCE};
use crate::chaos::workload::submissions::{Author, Operation};
use crate::chaos::world::{Setup, World, faketime};

/// Seconds that a clock is moved by. What was recorded by a clock that ran far ahead forbids recording until the true time
/// has come there, which is [`Ahead`]'s.
const JUMPS: [i64; 6] = [-86_400, -3_600, -60, -2, 2, 4];

/// The clocks of rollbook's own processes.
#[derive(Debug)]
pub struct Jump;

#[async_trait]
impl Fault for Jump {
    fn name(&self) -> &'static str {
        "clock"
    }
    fn about(&self) -> &'static str {
        "the clock of a rollbook falls by seconds to a day, or jumps ahead a little, and comes back; sometimes across a restart"
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

/// A clock that ran an hour ahead, and was set right.
#[derive(Debug)]
pub struct Ahead;

const HOUR: i64 = 3_600;
/// The number of the client that tries.
const CLIENT: u32 = 220;

#[async_trait]
impl Fault for Ahead {
    fn name(&self) -> &'static str {
        "clock-ahead"
    }
    fn about(&self) -> &'static str {
        "clocks run an hour ahead and are set right: nothing may be recorded before the log's last event, and it is told"
    }
    fn destroys(&self) -> bool {
        true
    }
    fn lacks(&self) -> Option<String> {
        Jump.lacks()
    }
    fn prepare(&self, setup: &mut Setup) {
        setup.clocks = true;
    }
    async fn strike(&self, world: &Arc<World>, _random: &mut ChaCha8Rng) {
        for service in world.rollbooks() {
            world.set_clock(service, HOUR);
        }
    }
    async fn judge(&self, world: &Arc<World>) -> Option<Vec<Violation>> {
        let mut wrong = Vec::new();
        // Something is surely recorded by the clock that runs ahead, and the clocks are then set right.
        let mut author = Author::new(world.setup.plan.random(500), world.setup.plan.members);
        let mut submit = async |turn| {
            let operation = Operation { submissions: vec![author.sound()], array: false, sound: true, patience: 6 };
            client::submit(world, CLIENT, turn, &operation, PATIENCE).await
        };
        if submit(0).await != Outcome::Ok {
            wrong.push(Violation::new("I13", "a clock that runs ahead alone stops recording"));
        }
        world.heal();
        for turn in 1..6 {
            if submit(turn).await == Outcome::Ok {
                wrong.push(Violation::new("I14", "an event is acknowledged by a clock that is an hour behind the log"));
            }
        }
        for service in world.recorders() {
            let answer = world.api.get(service, "/readyz", "application/json", PATIENCE).await;
            if answer.status != Some(503) || !answer.body.contains("clock") {
                wrong.push(Violation::new("I14", format!("{} does not tell that its clock is behind", service.name)));
            }
        }
        Some(wrong)
    }
}
