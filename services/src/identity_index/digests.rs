//! By what a statement is known again without being opened: digests under a key of the ledger's own.

use std::fmt;

use hmac::{Hmac, Mac};
use rollbook_events::identity::sealed::{Digest, Said};
use rollbook_events::identity::{Identity, IdentitySource};
use rollbook_events::{EventId, MemberId};
use sha2::Sha256;
use uuid::Uuid;

use crate::ledger_key::LedgerKey;

/// Makes an identity's event id of what it says, so that the same statement is the same event.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f4f_6a52_3e6d_4c0b_9d5e_2b1a_7c90_41ee);

/// The key of digests. Prints `[secret]`.
#[derive(Clone)]
pub(super) struct Digests(Hmac<Sha256>);

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Digests {
    /// Of a ledger.
    pub(super) fn of(key: &LedgerKey) -> Self {
        Self(key.for_digests("identities"))
    }

    /// Of a statement.
    pub(super) fn said(&self, identity: &Identity, source: &IdentitySource) -> Said {
        let what = serde_json::to_vec(identity).unwrap_or_default();
        let file = source.file_sha256.map(|file| file.bytes());
        Said {
            system: self.digest(b"system", source.system.as_bytes()),
            file: self.digest(b"file", file.as_ref().map_or(&[], |file| file.as_slice())),
            what: self.digest(b"what", &what),
        }
    }

    /// The id of a statement's event. Made of keyed digests alone: of the statement itself, it would tell whoever guesses.
    pub(super) fn id(member: MemberId, said: &Said, row: Option<u32>) -> EventId {
        let row = row.unwrap_or(0);
        let name = format!("{member}|{}|{}|{}|{row}", said.system, said.what, said.file);
        EventId(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }

    fn digest(&self, kind: &[u8], of: &[u8]) -> Digest {
        let mut mac = self.0.clone();
        mac.update(kind);
        mac.update(&[0]);
        mac.update(of);
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Digest(u64::from_be_bytes(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_the_ledgers_key_and_of_what_it_is_of() {
        let of = |key: u8, cin: &str, system: &str| {
            let source = IdentitySource { system: system.to_owned(), file_sha256: None, row: Some(1) };
            Digests::of(&LedgerKey::new([key; 32])).said(&Identity::of(cin.parse().unwrap()), &source)
        };
        let said = of(1, "91234567A", "api");
        assert_eq!(said, of(1, "91234567A", "api"));
        assert_ne!(said.what, of(2, "91234567A", "api").what);
        assert_ne!(said.what, of(1, "91234567C", "api").what);
        assert_ne!(said.system, of(1, "91234567A", "mif").system);
        assert_eq!(said.what, of(1, "91234567A", "mif").what);
    }
}
