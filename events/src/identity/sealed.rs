//! The messages of `IDENTITY` as they are stored: an identity sealed with its member's key, and the word that this key was
//! destroyed. What stands in clear names nobody.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Identity, IdentityRecorded, IdentitySource, hidden};
use crate::envelope::Actor;
use crate::ids::{EventId, KeyId, MemberId};
use crate::time::Instant;

/// The form of sealed messages that this program writes. The first release's, in clear, counts as the first.
pub const VERSION: u16 = 2;

/// Kinds of messages; those of the first release name none.
const RECORDED: &str = "identity_recorded";
const DESTROYED: &str = "identity_destroyed";

/// A message of `IDENTITY`.
#[derive(Clone, PartialEq, Eq)]
pub enum IdentityEvent {
    /// In clear, as the first release wrote it.
    InClear(Box<IdentityRecorded>),
    /// Sealed.
    Sealed(IdentitySealed),
    /// A member's key was destroyed.
    Destroyed(IdentityDestroyed),
}

/// What is sealed: who somebody is, and where that was read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Where it was read.
    pub source: IdentitySource,
    /// Who somebody is.
    pub identity: Identity,
}

/// A statement, sealed with a key of its member alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentitySealed {
    /// The event's id.
    pub id: EventId,
    /// Whose it is.
    pub member: MemberId,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// How it is sealed.
    pub version: u16,
    /// With which key.
    pub key: KeyId,
    /// By what a statement is known again without being opened.
    pub said: Said,
    /// Whether it states a birth date.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dated: bool,
    /// The nonce, the sealed [`Statement`] and its tag, in base64.
    pub sealed: String,
}

/// Digests of a statement, under a key of the ledger: they tell whoever holds that key whether two statements are the same, and
/// nobody else anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Of the system that says it.
    pub system: Digest,
    /// Of the file it says it in.
    pub file: Digest,
    /// Of what it says.
    pub what: Digest,
}

/// The first eight bytes of a keyed digest; sixteen hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub u64);

/// A member's key was destroyed: what was sealed with it can be read by nobody any more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityDestroyed {
    /// The event's id.
    pub id: EventId,
    /// Whose key it was.
    pub member: MemberId,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Which key.
    pub key: KeyId,
    /// Why, in somebody's words.
    pub reason: String,
    /// Who wanted it.
    pub actor: Actor,
}

hidden!(IdentityEvent, Statement, IdentitySealed, IdentityDestroyed);

/// Why a message of `IDENTITY` cannot be read; tells nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadIdentity {
    /// No message of this stream, or a damaged one.
    #[error("is no message about an identity")]
    Malformed,
    /// Of a later release.
    #[error("is of a form that this program does not know")]
    Unknown,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Written<'a, T> {
    kind: &'static str,
    #[serde(flatten)]
    event: &'a T,
}

impl IdentityEvent {
    /// Reads a stored message.
    ///
    /// # Errors
    /// Where it is none; a parser's own words would quote a person, so they are not given.
    pub fn read(body: &[u8]) -> Result<Self, BadIdentity> {
        let named: Named<'_> = serde_json::from_slice(body).map_err(|_| BadIdentity::Malformed)?;
        let malformed = |_| BadIdentity::Malformed;
        match named.kind.as_deref() {
            None => serde_json::from_slice(body).map(Self::InClear).map_err(malformed),
            Some(RECORDED) => {
                let sealed: IdentitySealed = serde_json::from_slice(body).map_err(malformed)?;
                if sealed.version == VERSION { Ok(Self::Sealed(sealed)) } else { Err(BadIdentity::Unknown) }
            }
            Some(DESTROYED) => serde_json::from_slice(body).map(Self::Destroyed).map_err(malformed),
            Some(_) => Err(BadIdentity::Unknown),
        }
    }

