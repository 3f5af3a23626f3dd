//! One message of a stream with all that came with it, by its place or by its subject, and which subjects there are.

use std::collections::BTreeMap;

use async_nats::jetstream::ErrorCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use rollbook_events::Position;
use serde::Deserialize;
use serde_json::{Value, json};

use super::nats::{ApiError, NatsLog};
use super::whole::{MESSAGE_ID, Record, is_servers_own};
use super::{ReadError, StreamSpec};

/// The server gives subjects in pages of this many; a stream of which all are asked for has far fewer.
const MOST_SUBJECTS: usize = 100_000;

/// Which message.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// The one at a position.
    At(Position),
    /// The last one of the subjects that a pattern names.
    Last(&'a str),
    /// The first one of the subjects that a pattern names, at a position or after it.
    From(&'a str, Position),
}

#[derive(Deserialize)]
struct Got {
    message: Raw,
}

#[derive(Deserialize)]
struct Raw {
    subject: String,
    seq: u64,
    #[serde(default)]
    hdrs: String,
    #[serde(default)]
    data: String,
    time: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Info {
    state: Subjects,
}

#[derive(Deserialize)]
struct Subjects {
    #[serde(default)]
    subjects: BTreeMap<String, u64>,
}

impl NatsLog {
    /// A message, whole, from the stream's leader.
    ///
    /// # Errors
    /// Where the server does not tell.
    pub async fn peek(&self, which: Which<'_>) -> Result<Option<Record>, ReadError> {
        let question = match which {
            Which::At(Position(seq)) => json!({ "seq": seq }),
            Which::Last(pattern) => json!({ "last_by_subj": pattern }),
            Which::From(pattern, Position(seq)) => json!({ "next_by_subj": pattern, "seq": seq }),
        };
        match self.ask::<Got>("STREAM.MSG.GET", &question).await {
            Ok(Got { message }) => message.record().map(Some),
            Err(ApiError::Refused(code)) if code == ErrorCode::NO_MESSAGE_FOUND.0 => Ok(None),
            Err(error) => Err(ReadError::unavailable(error)),
        }
    }

    /// The subjects there are, with how many messages each has.
    ///
    /// # Errors
    /// Where the server does not tell, or there are more than it tells at once.
    pub async fn subjects(&self) -> Result<BTreeMap<String, u64>, ReadError> {
        let StreamSpec { subjects: filter, .. } = self.spec;
        let question: Value = json!({ "subjects_filter": filter });
        let info: Info = self.ask("STREAM.INFO", &question).await.map_err(ReadError::unavailable)?;
        let subjects = info.state.subjects;
        if subjects.len() >= MOST_SUBJECTS {
            return Err(ReadError::unavailable("the stream has more subjects than its server tells at once"));
        }
        Ok(subjects)
    }
}

impl Raw {
    fn record(self) -> Result<Record, ReadError> {
        let decoded =
            |text: &str| STANDARD.decode(text).map_err(|error| ReadError::unavailable(ApiError::Base64(error)));
        let body: Bytes = decoded(&self.data)?.into();
        let block = decoded(&self.hdrs)?;
        let (mut id, mut headers) = (String::new(), Vec::new());
        for (name, value) in lines(&block) {
            if name.eq_ignore_ascii_case(MESSAGE_ID) {
                id = value;
            } else if !is_servers_own(&name) {
                headers.push((name, value));
            }
        }
        headers.sort();
        let stored_at = self.time.and_then(|time| time.timestamp_nanos_opt()).unwrap_or_default();
        Ok(Record { position: Position(self.seq), subject: self.subject, stored_at, id, headers, body })
    }
}

/// The headers of a block as the protocol writes it: a line with the version, then `Name: value` a line.
fn lines(block: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(block);
    let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    text.split("\r\n").skip(1).filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_the_protocol_writes_them() {
        let block = b"NATS/1.0\r\nRollbook-Receipt: ab\r\nNats-Batch-Id:x:y\r\n\r\n";
        let expected = [("Rollbook-Receipt", "ab"), ("Nats-Batch-Id", "x:y")];
        assert_eq!(lines(block), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(lines(b"").is_empty());
    }
}
