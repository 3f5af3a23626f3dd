//! The receipt of a plan's feed: a hash that runs over every message of the plan, so that two who hold the same receipt at the
//! same number have seen the same messages, every one of them.

use std::fmt;
use std::str::FromStr;

use rollbook_events::Hash;
use rollbook_events::ids::BadHash;
use sha2::{Digest, Sha256};

/// The header of each message that holds the receipt after it.
pub const HEADER: &str = "Rollbook-Receipt";

/// SHA-256 over the receipt before and the SHA-256 of the message's body; 32 zero bytes before a plan's first message. Written
/// in lower-case hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt(Hash);

impl Receipt {
    /// The receipt before a plan's first message.
    pub fn beginning() -> Self {
        Self(Hash::from_bytes([0; 32]))
    }

    /// The receipt after one more message, to whose bytes this is.
    #[must_use]
    pub fn then(self, body: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.0.bytes());
        hasher.update(Hash::of(body).bytes());
        Self(Hash::from_bytes(hasher.finalize().into()))
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Receipt {
    type Err = BadHash;
    fn from_str(text: &str) -> Result<Self, BadHash> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What any other language computes: `sha256(bytes(32) + sha256(b"a").digest())` and so on, in Python.
    #[test]
    fn a_receipt_is_what_any_program_computes_from_the_bodies() {
        let zero = Receipt::beginning();
        assert_eq!(zero.to_string(), "0".repeat(64));
        let one = zero.then(b"a");
        assert_eq!(one.to_string(), "8c374a53782642f7514d087d26a3e733f1b806009a03e04a43b288ef2fa9f9c0");
        assert_eq!(one.then(b"b").to_string(), "153d5381929b50792d3b22ae9596544af3b0e4805be1555a595e6d2a2734933f");
        assert_ne!(zero.then(b"b").then(b"a"), one.then(b"b"), "the order counts");
        assert_eq!(one.to_string().parse(), Ok(one));
    }
}
