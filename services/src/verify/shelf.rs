//! Every segment of a stream's archive in order, also where some are missing or damaged.

use rollbook_events::Position;
use tokio::sync::mpsc;

use super::finding::{Report, SHELVE};
use crate::archive::chain::Link;
use crate::archive::place::PlaceError;
use crate::archive::record::Record;
use crate::archive::segment::{Segment, follows};
use crate::archive::shelf::{Shelf, ShelfError};
use crate::error_chain::chain;

/// Segments read ahead.
const AHEAD: usize = 1;

/// The archived messages in order, and what was found wrong with their segments.
pub(super) struct Archived {
    segments: mpsc::Receiver<(u64, Result<Segment, ShelfError>)>,
    shelf: Shelf,
    /// What the next segment must follow on; nothing after a damaged one.
    link: Option<Link>,
    records: std::iter::Peekable<std::vec::IntoIter<Record>>,
    /// Segments read, and messages in them.
    pub(super) read: (u64, u64),
    /// The last position that any segment holds.
    pub(super) last: Position,
    done: bool,
}

impl Archived {
    /// Begins to read an archive.
    pub(super) async fn open(shelf: Shelf, report: &mut Report) -> Result<Self, PlaceError> {
        let (mut numbers, foreign) = shelf.numbers().await?;
        for name in foreign {
            report.found(name, "no archiver gives a file this name", "move it away");
        }
        numbers.sort_unstable();
        let last = numbers.last().copied().unwrap_or(0);
        let (send, segments) = mpsc::channel(AHEAD);
        let reading = shelf.clone();
        tokio::spawn(async move {
            for number in 1..=last {
                let segment = reading.segment(number).await;
                let lost = matches!(segment, Err(ShelfError::Place(_)));
                if send.send((number, segment)).await.is_err() || lost {
                    return;
                }
            }
        });
        let link = Some(Link::beginning(shelf.stream()));
        let records = Vec::new().into_iter().peekable();
        Ok(Self { segments, shelf, link, records, read: (0, 0), last: Position(0), done: false })
    }

    /// The archived message of a position, where the archive holds it; those before are passed over.
    pub(super) async fn at(&mut self, position: u64, report: &mut Report) -> Option<Record> {
        loop {
            while self.records.next_if(|record| record.position.0 < position).is_some() {}
            match self.records.peek() {
                Some(record) if record.position.0 == position => return self.records.next(),
                Some(_) => return None,
                None if self.done => return None,
                None => self.read_on(report).await,
            }
        }
    }

    /// Reads what is left, for what is wrong with it.
    pub(super) async fn finish(&mut self, report: &mut Report) {
        while !self.done {
            self.read_on(report).await;
        }
    }

    async fn read_on(&mut self, report: &mut Report) {
        let Some((number, segment)) = self.segments.recv().await else {
            self.done = true;
            return;
        };
        let name = self.shelf.name(number);
        match segment {
            Ok(segment) => {
                if let Some(Err(error)) = self.link.map(|link| follows(&link, &segment.header)) {
                    report.found(name, error.to_string(), SHELVE);
                } else if segment.header.first <= self.last.0 {
                    report.found(name, format!("begins again at position {}", segment.header.first), SHELVE);
                }
                self.link = Some(segment.link);
                self.last = segment.link.last.max(self.last);
                self.read = (self.read.0 + 1, self.read.1 + segment.header.count);
                self.records = segment.records.into_iter().peekable();
            }
            Err(error) => {
                // What comes after it names the true one, and can still be compared with the stream.
                self.link = None;
                report.found(name, chain(&error), SHELVE);
            }
        }
    }
}
