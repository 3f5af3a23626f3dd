//! Assertions that were shown, remembered for as long as they could be shown again: where every program of the ledger sees it.
//!
//! The memory is the stream `ASSERTIONS`, `assertion.<digest of client and id>`. The server stores the first message of a subject
//! and no other, so of two programs that are shown one assertion at once, one takes it. Where it cannot be asked, none is taken.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use rollbook_events::Position;
use tokio::time::timeout;

use super::refused::Refused;
use crate::clock;
use crate::error_chain::chain;
use crate::ledger_key::LedgerKey;
use crate::log::{AppendError, Log, Message};

/// Assertions remembered at once by this program itself. Each lives five minutes at most, and a client's rate is bounded.
const MOST: usize = 100_000;

/// How long the stream may take; a client waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which assertions were shown: a client's name for each, until when it would hold.
#[derive(Default)]
pub(super) struct Shown {
    /// Those that this program was shown: it need not ask anybody to refuse them.
    here: Mutex<HashMap<(String, String), i64>>,
    everywhere: OnceLock<Everywhere>,
}

/// What all programs of the ledger were shown.
struct Everywhere {
    log: Arc<dyn Log>,
    /// What makes a subject of a client and an id, which nobody then reads out of it.
    key: LedgerKey,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").finish_non_exhaustive()
    }
}

impl Shown {
    /// Says where all programs of the ledger remember, unless that is said already.
    pub fn remember_on(&self, log: Arc<dyn Log>, key: LedgerKey) {
        _ = self.everywhere.set(Everywhere { log, key });
    }

    /// Takes an assertion, once.
    ///
    /// # Errors
    /// Where it was shown before, here or elsewhere; where too many are remembered to remember this one; where nobody can say
    /// whether it was shown elsewhere.
    pub async fn once(&self, client: &str, id: &str, expires: i64, now: DateTime<Utc>) -> Result<(), Refused> {
        self.once_here(MOST, client, id, expires, now)?;
        let everywhere = self.everywhere.get().ok_or(Refused::NotAsked)?;
        everywhere.once(client, id).await
    }

    fn once_here(&self, most: usize, client: &str, id: &str, expires: i64, now: DateTime<Utc>) -> Result<(), Refused> {
        let mut shown = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (client.to_owned(), id.to_owned());
        if shown.contains_key(&key) {
            return Err(Refused::Replayed);
        }
        if shown.len() >= most {
            // One that has expired is refused for that, whoever remembers it.
            shown.retain(|_, expires| *expires > now.timestamp());
            if shown.len() >= most {
                return Err(Refused::Full);
            }
        }
        shown.insert(key, expires);
        Ok(())
    }
}

impl Everywhere {
    async fn once(&self, client: &str, id: &str) -> Result<(), Refused> {
        // No id has a character that would make two pairs one: the length says where the client ends.
        let name = self.key.name_of("assertion", &format!("{} {client} {id}", client.len()));
        // Of this showing alone: what another program stored is never taken for it.
        let showing = clock::new_event_id().to_string();
        let message = Message {
            subject: format!("assertion.{name}"),
            id: showing.clone(),
            expected: Some(Position(0)),
            headers: Vec::new(),
            body: Bytes::from(showing),
        };
        match timeout(PATIENCE, self.log.append(&[message])).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(AppendError::Conflict { .. })) => Err(Refused::Replayed),
            Ok(Err(error)) => {
                tracing::error!(error = chain(&error), "no assertion is taken while ASSERTIONS cannot be asked");
                Err(Refused::NotAsked)
            }
            Err(_) => {
                tracing::error!("no assertion is taken while ASSERTIONS does not answer");
                Err(Refused::NotAsked)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{MemoryLog, StreamSpec};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn program(log: &MemoryLog) -> Shown {
        let shown = Shown::default();
        shown.remember_on(Arc::new(log.clone()), LedgerKey::new([1; 32]));
        shown
    }

    #[test]
    fn an_assertion_is_good_once_and_forgotten_when_it_holds_no_more() {
        let shown = Shown::default();
        assert_eq!(shown.once_here(2, "a", "1", 100, at(1)), Ok(()));
        assert_eq!(shown.once_here(2, "a", "1", 100, at(1)), Err(Refused::Replayed));
        assert_eq!(shown.once_here(2, "b", "1", 100, at(1)), Ok(()));
        assert_eq!(shown.once_here(2, "a", "2", 100, at(99)), Err(Refused::Full));
        assert_eq!(shown.once_here(2, "a", "2", 300, at(100)), Ok(()));
        assert_eq!(shown.once_here(2, "a", "2", 300, at(100)), Err(Refused::Replayed));
    }

    #[tokio::test]
    async fn what_one_program_was_shown_no_other_takes() {
        let log = MemoryLog::new(StreamSpec::ASSERTIONS);
        let (one, two) = (program(&log), program(&log));
        assert_eq!(one.once("la-care-feed", "17", 100, at(1)).await, Ok(()));
        assert_eq!(two.once("la-care-feed", "17", 100, at(1)).await, Err(Refused::Replayed));
        assert_eq!(two.once("la-care-feed", "18", 100, at(1)).await, Ok(()));
        assert_eq!(two.once("molina-feed", "17", 100, at(1)).await, Ok(()), "another client's id");
        assert_eq!(one.once("la-care-feed", "18", 100, at(1)).await, Err(Refused::Replayed));
        // A program that was started again has forgotten, and the stream has not.
        assert_eq!(program(&log).once("la-care-feed", "17", 100, at(1)).await, Err(Refused::Replayed));
        let stored = log.get(Position(1)).await.unwrap().unwrap();
        let told = format!("{} {}", stored.subject, String::from_utf8_lossy(&stored.body));
        assert!(!told.contains("la-care") && !told.contains("feed"), "{told}");
    }

    #[tokio::test]
    async fn where_nobody_can_say_none_is_taken() {
        // No stream was named; one was, and it keeps no such subject.
        assert_eq!(Shown::default().once("a", "1", 100, at(1)).await, Err(Refused::NotAsked));
        assert_eq!(
            program(&MemoryLog::new(StreamSpec::ACCESS)).once("a", "1", 100, at(1)).await,
            Err(Refused::NotAsked)
        );
    }
}
