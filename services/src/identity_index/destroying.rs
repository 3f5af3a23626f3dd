//! Destroying a member's key: told on `IDENTITY` first, because that word counts before any copy of the key, then erased.

use std::collections::BTreeSet;
use std::fmt;

use rollbook_events::identity::sealed::{IdentityDestroyed, IdentityEvent, Statement};
use rollbook_events::ids::KeyId;
use rollbook_events::{Actor, Instant, MemberId};
use tokio::sync::watch;

use super::IdentityIndex;
use super::recording::to_store;
use crate::clock;
use crate::failpoint;
use crate::identity_keys::keystore::read;
use crate::identity_keys::message::{KeyMessage, subject};
use crate::identity_keys::{Found, KeyError};
use crate::log::{AppendError, ReadError};

/// What destroying came to.
#[derive(Debug, Clone)]
pub struct Destroyed {
    /// The keys that were destroyed; most often one.
    pub keys: Vec<KeyId>,
    /// Whether they had been destroyed before, and were now erased once more.
    pub already: bool,
    /// Messages of the stream that nobody can read any more.
    pub sealed: u64,
    /// Messages of the first release, in clear, that no key protects.
    pub in_clear: u64,
    /// What the person was called, to find what else speaks of them.
    pub called: Called,
}

/// Names of a person, first with last. Prints `[phi]`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Called(pub Vec<(String, String)>);

impl fmt::Debug for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[phi]")
    }
}

/// Why nothing was destroyed.
#[derive(Debug, thiserror::Error)]
pub enum NotDestroyed {
    /// Nobody ever said who the member is.
    #[error("nothing is recorded of who this member is")]
    Unknown,
    /// All of it was written by the first release.
    #[error(
        "all that is recorded of who this member is ({messages} messages) was written by the first release, in clear: no key protects it"
    )]
    InClear {
        /// How many messages.
        messages: u64,
    },
    /// The stream of identities cannot be read.
    #[error("the identities cannot be read")]
    Read(#[from] ReadError),
    /// The destruction could not be told.
    #[error("the destruction cannot be recorded")]
    Append(#[from] AppendError),
    /// It is told, and will be carried out, but not at this moment.
    #[error("the destruction is recorded, and the key could not be erased yet: the recorder goes on trying")]
    NotErased(#[source] KeyError),
}

/// What the stream holds of a member.
#[derive(Default)]
struct Heard {
    sealed: Vec<rollbook_events::identity::sealed::IdentitySealed>,
    in_clear: u64,
    destroyed: BTreeSet<KeyId>,
}

impl IdentityIndex {
    /// Destroys a member's key, for good. Said again, it erases again and records nothing new.
    ///
    /// # Errors
    /// See [`NotDestroyed`].
    pub async fn destroy(&self, member: MemberId, reason: &str, actor: &Actor) -> Result<Destroyed, NotDestroyed> {
        let _alone = self.sealing.write().await;
        let heard = self.heard(member).await?;
        let mut keys: BTreeSet<KeyId> = heard.sealed.iter().map(|event| event.key).collect();
        // A key under which nothing was sealed yet, because the program was killed in between.
        keys.extend(self.stored_key(member).await?);
        let new: Vec<KeyId> = keys.difference(&heard.destroyed).copied().collect();
        if keys.is_empty() && heard.destroyed.is_empty() {
            let messages = heard.in_clear;
            return Err(if messages == 0 { NotDestroyed::Unknown } else { NotDestroyed::InClear { messages } });
        }
        let called = self.called(member, &heard).await;
        if !new.is_empty() {
            let told =
                new.iter().map(|key| to_store(&event(member, *key, reason, actor))).collect::<Result<Vec<_>, _>>()?;
            self.log.append(&told).await?;
            failpoint!("identity.after_destroyed");
        }
        let all: Vec<KeyId> = if new.is_empty() { heard.destroyed.into_iter().collect() } else { new.clone() };
        for key in &all {
            self.forget(member, *key);
            self.keys.erase(member, *key).await.map_err(NotDestroyed::NotErased)?;
        }
        let sealed = u64::try_from(heard.sealed.len()).unwrap_or(u64::MAX);
        Ok(Destroyed { keys: all, already: new.is_empty(), sealed, in_clear: heard.in_clear, called })
    }

    async fn heard(&self, member: MemberId) -> Result<Heard, ReadError> {
        let mut heard = Heard::default();
        for stored in self.log.read(&format!("identity.{member}")).await? {
            match IdentityEvent::read(&stored.body) {
                Ok(IdentityEvent::Sealed(event)) => heard.sealed.push(event),
                Ok(IdentityEvent::InClear(_)) => heard.in_clear += 1,
                Ok(IdentityEvent::Destroyed(event)) => _ = heard.destroyed.insert(event.key),
                Err(error) => tracing::error!(position = stored.position.0, error = %error, "cannot be read"),
            }
        }
        Ok(heard)
    }

    /// The name of the key that stands in the keystore, whether or not it can be unwrapped.
    async fn stored_key(&self, member: MemberId) -> Result<Option<KeyId>, ReadError> {
        let last = self.keys.log().last(&subject(member)).await?;
        Ok(match last.as_ref().and_then(read) {
            Some(KeyMessage::Wrapped(wrapped)) => Some(wrapped.key),
            Some(KeyMessage::Destroyed(_)) | None => None,
        })
    }

    /// What the person is called, as far as it can still be opened.
    async fn called(&self, member: MemberId, heard: &Heard) -> Called {
        let key = self.keys.of(&[member]).await.ok().and_then(|mut found| found.remove(&member));
        let Some(Found::Key(key)) = key else { return Called::default() };
        let mut called = BTreeSet::new();
        for Statement { identity, .. } in heard.sealed.iter().filter_map(|event| key.open(event).ok()) {
            called.extend(identity.first_name.zip(identity.last_name));
        }
        Called(called.into_iter().collect())
    }

    /// Knows nothing of a member any more, because this key was destroyed.
    pub(super) fn forget(&self, member: MemberId, key: KeyId) {
        if let Ok(mut known) = self.known.write() {
            known.destroyed(member, key);
        }
        if let Ok(mut births) = self.births.lock() {
            births.forget(member);
        }
        self.keys.forget(member);
    }

    /// Every key that the stream says was destroyed, as far as it was read.
    pub fn all_destroyed(&self) -> Vec<(MemberId, KeyId)> {
        self.known.read().map(|known| known.all_destroyed()).unwrap_or_default()
    }

    /// Changes with each destruction that is heard of, whoever did it.
    pub fn destructions(&self) -> watch::Receiver<u64> {
        self.destructions.clone()
    }

    /// Erases a key that was destroyed, if any copy of it has come back.
    ///
    /// # Errors
    /// Where the keys cannot be read or erased.
    pub async fn erase(&self, member: MemberId, key: KeyId) -> Result<(), KeyError> {
        self.keys.erase(member, key).await
    }
}

fn event(member: MemberId, key: KeyId, reason: &str, actor: &Actor) -> IdentityEvent {
    IdentityEvent::Destroyed(IdentityDestroyed {
        id: clock::new_event_id(),
        member,
        recorded_at: Instant::new(clock::now().fixed_offset()),
        key,
        reason: reason.to_owned(),
        actor: actor.clone(),
    })
}
