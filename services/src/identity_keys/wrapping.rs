//! The keys of the ledger that members' keys are wrapped with. They lie in a file of their own, one a line, at most two: the
//! first wraps, both unwrap. Without them no identity can be read; a copy belongs in a safe place.

use std::fmt;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rollbook_events::{Hash, MemberId};
use zeroize::{Zeroize, Zeroizing};

use super::data_key::DataKey;
use super::gcm::{self, KEY_BYTES, NotSealed};
use super::message::{VERSION, WrappedKey};
use crate::clock;
use crate::ledger_key::hex;
use crate::log::{SecretError, secret};

/// The file's name in a data folder.
pub const FILE: &str = "wrapping.keys";

/// Keys in use at once: one, or two while every member's key is being wrapped anew.
const MOST_KEYS: usize = 2;

/// The wrapping keys of a ledger. Prints `[secret]`.
#[derive(Clone)]
pub struct WrappingKeys {
    first: WrappingKey,
    second: Option<WrappingKey>,
}

#[derive(Clone)]
struct WrappingKey {
    /// The beginning of a hash of the key: it names the key and does not give it away.
    name: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl fmt::Debug for WrappingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Why there are no wrapping keys.
#[derive(Debug, thiserror::Error)]
pub enum BadWrappingKeys {
    /// The file cannot be read.
    #[error("the wrapping keys cannot be read")]
    Unreadable(#[from] SecretError),
    /// The file holds something else.
    #[error("{} holds no wrapping keys: expected one or two different lines of 64 hexadecimal digits", path.display())]
    NoKeys {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be made.
    #[error("the wrapping keys {} cannot be made", path.display())]
    NotMade {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Why a member's key cannot be had from what was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotUnwrapped {
    /// It was wrapped with a key that this program was not given.
    #[error("a member's key is wrapped with the wrapping key {wrapped_by}, which is not in use here")]
    OtherKey {
        /// That key's name.
        wrapped_by: String,
    },
    /// It does not unwrap.
    #[error("a member's key does not unwrap: it is damaged, or was put in another's place")]
    Damaged,
}

impl WrappingKeys {
    /// Reads a file of wrapping keys.
    ///
    /// # Errors
    /// Where it cannot be read, or holds none.
    pub fn read(path: &Path) -> Result<Self, BadWrappingKeys> {
        let text = Zeroizing::new(secret(path)?);
        Self::parse(&text).ok_or_else(|| BadWrappingKeys::NoKeys { path: path.to_owned() })
    }

    /// Makes a file with one new key.
    ///
    /// # Errors
    /// Where it cannot be made, or is there.
    pub fn make(path: &Path) -> Result<Self, BadWrappingKeys> {
        let not_made = |source| BadWrappingKeys::NotMade { path: path.to_owned(), source };
        let key = gcm::random().map_err(|error| not_made(std::io::Error::other(error)))?;
        let mut line = hex(key.as_slice());
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(not_made)?;
        let written = file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_all());
        line.zeroize();
        written.map_err(not_made)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            // What is wrapped with a key whose file a power cut takes back is lost.
            fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(not_made)?;
        }
        Self::read(path)
    }

    /// The keys of a text; `#` begins a remark.
    pub fn parse(text: &str) -> Option<Self> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let keys: Option<Vec<WrappingKey>> = lines.filter(|line| !line.is_empty()).map(WrappingKey::parse).collect();
        let mut keys = keys.filter(|keys| keys.len() <= MOST_KEYS)?.into_iter();
        let (first, second) = (keys.next()?, keys.next());
        let twice = second.as_ref().is_some_and(|second| second.name == first.name);
        (!twice).then_some(Self { first, second })
    }

    /// The name of the key that wraps.
    pub fn first(&self) -> &str {
        &self.first.name
    }

    /// Whether what is wrapped with the key of this name can be unwrapped.
    pub fn has(&self, name: &str) -> bool {
        self.key(name).is_some()
    }

    fn key(&self, name: &str) -> Option<&WrappingKey> {
        std::iter::once(&self.first).chain(&self.second).find(|key| key.name == name)
    }

    /// Wraps a member's key, to be stored.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn wrap(&self, member: MemberId, key: &DataKey) -> Result<WrappedKey, NotSealed> {
        let mut wrapped = WrappedKey {
            version: VERSION,
            member,
            key: key.id(),
            made_at: rollbook_events::Instant::new(clock::now().fixed_offset()),
            wrapped_by: self.first.name.clone(),
            wrapped: String::new(),
        };
        let sealed = gcm::seal(&self.first.bytes, &wrapped.bound_to(), key.bytes().to_vec())?;
        wrapped.wrapped = STANDARD.encode(sealed);
        Ok(wrapped)
    }

