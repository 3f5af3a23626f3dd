//! What the recorder must know of people without asking the identity stream each time: whether an identity is news, and
//! where a birth date stands. It is a fold of `IDENTITY`, kept in memory and followed live, and holds nothing of a person.
//!
//! Reading order: [`known`] (the fold), [`following`], [`recording`] (sealing what is new), [`births`] (ages that submissions
//! leave out), [`destroying`].

mod births;
pub mod destroying;
mod digests;
mod following;
mod known;
mod recording;

use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use rollbook_events::identity::sealed::Said;
use rollbook_events::identity::{Identity, IdentitySource};
use rollbook_events::ids::KeyId;
use rollbook_events::{MemberId, Position};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::births::Births;
use self::digests::Digests;
use self::following::Follower;
use self::known::Known;

use crate::health::Health;
use crate::identity_keys::KeyStore;
use crate::ledger_key::LedgerKey;
use crate::log::{Log, ReadError};

/// How long the index may take to hold what the stream holds.
const CATCHING_UP: Duration = Duration::from_secs(120);

/// The index. Cheap to clone.
#[derive(Clone)]
pub struct IdentityIndex {
    log: Arc<dyn Log>,
    keys: KeyStore,
    digests: Digests,
    known: Arc<RwLock<Known>>,
    births: Arc<Mutex<Births>>,
    position: watch::Receiver<Position>,
    /// Grows with each destruction that is heard of.
    destructions: watch::Receiver<u64>,
    /// Who seals with a key holds this shared, who destroys one holds it alone.
    sealing: Arc<tokio::sync::RwLock<()>>,
}

impl std::fmt::Debug for IdentityIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityIndex").finish_non_exhaustive()
    }
}

/// What the index says of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It says something new.
    New,
    /// It was said, in the same file.
    SaidHere,
    /// It was said before.
    Said,
}

/// A statement of a file about somebody.
#[derive(Debug, Clone)]
pub struct Told {
    /// Whom.
    pub member: MemberId,
    /// What.
    pub identity: Identity,
    /// Where.
    pub source: IdentitySource,
}

impl IdentityIndex {
    /// Reads the stream and follows it until cancelled.
    ///
    /// # Errors
    /// Where the stream cannot be read.
    pub async fn follow(
        log: Arc<dyn Log>,
        keys: KeyStore,
        key: &LedgerKey,
        health: Health,
        cancelled: CancellationToken,
    ) -> Result<Self, ReadError> {
        let (reached, position) = watch::channel(Position(0));
        let (heard, destructions) = watch::channel(0);
        let stream = log.follow(Position(0)).await?;
        let index = Self {
            log,
            keys,
            digests: Digests::of(key),
            known: Arc::default(),
            births: Arc::default(),
            position,
            destructions,
            sealing: Arc::default(),
        };
        let follower = Follower { index: index.clone(), health, reached, heard };
        tokio::spawn(follower.run(stream, cancelled));
        Ok(index)
    }

    /// Waits until the index holds what the stream holds now.
    ///
    /// # Errors
    /// Where the stream cannot be read.
    pub async fn caught_up(&self) -> Result<(), ReadError> {
        let head = self.log.head().await?;
        let mut position = self.position.clone();
        // Over a hole it never comes to the end.
        let reached = tokio::time::timeout(CATCHING_UP, position.wait_for(|position| *position >= head)).await;
        match reached {
            Ok(reached) => reached.map(|_| ()).map_err(ReadError::unavailable),
            Err(elapsed) => Err(ReadError::unavailable(elapsed)),
        }
    }

    /// Whether a statement is news.
    fn news(&self, member: MemberId, said: &Said) -> News {
        let Ok(known) = self.known.read() else { return News::New };
        known.news(member, said)
    }

    /// Takes in what was said; `born_at` is where it states a birth date.
    fn note(&self, member: MemberId, said: &Said, key: Option<KeyId>, born_at: Option<Position>) {
        if let Ok(mut known) = self.known.write() {
            known.note(member, said, key, born_at);
        }
    }
}

#[cfg(test)]
mod tests;
