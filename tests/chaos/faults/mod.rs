//! What goes wrong: one file a kind of fault, all in one list.

pub mod clock;
pub mod deliveries;
pub mod drift;
pub mod failpoints;
pub mod full_disk;
pub mod kill;
pub mod network;
pub mod nodes;
pub mod pause;
pub mod power;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::check::Violation;
use super::plan::Wants;
use super::world::{Setup, World};

/// Every fault; the order is part of what a seed means, so that new ones come last.
pub const ALL: &[&dyn Fault] = &[
    &kill::Recorder,
    &kill::Projector,
    &kill::Query,
    &kill::WholeLedger,
    &kill::Nats,
    &kill::Postgres,
    &failpoints::Recording,
    &failpoints::Projecting,
    &failpoints::Importing,
    &failpoints::Starting,
    &pause::Anyone,
    &pause::StaleProjector,
    &pause::StaleRecorder,
    &network::ToNats,
    &network::ToPostgres,
    &network::AckLost,
    &clock::Jump,
    &deliveries::Late,
    &deliveries::SameFile,
    &deliveries::KilledImport,
    &deliveries::RollingRestart,
    &clock::Ahead,
    &power::PowerLoss,
    &power::FlushRefused,
    &full_disk::FullDisk,
    &nodes::LeaderKilled,
    &nodes::LeaderPaused,
    &nodes::NodesRoll,
    &drift::SettingDrifts,
    &drift::StreamDeleted,
    &drift::StoreGoesBack,
    &failpoints::Publishing,
];

/// What nothing can survive, planted to see that the checkers see it; in no plan but by its name.
pub const PLANTED: &[&dyn Fault] = &[&power::FlushLies];

/// Something that goes wrong.
#[async_trait]
pub trait Fault: Send + Sync + Debug {
    /// Its name, as in `kill-recorder`.
    fn name(&self) -> &'static str;

    /// What it does, in a sentence.
    fn about(&self) -> &'static str;

    /// What it needs of a run.
    fn wants(&self) -> Wants {
        Wants::default()
    }

    /// How often it strikes in a run.
    fn times(&self) -> u32 {
        1
    }

    /// Whether it destroys what no healing brings back; it then judges the run itself and stands in no mixture.
    fn destroys(&self) -> bool {
        false
    }

    /// What this machine lacks for it.
    fn lacks(&self) -> Option<String> {
        None
    }

    /// Before anything is started.
    fn prepare(&self, _setup: &mut Setup) {}

    /// It happens. What it leaves behind is mended by [`World::heal`].
    async fn strike(&self, world: &Arc<World>, random: &mut ChaCha8Rng);

    /// Judges the run in place of the healing and the usual checks, where those cannot be asked for.
    async fn judge(&self, _world: &Arc<World>) -> Option<Vec<Violation>> {
        None
    }
}

/// The fault of a name.
pub fn find(name: &str) -> Option<&'static dyn Fault> {
    ALL.iter().chain(PLANTED).copied().find(|fault| fault.name() == name)
}

/// Strikes as planned, each when so many requests have begun; never ends by itself.
pub async fn strike(world: &Arc<World>) {
    let mut requests = world.history.requests();
    let mut striking = tokio::task::JoinSet::new();
    for strike in &world.setup.plan.strikes {
        if requests.wait_for(|count| *count >= strike.at).await.is_err() {
            break;
        }
        let Some(fault) = find(&strike.fault) else { continue };
        let mut random = ChaCha8Rng::seed_from_u64(u64::from(strike.choices));
        let world = world.clone();
        striking.spawn(async move {
            world.history.say(fault.name(), "strikes");
            fault.strike(&world, &mut random).await;
        });
    }
    while striking.join_next().await.is_some() {}
    std::future::pending().await
}
