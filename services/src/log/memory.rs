//! A log that forgets with the process. It keeps the bytes, and where servers differ it is as strict as the strictest.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use rollbook_events::ids::Position;
use tokio::sync::watch;

use super::{AppendError, Log, Message, ReadError, SettingsError, Stored, StreamSpec, batch};

/// A log in memory.
#[derive(Debug, Clone)]
pub struct MemoryLog {
    spec: StreamSpec,
    kept: Arc<Mutex<Kept>>,
    head: watch::Sender<Position>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The message at position p is at index p - 1.
    messages: Vec<Stored>,
    by_subject: HashMap<String, Vec<Position>>,
    by_id: HashMap<String, Position>,
    erased: HashSet<Position>,
}

impl MemoryLog {
    /// An empty one.
    pub fn new(spec: StreamSpec) -> Self {
        Self { spec, kept: Arc::default(), head: watch::Sender::new(Position(0)) }
    }

    /// Erases a message.
    pub(super) fn take_out(&self, position: Position) {
        let mut kept = self.kept();
        let index = usize::try_from(position.0).ok().and_then(|position| position.checked_sub(1));
        let Some(stored) = index.and_then(|index| kept.messages.get_mut(index)) else { return };
        stored.body = bytes::Bytes::new();
        let subject = stored.subject.clone();
        kept.erased.insert(position);
        if let Some(positions) = kept.by_subject.get_mut(&subject) {
            positions.retain(|of| *of != position);
        }
    }

    /// What is left after a position.
    pub(super) fn left_after(&self, after: Position) -> Vec<Stored> {
        let kept = self.kept();
        let left = kept.messages.iter().filter(|stored| stored.position > after);
        left.filter(|stored| !kept.erased.contains(&stored.position)).cloned().collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // No code that holds the lock leaves a half-done append behind.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admitted(&self, subject: &str) -> Result<(), ReadError> {
        if self.spec.admits(subject) { Ok(()) } else { Err(ReadError::Subject) }
    }
}

impl Kept {
    fn head(&self) -> Position {
        Position(self.messages.len() as u64)
    }

    fn get(&self, position: Position) -> Option<&Stored> {
        let index = usize::try_from(position.0.checked_sub(1)?).ok()?;
        self.messages.get(index).filter(|stored| !self.erased.contains(&stored.position))
    }

    fn positions(&self, subject: &str) -> &[Position] {
        self.by_subject.get(subject).map_or(&[], Vec::as_slice)
    }

    fn last(&self, subject: &str) -> Position {
        self.positions(subject).last().copied().unwrap_or_default()
    }

    /// Where this very batch is stored, if it is.
    fn find(&self, batch: &[Message]) -> Option<Vec<Position>> {
        let first = self.by_id.get(&batch.first()?.id)?.0;
        let positions: Vec<_> = (first..).map(Position).take(batch.len()).collect();
        let same = positions.iter().zip(batch).all(|(position, message)| {
            self.get(*position).is_some_and(|s| s.subject == message.subject && s.body == message.body)
        });
        same.then_some(positions)
    }

    fn append(&mut self, batch: &[Message]) -> Result<Vec<Position>, AppendError> {
        let conflict =
            |subject: &str, last| AppendError::Conflict { subject: Some(subject.to_owned()), last: Some(last) };
        for (message, expected) in batch.iter().zip(batch::expectations(batch)) {
            let last = self.last(&message.subject);
            if expected.is_some_and(|expected| expected != last) {
                return self.find(batch).ok_or_else(|| conflict(&message.subject, last));
            }
        }
        if let Some(message) = batch.iter().find(|message| self.by_id.contains_key(&message.id)) {
            return self.find(batch).ok_or_else(|| conflict(&message.subject, self.last(&message.subject)));
        }
        Ok(batch.iter().map(|message| self.store(message)).collect())
    }

    fn store(&mut self, message: &Message) -> Position {
        let position = Position(self.messages.len() as u64 + 1);
        let Message { subject, id, body, .. } = message.clone();
        self.by_subject.entry(subject.clone()).or_default().push(position);
        self.by_id.insert(id, position);
        self.messages.push(Stored { position, subject, body });
        position
    }
}

#[async_trait]
impl Log for MemoryLog {
    async fn append(&self, batch: &[Message]) -> Result<Vec<Position>, AppendError> {
        batch::check(&self.spec, batch)?;
        let mut kept = self.kept();
        let positions = kept.append(batch)?;
        self.head.send_replace(kept.head());
        Ok(positions)
    }

    async fn last(&self, subject: &str) -> Result<Option<Stored>, ReadError> {
        self.admitted(subject)?;
        let kept = self.kept();
        Ok(kept.get(kept.last(subject)).cloned())
    }

    async fn read(&self, subject: &str) -> Result<Vec<Stored>, ReadError> {
        self.admitted(subject)?;
        let kept = self.kept();
        Ok(kept.positions(subject).iter().filter_map(|position| kept.get(*position).cloned()).collect())
    }

    async fn some_of(&self, subject: &str, after: Position, most: usize) -> Result<Vec<Stored>, ReadError> {
        let all = self.read(subject).await?;
        Ok(all.into_iter().filter(|stored| stored.position > after).take(most).collect())
    }

    async fn get(&self, position: Position) -> Result<Option<Stored>, ReadError> {
        Ok(self.kept().get(position).cloned())
    }

    async fn head(&self) -> Result<Position, ReadError> {
        Ok(self.kept().head())
    }

    async fn follow(&self, after: Position) -> Result<BoxStream<'static, Result<Stored, ReadError>>, ReadError> {
        let head = self.kept().head();
        if head < after {
            return Err(ReadError::Behind { after, head });
        }
        let state = (self.clone(), self.head.subscribe(), after);
        let messages = stream::unfold(state, |(log, mut head, Position(last))| async move {
            let next = Position(last + 1);
            // The log held here owns the sender, so that waiting never fails.
            head.wait_for(|head| *head >= next).await.ok()?;
            let stored = log.kept().get(next).cloned()?;
            Some((Ok(stored), (log, head, next)))
        });
        Ok(messages.boxed())
    }

    async fn check(&self) -> Result<(), SettingsError> {
        Ok(())
    }
}