    /// A member's key.
    ///
    /// # Errors
    /// Where it was wrapped with a key that is not here, for another member, or is damaged.
    pub fn unwrap(&self, wrapped: &WrappedKey) -> Result<DataKey, NotUnwrapped> {
        let other = || NotUnwrapped::OtherKey { wrapped_by: wrapped.wrapped_by.clone() };
        let by = self.key(&wrapped.wrapped_by).ok_or_else(other)?;
        let sealed = STANDARD.decode(&wrapped.wrapped).map_err(|_| NotUnwrapped::Damaged)?;
        let opened = gcm::open(&by.bytes, &wrapped.bound_to(), &sealed).map_err(|_| NotUnwrapped::Damaged)?;
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        if opened.len() != KEY_BYTES {
            return Err(NotUnwrapped::Damaged);
        }
        bytes.copy_from_slice(&opened);
        Ok(DataKey::of(wrapped.key, bytes))
    }
}

impl WrappingKey {
    fn parse(line: &str) -> Option<Self> {
        let bytes = Zeroizing::new(line.parse::<Hash>().ok()?.bytes());
        let name = Hash::of(&[b"rollbook wrapping key\0".as_slice(), bytes.as_slice()].concat()).to_string();
        Some(Self { name: name.get(..16)?.to_owned(), bytes })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rollbook_events::ids::KeyId;
    use uuid::Uuid;

    use super::*;

    fn keys(lines: &[&str]) -> WrappingKeys {
        let text: Vec<String> = lines.iter().map(|line| line.repeat(64)).collect();
        WrappingKeys::parse(&text.join("\n")).unwrap()
    }

    fn member(number: u128) -> MemberId {
        MemberId(Uuid::from_u128(number))
    }

    #[test]
    fn the_first_wraps_and_both_unwrap() {
        let (old, both, new) = (keys(&["a"]), keys(&["b", "a"]), keys(&["b"]));
        let key = DataKey::new().unwrap();
        let by_old = old.wrap(member(1), &key).unwrap();
        assert!(both.unwrap(&by_old).unwrap() == key);
        let by_new = both.wrap(member(1), &key).unwrap();
        assert_eq!((by_new.wrapped_by.as_str(), new.first()), (both.first(), both.first()));
        assert!(new.unwrap(&by_new).unwrap() == key && both.unwrap(&by_new).unwrap() == key);
        let refused = new.unwrap(&by_old).unwrap_err();
        assert_eq!(refused, NotUnwrapped::OtherKey { wrapped_by: old.first().to_owned() });
        assert!(both.has(old.first()) && !new.has(old.first()));
    }

    #[test]
    fn a_wrapped_key_opens_for_its_member_and_under_its_name_alone() {
        let (keys, key) = (keys(&["a"]), DataKey::new().unwrap());
        let wrapped = keys.wrap(member(1), &key).unwrap();
        for moved in [
            WrappedKey { member: member(2), ..wrapped.clone() },
            WrappedKey { key: KeyId(Uuid::from_u128(9)), ..wrapped.clone() },
            WrappedKey { wrapped: wrapped.wrapped.replace(&wrapped.wrapped[..1], "/"), ..wrapped.clone() },
        ] {
            assert_eq!(keys.unwrap(&moved), Err(NotUnwrapped::Damaged));
        }
        assert!(!serde_json::to_string(&wrapped).unwrap().contains(&hex(key.bytes())));
        assert_eq!(format!("{keys:?} {wrapped:?}"), "[secret] [secret]");
    }

    #[test]
    fn a_file_holds_one_or_two_keys_and_is_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let made = WrappingKeys::make(&path).unwrap();
        assert_eq!(WrappingKeys::read(&path).unwrap().first(), made.first());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(WrappingKeys::make(&path).is_err(), "a file that is there was written over");
        let (a, b, c) = ("a".repeat(64), "b".repeat(64), "c".repeat(64));
        assert!(WrappingKeys::parse(&format!("# new, since March\n{a} # first\n\n{b}\n")).is_some());
        for bad in [String::new(), format!("{a}\n{a}"), format!("{a}\n{b}\n{c}"), "secret".to_owned()] {
            assert!(WrappingKeys::parse(&bad).is_none(), "{bad}");
        }
    }
}
