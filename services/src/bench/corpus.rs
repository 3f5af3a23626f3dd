//! Real events of the ledger that is measured, at hand for what is measured without it.

use futures_util::StreamExt;
use rollbook_events::{MemberId, Position, Subject};
use rollbook_projections::Recorded;

use crate::log::{Log, Stored};
use crate::projector::recorded;

/// The first events of a log, as they are stored.
#[derive(Debug)]
pub struct Corpus {
    stored: Vec<Stored>,
}

impl Corpus {
    /// Reads the first events of a log, as many as there are and at most so many.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub async fn read(log: &dyn Log, most: u64) -> anyhow::Result<Self> {
        let head = log.head().await?.0.min(most);
        let mut stored = Vec::new();
        let mut messages = log.follow(Position(0)).await?;
        while stored.len() as u64 != head {
            let Some(message) = messages.next().await else { break };
            stored.push(message?);
        }
        Ok(Self { stored })
    }

    /// All of them.
    pub fn stored(&self) -> &[Stored] {
        &self.stored
    }

    /// All of them, decoded.
    ///
    /// # Errors
    /// Where one cannot be read.
    pub fn decoded(&self) -> anyhow::Result<Vec<Recorded>> {
        self.stored.iter().map(|stored| Ok(recorded(stored)?)).collect()
    }

    /// The members they are about, each once, in the order they come first, at most so many.
    pub fn members(&self, most: usize) -> Vec<MemberId> {
        let mut seen = std::collections::HashSet::new();
        let tokens = self.stored.iter().filter_map(|stored| stored.subject.rsplit('.').next());
        let subjects = tokens.filter_map(|token| token.parse::<Subject>().ok());
        subjects.filter_map(Subject::member).filter(|member| seen.insert(*member)).take(most).collect()
    }
}
