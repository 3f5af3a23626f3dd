//! Every member's key wrapped anew with the first wrapping key, so that the second can be thrown away: with it goes every old
//! copy of what it wrapped, backups included.

use futures_util::{StreamExt, TryStreamExt, stream};
use rollbook_events::Position;

use super::keystore::{KeyError, KeyStore, message, read};
use super::message::{KeyMessage, WrappedKey};
use crate::log::{AppendError, Stored};

/// Keys wrapped anew in one batch.
const AT_ONCE: usize = 500;

/// Erasures at once.
const ERASED_AT_ONCE: usize = 16;

/// What wrapping anew came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Rewrapped {
    /// Keys there are.
    pub keys: u64,
    /// Keys that were wrapped anew.
    pub rewrapped: u64,
    /// Keys that could not be, because another program changed them at the same time; the next time does them.
    pub left: u64,
}

/// Wraps every key that is not wrapped with the first, telling how many keys were looked at. Killed anywhere, the same again
/// goes on; no key is ever without a wrapped copy.
///
/// # Errors
/// Where a key cannot be read, unwrapped or stored.
pub async fn rewrap(keys: &KeyStore, mut told: impl FnMut(u64)) -> Result<Rewrapped, KeyError> {
    let mut done = Rewrapped::default();
    let mut at = Position(0);
    let end = keys.log().head().await?;
    loop {
        let some = keys.log().some_after(at).await?;
        let Some(last) = some.last().map(|stored| stored.position) else { break };
        // What this writes itself stands after the end.
        let mut old: Vec<(Stored, WrappedKey)> = Vec::new();
        for stored in some.into_iter().filter(|stored| stored.position <= end) {
            let position = stored.position;
            match read(&stored).ok_or(KeyError::Malformed { position })? {
                KeyMessage::Wrapped(wrapped) => {
                    done.keys += 1;
                    if wrapped.wrapped_by != keys.wrapping().first() {
                        old.push((stored, wrapped));
                    }
                }
                KeyMessage::Destroyed(_) => {}
            }
        }
        for some in old.chunks(AT_ONCE) {
            anew(keys, some, &mut done).await?;
        }
        told(done.keys);
        at = last;
        if at >= end {
            break;
        }
    }
    Ok(done)
}

async fn anew(keys: &KeyStore, old: &[(Stored, WrappedKey)], done: &mut Rewrapped) -> Result<(), KeyError> {
    let mut messages = Vec::with_capacity(old.len());
    for (stored, wrapped) in old {
        let position = stored.position;
        let key = keys.wrapping().unwrap(wrapped).map_err(|source| KeyError::NotUnwrapped { position, source })?;
        let anew = KeyMessage::Wrapped(keys.wrapping().wrap(wrapped.member, &key)?);
        messages.push(message(&anew, position)?);
    }
    let mut wrapped = Vec::new();
    match keys.log().append(&messages).await {
        Ok(_) => wrapped.extend(old.iter().map(|(stored, _)| stored.position)),
        // One of them was destroyed a moment ago, or wrapped anew by an earlier try whose old copy is still there.
        Err(AppendError::Conflict { .. }) => {
            for (message, (stored, _)) in messages.into_iter().zip(old) {
                match keys.log().append(&[message]).await {
                    Ok(_) => wrapped.push(stored.position),
                    Err(AppendError::Conflict { .. }) => {
                        done.left += u64::from(!superseded(keys, stored, &mut wrapped).await?);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Err(error) => return Err(error.into()),
    }
    done.rewrapped += u64::try_from(wrapped.len()).unwrap_or(u64::MAX);
    // The old copies last, and surely: they could be unwrapped with the key that is to be thrown away.
    let erased = wrapped.into_iter().map(|position| async move { keys.log().erase(position).await });
    stream::iter(erased).buffer_unordered(ERASED_AT_ONCE).try_collect::<()>().await?;
    Ok(())
}

/// Whether a copy is one that another stands in the place of, and may be erased; then it is noted for that.
async fn superseded(keys: &KeyStore, old: &Stored, wrapped: &mut Vec<Position>) -> Result<bool, KeyError> {
    let Some(last) = keys.log().last(&old.subject).await? else { return Ok(true) };
    let is = last.position > old.position;
    if is {
        wrapped.push(old.position);
    }
    Ok(is)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rollbook_events::MemberId;
    use uuid::Uuid;

    use super::super::keystore::Found;
    use super::super::wrapping::WrappingKeys;
    use super::*;
    use crate::log::{Erasable, MemoryLog, StreamSpec};

    #[tokio::test]
    async fn after_it_the_second_wrapping_key_is_good_for_nothing() {
        let log: Arc<dyn Erasable> = Arc::new(MemoryLog::new(StreamSpec::IDENTITY_KEYS));
        let keys = |lines: &[&str]| {
            let text: Vec<String> = lines.iter().map(|line| line.repeat(64)).collect();
            KeyStore::new(log.clone(), WrappingKeys::parse(&text.join("\n")).unwrap())
        };
        let members: Vec<_> = (1..=1_200).map(|number| (MemberId(Uuid::from_u128(number)), Position(0))).collect();
        let made = keys(&["a"]).make(members.clone()).await.unwrap();
        let gone = members[7].0;
        keys(&["a"]).erase(gone, made[&gone].id()).await.unwrap();
        let both = keys(&["b", "a"]);
        let first = rewrap(&both, |_| {}).await.unwrap();
        assert_eq!(first, Rewrapped { keys: 1_199, rewrapped: 1_199, left: 0 });
        assert_eq!(rewrap(&both, |_| {}).await.unwrap(), Rewrapped { keys: 1_199, rewrapped: 0, left: 0 });
        let (new, wanted) = (keys(&["b"]), members.iter().map(|(member, _)| *member).collect::<Vec<_>>());
        for (member, found) in new.of(&wanted).await.unwrap() {
            match found {
                Found::Key(key) => assert!(made[&member] == key),
                Found::Destroyed(_) => assert_eq!(member, gone),
                Found::None => panic!("a key is gone"),
            }
        }
        assert!(keys(&["a"]).of(&wanted).await.is_err());
        assert_eq!(log.some_after(Position(0)).await.unwrap().len(), 1_200, "an old copy was left");
    }
}
