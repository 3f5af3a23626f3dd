//! A stream's segments in order: where they end, one after the other, and a new one at the end.

use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;

use super::chain::Link;
use super::place::{Place, PlaceError, Put};
use super::segment::{self, Segment, SegmentError};

const SUFFIX: &str = ".segment";

/// Digits of a number in a name: names sort as their numbers do.
const DIGITS: usize = 12;

/// The archive of one stream.
#[derive(Debug, Clone)]
pub struct Shelf {
    place: Arc<dyn Place>,
    stream: &'static str,
}

/// What is wrong with an archive, or why it could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The place does not answer.
    #[error("the archive cannot be reached")]
    Place(#[from] PlaceError),
    /// A segment is missing between others.
    #[error("segment {name} is missing")]
    Missing {
        /// Its name.
        name: String,
    },
    /// A segment is damaged, or is not the one that belongs there.
    #[error("segment {name} is damaged")]
    Damaged {
        /// Its name.
        name: String,
        /// How.
        source: SegmentError,
    },
    /// A file that no archiver wrote.
    #[error("{name} is no segment's name")]
    Foreign {
        /// Its name.
        name: String,
    },
}

impl Shelf {
    /// The archive of a stream in a place.
    pub fn new(place: Arc<dyn Place>, stream: &'static str) -> Self {
        Self { place, stream }
    }

    /// The stream.
    pub fn stream(&self) -> &'static str {
        self.stream
    }

    /// A segment's name, as `ENROLLMENT/000000000001.segment`.
    pub fn name(&self, number: u64) -> String {
        format!("{}/{number:0DIGITS$}{SUFFIX}", self.stream)
    }

    /// The number of the last segment, where they are numbered without a gap from 1; 0 where there is none.
    ///
    /// # Errors
    /// [`ShelfError::Missing`] with the first gap, or that the place does not answer.
    pub async fn last_number(&self) -> Result<u64, ShelfError> {
        let (mut numbers, foreign) = self.numbers().await?;
        if let Some(name) = foreign.into_iter().next() {
            return Err(ShelfError::Foreign { name });
        }
        numbers.sort_unstable();
        let gap = numbers.iter().zip(1..).find(|(number, expected)| *number != expected);
        match gap {
            Some((_, missing)) => Err(ShelfError::Missing { name: self.name(missing) }),
            None => Ok(numbers.last().copied().unwrap_or(0)),
        }
    }

    /// The numbers of all segments, in any order, and names that are no segment's.
    ///
    /// # Errors
    /// Where the place does not answer.
    pub async fn numbers(&self) -> Result<(Vec<u64>, Vec<String>), PlaceError> {
        let names = self.place.list(self.stream, None).await?;
        let (mut numbers, mut foreign) = (Vec::with_capacity(names.len()), Vec::new());
        for name in names {
            let number = name.strip_suffix(SUFFIX).filter(|digits| digits.len() == DIGITS);
            match number.and_then(|digits| digits.parse().ok()).filter(|number| *number > 0) {
                Some(number) => numbers.push(number),
                None => foreign.push(format!("{}/{name}", self.stream)),
            }
        }
        Ok((numbers, foreign))
    }

    /// A segment, read and compared with all that it says of itself.
    ///
    /// # Errors
    /// Where it is missing or damaged.
    pub async fn segment(&self, number: u64) -> Result<Segment, ShelfError> {
        let name = self.name(number);
        let Some(bytes) = self.place.get(&name).await? else { return Err(ShelfError::Missing { name }) };
        let stream = self.stream;
        let read = tokio::task::spawn_blocking(move || segment::read(stream, &bytes)).await;
        // A reading that panicked has found something that it does not know how to name.
        let read = read.unwrap_or(Err(SegmentError::Format));
        let segment = read.map_err(|source| ShelfError::Damaged { name: name.clone(), source })?;
        if segment.header.number != number {
            return Err(ShelfError::Damaged { name, source: SegmentError::Differs { what: "number" } });
        }
        Ok(segment)
    }

    /// The segment that follows on a link, where there is one.
    ///
    /// # Errors
    /// Where it is damaged, or follows on another segment.
    pub async fn after(&self, link: &Link) -> Result<Option<Segment>, ShelfError> {
        let segment = match self.segment(link.number + 1).await {
            Err(ShelfError::Missing { .. }) => return Ok(None),
            segment => segment?,
        };
        let broken = |source| ShelfError::Damaged { name: self.name(segment.header.number), source };
        segment::follows(link, &segment.header).map_err(broken)?;
        Ok(Some(segment))
    }

    /// Puts the segment that follows on a link.
    ///
    /// # Errors
    /// Where the place does not answer: then it may be there or not.
    pub async fn put(&self, number: u64, bytes: Bytes) -> Result<Put, PlaceError> {
        self.place.put_new(&self.name(number), bytes).await
    }

    /// Where it lies, for people.
    pub fn address(&self) -> String {
        let mut address = self.place.address();
        // A string takes whatever is written to it.
        _ = write!(address, "/{}", self.stream);
        address
    }
}
