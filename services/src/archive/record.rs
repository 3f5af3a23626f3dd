//! A message as bytes of a segment.

use bytes::Bytes;
use rollbook_events::Position;

pub use crate::log::Record;

/// Bytes that are no records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the records break off or are malformed at byte {at}")]
pub struct Malformed {
    /// Where, in the uncompressed records.
    pub at: usize,
}

impl Record {
    /// The bytes it takes in a segment before compression.
    pub fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| 4 + name.len() + value.len()).sum();
        8 + 8 + 2 + self.subject.len() + 2 + self.id.len() + 2 + headers + 4 + self.body.len()
    }

    /// Whether two say the same: everything but when the server stored it, which differs after a restore.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.position == other.position
            && self.subject == other.subject
            && self.id == other.id
            && self.headers == other.headers
            && self.body == other.body
    }

    /// Writes it: numbers little-endian, texts and bodies behind their length.
    ///
    /// # Errors
    /// Where a text is longer than any that a stream keeps.
    pub fn write(&self, to: &mut Vec<u8>) -> Result<(), TooLong> {
        to.extend(self.position.0.to_le_bytes());
        to.extend(self.stored_at.to_le_bytes());
        text(&self.subject, to)?;
        text(&self.id, to)?;
        to.extend(u16::try_from(self.headers.len()).map_err(|_| TooLong)?.to_le_bytes());
        for (name, value) in &self.headers {
            text(name, to)?;
            text(value, to)?;
        }
        to.extend(u32::try_from(self.body.len()).map_err(|_| TooLong)?.to_le_bytes());
        to.extend(&self.body);
        Ok(())
    }

    /// Reads records until the bytes end.
    ///
    /// # Errors
    /// Where they are no records.
    pub fn read_all(bytes: &Bytes) -> Result<Vec<Self>, Malformed> {
        let mut reader = Reader { bytes, at: 0 };
        let mut records = Vec::new();
        while reader.at < bytes.len() {
            let at = reader.at;
            records.push(reader.record().ok_or(Malformed { at })?);
        }
        Ok(records)
    }
}

/// A text or body longer than the archive's format knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message is larger than the archive's format knows")]
pub struct TooLong;

fn text(text: &str, to: &mut Vec<u8>) -> Result<(), TooLong> {
    to.extend(u16::try_from(text.len()).map_err(|_| TooLong)?.to_le_bytes());
    to.extend(text.as_bytes());
    Ok(())
}

struct Reader<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    fn record(&mut self) -> Option<Record> {
        let position = Position(u64::from_le_bytes(self.array()?));
        let stored_at = i64::from_le_bytes(self.array()?);
        let (subject, id) = (self.text()?, self.text()?);
        let mut headers = Vec::new();
        for _ in 0..u16::from_le_bytes(self.array()?) {
            headers.push((self.text()?, self.text()?));
        }
        let length = usize::try_from(u32::from_le_bytes(self.array()?)).ok()?;
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        let body = self.bytes.slice(self.at..end);
        self.at = end;
        Some(Record { position, subject, stored_at, id, headers, body })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(*bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(u16::from_le_bytes(self.array()?));
        let bytes = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        String::from_utf8(bytes.to_vec()).ok()
    }
}
