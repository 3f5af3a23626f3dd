//! The keys of members, as the recorder uses them: made before anything is sealed with them, fetched many at once, kept for a
//! while, erased for good.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use rollbook_events::ids::KeyId;
use rollbook_events::{Instant, MemberId, Position};

use super::bounded::Bounded;
use super::data_key::DataKey;
use super::gcm::NotSealed;
use super::message::{KeyMessage, Tombstone, VERSION, subject};
use super::wrapping::{NotUnwrapped, WrappingKeys};
use crate::clock;
use crate::failpoint;
use crate::log::{AppendError, Erasable, MOST_IN_A_BATCH, Message, ReadError, Stored};

/// Keys kept unwrapped, at most twice as many: some hundred bytes each.
const MOST_KEPT: usize = 25_000;

/// Questions to the leader at once.
const ASKED_AT_ONCE: usize = 32;

/// How often keys are made, or erased, where another program does the same at the same moment.
const MOST_TRIES: u32 = 8;

/// The keys of members. Cheap to clone.
#[derive(Clone)]
pub struct KeyStore {
    log: Arc<dyn Erasable>,
    wrapping: WrappingKeys,
    kept: Arc<Mutex<Bounded<MemberId, Arc<DataKey>>>>,
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStore").finish_non_exhaustive()
    }
}

/// What stands in the place of a member's key.
#[derive(Debug, Clone)]
pub enum Found {
    /// The key.
    Key(Arc<DataKey>),
    /// It was destroyed; where that is written.
    Destroyed(Position),
    /// Nothing.
    None,
}

