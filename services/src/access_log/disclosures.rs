//! The accounting of disclosures: everybody who was shown something of a member, read a stretch at a time.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use rollbook_events::access::AccessRecorded;
use rollbook_events::{MemberId, Position};

use crate::log::{Log, ReadError};

/// Disclosures of one pseudonym that are at hand at once.
const AT_HAND: usize = 500;

/// Why the accounting cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum DisclosuresError {
    /// The log.
    #[error("the disclosures could not be read")]
    Log(#[source] ReadError),
    /// A message that this program did not write.
    #[error("the access event at position {0} cannot be read")]
    Unreadable(Position),
}

/// A disclosure, with its position on `ACCESS`.
pub type Disclosed = (Position, AccessRecorded);

/// Who was shown something of one person, in the order it was written down. However many there are, no more than a stretch of
/// each pseudonym is in memory.
pub struct Disclosures {
    log: Arc<dyn Log>,
    of: Vec<OfOne>,
    up_to: Position,
    /// Whose people and machines alone are told of; everybody's where nothing is named.
    to_whom: Option<String>,
    /// What is given next, once it was looked for.
    next: Option<Disclosed>,
}

impl std::fmt::Debug for Disclosures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disclosures").field("up_to", &self.up_to).finish_non_exhaustive()
    }
}

/// The disclosures of one pseudonym.
#[derive(Debug)]
struct OfOne {
    subject: String,
    /// The last one that was read.
    after: Position,
    at_hand: VecDeque<Disclosed>,
    is_done: bool,
}

impl OfOne {
    /// Reads on where nothing is at hand.
    async fn read_on(&mut self, log: &dyn Log, up_to: Position) -> Result<(), DisclosuresError> {
        if self.is_done || !self.at_hand.is_empty() {
            return Ok(());
        }
        let read = log.some_of(&self.subject, self.after, AT_HAND).await.map_err(DisclosuresError::Log)?;
        self.is_done = read.is_empty();
        for stored in read {
            if stored.position > up_to {
                self.is_done = true;
                break;
            }
            let unreadable = |_| DisclosuresError::Unreadable(stored.position);
            self.at_hand.push_back((stored.position, serde_json::from_slice(&stored.body).map_err(unreadable)?));
            self.after = stored.position;
        }
        Ok(())
    }

    fn position(&self) -> Option<Position> {
        self.at_hand.front().map(|(position, _)| *position)
    }
}

impl Disclosures {
    /// Of the pseudonyms of one person, after a position of the stream and up to another; of one organization's people and
    /// machines, or of everybody.
    pub fn of(
        log: Arc<dyn Log>,
        members: &BTreeSet<MemberId>,
        after: Position,
        up_to: Position,
        to_whom: Option<String>,
    ) -> Self {
        let one = |member: &MemberId| OfOne {
            subject: format!("access.{member}"),
            after,
            at_hand: VecDeque::new(),
            is_done: false,
        };
        Self { log, of: members.iter().map(one).collect(), up_to, to_whom, next: None }
    }

    /// At most so many of the next ones, and whether there are more after them.
    ///
    /// # Errors
    /// Where the stream cannot be read.
    pub async fn some(&mut self, most: usize) -> Result<(Vec<Disclosed>, bool), DisclosuresError> {
        let mut some = Vec::new();
        loop {
            if self.next.is_none() {
                self.next = self.look().await?;
            }
            if self.next.is_none() || some.len() == most {
                return Ok((some, self.next.is_some()));
            }
            some.extend(self.next.take());
        }
    }

    async fn look(&mut self) -> Result<Option<Disclosed>, DisclosuresError> {
        loop {
            for one in &mut self.of {
                one.read_on(&*self.log, self.up_to).await?;
            }
            let earliest = self.of.iter_mut().filter(|one| !one.at_hand.is_empty()).min_by_key(|one| one.position());
            let Some(disclosed) = earliest.and_then(|one| one.at_hand.pop_front()) else { return Ok(None) };
            if self.to_whom.as_ref().is_none_or(|org| disclosed.1.actor.org == *org) {
                return Ok(Some(disclosed));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use futures_util::stream::BoxStream;
    use rollbook_events::Actor;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::access_log::{AccessLog, Showing};
    use crate::log::{AppendError, MemoryLog, Message, SettingsError, Stored, StreamSpec};

    /// A log that counts how much was asked of it at once.
    struct Counted(MemoryLog, AtomicUsize);

    #[async_trait]
    impl Log for Counted {
        async fn append(&self, batch: &[Message]) -> Result<Vec<Position>, AppendError> {
            self.0.append(batch).await
        }
        async fn last(&self, subject: &str) -> Result<Option<Stored>, ReadError> {
            self.0.last(subject).await
        }
        async fn read(&self, _: &str) -> Result<Vec<Stored>, ReadError> {
            panic!("it reads all of a subject at once")
        }
        async fn some_of(&self, subject: &str, after: Position, most: usize) -> Result<Vec<Stored>, ReadError> {
            let some = self.0.some_of(subject, after, most).await?;
            self.1.fetch_max(some.len(), Ordering::Relaxed);
            Ok(some)
        }
        async fn get(&self, position: Position) -> Result<Option<Stored>, ReadError> {
            self.0.get(position).await
        }
        async fn head(&self) -> Result<Position, ReadError> {
            self.0.head().await
        }
        async fn follow(&self, after: Position) -> Result<BoxStream<'static, Result<Stored, ReadError>>, ReadError> {
            self.0.follow(after).await
        }
        async fn check(&self) -> Result<(), SettingsError> {
            self.0.check().await
        }
    }

    #[tokio::test]
    async fn a_stretch_at_a_time_gives_each_once_and_in_order() {
        let memory = MemoryLog::new(StreamSpec::ACCESS);
        let access = AccessLog::over(Arc::new(memory.clone()), CancellationToken::new());
        let members: BTreeSet<MemberId> = (1..=2).map(|number| MemberId(uuid::Uuid::from_u128(number))).collect();
        for answer in 0..700_u64 {
            let org = if answer % 3 == 0 { "la-care" } else { "molina" };
            let actor = Actor { org: org.to_owned(), id: "a".to_owned(), role: "auditor".to_owned() };
            access.record(&Showing::to(actor, None, "GET /v1/events", Position(answer)), &members).await.unwrap();
        }
        let log = Arc::new(Counted(memory, AtomicUsize::new(0)));
        for (to_whom, expected) in [(None, 1_200_usize), (Some("la-care".to_owned()), 400)] {
            let (mut after, mut all, mut pages) = (Position(0), Vec::new(), 0);
            loop {
                let mut on = Disclosures::of(log.clone(), &members, after, Position(1_200), to_whom.clone());
                let (some, more) = on.some(170).await.unwrap();
                after = some.last().map_or(after, |(position, _)| *position);
                all.extend(some.into_iter().map(|(position, _)| position));
                pages += 1;
                if !more {
                    break;
                }
            }
            assert_eq!((all.len(), pages), (expected, expected.div_ceil(170)), "{to_whom:?}");
            assert!(all.is_sorted() && all.windows(2).all(|two| two[0] != two[1]));
        }
        assert_eq!(log.1.load(Ordering::Relaxed), AT_HAND, "no more than a stretch is at hand");
    }
}
