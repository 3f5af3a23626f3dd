//! What a seed means: the shape of the ledger, the workload, and the faults with the moments they strike at.

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::faults::{self, Fault};

/// How the ledger runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// One `rollbook up`.
    Up,
    /// A nats-server, two recorders, two projectors and a query, each a process of its own.
    Parts,
}

/// Where the views live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Database {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// A fault, when it strikes, and what its own choices are drawn from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strike {
    /// The fault's name.
    pub fault: String,
    /// Requests that clients have begun by then.
    pub at: u64,
    /// The seed of its choices.
    pub choices: u32,
}

/// One run, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The seed it came from, and that the workload is drawn from.
    pub seed: u64,
    /// How the ledger runs.
    pub shape: Shape,
    /// Where the views live.
    pub database: Database,
    /// Clients that submit at once.
    pub clients: u32,
    /// Operations of each.
    pub operations: u32,
    /// Members they speak of.
    pub members: u32,
    /// Rows of the file that is imported meanwhile; none where it is 0.
    pub rows: u32,
    /// What goes wrong, by moment.
    pub strikes: Vec<Strike>,
}

/// What a fault needs of a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wants {
    /// The shape, where only one will do.
    pub shape: Option<Shape>,
    /// The database, where only one will do.
    pub database: Option<Database>,
    /// Whether a file has to be imported.
    pub import: bool,
}

impl Wants {
    /// What both want; none where they cannot both have it.
    fn and(self, other: Self) -> Option<Self> {
        fn one<T: PartialEq>(a: Option<T>, b: Option<T>) -> Option<Option<T>> {
            match (a, b) {
                (Some(a), Some(b)) if a != b => None,
                (a, b) => Some(a.or(b)),
            }
        }
        Some(Self {
            shape: one(self.shape, other.shape)?,
            database: one(self.database, other.database)?,
            import: self.import || other.import,
        })
    }
}

impl Plan {
    /// The plan of a seed; of one fault alone where that is named.
    ///
    /// # Errors
    /// Where no fault has the name.
    pub fn of(seed: u64, only: Option<&str>) -> Result<Self, String> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let chosen = match only {
            Some(name) => vec![faults::find(name).ok_or_else(|| format!("no fault is named {name}; see chaos list"))?],
            None => some_faults(&mut random),
        };
        let mut wants = Wants::default();
        let mut strikes = Vec::new();
        let operations = random.random_range(25..=45);
        let clients = random.random_range(3..=5);
        let most = u64::from(operations * clients);
        for fault in chosen {
            // A mixture holds what can stand together; the first always does.
            let Some(both) = wants.and(fault.wants()) else { continue };
            wants = both;
            for _ in 0..fault.times() {
                let at = random.random_range(most / 20..most * 3 / 4);
                strikes.push(Strike { fault: fault.name().to_owned(), at, choices: random.random() });
            }
        }
        strikes.sort_by_key(|strike| strike.at);
        let shape = if random.random_bool(0.5) { Shape::Up } else { Shape::Parts };
        let database = if random.random_bool(0.6) { Database::Sqlite } else { Database::Postgres };
        let rows = random.random_range(40..160);
        let imports = wants.import || random.random_bool(0.3);
        Ok(Self {
            seed,
            shape: wants.shape.unwrap_or(shape),
            database: wants.database.unwrap_or(database),
            clients,
            operations,
            members: random.random_range(6..=24),
            rows: if imports { rows } else { 0 },
            strikes,
        })
    }

    /// The faults of the plan, each once.
    pub fn faults(&self) -> Vec<&'static dyn Fault> {
        let named = faults::ALL
            .iter()
            .chain(faults::PLANTED)
            .filter(|fault| self.strikes.iter().any(|strike| strike.fault == fault.name()));
        named.copied().collect()
    }

    /// A source of chance of its own for each purpose, so that one draw more here moves nothing there.
    pub fn random(&self, purpose: u64) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(purpose + 1);
        random
    }
}

/// One fault, or a mixture of two or three.
fn some_faults(random: &mut ChaCha8Rng) -> Vec<&'static dyn Fault> {
    let many = *[1, 1, 1, 2, 2, 3].choose(random).unwrap();
    // Those that destroy have an outcome of their own, which no mixture has.
    let mixable: Vec<&'static dyn Fault> = faults::ALL.iter().copied().filter(|fault| !fault.destroys()).collect();
    mixable.choose_multiple(random, many).copied().collect()
}
