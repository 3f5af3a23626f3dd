//! Destroying who a member is: the one place that knows everything that must go. The word on `IDENTITY` counts: it is carried
//! out by whoever is asked, by every recorder that hears of it, and again at each start, so that no restored copy of a key and
//! no quarantined row outlives it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rollbook_events::ids::KeyId;
use rollbook_events::{Actor, MemberId};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::error_chain::chain;
use crate::health::{Forbids, Health};
use crate::identity_index::IdentityIndex;
use crate::identity_index::destroying::{Called, Destroyed, NotDestroyed};
use crate::import::Importer;

/// The check that what was destroyed is gone.
const CHECK: &str = "identity_destroyed";

/// How long it waits before it tries again what did not succeed.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Destroys keys, and sees to it that they stay destroyed. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Destruction {
    identities: IdentityIndex,
    importer: Importer,
    /// Whoever was asked to destroy comes to the end of it before whoever hears of it carries it out once more: else neither
    /// could tell what was emptied.
    one: Arc<tokio::sync::Mutex<()>>,
}

/// What became of a member's identity.
#[derive(Debug, Clone)]
pub struct Done {
    /// Of the stream and the keys.
    pub destroyed: Destroyed,
    /// Quarantined rows that were emptied.
    pub quarantined: u64,
}

/// Why it is not done.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// Nothing was destroyed, or not all of it yet.
    #[error(transparent)]
    Key(#[from] NotDestroyed),
    /// The key is destroyed; the quarantine is not purged yet.
    #[error("the key is destroyed, and the quarantine could not be purged yet: the recorder goes on trying")]
    Quarantine(#[source] std::io::Error),
}

impl Destruction {
    /// Over what knows of people.
    pub fn new(identities: IdentityIndex, importer: Importer) -> Self {
        Self { identities, importer, one: Arc::default() }
    }

    /// Destroys a member's key and empties the quarantined rows about the member.
    ///
    /// # Errors
    /// See [`NotDone`].
    pub async fn destroy(&self, member: MemberId, reason: &str, actor: &Actor) -> Result<Done, NotDone> {
        let _one = self.one.lock().await;
        let destroyed = self.identities.destroy(member, reason, actor).await?;
        let purged = self.importer.purge(HashSet::from([member]), destroyed.called.clone()).await;
        let quarantined = purged.map_err(NotDone::Quarantine)?;
        tracing::info!(sealed = destroyed.sealed, quarantined, "a member's identity was destroyed");
        Ok(Done { destroyed, quarantined })
    }

    /// Carries out what `IDENTITY` tells, from its beginning, until cancelled.
    pub async fn carry_out(self, health: Health, cancelled: CancellationToken) {
        let mut heard = self.identities.destructions();
        let mut done = HashSet::new();
        loop {
            heard.mark_unchanged();
            let failed = match self.carry_out_new(&mut done).await {
                Ok(()) => {
                    health.green(CHECK);
                    false
                }
                Err(cause) => {
                    tracing::error!(cause, "a destruction is not carried out yet");
                    health.red(CHECK, cause, Forbids::Nothing, clock::now());
                    true
                }
            };
            tokio::select! {
                () = cancelled.cancelled() => return,
                () = tokio::time::sleep(AGAIN_AFTER), if failed => {}
                changed = heard.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn carry_out_new(&self, done: &mut HashSet<(MemberId, KeyId)>) -> Result<(), String> {
        let all = self.identities.all_destroyed();
        let new: Vec<(MemberId, KeyId)> = all.into_iter().filter(|of| !done.contains(of)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let _one = self.one.lock().await;
        for (member, key) in &new {
            let erased = self.identities.erase(*member, *key).await;
            erased.map_err(|error| format!("a destroyed key could not be erased: {}", chain(&error)))?;
        }
        let members = new.iter().map(|(member, _)| *member).collect();
        let purged = self.importer.purge(members, Called::default()).await;
        purged.map_err(|error| format!("the quarantine could not be purged of whom was destroyed: {error}"))?;
        done.extend(new);
        Ok(())
    }
}
