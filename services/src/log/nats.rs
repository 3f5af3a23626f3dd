//! The log on a NATS JetStream stream.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{Client, Request};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use rollbook_events::ids::Position;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    Access, AppendError, Log, Message, ReadError, Room, SettingsError, Stored, StreamSpec, batch, follow, settings,
};

/// How long the server may take for one answer.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a stream that is to be made is asked for.
const MOST_TRIES: u32 = 3;

/// How many messages of a subject are asked for one by one before a consumer is made for all, which costs as much as five
/// questions. Most subjects have no message yet, or few.
const ASKED_SINGLY: usize = 3;

/// A stream of a NATS server.
#[derive(Debug, Clone)]
pub struct NatsLog {
    pub(super) client: Client,
    pub(super) context: Context,
    pub(super) spec: StreamSpec,
    replicas: usize,
    monitoring: Option<String>,
}

/// The JetStream API's answer to any question.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Error { error: Refusal },
    Fine(T),
}

#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    pub err_code: u64,
    #[serde(default)]
    pub description: String,
}

/// Why the API did not say what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("the server refused (code {0})")]
    Refused(u64),
    #[error("the server did not answer")]
    Request(#[from] async_nats::client::RequestError),
    #[error("the server's answer is malformed")]
    Json(#[from] serde_json::Error),
    #[error("the server's answer is malformed")]
    Base64(#[from] base64::DecodeError),
}

#[derive(Deserialize)]
struct Got {
    message: RawMessage,
}

#[derive(Deserialize)]
struct RawMessage {
    subject: String,
    seq: u64,
    #[serde(default)]
    data: String,
}

#[derive(Deserialize)]
struct Info {
    config: Map<String, Value>,
    state: StreamState,
}

#[derive(Deserialize)]
struct StreamState {
    messages: u64,
    last_seq: u64,
}

impl NatsLog {
    /// The stream of a server, created if it is not there. Nothing is compared yet: [`Log::check`] does.
    pub async fn create(
        client: Client,
        access: &Access,
        spec: StreamSpec,
        replicas: usize,
    ) -> Result<Self, SettingsError> {
        let log = Self::open(client, access, spec, replicas);
        settings::check_version(&log.client.server_info().version)?;
        let mut tries = 1;
        loop {
            match log.created(&spec, replicas).await {
                Ok(()) => return Ok(log),
                // A cluster that is choosing who leads answers nothing meanwhile; to make a stream again is to make it once.
                Err(SettingsError::Unavailable { source }) if tries < MOST_TRIES => {
                    tracing::warn!(stream = spec.name, error = %source, "the stream is asked for again");
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn created(&self, spec: &StreamSpec, replicas: usize) -> Result<(), SettingsError> {
        match self.info().await {
            // An earlier release made it without the limit that it may have: what goes then, nobody was promised.
            Ok(info) if spec.forgets() && settings::is_unlimited(&info.config) => {
                let limited = self.context.update_stream(settings::wanted(spec, replicas)).await;
                limited.map(drop).map_err(SettingsError::unavailable)
            }
            Ok(_) => Ok(()),
            Err(ApiError::Refused(code)) if code == ErrorCode::STREAM_NOT_FOUND.0 => {
                let created = self.context.create_stream(settings::wanted(spec, replicas)).await;
                created.map(drop).map_err(SettingsError::unavailable)
            }
            Err(error) => Err(SettingsError::unavailable(error)),
        }
    }

    /// The stream of a server, by a program without the right to create it.
    pub fn open(client: Client, access: &Access, spec: StreamSpec, replicas: usize) -> Self {
        let mut context = jetstream::new(client.clone());
        context.set_timeout(ANSWER_TIMEOUT);
        Self { client, context, spec, replicas, monitoring: access.monitoring.clone() }
    }

    /// The stream's name.
    pub fn name(&self) -> &'static str {
        self.spec.name
    }

    /// Asks the JetStream API by hand: async-nats would write question and answer, bodies included, to its debug log.
    pub(super) async fn ask<T: DeserializeOwned>(&self, verb: &str, question: &Value) -> Result<T, ApiError> {
        let subject = format!("$JS.API.{verb}.{}", self.spec.name);
        let payload = Bytes::from(serde_json::to_vec(question)?);
        let request = Request::new().payload(payload).timeout(Some(ANSWER_TIMEOUT));
        let answer = self.client.send_request(subject, request).await?;
        match serde_json::from_slice(&answer.payload)? {
            Answer::Fine(answer) => Ok(answer),
            Answer::Error { error } => Err(ApiError::Refused(error.err_code)),
        }
    }

    async fn info(&self) -> Result<Info, ApiError> {
        self.ask("STREAM.INFO", &json!({})).await
    }

    /// A message from the stream's leader; a direct get might be answered by a replica that lags.
    async fn fetch(&self, question: &Value) -> Result<Option<Stored>, ReadError> {
        match self.ask::<Got>("STREAM.MSG.GET", question).await {
            Ok(Got { message: RawMessage { subject, seq, data } }) => {
                let body = STANDARD.decode(data).map_err(|error| ReadError::unavailable(ApiError::Base64(error)))?;
                Ok(Some(Stored { position: Position(seq), subject, body: body.into() }))
            }
            Err(ApiError::Refused(code)) if code == ErrorCode::NO_MESSAGE_FOUND.0 => Ok(None),
            Err(error) => Err(ReadError::unavailable(error)),
        }
    }

    /// The first message of a subject after a position.
    pub(super) async fn next(&self, subject: &str, after: Position) -> Result<Option<Stored>, ReadError> {
        self.fetch(&json!({ "next_by_subj": subject, "seq": after.0 + 1 })).await
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    fn admitted(&self, subject: &str) -> Result<(), ReadError> {
        if self.spec.admits(subject) { Ok(()) } else { Err(ReadError::Subject) }
    }
}

#[async_trait]
impl Log for NatsLog {
    async fn append(&self, messages: &[Message]) -> Result<Vec<Position>, AppendError> {
        batch::check(&self.spec, messages)?;
        self.append_checked(messages).await
    }

    async fn last(&self, subject: &str) -> Result<Option<Stored>, ReadError> {
        self.admitted(subject)?;
        self.fetch(&json!({ "last_by_subj": subject })).await
    }

    async fn read(&self, subject: &str) -> Result<Vec<Stored>, ReadError> {
        self.admitted(subject)?;
        let mut messages: Vec<Stored> = Vec::new();
        let last = |messages: &[Stored]| messages.last().map_or(Position(0), |stored| stored.position);
        // The last question finds nothing more, at the leader: what a consumer on a replica had not yet is not missed.
        while let Some(stored) = self.next(subject, last(&messages)).await? {
            messages.push(stored);
            if messages.len() == ASKED_SINGLY {
                let many = self.read_many(subject).await?;
                if many.len() > messages.len() {
                    messages = many;
                }
            }
        }
        Ok(messages)
    }

    async fn some_of(&self, subject: &str, after: Position, most: usize) -> Result<Vec<Stored>, ReadError> {
        self.admitted(subject)?;
        // Asked of the leader: that there are no more is not a replica's word.
        let Some(first) = self.next(subject, after).await? else { return Ok(Vec::new()) };
        let some = if most > 1 { self.read_some_of(subject, after, most).await? } else { Vec::new() };
        Ok(if some.is_empty() { vec![first] } else { some })
    }

    async fn first(&self, subject: &str) -> Result<Option<Stored>, ReadError> {
        self.admitted(subject)?;
        self.next(subject, Position(0)).await
    }

    async fn get(&self, position: Position) -> Result<Option<Stored>, ReadError> {
        if position.0 == 0 {
            return Ok(None);
        }
        self.fetch(&json!({ "seq": position.0 })).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.info().await.map(|info| Position(info.state.last_seq)).map_err(ReadError::unavailable)
    }

    async fn follow(&self, after: Position) -> Result<BoxStream<'static, Result<Stored, ReadError>>, ReadError> {
        follow::follow(self.clone(), after, String::new(), follow::stored).await
    }

    async fn check(&self) -> Result<(), SettingsError> {
        settings::check_version(&self.client.server_info().version)?;
        let info = match self.info().await {
            Err(ApiError::Refused(code)) if code == ErrorCode::STREAM_NOT_FOUND.0 => {
                return Err(SettingsError::NoStream { stream: self.spec.name });
            }
            answer => answer.map_err(SettingsError::unavailable)?,
        };
        settings::compare(&self.spec, &settings::wanted(&self.spec, self.replicas), &info.config)?;
        let StreamState { messages, last_seq: last } = info.state;
        if messages != last && !self.spec.erasable() && !self.spec.forgets() {
            return Err(SettingsError::Missing { stream: self.spec.name, messages, last });
        }
        settings::check_sync(self.monitoring.as_deref(), self.replicas).await
    }

    fn connection(&self) -> Option<u64> {
        self.is_connected().then(|| self.client.statistics().connects.load(Ordering::Relaxed))
    }

    async fn room(&self) -> Result<Option<Room>, SettingsError> {
        match &self.monitoring {
            Some(address) => settings::room(address).await,
            None => Ok(None),
        }
    }
}
