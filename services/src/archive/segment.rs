//! A segment: a run of consecutive messages of one stream as one immutable file.
//!
//! A line that names the format, a line of JSON ([`Header`]), the records compressed with zstd, and the SHA-256 of all that
//! stands before it. The header names the segment before by number and SHA-256, and the running hash of the stream before
//! and after, so that no file can be changed, left out or put elsewhere without being found. The same records after the
//! same segment give the same bytes.

use bytes::Bytes;
use rollbook_events::{Hash, Position};
use serde::{Deserialize, Serialize};

use super::chain::{Chain, Link};
use super::record::{Malformed, Record, TooLong};

/// The most messages of one segment.
pub const MOST_RECORDS: usize = 10_000;

/// The bytes of records from which on a segment is full.
pub const FULL_AT: usize = 16 * 1_024 * 1_024;

/// What no segment's records come to uncompressed, so that a damaged file cannot ask for all memory there is.
const MOST_BYTES: usize = 64 * 1_024 * 1_024;

const MAGIC: &[u8] = b"rollbook segment 1\n";
const LEVEL: i32 = 3;

/// What a segment says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The stream.
    pub stream: String,
    /// Its place in the stream's archive, from 1.
    pub number: u64,
    /// The first position.
    pub first: u64,
    /// The last position.
    pub last: u64,
    /// How many messages.
    pub count: u64,
    /// Bytes of the records, uncompressed.
    pub bytes: u64,
    /// SHA-256 of the records, uncompressed.
    pub sha256: Hash,
    /// SHA-256 of the file of the segment before; of nothing in the first.
    pub previous: Hash,
    /// The stream's running hash before the first position.
    pub chain_before: Hash,
    /// The stream's running hash at the last position.
    pub chain: Hash,
}

/// A segment that was read and holds what it says.
#[derive(Debug, Clone)]
pub struct Segment {
    /// What it says of itself.
    pub header: Header,
    /// Its messages, in order, one after the other.
    pub records: Vec<Record>,
    /// What the next segment must follow on.
    pub link: Link,
}

/// Why bytes are no segment, or not the one that must come next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Not a segment, or of a format this program does not know.
    #[error("it is no segment of a format that this program knows")]
    Format,
    /// Changed, or cut off.
    #[error("its bytes do not have the SHA-256 it ends with: it was changed or cut off")]
    Changed,
    /// The records cannot be taken out.
    #[error("its records cannot be uncompressed")]
    Uncompressed,
    /// The records are none.
    #[error("its records cannot be read")]
    Malformed(#[from] Malformed),
    /// The records are not those that the header speaks of.
    #[error("its {what} is not what its header says")]
    Differs {
        /// Which of the header's fields.
        what: &'static str,
    },
    /// It does not follow on the segment before it.
    #[error("its {what} does not follow on the segment before it")]
    Breaks {
        /// Which of the header's fields.
        what: &'static str,
    },
    /// Nothing to write, or messages that do not stand one after the other.
    #[error("the messages do not stand one after the other from position {from}")]
    NotARun {
        /// The position that had to come first.
        from: Position,
    },
    /// A message that the format has no room for.
    #[error("a message does not fit")]
    TooLong(#[from] TooLong),
}

/// Writes a segment of records that follow on what is archived already.
///
/// # Errors
/// Where they do not follow, or are none.
pub fn write(stream: &str, after: &Link, records: &[Record]) -> Result<(Bytes, Link), SegmentError> {
    let mut raw = Vec::with_capacity(records.iter().map(Record::size).sum());
    let mut chain = after.chain;
    let mut last = after.last;
    for record in records {
        if record.position.0 != last.0 + 1 {
            return Err(SegmentError::NotARun { from: Position(after.last.0 + 1) });
        }
        last = record.position;
        chain = chain.then(record.position, &record.subject, Hash::of(&record.body));
        record.write(&mut raw)?;
    }
    let Some(first) = records.first() else {
        return Err(SegmentError::NotARun { from: Position(after.last.0 + 1) });
    };
    let header = Header {
        stream: stream.to_owned(),
        number: after.number + 1,
        first: first.position.0,
        last: last.0,
        count: count(records.len()),
        bytes: count(raw.len()),
        sha256: Hash::of(&raw),
        previous: after.file,
        chain_before: after.chain.hash(),
        chain: chain.hash(),
    };
    let mut file = MAGIC.to_vec();
    file.extend(serde_json::to_vec(&header).map_err(|_| SegmentError::Format)?);
    file.push(b'\n');
    file.extend(zstd::bulk::compress(&raw, LEVEL).map_err(|_| SegmentError::Uncompressed)?);
    let seal = Hash::of(&file).bytes();
    file.extend(seal);
    let link = Link { number: header.number, file: Hash::of(&file), last, chain };
    Ok((file.into(), link))
}

/// Reads a segment and compares it with all that it says of itself.
///
/// # Errors
/// What is wrong with it.
pub fn read(stream: &str, file: &[u8]) -> Result<Segment, SegmentError> {
    let (sealed, seal) = file.split_last_chunk::<32>().ok_or(SegmentError::Changed)?;
    if !file.starts_with(MAGIC) {
        return Err(SegmentError::Format);
    }
    if Hash::of(sealed).bytes() != *seal {
        return Err(SegmentError::Changed);
    }
    let rest = sealed.get(MAGIC.len()..).ok_or(SegmentError::Format)?;
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or(SegmentError::Format)?;
    let (line, packed) = rest.split_at(end);
    let header: Header = serde_json::from_slice(line).map_err(|_| SegmentError::Format)?;
    let bytes = usize::try_from(header.bytes).ok().filter(|bytes| *bytes <= MOST_BYTES);
    let bytes = bytes.ok_or(SegmentError::Differs { what: "number of bytes" })?;
    let packed = packed.get(1..).ok_or(SegmentError::Format)?;
    let raw = zstd::bulk::decompress(packed, bytes).map_err(|_| SegmentError::Uncompressed)?;
    let raw = Bytes::from(raw);
    let differs = |what| Err(SegmentError::Differs { what });
    if Hash::of(&raw) != header.sha256 {
        return differs("SHA-256");
    }
    let records = Record::read_all(&raw)?;
    let mut chain = Chain::from_hash(header.chain_before);
    for (record, position) in records.iter().zip(header.first..) {
        if record.position.0 != position {
            return differs("run of positions");
        }
        chain = chain.then(record.position, &record.subject, Hash::of(&record.body));
    }
    if header.stream != stream {
        return differs("stream");
    }
    if count(records.len()) != header.count || header.first.checked_add(header.count) != header.last.checked_add(1) {
        return differs("number of messages");
    }
    if records.is_empty() || chain.hash() != header.chain {
        return differs("running hash");
    }
    let link = Link { number: header.number, file: Hash::of(file), last: Position(header.last), chain };
    Ok(Segment { header, records, link })
}

/// Whether a segment is the one that must come after what is archived already.
///
/// # Errors
/// [`SegmentError::Breaks`] with what does not follow.
pub fn follows(after: &Link, header: &Header) -> Result<(), SegmentError> {
    let breaks = |what| Err(SegmentError::Breaks { what });
    if header.number != after.number + 1 {
        return breaks("number");
    }
    if header.first != after.last.0 + 1 {
        return breaks("first position");
    }
    if header.previous != after.file {
        return breaks("SHA-256 of the segment before");
    }
    if header.chain_before != after.chain.hash() {
        return breaks("running hash");
    }
    Ok(())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