    /// As it is stored.
    ///
    /// # Errors
    /// Where it cannot be written as JSON, which no value of these types is known to be.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::InClear(recorded) => serde_json::to_vec(recorded),
            Self::Sealed(event) => serde_json::to_vec(&Written { kind: RECORDED, event }),
            Self::Destroyed(event) => serde_json::to_vec(&Written { kind: DESTROYED, event }),
        }
    }

    /// Whose it is.
    pub fn member(&self) -> MemberId {
        match self {
            Self::InClear(recorded) => recorded.member,
            Self::Sealed(sealed) => sealed.member,
            Self::Destroyed(destroyed) => destroyed.member,
        }
    }
}

impl IdentitySealed {
    /// What a seal is bound to: a sealed text that is moved to another event, member, key or form does not open there.
    pub fn bound_to(&self) -> Vec<u8> {
        let mut bytes = b"rollbook identity\0".to_vec();
        bytes.extend_from_slice(self.id.0.as_bytes());
        bytes.extend_from_slice(self.member.0.as_bytes());
        bytes.extend_from_slice(self.key.0.as_bytes());
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Not sixteen hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 16 hexadecimal digits")]
pub struct BadDigest;

impl FromStr for Digest {
    type Err = BadDigest;
    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let is_hex = text.len() == 16 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        u64::from_str_radix(text, 16).ok().filter(|_| is_hex).map(Self).ok_or(BadDigest)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn sealed() -> IdentitySealed {
        let said = Said { system: Digest(1), file: Digest(u64::MAX), what: Digest(3) };
        IdentitySealed {
            id: EventId(Uuid::from_u128(1)),
            member: MemberId(Uuid::from_u128(2)),
            recorded_at: "2026-03-01T10:00:00-08:00".parse().unwrap(),
            version: VERSION,
            key: KeyId(Uuid::from_u128(3)),
            said,
            dated: true,
            sealed: "AAAA".to_owned(),
        }
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let destroyed = IdentityDestroyed {
            id: EventId(Uuid::from_u128(1)),
            member: MemberId(Uuid::from_u128(2)),
            recorded_at: "2026-03-01T10:00:00-08:00".parse().unwrap(),
            key: KeyId(Uuid::from_u128(3)),
            reason: "misfiled".to_owned(),
            actor: Actor { org: "la-care".to_owned(), id: "a".to_owned(), role: "operator".to_owned() },
        };
        for event in [IdentityEvent::Sealed(sealed()), IdentityEvent::Destroyed(destroyed)] {
            let body = event.write().unwrap();
            assert!(IdentityEvent::read(&body).unwrap() == event);
            assert_eq!(format!("{event:?}"), "[phi]");
        }
    }

    #[test]
    fn what_the_first_release_wrote_is_read() {
        let body = br#"{"id":"018f3c1e-7a10-8c3d-9b4e-0123456789ab","member":"018f3c1e-7a10-8c3d-9b4e-0123456789ac",
            "recorded_at":"2026-03-01T10:00:00-08:00","source":{"system":"api"},"identity":{"cin":"91234567A"}}"#;
        let IdentityEvent::InClear(recorded) = IdentityEvent::read(body).unwrap() else { panic!("is in clear") };
        assert_eq!(recorded.identity.cin.expose(), "91234567A");
    }

    #[test]
    fn another_form_or_kind_is_told_apart_from_damage() {
        let later = IdentityEvent::Sealed(IdentitySealed { version: 3, ..sealed() }).write().unwrap();
        assert_eq!(IdentityEvent::read(&later).err(), Some(BadIdentity::Unknown));
        assert_eq!(IdentityEvent::read(br#"{"kind":"identity_doubted"}"#).err(), Some(BadIdentity::Unknown));
        assert_eq!(IdentityEvent::read(br#"{"id":"91234567A"}"#).err(), Some(BadIdentity::Malformed));
        assert_eq!(IdentityEvent::read(b"91234567A").err(), Some(BadIdentity::Malformed));
    }

    #[test]
    fn a_digest_has_one_spelling() {
        assert_eq!("00000000000000ff".parse(), Ok(Digest(255)));
        for bad in ["ff", "00000000000000FF", "+0000000000000ff", "00000000000000fg"] {
            assert_eq!(bad.parse::<Digest>(), Err(BadDigest), "{bad}");
        }
    }
}
