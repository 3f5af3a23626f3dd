//! The archiver of one stream: follows it from where the archive ends, and writes segment after segment.
//!
//! Its progress is the archive itself. Before it goes on, the stream must hold at the archive's last position what the archive
//! holds there; a hole, an end before the archive's, another message or a broken chain stops it. Two at once do no harm: a
//! segment's name is its number, the second to put it is told that it is taken, and goes on from what is there.

use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use rollbook_events::{Hash, Position};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::chain::Link;
use super::error::ArchiveError;
use super::member_chains::{Links, MemberChains};
use super::place::Put;
use super::record::Record;
use super::segment::{self, SegmentError};
use super::shelf::{Shelf, ShelfError};
use super::status::Report;
use super::waiting::Waiting;
use crate::error_chain::chain;
use crate::log::{Log, NatsLog, ReadError, StreamSpec};

/// How often an archiver with nothing to do looks whether stream and archive still end alike.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// How long it waits after damage, which somebody has to mend, before it looks again.
const AFTER_DAMAGE: Duration = Duration::from_secs(15);

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long the last messages may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Members whose last hash is remembered, some 25 MB; what is not remembered is looked up in the stream.
const MOST_MEMBERS: usize = 500_000;
const LOOKED_UP_AT_ONCE: usize = 8;

/// Messages between two words on how far the stream goes.
const REPORTED_EVERY: usize = 1_000;

/// The archiver of one stream.
#[derive(Debug)]
pub struct Archiver {
    log: NatsLog,
    shelf: Shelf,
    report: Report,
    /// How long a message may wait for others to share a segment with.
    patience: Duration,
    chains: Option<MemberChains>,
}

impl Archiver {
    /// An archiver that lets no message wait longer than `patience` before it writes.
    pub fn new(log: NatsLog, shelf: Shelf, report: Report, patience: Duration) -> Self {
        let chained = shelf.stream() == StreamSpec::ENROLLMENT.name;
        let chains = chained.then(|| MemberChains::of_at_most(MOST_MEMBERS));
        Self { log, shelf, report, patience, chains }
    }

    /// Compares where stream and archive end, and says to health how that is. Writes nothing.
    pub async fn look(&self) -> Result<Link, ArchiveError> {
        let looked = self.resume().await;
        match &looked {
            Ok(link) => self.report.archived(self.shelf.stream(), link.last.0, link.number),
            Err(error) => self.say(error),
        }
        looked
    }

