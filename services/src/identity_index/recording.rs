//! Recording what is new of people: sealed, each with the key of its member, which is on disk before.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use rollbook_events::identity::sealed::{IdentityEvent, IdentitySealed, Said, Statement, VERSION};
use rollbook_events::{MemberId, Position};

use super::digests::Digests;
use super::known::after;
use super::{IdentityIndex, News, Told};
use crate::clock;
use crate::error_chain::chain;
use crate::failpoint;
use crate::identity_keys::{DataKey, Found, KeyError};
use crate::log::{AppendError, MOST_IN_A_BATCH, Message};

/// Why a statement about somebody whose key is lost is not recorded.
const LOST: &str = "the key that a member's identity is sealed with is missing from IDENTITY_KEYS: put the keys back from their \
    backup (rollbook identity restore-keys), or accept that they are lost (rollbook identity give-up-lost)";

impl IdentityIndex {
    /// Records what is news of these statements, in order; on disk when it answers.
    ///
    /// # Errors
    /// Where a stream cannot be written, or a member's key is missing or cannot be used.
    pub async fn record(&self, told: &[Told]) -> Result<Vec<News>, AppendError> {
        let mut new: Vec<(&Told, Said)> = Vec::new();
        let mut all = Vec::with_capacity(told.len());
        let mut here: HashMap<(MemberId, u64), Said> = HashMap::new();
        for told in told {
            let said = self.digests.said(&told.identity, &told.source);
            let place = (told.member, said.system.0);
            let news = match here.get(&place) {
                Some(before) => after(&said, before),
                None => self.news(told.member, &said),
            };
            all.push(news);
            if news == News::New {
                here.insert(place, said);
                new.push((told, said));
            }
        }
        for some in new.chunks(MOST_IN_A_BATCH) {
            self.record_new(some).await?;
        }
        Ok(all)
    }

    async fn record_new(&self, new: &[(&Told, Said)]) -> Result<(), AppendError> {
        // Nothing is sealed with a key while that is being destroyed.
        let _sealing = self.sealing.read().await;
        let keys = self.keys_for(new.iter().map(|(told, _)| told.member).collect()).await?;
        let sealed = new.iter().map(|(told, said)| {
            let key = keys.get(&told.member).ok_or_else(|| failed("a member has got no key"))?;
            Ok((message(told, said, key)?, key.id()))
        });
        let (messages, names): (Vec<_>, Vec<_>) = sealed.collect::<Result<Vec<_>, AppendError>>()?.into_iter().unzip();
        failpoint!("identity.before_append");
        let positions = self.log.append(&messages).await?;
        failpoint!("identity.after_append");
        // Known only once it is on disk, so that nobody else is answered on what may yet fail.
        for (((told, said), position), key) in new.iter().zip(positions).zip(names) {
            let born_at = told.identity.born_on.map(|_| position);
            self.note(told.member, said, Some(key), born_at);
            if let Some(born_on) = told.identity.born_on {
                self.keep_birth(told.member, position, born_on.0);
            }
        }
        Ok(())
    }

    /// A key for each of these members; who has none yet gets one.
    async fn keys_for(&self, members: BTreeSet<MemberId>) -> Result<HashMap<MemberId, Arc<DataKey>>, AppendError> {
        let (heard, unheard): (Vec<_>, Vec<_>) = match self.known.read() {
            Ok(known) => members.into_iter().partition(|member| known.heard_of(*member)),
            Err(_) => return Err(failed("the index of identities is broken: start the program again")),
        };
        let mut keys = HashMap::with_capacity(heard.len() + unheard.len());
        let mut wanted: Vec<(MemberId, Position)> = Vec::new();
        for member in unheard {
            match self.keys.at_hand(member) {
                Some(key) => _ = keys.insert(member, key),
                // Most surely there is none; where there is, the stream says so.
                None => wanted.push((member, Position(0))),
            }
        }
        for (member, found) in self.keys.of(&heard).await.map_err(refused)? {
            match found {
                Found::Key(key) => _ = keys.insert(member, key),
                Found::Destroyed(position) => wanted.push((member, position)),
                Found::None if self.known.read().is_ok_and(|known| known.is_sealed(member)) => {
                    return Err(AppendError::Stayed { cause: LOST.to_owned() });
                }
                Found::None => wanted.push((member, Position(0))),
            }
        }
        if !wanted.is_empty() {
            keys.extend(self.keys.make(wanted).await.map_err(refused)?);
        }
        Ok(keys)
    }
}

fn message(told: &Told, said: &Said, key: &DataKey) -> Result<Message, AppendError> {
    let mut sealed = IdentitySealed {
        id: Digests::id(told.member, said, told.source.row),
        member: told.member,
        recorded_at: rollbook_events::Instant::new(clock::now().fixed_offset()),
        version: VERSION,
        key: key.id(),
        said: *said,
        dated: told.identity.born_on.is_some(),
        sealed: String::new(),
    };
    let statement = Statement { source: told.source.clone(), identity: told.identity.clone() };
    key.seal(&statement, &mut sealed).map_err(failed)?;
    to_store(&IdentityEvent::Sealed(sealed))
}

/// A message of the stream, to be stored.
pub(super) fn to_store(event: &IdentityEvent) -> Result<Message, AppendError> {
    Ok(Message {
        subject: format!("identity.{}", event.member()),
        // Not the identity's own id: said again within the server's memory of ids, it would meet another body under it.
        id: clock::new_event_id().to_string(),
        expected: None,
        headers: Vec::new(),
        body: Bytes::from(event.write().map_err(failed)?),
    })
}

fn failed(error: impl Into<crate::log::Source>) -> AppendError {
    AppendError::Unavailable { source: error.into() }
}

/// Why nothing was recorded, where that is for want of a key.
pub(super) fn refused(error: KeyError) -> AppendError {
    match error {
        KeyError::Append(error) => error,
        error @ (KeyError::Read(_) | KeyError::Contended) => failed(error),
        error @ (KeyError::NotUnwrapped { .. } | KeyError::Malformed { .. } | KeyError::NotMade(_)) => {
            AppendError::Stayed { cause: chain(&error) }
        }
    }
}
