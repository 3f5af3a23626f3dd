//! What lies in a ledger's streams, read with a NATS client alone: every message, at every position, as it is.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::{Client, ConnectOptions, jetstream};
use futures_util::StreamExt;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The streams of a ledger.
pub const STREAMS: [&str; 5] = ["ENROLLMENT", "IDENTITY", "INTAKE", "ACCESS", KEYS];

/// The keys of identities: no part of the log. What a copy of them brings back has ids of its own.
const KEYS: &str = "IDENTITY_KEYS";

/// Messages asked for at once.
const AT_ONCE: usize = 2_000;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub position: u64,
    /// Its subject; a pseudonym, so it is compared and never printed.
    pub subject: String,
    /// Its id.
    pub id: String,
    /// SHA-256 of its body.
    pub body: [u8; 32],
    /// SHA-256 of the headers that the ledger has written; the server's own tell how it was stored, not what it says.
    pub headers: [u8; 32],
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stream {
    /// Its last position, as the server says.
    pub last: u64,
    /// Every message that can be read.
    pub lines: Vec<Line>,
    /// Its settings, as the server has them.
    pub settings: Value,
}

/// The streams by name.
pub type Streams = BTreeMap<String, Stream>;

/// Connects, with the token that a private server asks for.
///
/// # Errors
/// Where the server cannot be reached.
pub async fn connect(url: &str, token: Option<&str>) -> anyhow::Result<Client> {
    let options = token.map_or_else(ConnectOptions::new, |token| ConnectOptions::with_token(token.to_owned()));
    options.connect(url).await.context("the nats-server cannot be reached")
}

/// Connects to the private server of a running `rollbook up`, as its files tell.
///
/// # Errors
/// Where it does not run.
pub async fn connect_private(data: &Path) -> anyhow::Result<Client> {
    let config = std::fs::read_to_string(data.join("nats/nats.conf")).context("no nats.conf")?;
    let token = config.split("token: \"").nth(1).and_then(|rest| rest.split('"').next()).context("no token")?;
    let ports = std::fs::read_dir(data.join("nats/ports"))?.next().context("no ports file")??;
    let ports: Value = serde_json::from_str(&std::fs::read_to_string(ports.path())?)?;
    let url = ports.pointer("/nats/0").and_then(Value::as_str).context("no address in the ports file")?;
    connect(url, Some(token)).await
}

/// Reads every stream whole. A stream that is not there is left out; a message that cannot be read leaves a gap.
///
/// # Errors
/// Where the server does not answer.
pub async fn read(client: &Client) -> anyhow::Result<Streams> {
    let mut streams = Streams::new();
    for name in STREAMS {
        if let Some(stream) = read_one(client, name).await? {
            streams.insert(name.to_owned(), stream);
        }
    }
    Ok(streams)
}

/// Reads one stream whole; nothing where the server has none of the name.
///
/// # Errors
/// Where the server does not answer.
pub async fn read_one(client: &Client, name: &str) -> anyhow::Result<Option<Stream>> {
    let context = jetstream::new(client.clone());
    let stream = match context.get_stream(name).await {
        Ok(stream) => stream,
        Err(error) if error.to_string().contains("not found") => return Ok(None),
        Err(error) => return Err(error).context("a stream cannot be asked"),
    };
    let info = stream.cached_info();
    let mut read = Stream { last: info.state.last_sequence, lines: Vec::new(), settings: settings(info)? };
    let mut from = 1;
    while from <= read.last {
        let before = read.lines.len();
        read_from(&stream, from, &mut read.lines).await?;
        let reached = read.lines.last().map_or(0, |line| line.position);
        // The server ends a delivery at a record it cannot read, now and then: what follows is asked for anew.
        from = if read.lines.len() > before { reached + 1 } else { from + 1 };
        if from.saturating_sub(reached) > 200 {
            break;
        }
    }
    if name == KEYS {
        read.lines.iter_mut().for_each(|line| line.id.clear());
    }
    Ok(Some(read))
}

async fn read_from(stream: &jetstream::stream::Stream, from: u64, lines: &mut Vec<Line>) -> anyhow::Result<()> {
    let config = pull::Config {
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from },
        ack_policy: AckPolicy::None,
        memory_storage: true,
        num_replicas: 1,
        inactive_threshold: Duration::from_secs(10),
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await.context("a reader cannot be made")?;
    loop {
        let mut batch = consumer.fetch().max_messages(AT_ONCE).messages().await?;
        let mut got = 0;
        while let Some(message) = batch.next().await {
            let message = message.map_err(|error| anyhow::anyhow!("reading was interrupted: {error}"))?;
            let position = message.info().map_err(|error| anyhow::anyhow!("a message without place: {error}"))?;
            let position = position.stream_sequence;
            if lines.last().is_some_and(|last| last.position >= position) {
                bail!("the server delivered position {position} out of order");
            }
            lines.push(line(position, &message.message));
            got += 1;
        }
        if got == 0 {
            return Ok(());
        }
    }
}

fn line(position: u64, message: &async_nats::Message) -> Line {
    let id = message.headers.as_ref().and_then(|headers| headers.get("Nats-Msg-Id"));
    Line {
        position,
        subject: message.subject.to_string(),
        id: id.map_or_else(String::new, |id| id.to_string()),
        body: Sha256::digest(&message.payload).into(),
        headers: headers(message),
    }
}

fn headers(message: &async_nats::Message) -> [u8; 32] {
    let all = message.headers.iter().flat_map(|headers| headers.iter());
    let ours = all.filter(|(name, _)| !name.to_string().to_ascii_lowercase().starts_with("nats-"));
    let mut lines: Vec<String> = ours.map(|(name, values)| format!("{name}: {values:?}\n")).collect();
    lines.sort();
    Sha256::digest(lines.concat()).into()
}

/// The settings without what the server notes of itself.
fn settings(info: &jetstream::stream::Info) -> anyhow::Result<Value> {
    let mut settings = serde_json::to_value(&info.config)?;
    if let Some(settings) = settings.as_object_mut() {
        settings.remove("metadata");
    }
    Ok(settings)
}

/// What of the truth is not as it was, in words without anything of a person; empty where all is there. What came after the
/// truth's last position is not looked at.
pub fn differences(truth: &Streams, found: &Streams) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, truth) in truth {
        let Some(found) = found.get(name) else {
            differences.push(format!("the stream {name} is gone"));
            continue;
        };
        if truth.settings != found.settings {
            differences.push(format!("{name}: other settings"));
        }
        if found.last < truth.last {
            differences.push(format!("{name}: ends at {} instead of {}", found.last, truth.last));
        }
        let by_position: BTreeMap<u64, &Line> = found.lines.iter().map(|line| (line.position, line)).collect();
        let missing = truth.lines.iter().filter(|line| !by_position.contains_key(&line.position)).count();
        let other =
            truth.lines.iter().filter(|line| by_position.get(&line.position).is_some_and(|found| found != line));
        let other = other.count();
        if missing + other > 0 {
            differences.push(format!("{name}: of {} messages {missing} missing, {other} other", truth.lines.len()));
        }
    }
    differences
}