    /// Archives until cancelled, and then what is left. Whatever goes wrong is said to health and tried again.
    pub async fn run(mut self, cancelled: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = Instant::now();
            let Err(error) = self.turn(&cancelled).await else { return };
            self.say(&error);
            if begun.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            let wait = if error.damage().is_some() { AFTER_DAMAGE } else { pause };
            pause = (pause * 2).min(LONGEST_PAUSE);
            tokio::select! {
                () = sleep(wait) => {}
                () = cancelled.cancelled() => return,
            }
        }
    }

    fn say(&self, error: &ArchiveError) {
        let stream = self.shelf.stream();
        match error.damage() {
            Some((cause, forbids)) => self.report.damaged(stream, &cause, forbids),
            None if matches!(error, ArchiveError::Overtaken { .. }) => {
                tracing::warn!(stream, "another archiver writes here too: going on from its segment");
            }
            None => self.report.away(stream, &chain(error)),
        }
    }

    /// Where the archive ends, if the stream holds the same there.
    async fn resume(&self) -> Result<Link, ArchiveError> {
        let stream = self.shelf.stream();
        let shelved = |source| ArchiveError::Shelf { stream, source };
        let number = self.shelf.last_number().await.map_err(shelved)?;
        let head = self.head().await?;
        if number == 0 {
            return Ok(Link::beginning(stream));
        }
        let segment = self.shelf.segment(number).await.map_err(shelved)?;
        let archived = segment.link.last;
        if head < archived {
            return Err(ArchiveError::Regression { stream, head, archived });
        }
        self.compare(segment.records.last(), archived).await?;
        self.compare(segment.records.first(), Position(segment.header.first)).await?;
        Ok(segment.link)
    }

    async fn head(&self) -> Result<Position, ArchiveError> {
        let stream = self.shelf.stream();
        let head = self.log.head().await.map_err(|source| ArchiveError::Log { stream, source })?;
        self.report.head(stream, head.0);
        Ok(head)
    }

    /// Whether the stream holds this message at this position.
    async fn compare(&self, record: Option<&Record>, position: Position) -> Result<(), ArchiveError> {
        let stream = self.shelf.stream();
        let stored = self.log.get(position).await.map_err(|source| ArchiveError::Log { stream, source })?;
        let same = match (record, &stored) {
            (Some(record), Some(stored)) => record.subject == stored.subject && record.body == stored.body,
            _ => false,
        };
        if same { Ok(()) } else { Err(ArchiveError::Differs { stream, position }) }
    }

    /// Archives from where the archive ends until something goes wrong, or, well, until cancelled.
    async fn turn(&mut self, cancelled: &CancellationToken) -> Result<(), ArchiveError> {
        let stream = self.shelf.stream();
        let mut link = self.look().await?;
        // What is remembered may be of messages that are read again now.
        self.chains = self.chains.as_ref().map(|_| MemberChains::of_at_most(MOST_MEMBERS));
        let unread = |source| ArchiveError::Log { stream, source };
        let mut messages = self.log.follow_whole(link.last).await.map_err(unread)?;
        let mut waiting = Waiting::default();
        let mut look = Instant::now() + LOOK_EVERY;
        loop {
            let due = waiting.due(self.patience);
            if waiting.is_full() || due.is_some_and(|due| due <= Instant::now()) {
                link = self.write(&link, &mut waiting, cancelled).await?;
                continue;
            }
            let wake = due.map_or(look, |due| due.min(look));
            tokio::select! {
                biased;
                () = cancelled.cancelled() => {
                    return self.last_words(&link, waiting, messages).await;
                }
                message = messages.next() => {
                    let record = message.ok_or(ArchiveError::Ended { stream })?.map_err(unread)?;
                    self.take(record, &mut waiting)?;
                }
                () = tokio::time::sleep_until(wake) => {
                    if look <= Instant::now() {
                        self.look_on(&link).await?;
                        look = Instant::now() + LOOK_EVERY;
                    }
                }
            }
        }
    }

    /// Whether the stream still goes as far as the archive, the archive no further than it was left, and both are there.
    async fn look_on(&self, link: &Link) -> Result<(), ArchiveError> {
        let stream = self.shelf.stream();
        let head = self.head().await?;
        if head < link.last {
            return Err(ArchiveError::Regression { stream, head, archived: link.last });
        }
        self.still_there(link).await?;
        match self.shelf.after(link).await.map_err(|source| ArchiveError::Shelf { stream, source })? {
            Some(_) => Err(ArchiveError::Overtaken { stream }),
            None => Ok(()),
        }
    }

    /// Whether the segment that the next one will name is still there, and still the same.
    async fn still_there(&self, link: &Link) -> Result<(), ArchiveError> {
        let stream = self.shelf.stream();
        if link.number == 0 {
            return Ok(());
        }
        let segment = self.shelf.segment(link.number).await;
        let segment = segment.map_err(|source| ArchiveError::Shelf { stream, source })?;
        if segment.link == *link { Ok(()) } else { Err(ArchiveError::Overtaken { stream }) }
    }

    fn take(&mut self, record: Record, waiting: &mut Waiting) -> Result<(), ArchiveError> {
        if let Some(chains) = &mut self.chains {
            match chains.next(&record.subject, &record.body, Hash::of(&record.body)) {
                Links::Yes => {}
                // It is in the log, so it is archived; the projector tells of it.
                Links::Unreadable => {}
                Links::Unknown(named) => waiting.unknown.push((record.subject.clone(), record.position, named)),
                Links::No => {
                    let stream = self.shelf.stream();
                    return Err(ArchiveError::BrokenChain { stream, position: record.position });
                }
            }
        }
        let now = Instant::now();
        waiting.came = Some((waiting.came.map_or(now, |(first, _)| first), now));
        waiting.bytes += record.size();
        if waiting.records.len().is_multiple_of(REPORTED_EVERY) {
            self.report.head(self.shelf.stream(), record.position.0);
        }
        waiting.records.push(record);
        Ok(())
    }

    /// Writes what waits as one segment, as often as the place is away; reads nothing meanwhile, so that no more waits.
    async fn write(
        &mut self,
        link: &Link,
        waiting: &mut Waiting,
        cancelled: &CancellationToken,
    ) -> Result<Link, ArchiveError> {
        let stream = self.shelf.stream();
        let waiting = std::mem::take(waiting);
        self.check_chains(waiting.unknown).await?;
        let (after, records) = (*link, waiting.records);
        let written = tokio::task::spawn_blocking(move || segment::write(stream, &after, &records)).await;
        let written = written.unwrap_or(Err(SegmentError::Format));
        let (bytes, next) = written.map_err(|source| ArchiveError::Segment { stream, source })?;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.still_there(link).await {
                Err(ArchiveError::Shelf { source: ShelfError::Place(error), .. }) => {
                    self.report.away(stream, &chain(&error));
                    self.rest(&mut pause, cancelled).await?;
                    continue;
                }
                there => there?,
            }
            match self.shelf.put(next.number, bytes.clone()).await {
                Ok(Put::Stored) => break,
                Ok(Put::Taken) => match self.shelf.after(link).await {
                    // An earlier try of ours whose answer was lost, or another archiver that read the same.
                    Ok(Some(there)) if there.link == next => break,
                    Ok(Some(_) | None) => return Err(ArchiveError::Overtaken { stream }),
                    Err(source) => return Err(ArchiveError::Shelf { stream, source }),
                },
                Err(error) => self.report.away(stream, &chain(&error)),
            }
            self.rest(&mut pause, cancelled).await?;
        }
        self.report.archived(stream, next.last.0, next.number);
        Ok(next)
    }

    /// Longer each time.
    async fn rest(&self, pause: &mut Duration, cancelled: &CancellationToken) -> Result<(), ArchiveError> {
        tokio::select! {
            () = sleep(*pause) => *pause = (*pause * 2).min(LONGEST_PAUSE),
            () = cancelled.cancelled() => return Err(ArchiveError::Ended { stream: self.shelf.stream() }),
        }
        Ok(())
    }

    /// Looks up in the stream what events name that nothing is remembered of.
    async fn check_chains(&self, unknown: Vec<(String, Position, Hash)>) -> Result<(), ArchiveError> {
        let stream = self.shelf.stream();
        let looks = unknown.into_iter().map(|(subject, position, named)| async move {
            let read = self.log.read(&subject).await.map_err(|source| ArchiveError::Log { stream, source })?;
            let before = read.iter().rev().find(|stored| stored.position < position);
            match before {
                Some(before) if Hash::of(&before.body) == named => Ok(()),
                _ => Err(ArchiveError::BrokenChain { stream, position }),
            }
        });
        stream::iter(looks).buffer_unordered(LOOKED_UP_AT_ONCE).try_collect::<()>().await
    }

    /// At the end: what the stream holds and the archive does not, for as long as that may take.
    async fn last_words(
        &mut self,
        link: &Link,
        mut waiting: Waiting,
        mut messages: BoxStream<'static, Result<Record, ReadError>>,
    ) -> Result<(), ArchiveError> {
        let stream = self.shelf.stream();
        let all = async {
            let head = self.head().await?;
            let mut last = waiting.records.last().map_or(link.last, |record| record.position);
            while last < head && !waiting.is_full() {
                let record = messages.next().await.ok_or(ArchiveError::Ended { stream })?;
                let record = record.map_err(|source| ArchiveError::Log { stream, source })?;
                last = record.position;
                self.take(record, &mut waiting)?;
            }
            if !waiting.records.is_empty() {
                self.write(link, &mut waiting, &CancellationToken::new()).await?;
            }
            Ok(())
        };
        match timeout(LAST_WORDS, all).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.say(&error),
            Err(_) => tracing::warn!(stream, "the last messages were not archived in time: the next start does it"),
        }
        Ok(())
    }
}