/// Why a key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The keys cannot be read.
    #[error("the members' keys cannot be read")]
    Read(#[from] ReadError),
    /// New ones cannot be stored.
    #[error("a member's key cannot be stored")]
    Append(#[from] AppendError),
    /// One cannot be unwrapped.
    #[error("the member's key at position {position} of IDENTITY_KEYS cannot be used")]
    NotUnwrapped {
        /// Where it stands.
        position: Position,
        /// Why.
        source: NotUnwrapped,
    },
    /// What stands there is no key.
    #[error("the message at position {position} of IDENTITY_KEYS is no key of its member")]
    Malformed {
        /// Where it stands.
        position: Position,
    },
    /// No randomness.
    #[error("a member's key cannot be made")]
    NotMade(#[from] NotSealed),
    /// Others made and erased keys all the while.
    #[error("a member's key could not be settled: other programs change it at the same time")]
    Contended,
}

impl KeyStore {
    /// Over the stream of keys.
    pub fn new(log: Arc<dyn Erasable>, wrapping: WrappingKeys) -> Self {
        Self { log, wrapping, kept: Arc::new(Mutex::new(Bounded::of(MOST_KEPT))) }
    }

    /// The stream.
    pub fn log(&self) -> &Arc<dyn Erasable> {
        &self.log
    }

    /// The keys that they are wrapped with.
    pub fn wrapping(&self) -> &WrappingKeys {
        &self.wrapping
    }

    /// A member's key, where it is kept.
    pub fn at_hand(&self, member: MemberId) -> Option<Arc<DataKey>> {
        self.kept.lock().ok()?.get(member)
    }

    fn keep(&self, member: MemberId, key: &Arc<DataKey>) {
        if let Ok(mut kept) = self.kept.lock() {
            kept.put(member, key.clone());
        }
    }

    /// Forgets what is kept of a member.
    pub fn forget(&self, member: MemberId) {
        if let Ok(mut kept) = self.kept.lock() {
            kept.remove(member);
        }
    }

    /// What stands in the place of each of these members' keys.
    ///
    /// # Errors
    /// Where it cannot be read, or a key cannot be unwrapped.
    pub async fn of(&self, members: &[MemberId]) -> Result<HashMap<MemberId, Found>, KeyError> {
        let mut found = HashMap::with_capacity(members.len());
        let mut asked = BTreeSet::new();
        for member in members {
            match self.at_hand(*member) {
                Some(key) => _ = found.insert(*member, Found::Key(key)),
                None => _ = asked.insert(*member),
            }
        }
        if asked.is_empty() {
            return Ok(found);
        }
        let subjects: Vec<String> = asked.iter().copied().map(subject).collect();
        let mut last = self.log.last_of_each(&subjects).await?;
        for (member, subject) in asked.into_iter().zip(subjects) {
            found.insert(member, self.understand(member, last.remove(&subject))?);
        }
        Ok(found)
    }

    fn understand(&self, member: MemberId, last: Option<Stored>) -> Result<Found, KeyError> {
        let Some(stored) = last else { return Ok(Found::None) };
        let position = stored.position;
        match read(&stored).filter(|message| message.member() == member) {
            None => Err(KeyError::Malformed { position }),
            Some(KeyMessage::Destroyed(_)) => Ok(Found::Destroyed(position)),
            Some(KeyMessage::Wrapped(wrapped)) => {
                let key = self.wrapping.unwrap(&wrapped);
                let key = Arc::new(key.map_err(|source| KeyError::NotUnwrapped { position, source })?);
                self.keep(member, &key);
                Ok(Found::Key(key))
            }
        }
    }

    /// Makes keys for members, on disk when it answers; for one that turns out to have a key, that key. With each stands where
    /// its subject is expected to be: 0, or where the destroyed key is written.
    ///
    /// # Errors
    /// Where they cannot be stored; what is stored all the same is found the next time.
    pub async fn make(
        &self,
        mut wanted: Vec<(MemberId, Position)>,
    ) -> Result<HashMap<MemberId, Arc<DataKey>>, KeyError> {
        let mut made = HashMap::with_capacity(wanted.len());
        for _ in 0..MOST_TRIES {
            let mut contended = Vec::new();
            for some in wanted.chunks(MOST_IN_A_BATCH) {
                let keys = some.iter().map(|_| DataKey::new().map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
                let messages: Result<Vec<Message>, KeyError> =
                    some.iter().zip(&keys).map(|((member, last), key)| self.message(*member, *last, key)).collect();
                match self.log.append(&messages?).await {
                    Ok(_) => {
                        for ((member, _), key) in some.iter().zip(keys) {
                            self.keep(*member, &key);
                            made.insert(*member, key);
                        }
                        failpoint!("identity.after_keys");
                    }
                    Err(AppendError::Conflict { .. }) => contended.extend(some.iter().map(|(member, _)| *member)),
                    Err(error) => return Err(error.into()),
                }
            }
            if contended.is_empty() {
                return Ok(made);
            }
            wanted = self.settle(contended, &mut made).await?;
        }
        Err(KeyError::Contended)
    }

    /// Asks the leader which of some members have a key; those that have none, with where their subjects truly are.
    async fn settle(
        &self,
        members: Vec<MemberId>,
        made: &mut HashMap<MemberId, Arc<DataKey>>,
    ) -> Result<Vec<(MemberId, Position)>, KeyError> {
        let asked = members.into_iter().map(|member| async move {
            let last = self.log.last(&subject(member)).await?;
            Ok::<_, KeyError>((member, self.understand(member, last)?))
        });
        let found: Vec<_> = stream::iter(asked).buffer_unordered(ASKED_AT_ONCE).try_collect().await?;
        let mut wanted = Vec::new();
        for (member, found) in found {
            match found {
                Found::Key(key) => _ = made.insert(member, key),
                Found::Destroyed(position) => wanted.push((member, position)),
                Found::None => wanted.push((member, Position(0))),
            }
        }
        Ok(wanted)
    }

    fn message(&self, member: MemberId, last: Position, key: &DataKey) -> Result<Message, KeyError> {
        let wrapped = KeyMessage::Wrapped(self.wrapping.wrap(member, key)?);
        Ok(message(&wrapped, last)?)
    }

    /// Erases a member's key of this name, and writes in its place that it was destroyed. Another key that the member has got
    /// since then stays. Said again, it does the same again.
    ///
    /// # Errors
    /// Where it cannot be read, erased or written.
    pub async fn erase(&self, member: MemberId, key: KeyId) -> Result<(), KeyError> {
        self.forget(member);
        let erased = erase(&*self.log, member, key).await;
        // Another task may have fetched it meanwhile.
        self.forget(member);
        erased
    }
}

/// As [`KeyStore::erase`], by whoever has no wrapping keys.
pub(super) async fn erase(log: &dyn Erasable, member: MemberId, key: KeyId) -> Result<(), KeyError> {
    let subject = subject(member);
    for _ in 0..MOST_TRIES {
        let mut last = None;
        for stored in log.read(&subject).await? {
            let message = read(&stored);
            let is_it = matches!(&message, Some(KeyMessage::Wrapped(wrapped)) if wrapped.key == key);
            if is_it {
                log.erase(stored.position).await?;
            } else {
                last = Some((stored.position, message));
            }
        }
        failpoint!("identity.after_erased");
        let after = match last {
            // Told already; or a key that came later, under which nothing of the destroyed one is sealed.
            Some((_, Some(KeyMessage::Destroyed(of)))) if of.key == key => return Ok(()),
            Some((_, Some(KeyMessage::Wrapped(_)))) => return Ok(()),
            Some((position, Some(KeyMessage::Destroyed(_)) | None)) => position,
            None => Position(0),
        };
        let destroyed_at = Instant::new(clock::now().fixed_offset());
        let told = KeyMessage::Destroyed(Tombstone { version: VERSION, member, key, destroyed_at });
        match log.append(&[message(&told, after)?]).await {
            // Read once more: a program that wraps keys anew may have been between the two.
            Ok(_) | Err(AppendError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(KeyError::Contended)
}

/// A message of the stream; none where it is another.
pub(crate) fn read(stored: &Stored) -> Option<KeyMessage> {
    let message: KeyMessage = serde_json::from_slice(&stored.body).ok()?;
    (subject(message.member()) == stored.subject).then_some(message)
}

/// A message to be stored where its subject is as expected.
pub(super) fn message(of: &KeyMessage, last: Position) -> Result<Message, AppendError> {
    let body = serde_json::to_vec(of).map_err(|error| AppendError::Unavailable { source: error.into() })?;
    Ok(Message {
        subject: subject(of.member()),
        id: clock::new_event_id().to_string(),
        expected: Some(last),
        headers: Vec::new(),
        body: Bytes::from(body),
    })
}

#[cfg(test)]
#[path = "keystore_tests.rs"]
mod tests;
