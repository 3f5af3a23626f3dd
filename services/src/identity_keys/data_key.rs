//! The key of one member's identity: 32 random bytes, and sealing and opening with them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rollbook_events::identity::sealed::{IdentitySealed, Statement};
use rollbook_events::ids::KeyId;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::gcm::{self, KEY_BYTES, NotOpened, NotSealed};

/// Sealed texts are filled up to a multiple of this, so that their length tells little of the names in them.
const STEP: usize = 64;

/// A member's key. Prints `[secret]`, and is wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey {
    id: KeyId,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl DataKey {
    /// A new one, with a new name.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn new() -> Result<Self, NotSealed> {
        let name = gcm::random()?;
        let mut id = [0; 16];
        id.copy_from_slice(&name[..16]);
        Ok(Self { id: KeyId(Uuid::new_v8(id)), bytes: gcm::random()? })
    }

    /// The key of these bytes.
    pub(super) fn of(id: KeyId, bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self { id, bytes }
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Its bytes, to be wrapped.
    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    /// Seals a statement into an event that names this key; what the event had sealed before is replaced.
    ///
    /// # Errors
    /// Where the system gives no randomness, or the statement is no JSON.
    pub fn seal(&self, statement: &Statement, event: &mut IdentitySealed) -> Result<(), NotSealed> {
        let mut text = serde_json::to_vec(statement).map_err(|_| NotSealed)?;
        // Blanks after a JSON text mean nothing.
        text.resize(text.len().next_multiple_of(STEP), b' ');
        event.sealed = STANDARD.encode(gcm::seal(&self.bytes, &event.bound_to(), text)?);
        Ok(())
    }

    /// Opens what an event has sealed.
    ///
    /// # Errors
    /// Where it was sealed with another key or for another event, or is damaged.
    pub fn open(&self, event: &IdentitySealed) -> Result<Statement, NotOpened> {
        let sealed = STANDARD.decode(&event.sealed).map_err(|_| NotOpened)?;
        let text = gcm::open(&self.bytes, &event.bound_to(), &sealed)?;
        serde_json::from_slice(&text).map_err(|_| NotOpened)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use rollbook_events::identity::sealed::{Digest, Said, VERSION};
    use rollbook_events::identity::{Identity, IdentitySource};
    use rollbook_events::{EventId, MemberId};

    use super::*;

    pub(crate) fn statement(last_name: &str) -> Statement {
        let mut identity = Identity::of("91234567A".parse().unwrap());
        identity.last_name = Some(last_name.to_owned());
        identity.born_on = Some("1970-01-02".parse().unwrap());
        Statement { source: IdentitySource { system: "api".to_owned(), file_sha256: None, row: Some(7) }, identity }
    }

    fn event(key: &DataKey) -> IdentitySealed {
        IdentitySealed {
            id: EventId(Uuid::from_u128(1)),
            member: MemberId(Uuid::from_u128(2)),
            recorded_at: "2026-03-01T10:00:00-08:00".parse().unwrap(),
            version: VERSION,
            key: key.id(),
            said: Said { system: Digest(1), file: Digest(2), what: Digest(3) },
            dated: true,
            sealed: String::new(),
        }
    }

    fn sealed(key: &DataKey, last_name: &str) -> IdentitySealed {
        let mut event = event(key);
        key.seal(&statement(last_name), &mut event).unwrap();
        event
    }

    #[test]
    fn it_opens_only_with_its_key_and_where_it_was_sealed() {
        let (key, other) = (DataKey::new().unwrap(), DataKey::new().unwrap());
        let whole = sealed(&key, "Fakename");
        assert!(key.open(&whole).unwrap() == statement("Fakename"));
        assert_eq!(other.open(&whole).err(), Some(NotOpened));
        for (what, moved) in [
            ("event", IdentitySealed { id: EventId(Uuid::from_u128(9)), ..whole.clone() }),
            ("member", IdentitySealed { member: MemberId(Uuid::from_u128(9)), ..whole.clone() }),
            ("key", IdentitySealed { key: other.id(), ..whole.clone() }),
            ("form", IdentitySealed { version: VERSION + 1, ..whole.clone() }),
        ] {
            assert_eq!(key.open(&moved).err(), Some(NotOpened), "moved to another {what}");
        }
        // What tells of the statement without opening it is not what opens it.
        assert!(key.open(&IdentitySealed { dated: false, ..whole }).is_ok());
    }

    #[test]
    fn nothing_of_a_person_stands_in_what_is_sealed_and_its_length_tells_little() {
        let key = DataKey::new().unwrap();
        let (short, long) = (sealed(&key, "Li"), sealed(&key, "Featherstonehaugh"));
        assert_eq!(short.sealed.len(), long.sealed.len());
        assert_ne!(sealed(&key, "Li").sealed, short.sealed, "a nonce was used again");
        let text = serde_json::to_string(&long).unwrap();
        assert!(!text.contains("Featherstone") && !text.contains("91234567") && !text.contains("1970"));
        assert_eq!(format!("{key:?}"), "[secret]");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_is_said_opens_as_it_was_and_no_changed_byte_does(
            names in prop::collection::vec(".{0,40}", 3),
            row in prop::option::of(any::<u32>()),
            extra in prop::collection::btree_map("[a-zA-Z ]{1,12}", ".{0,60}", 0..6),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            let key = DataKey::new().unwrap();
            let mut said = statement(&names[0]);
            said.identity.first_name = Some(names[1].clone());
            said.identity.address = Some(names[2].clone());
            said.identity.extra = extra;
            said.source.row = row;
            let mut event = event(&key);
            key.seal(&said, &mut event).unwrap();
            prop_assert!(key.open(&event).unwrap() == said);
            let mut bytes = STANDARD.decode(&event.sealed).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            event.sealed = STANDARD.encode(bytes);
            prop_assert!(key.open(&event).is_err());
        }
    }
}
