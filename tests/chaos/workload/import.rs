//! A file of submissions that is imported meanwhile, and sent again until all of it is settled.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rollbook_events::Hash;

use super::submissions::Author;
use crate::chaos::history::{Outcome, Record, What};
use crate::chaos::plan::Plan;
use crate::chaos::world::World;

const BETWEEN_TRIES: Duration = Duration::from_millis(200);
/// How often it is sent while clients submit.
const MOST_TRIES: u32 = 40;
/// The number of the client that imports.
pub const CLIENT: u32 = 200;

/// A file, and what each of its rows must come to.
#[derive(Debug, Clone)]
pub struct File {
    /// As it is sent.
    pub text: String,
    /// Its rows, each a JSON text, and whether it is sound.
    pub rows: Vec<(String, bool)>,
    /// SHA-256 of the bytes.
    pub sha256: String,
}

/// The file of a plan: sound rows, some of them twice, and a few that are wrong.
pub fn file(plan: &Plan) -> File {
    let mut random = plan.random(300);
    let mut author = Author::new(plan.random(301), plan.members);
    let mut rows: Vec<(String, bool)> = Vec::new();
    for _ in 0..plan.rows {
        let row = match random.random_range(0..20) {
            0 => (author.unsound().to_string(), false),
            1 if !rows.is_empty() => rows[random.random_range(0..rows.len())].clone(),
            _ => (author.sound().to_string(), true),
        };
        rows.push(row);
    }
    let text: String = rows.iter().map(|(row, _)| format!("{row}\n")).collect();
    let sha256 = Hash::of(text.as_bytes()).to_string();
    File { text, rows, sha256 }
}

/// Imports the file of the plan, beginning anew where it breaks off.
pub async fn run(world: Arc<World>) {
    let file = file(&world.setup.plan);
    for turn in 0..MOST_TRIES {
        if super::over(&world) || send(&world, &file, turn, Duration::from_secs(6)).await {
            return;
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
}

/// Sends it once; whether all of it is then settled.
pub async fn send(world: &World, file: &File, turn: u32, patience: Duration) -> bool {
    let recorders = world.recorders();
    let service = recorders[usize::try_from(turn).unwrap() % recorders.len()];
    world.history.request();
    let begun = world.history.now();
    let answer = world.api.post(service, "/v1/intake/events?name=chaos.ndjson", file.text.clone(), patience).await;
    let last = answer.body.lines().last().unwrap_or_default();
    let report: serde_json::Value = serde_json::from_str(last).unwrap_or_default();
    let completed = answer.is_ok() && report["state"] == "completed";
    let outcome = match (answer.outcome, completed) {
        (Outcome::Ok, true) => Outcome::Ok,
        (Outcome::Ok, false) => Outcome::Unknown,
        (outcome, _) => outcome,
    };
    world.history.note(Record {
        operation: world.history.operation(),
        client: CLIENT,
        service: service.name.clone(),
        begun,
        ended: world.history.now(),
        outcome,
        status: answer.status,
        problem: answer.problem.or_else(|| report["error"].as_str().map(str::to_owned)),
        position: None,
        what: What::Import { sha256: file.sha256.clone(), completed },
    });
    completed
}
