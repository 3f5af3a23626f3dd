//! What stands on `IDENTITY_KEYS`: a member's key, wrapped, or the word that it was destroyed. The last message of a member's
//! subject is the one that holds.

use std::fmt;

use rollbook_events::ids::KeyId;
use rollbook_events::{Instant, MemberId};
use serde::{Deserialize, Serialize};

/// The form that this program writes.
pub(super) const VERSION: u16 = 1;

/// A message of `IDENTITY_KEYS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum KeyMessage {
    /// A member's key.
    Wrapped(WrappedKey),
    /// It was destroyed.
    Destroyed(Tombstone),
}

/// A member's key, wrapped. Prints `[secret]`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    /// How it is wrapped.
    pub version: u16,
    /// Whose it is.
    pub member: MemberId,
    /// Its name.
    pub key: KeyId,
    /// When it was made, or wrapped anew.
    pub made_at: Instant,
    /// The name of the wrapping key.
    pub wrapped_by: String,
    /// The nonce, the wrapped key and its tag, in base64.
    pub wrapped: String,
}

/// What stands in the place of a key that was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// How it is written.
    pub version: u16,
    /// Whose key it was.
    pub member: MemberId,
    /// Its name.
    pub key: KeyId,
    /// When it was erased.
    pub destroyed_at: Instant,
}

impl KeyMessage {
    /// Whose key it speaks of.
    pub fn member(&self) -> MemberId {
        match self {
            Self::Wrapped(wrapped) => wrapped.member,
            Self::Destroyed(tombstone) => tombstone.member,
        }
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl WrappedKey {
    /// What a wrapped key is bound to: put in another member's place or under another name, it does not unwrap.
    pub(super) fn bound_to(&self) -> Vec<u8> {
        let mut bytes = b"rollbook identity key\0".to_vec();
        bytes.extend_from_slice(self.member.0.as_bytes());
        bytes.extend_from_slice(self.key.0.as_bytes());
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes
    }
}

/// The subject of a member's key.
pub(crate) fn subject(member: MemberId) -> String {
    format!("key.{member}")
}
