//! One client that asks.

use std::sync::Arc;
use std::time::Duration;

use rollbook_events::Hash;

use super::submissions::Author;
use crate::chaos::history::{Outcome, Record, What};
use crate::chaos::world::World;
use crate::chaos::world::service::Service;

const PATIENCE: Duration = Duration::from_secs(4);
const BETWEEN: Duration = Duration::from_millis(25);
const NDJSON: &str = "application/x-ndjson";

/// One question.
#[derive(Debug)]
pub struct Question {
    /// The path.
    pub path: String,
    /// The position asked for.
    pub at_least: Option<u64>,
    /// Whose events; none for everybody's.
    pub member: Option<String>,
}

/// Asks about this and that as long as clients submit.
pub async fn run(world: Arc<World>, number: u32) {
    let plan = &world.setup.plan;
    let mut author = Author::new(plan.random(100 + u64::from(number)), plan.members);
    let client = 100 + number;
    for turn in 0..plan.operations {
        if super::over(&world) {
            return;
        }
        let readers = world.readers();
        let service = readers[usize::try_from(turn).unwrap() % readers.len()];
        let seen = world.history.seen().max(1);
        let member = author.somebody();
        let place = author.number(1_000_000) % seen + 1;
        match author.number(6) {
            0 | 1 => {
                let path = format!("/v1/members/{member}/history?at_least={seen}&wait_ms=1500");
                ask(&world, client, service, Question { path, at_least: Some(seen), member: Some(member) }).await;
            }
            2 => {
                let path = "/v1/events".to_owned();
                ask(&world, client, service, Question { path, at_least: None, member: None }).await;
            }
            3 => {
                let what = ["current_enrollment", "clock", "finding", "notice_determination"]
                    [usize::try_from(author.number(4)).unwrap()];
                past(&world, client, service, format!("/v1/views/{what}?known_at={place}")).await;
            }
            4 => past(&world, client, service, format!("/v1/members/{member}/history?known_at={place}")).await,
            _ => status(&world, client, service).await,
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

async fn past(world: &World, client: u32, service: &Service, path: String) {
    ask(world, client, service, Question { path, at_least: None, member: None }).await;
}

/// Asks for rows, and notes which events they are where they are events.
pub async fn ask(world: &World, client: u32, service: &Service, question: Question) {
    let begun = world.history.now();
    let answer = world.api.get(service, &question.path, NDJSON, PATIENCE).await;
    let events = question.path == "/v1/events" || question.member.is_some();
    let position = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok()?["position"].as_u64();
    let listed = (events && answer.is_ok()).then(|| answer.body.lines().filter_map(position).collect());
    note(world, client, service, begun, &answer, |digest| What::Read {
        path: question.path,
        at_least: question.at_least,
        digest,
        listed,
        member: question.member,
    });
}

async fn status(world: &World, client: u32, service: &Service) {
    let begun = world.history.now();
    let mut answer = world.api.get(service, "/v1/status", "application/json", PATIENCE).await;
    let value = answer.json();
    answer.position = value["data"]["position"].as_u64();
    let head = value["data"]["head"].as_u64().unwrap_or(0);
    note(world, client, service, begun, &answer, |_| What::Status { head });
}

fn note(
    world: &World,
    client: u32,
    service: &Service,
    begun: u64,
    answer: &crate::chaos::world::api::Answer,
    what: impl FnOnce(String) -> What,
) {
    world.history.note(Record {
        operation: world.history.operation(),
        client,
        service: service.name.clone(),
        begun,
        ended: world.history.now(),
        outcome: if answer.is_ok() { Outcome::Ok } else { answer.outcome },
        status: answer.status,
        problem: answer.problem.clone(),
        position: answer.position.filter(|_| answer.is_ok()),
        what: what(Hash::of(answer.body.as_bytes()).to_string()),
    });
}
