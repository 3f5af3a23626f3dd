//! One identifier, one type.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::string_type::string_type;

/// Not a UUID in the usual form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a UUID, as in 018f3c1e-7a10-7c3d-9b4e-0123456789ab")]
pub struct BadUuid;

macro_rules! uuid_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl FromStr for $name {
            type Err = BadUuid;
            fn from_str(text: &str) -> Result<Self, BadUuid> {
                // One spelling only: two spellings of one id would be two strings in a hash.
                if text.len() != 36 { return Err(BadUuid); }
                let uuid = Uuid::try_parse(text).map_err(|_| BadUuid)?;
                if uuid.is_nil() { return Err(BadUuid); }
                Ok(Self(uuid))
            }
        }

        string_type!($name, "bad_identifier", "a UUID", "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$");
    };
}

uuid_type! {
    /// The idempotency key of an event: the same id again is the same event.
    EventId
}
uuid_type! {
    /// A member's pseudonym: HMAC-SHA-256 over the CIN with the ledger's key, shaped as a UUID (version 8).
    MemberId
}
uuid_type! {
    /// One enrollment of a member in a program.
    EnrollmentId
}
uuid_type! {
    /// One referral.
    ReferralId
}
uuid_type! {
    /// One authorization.
    AuthorizationId
}
uuid_type! {
    /// One notice of action.
    NoticeId
}
uuid_type! {
    /// One appeal.
    AppealId
}
uuid_type! {
    /// What groups the events of one submission.
    CorrelationId
}
uuid_type! {
    /// A key that a member's identity is sealed with; a name for it, and nothing of the key itself.
    KeyId
}

impl MemberId {
    /// Shapes the first sixteen bytes of a keyed digest as a member id.
    pub fn from_digest(digest: &[u8; 32]) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(Uuid::new_v8(bytes))
    }
}

/// A stream sequence, from 1: the only clock of the log. Zero means "nothing yet".
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// SHA-256 of an event's stored bytes, in lower-case hex, as `sha256sum` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A hash that was computed elsewhere, as while a file streamed by.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub fn bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (i, byte) in self.0.iter().enumerate() {
            text[2 * i] = HEX[usize::from(byte >> 4)];
            text[2 * i + 1] = HEX[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// Not a SHA-256 in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits")]
pub struct BadHash;

impl FromStr for Hash {
    type Err = BadHash;
    fn from_str(text: &str) -> Result<Self, BadHash> {
        let text = text.as_bytes();
        if text.len() != 64 {
            return Err(BadHash);
        }
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or(BadHash);
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

string_type!(Hash, "bad_identifier", "a SHA-256 in hexadecimal", "^[0-9a-f]{64}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_as_sha256sum_prints_it() {
        let hash = Hash::of(b"abc");
        assert_eq!(hash.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hash.to_string().parse::<Hash>(), Ok(hash));
    }

    #[test]
    fn a_member_id_is_a_version_8_uuid() {
        let member = MemberId::from_digest(&[7; 32]);
        assert_eq!(member.0.get_version_num(), 8);
    }
}
