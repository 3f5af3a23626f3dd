//! What may be appended, and a message as the server wants it: the headers of an atomic batch (ADR-50), which
//! async-nats has no call for.

use std::collections::HashSet;

use async_nats::HeaderMap;
use async_nats::header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_ID};
use rollbook_events::ids::Position;

use super::{AppendError, MOST_BYTES, MOST_HEADER_BYTES, MOST_IN_A_BATCH, Message, StreamSpec};

const BATCH_ID: &str = "Nats-Batch-Id";
const BATCH_SEQUENCE: &str = "Nats-Batch-Sequence";
const BATCH_COMMIT: &str = "Nats-Batch-Commit";

/// The most bytes of a message id.
const MOST_ID_BYTES: usize = 128;

/// A message's place in an atomic batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub batch: &'a str,
    /// From 1.
    pub number: usize,
    pub last: bool,
}

/// Refuses what no adapter stores, before anything of it is on its way.
pub(super) fn check(spec: &StreamSpec, batch: &[Message]) -> Result<(), AppendError> {
    if batch.len() > MOST_IN_A_BATCH {
        return Err(AppendError::TooMany { messages: batch.len() });
    }
    let mut ids = HashSet::with_capacity(batch.len());
    for message in batch {
        check_message(spec, message)?;
        if !ids.insert(message.id.as_str()) {
            return Err(AppendError::Malformed { what: "id: two messages of one batch share it" });
        }
    }
    Ok(())
}

fn check_message(spec: &StreamSpec, message: &Message) -> Result<(), AppendError> {
    if !spec.admits(&message.subject) {
        return Err(AppendError::Malformed { what: "subject" });
    }
    if message.id.is_empty() || message.id.len() > MOST_ID_BYTES || !message.id.bytes().all(|c| c.is_ascii_graphic()) {
        return Err(AppendError::Malformed { what: "id" });
    }
    if message.body.len() > MOST_BYTES {
        return Err(AppendError::TooLarge { bytes: message.body.len(), most: MOST_BYTES });
    }
    let mut bytes = 0;
    for (name, value) in &message.headers {
        // The server acts on headers of its own name: a roll-up would delete history.
        let ours = name.get(..5).is_some_and(|prefix| prefix.eq_ignore_ascii_case("nats-"));
        let named = !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        if ours || !named || value.bytes().any(|c| c.is_ascii_control()) {
            return Err(AppendError::Malformed { what: "header" });
        }
        bytes += name.len() + value.len() + 4;
    }
    if bytes > MOST_HEADER_BYTES {
        return Err(AppendError::TooLarge { bytes, most: MOST_HEADER_BYTES });
    }
    Ok(())
}

/// What each message expects of its subject: the first of a subject speaks for it. A check on a later one would be
/// refused, because in a batch it is made against the log before the batch.
pub(super) fn expectations(batch: &[Message]) -> Vec<Option<Position>> {
    let mut seen = HashSet::with_capacity(batch.len());
    let firsts = batch.iter().map(|message| seen.insert(message.subject.as_str()));
    firsts.zip(batch).map(|(first, message)| message.expected.filter(|_| first)).collect()
}

/// The headers of a message that [`check`] has passed.
pub(super) fn headers(message: &Message, expected: Option<Position>, part: Option<Part<'_>>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &message.headers {
        headers.insert(*name, value.as_str());
    }
    headers.insert(NATS_MESSAGE_ID, message.id.as_str());
    if let Some(expected) = expected {
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
    }
    if let Some(part) = part {
        place(&mut headers, part);
    }
    headers
}

/// Says which part of which batch a message is.
pub(super) fn place(headers: &mut HeaderMap, part: Part<'_>) {
    headers.insert(BATCH_ID, part.batch);
    headers.insert(BATCH_SEQUENCE, part.number.to_string());
    if part.last {
        headers.insert(BATCH_COMMIT, "1");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(subject: &str, expected: Option<u64>) -> Message {
        let expected = expected.map(Position);
        Message { subject: subject.into(), id: subject.into(), expected, headers: vec![], body: "{}".into() }
    }

    #[test]
    fn only_the_first_of_a_subject_carries_an_expectation() {
        let [a, b] = ["enrollment.a", "enrollment.b"];
        let batch = [message(a, Some(4)), message(b, None), message(a, Some(4)), message(b, Some(2))];
        assert_eq!(expectations(&batch), [Some(Position(4)), None, None, None]);
    }

    #[test]
    fn a_header_that_the_server_acts_on_is_refused() {
        let mut rollup = message("enrollment.a", None);
        rollup.headers = vec![("nats-Rollup", "sub".into())];
        let refused = check(&StreamSpec::ENROLLMENT, &[rollup]);
        assert!(matches!(refused, Err(AppendError::Malformed { what: "header" })));
    }

    #[test]
    fn the_commit_is_on_the_last_message_alone() {
        let message = message("enrollment.a", Some(0));
        let part = Part { batch: "b", number: 1, last: false };
        assert!(headers(&message, None, Some(part)).get(BATCH_COMMIT).is_none());
        assert!(headers(&message, None, Some(Part { last: true, ..part })).get(BATCH_COMMIT).is_some());
    }
}
