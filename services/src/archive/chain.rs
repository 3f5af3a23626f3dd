//! What ties the archive together: a hash that runs over every position of a stream, and the link from file to file.

use rollbook_events::{Hash, Position};
use sha2::{Digest, Sha256};

/// The running hash of a stream: equal at a position where, and only where, everything up to there is equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain(Hash);

impl Chain {
    /// The hash before a stream's first position.
    pub fn beginning(stream: &str) -> Self {
        Self(Hash::of(format!("rollbook chain 1 {stream}").as_bytes()))
    }

    /// A hash read from a header.
    pub fn from_hash(hash: Hash) -> Self {
        Self(hash)
    }

    /// The hash itself.
    pub fn hash(self) -> Hash {
        self.0
    }

    /// The hash after the next position: over the hash before, the position, the body's SHA-256, and the subject, which
    /// comes last because it alone has no fixed length.
    #[must_use]
    pub fn then(self, position: Position, subject: &str, body: Hash) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.0.bytes());
        hasher.update(position.0.to_be_bytes());
        hasher.update(body.bytes());
        hasher.update(subject.as_bytes());
        Self(Hash::from_bytes(hasher.finalize().into()))
    }
}

/// Where a stream's archive ends, and what its next segment must follow on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The number of the last segment; 0 before the first.
    pub number: u64,
    /// SHA-256 of the last segment's file; of nothing before the first.
    pub file: Hash,
    /// The last position archived.
    pub last: Position,
    /// The running hash at that position.
    pub chain: Chain,
}

impl Link {
    /// Before the first segment of a stream.
    pub fn beginning(stream: &str) -> Self {
        Self { number: 0, file: Hash::of(&[]), last: Position(0), chain: Chain::beginning(stream) }
    }
}
