//! What the checkers look at, read once all is quiet: the streams themselves, the views, the views made again, and past
//! answers asked for once more.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use rollbook_events::intake::IntakeEvent;
use rollbook_events::{Envelope, Hash};

use super::history::{Record, What};
use super::plan::Plan;
use super::workload::import::{self, File};
use super::world::World;
use super::world::service::Service;

const PATIENCE: Duration = Duration::from_secs(20);
/// Messages asked for at once.
const AT_ONCE: usize = 16;

/// A message of the enrollment stream.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its sequence.
    pub position: u64,
    /// Its subject.
    pub subject: String,
    /// Its header `Nats-Msg-Id`.
    pub id: String,
    /// Its bytes.
    pub body: Vec<u8>,
    /// What the bytes say; none where they cannot be read.
    pub envelope: Option<Envelope>,
}

/// An answer that was given during the run, and the same question asked again at the end.
#[derive(Debug, Clone)]
pub struct AskedAgain {
    /// The question.
    pub path: String,
    /// SHA-256 of the answer then.
    pub then: String,
    /// SHA-256 of the answer now.
    pub now: String,
}

/// Everything of one run.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The plan.
    pub plan: Plan,
    /// Every request and its end, in the order they ended.
    pub history: Vec<Record>,
    /// When the power was cut, in microseconds since the run began.
    pub power_cuts: Vec<u64>,
    /// The enrollment stream, in order.
    pub events: Vec<Stored>,
    /// The last sequence that the server tells.
    pub head: u64,
    /// What the server holds of imports.
    pub intake: Vec<IntakeEvent>,
    /// The file of the run, where there is one.
    pub file: Option<File>,
    /// Every view as it stands, as NDJSON.
    pub views: BTreeMap<String, String>,
    /// Every view, made anew from the log into an empty SQLite database.
    pub rebuilt: BTreeMap<String, String>,
    /// Questions about the past.
    pub asked_again: Vec<AskedAgain>,
    /// Enrollments as the API lists them, one JSON object a line.
    pub enrollments: String,
    /// Outreach attempts as the API lists them.
    pub attempts: String,
}

/// Why nothing can be judged.
#[derive(Debug)]
pub struct NoEvidence(pub String);

fn none(what: impl Into<String>) -> NoEvidence {
    NoEvidence(what.into())
}

impl Evidence {
    /// Reads everything, from a world that is healed and quiet.
    ///
    /// # Errors
    /// What could not be read.
    pub async fn gather(world: &World) -> Result<Self, NoEvidence> {
        let client = world.nats().await.ok_or_else(|| none("the log's server does not answer"))?;
        let (head, events) = enrollment(&client).await?;
        let intake = intake(&client).await?;
        let reader = world.readers()[0].clone();
        let views = dumps(world, &reader, head).await?;
        let history = world.history.records();
        let rebuilt = super::world::rebuild::dumps(world, head, &views.keys().cloned().collect::<Vec<_>>()).await?;
        let list = async |path: &str| {
            let answer = world.api.get(&reader, path, "application/x-ndjson", PATIENCE).await;
            if answer.is_ok() { Ok(answer.body) } else { Err(none(format!("{path}: {:?}", answer.problem))) }
        };
        Ok(Self {
            plan: world.setup.plan.clone(),
            asked_again: ask_again(world, &reader, &history).await?,
            enrollments: list(&format!("/v1/enrollments?known_at={head}")).await?,
            attempts: list(&format!("/v1/outreach/attempts?known_at={head}")).await?,
            file: (world.setup.plan.rows > 0).then(|| import::file(&world.setup.plan)),
            history,
            power_cuts: world.history.power_cuts(),
            events,
            head,
            intake,
            views,
            rebuilt,
        })
    }
}

/// The whole enrollment stream, message by message: a consumer would leave a damaged one out without a word.
async fn enrollment(client: &async_nats::Client) -> Result<(u64, Vec<Stored>), NoEvidence> {
    let context = async_nats::jetstream::new(client.clone());
    let stream = context.get_stream("ENROLLMENT").await.map_err(|error| none(error.to_string()))?;
    let head = stream.cached_info().state.last_sequence;
    let got = futures_util::stream::iter(1..=head).map(|sequence| {
        let stream = &stream;
        async move { stream.get_raw_message(sequence).await.ok() }
    });
    let got: Vec<_> = got.buffered(AT_ONCE).collect().await;
    let stored = got.into_iter().flatten().map(|message| Stored {
        position: message.sequence,
        subject: message.subject.to_string(),
        id: message.headers.get("Nats-Msg-Id").map(ToString::to_string).unwrap_or_default(),
        envelope: rollbook_events::decode(&message.payload).ok(),
        body: message.payload.to_vec(),
    });
    Ok((head, stored.collect()))
}

async fn intake(client: &async_nats::Client) -> Result<Vec<IntakeEvent>, NoEvidence> {
    let context = async_nats::jetstream::new(client.clone());
    let stream = context.get_stream("INTAKE").await.map_err(|error| none(error.to_string()))?;
    let mut events = Vec::new();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        let message = stream.get_raw_message(sequence).await.map_err(|error| none(error.to_string()))?;
        events.push(serde_json::from_slice(&message.payload).map_err(|error| none(error.to_string()))?);
    }
    Ok(events)
}

/// The names of the views, as the program lists them where a name is wrong.
pub async fn view_names(world: &World, service: &Service) -> Result<Vec<String>, NoEvidence> {
    let answer = world.api.get(service, "/v1/views/none", "application/x-ndjson", PATIENCE).await;
    let value = answer.json();
    let names = value["detail"].as_str().and_then(|detail| detail.strip_prefix("the views are "));
    let names = names.ok_or_else(|| none("the names of the views could not be learned"))?;
    Ok(names.split(", ").map(str::to_owned).collect())
}

async fn dumps(world: &World, service: &Service, head: u64) -> Result<BTreeMap<String, String>, NoEvidence> {
    let mut views = BTreeMap::new();
    for name in view_names(world, service).await? {
        let path = format!("/v1/views/{name}?known_at={head}");
        let answer = world.api.get(service, &path, "application/x-ndjson", PATIENCE).await;
        if !answer.is_ok() {
            return Err(none(format!("{path}: {:?}", answer.problem)));
        }
        views.insert(name, answer.body);
    }
    Ok(views)
}

async fn ask_again(world: &World, service: &Service, history: &[Record]) -> Result<Vec<AskedAgain>, NoEvidence> {
    let mut again = Vec::new();
    for record in history.iter().filter(|record| record.status == Some(200)) {
        let What::Read { path, digest, .. } = &record.what else { continue };
        if !path.contains("known_at=") {
            continue;
        }
        let answer = world.api.get(service, path, "application/x-ndjson", PATIENCE).await;
        if !answer.is_ok() {
            return Err(none(format!("{path}: {:?}", answer.problem)));
        }
        let now = Hash::of(answer.body.as_bytes()).to_string();
        again.push(AskedAgain { path: path.clone(), then: digest.clone(), now });
    }
    Ok(again)
}
