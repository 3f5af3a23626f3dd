//! One client that submits.

use std::sync::Arc;
use std::time::Duration;

use super::submissions::{Author, Operation};
use crate::chaos::history::{Outcome, Receipt, Record, What};
use crate::chaos::world::World;
use crate::chaos::world::api::Answer;

/// How long a client waits for an answer before it asks again.
pub const PATIENCE: Duration = Duration::from_millis(2_500);
const BETWEEN_TRIES: Duration = Duration::from_millis(120);

/// Submits what its author says.
pub async fn run(world: Arc<World>, number: u32) {
    let plan = &world.setup.plan;
    let mut author = Author::new(plan.random(u64::from(number)), plan.members);
    for turn in 0..plan.operations {
        if super::over(&world) {
            return;
        }
        let operation = author.draw();
        submit(&world, number, turn, &operation, PATIENCE).await;
    }
}

/// Makes one request, and again as often as its client has patience for; gives how it ended at last.
pub async fn submit(world: &World, client: u32, turn: u32, operation: &Operation, patience: Duration) -> Outcome {
    let number = world.history.operation();
    let texts: Vec<String> = operation.submissions.iter().map(ToString::to_string).collect();
    let body = if operation.array { format!("[{}]", texts.join(",")) } else { texts[0].clone() };
    let mut last = Outcome::Unknown;
    for again in 0..=operation.patience {
        let recorders = world.recorders();
        let service = recorders[usize::try_from(client + turn + again).unwrap() % recorders.len()];
        world.history.request();
        let begun = world.history.now();
        let answer = world.api.post(service, "/v1/events", body.clone(), patience).await;
        let (outcome, receipts) = receipts(&answer);
        world.history.note(Record {
            operation: number,
            client,
            service: service.name.clone(),
            begun,
            ended: world.history.now(),
            outcome,
            status: answer.status,
            problem: answer.problem.clone(),
            position: receipts.iter().map(|receipt| receipt.position).max(),
            what: What::Submit { sent: texts.clone(), receipts, sound: operation.sound },
        });
        last = outcome;
        let refused_for_good = answer.status.is_some_and(|status| (400..500).contains(&status));
        if outcome == Outcome::Ok || refused_for_good || super::over(world) {
            break;
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    last
}

/// The receipts of an answer; one that cannot be read tells nothing.
fn receipts(answer: &Answer) -> (Outcome, Vec<Receipt>) {
    if !answer.is_ok() {
        return (answer.outcome, Vec::new());
    }
    let value = answer.json();
    let rows = value["data"].as_array().cloned().unwrap_or_default();
    let receipts: Option<Vec<Receipt>> = rows
        .iter()
        .map(|row| {
            Some(Receipt {
                id: row["id"].as_str()?.to_owned(),
                member: row["member"].as_str().map(str::to_owned),
                position: row["position"].as_u64()?,
                known: row["known"].as_bool()?,
            })
        })
        .collect();
    match receipts {
        Some(receipts) if !receipts.is_empty() => (Outcome::Ok, receipts),
        _ => (Outcome::Unknown, Vec::new()),
    }
}
