//! Keys that are lost for good: no backup holds them. That is told like a destruction, so that what was sealed with them counts
//! as what it is, unreadable, and the people can be told of anew.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::StreamExt;
use rollbook_events::identity::sealed::{IdentityDestroyed, IdentityEvent};
use rollbook_events::ids::KeyId;
use rollbook_events::{Actor, Instant, MemberId, Position};
use tokio::time::timeout;

use super::keystore::{self, KeyError};
use super::message::{KeyMessage, subject};
use crate::clock;
use crate::log::{AppendError, Erasable, Log, MOST_IN_A_BATCH, Message, ReadError};

/// How long the next identity that the stream holds may take to come.
const NEXT: std::time::Duration = std::time::Duration::from_secs(30);

/// The keys that something is sealed with and that are not there; telling how many messages were looked at.
///
/// # Errors
/// Where a stream cannot be read.
pub async fn lost(
    identities: &dyn Log,
    log: &dyn Erasable,
    mut told: impl FnMut(u64),
) -> Result<Vec<(MemberId, KeyId)>, ReadError> {
    let head = identities.head().await?;
    let (mut at, mut sealed) = (Position(0), HashMap::<MemberId, Vec<KeyId>>::new());
    let mut messages = identities.follow(at).await?;
    while at < head {
        let next = timeout(NEXT, messages.next()).await.map_err(ReadError::unavailable)?;
        let stored = next.ok_or_else(|| ReadError::unavailable("the stream's reader ended"))??;
        at = stored.position;
        match IdentityEvent::read(&stored.body) {
            Ok(IdentityEvent::Sealed(event)) => {
                let keys = sealed.entry(event.member).or_default();
                if !keys.contains(&event.key) {
                    keys.push(event.key);
                }
            }
            Ok(IdentityEvent::Destroyed(of)) => {
                sealed.entry(of.member).or_default().retain(|key| *key != of.key);
            }
            Ok(IdentityEvent::InClear(_)) | Err(_) => {}
        }
        if at.0.is_multiple_of(1_000) {
            told(at.0);
        }
    }
    let mut lost = Vec::new();
    let sealed: Vec<(MemberId, Vec<KeyId>)> = sealed.into_iter().filter(|(_, keys)| !keys.is_empty()).collect();
    for some in sealed.chunks(MOST_IN_A_BATCH) {
        let subjects: Vec<String> = some.iter().map(|(member, _)| subject(*member)).collect();
        let there = log.last_of_each(&subjects).await?;
        for ((member, keys), subject) in some.iter().zip(&subjects) {
            let live = match there.get(subject).and_then(keystore::read) {
                Some(KeyMessage::Wrapped(wrapped)) => Some(wrapped.key),
                Some(KeyMessage::Destroyed(_)) | None => None,
            };
            lost.extend(keys.iter().filter(|key| live != Some(**key)).map(|key| (*member, *key)));
        }
    }
    Ok(lost)
}

/// Tells of lost keys that they are, for good, and lets no copy of them come back.
///
/// # Errors
/// Where a stream cannot be written; the same again goes on.
pub async fn give_up(
    identities: &dyn Log,
    log: &dyn Erasable,
    lost: &[(MemberId, KeyId)],
    reason: &str,
    mut told: impl FnMut(u64),
) -> Result<(), KeyError> {
    let mut done = 0;
    for some in lost.chunks(MOST_IN_A_BATCH) {
        let messages =
            some.iter().map(|(member, key)| message(*member, *key, reason)).collect::<Result<Vec<_>, _>>()?;
        identities.append(&messages).await?;
        for (member, key) in some {
            keystore::erase(log, *member, *key).await?;
        }
        done += u64::try_from(some.len()).unwrap_or(u64::MAX);
        told(done);
    }
    Ok(())
}

fn message(member: MemberId, key: KeyId, reason: &str) -> Result<Message, AppendError> {
    let event = IdentityEvent::Destroyed(IdentityDestroyed {
        id: clock::new_event_id(),
        member,
        recorded_at: Instant::new(clock::now().fixed_offset()),
        key,
        reason: reason.to_owned(),
        actor: Actor {
            org: "rollbook".to_owned(),
            id: "identity give-up-lost".to_owned(),
            role: "operator".to_owned(),
        },
    });
    let body = event.write().map_err(|error| AppendError::Unavailable { source: error.into() })?;
    Ok(Message {
        subject: format!("identity.{member}"),
        id: clock::new_event_id().to_string(),
        expected: None,
        headers: Vec::new(),
        body: Bytes::from(body),
    })
}
