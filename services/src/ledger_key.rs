//! The key that turns a CIN into a pseudonym. Whoever holds it and a CIN can find the member; nobody without it can.

use std::fmt;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use hmac::{Hmac, KeyInit, Mac};
use rollbook_events::{Cin, MemberId};
use sha2::Sha256;

/// The ledger's key, 32 bytes. Prints `[secret]`.
#[derive(Clone)]
pub struct LedgerKey([u8; 32]);

impl LedgerKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the key of a data folder, or makes one where there is none yet.
    ///
    /// # Errors
    /// Where the file cannot be read or made, or holds no key.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            let mut bytes = [0; 32];
            rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, &mut bytes)
                .context("the system gave no random bytes for the ledger's key")?;
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            let file = file.as_mut().map_err(|error| std::io::Error::new(error.kind(), error.to_string()));
            let file = file.with_context(|| format!("could not make the ledger's key {}", path.display()))?;
            file.write_all(hex(&bytes).as_bytes()).context("could not write the ledger's key")?;
            file.sync_all().context("could not flush the ledger's key")?;
        }
        let text =
            fs::read_to_string(path).with_context(|| format!("could not read the ledger's key {}", path.display()))?;
        match parse_hex(text.trim()) {
            Some(bytes) => Ok(Self(bytes)),
            None => bail!("{} holds no key: expected 64 hexadecimal digits", path.display()),
        }
    }

    /// A key of its own for something that is not a pseudonym; no CIN has such a name.
    pub fn derived(&self, name: &str) -> [u8; 32] {
        self.mac_of(format!("rollbook {name}").as_bytes())
    }

    /// An id for what has a name that not everybody may read: the same name is the same id, which tells nothing of it.
    pub fn name_of(&self, kind: &str, name: &str) -> uuid::Uuid {
        let digest = self.mac_of(format!("rollbook {kind} {name}").as_bytes());
        MemberId::from_digest(&digest).0
    }

    /// The pseudonym of the member with this CIN.
    pub fn member(&self, cin: &Cin) -> MemberId {
        MemberId::from_digest(&self.mac_of(cin.expose().as_bytes()))
    }

    fn mac_of(&self, text: &[u8]) -> [u8; 32] {
        let mut mac = self.mac();
        mac.update(text);
        mac.finalize().into_bytes().into()
    }

    /// A key for digests of one kind, which tells nothing of this one nor of those of other kinds.
    pub fn for_digests(&self, of: &str) -> Hmac<Sha256> {
        let mut mac = self.mac();
        // No CIN is as long.
        mac.update(b"rollbook digests of ");
        mac.update(of.as_bytes());
        keyed(&mac.finalize().into_bytes().into())
    }

    fn mac(&self) -> Hmac<Sha256> {
        keyed(&self.0)
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // HMAC pads a key to its hash's block with zeros, so this is the key itself.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Hmac::new(&block.into())
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let hash: rollbook_events::Hash = text.parse().ok()?;
    Some(hash.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cin_is_one_member_and_only_under_one_key() {
        let (a, b) = (LedgerKey::new([1; 32]), LedgerKey::new([2; 32]));
        let (one, bic): (Cin, Cin) = ("91234567A".parse().unwrap(), "91234567A29180".parse().unwrap());
        assert_eq!(a.member(&one), a.member(&bic));
        assert_ne!(a.member(&one), b.member(&one));
    }

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.key");
        let cin: Cin = "91234567A".parse().unwrap();
        assert_eq!(LedgerKey::open(&path).unwrap().member(&cin), LedgerKey::open(&path).unwrap().member(&cin));
        fs::write(&path, "short").unwrap();
        assert!(LedgerKey::open(&path).is_err());
    }
}
