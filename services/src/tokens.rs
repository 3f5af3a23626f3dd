//! Bearer tokens: who may call. A token is random; the ledger keeps its hash alone.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use anyhow::{Context, bail};
use rollbook_events::{Actor, Hash};
use serde::{Deserialize, Serialize};

use crate::ledger_key::hex;

/// Tokens that one ledger may have; past it somebody forgot to take any away.
const MOST_TOKENS: usize = 1_000;

/// A token as it is kept: whose it is, and the hash that it must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What an operator calls it.
    pub name: String,
    /// Who the caller is.
    pub actor: Actor,
    /// SHA-256 of the token.
    pub sha256: Hash,
}

/// The tokens of a data folder. Cheap to clone; a token that was just made is found without a restart.
#[derive(Debug, Clone)]
pub struct Tokens {
    path: PathBuf,
    read: Arc<Mutex<(Option<Version>, Vec<Kept>)>>,
}

/// Which file was read: each write makes another file, and two writes may share a time.
type Version = (u64, Option<SystemTime>);

impl Tokens {
    /// The tokens of a data folder.
    pub fn of(data: &Path) -> Self {
        Self { path: data.join("tokens.json"), read: Arc::default() }
    }

    /// Whose token this is.
    pub fn caller(&self, token: &str) -> Option<Actor> {
        // Comparing hashes tells nothing of the token by its timing.
        let sha256 = Hash::of(token.as_bytes());
        self.list().ok()?.into_iter().find(|kept| kept.sha256 == sha256).map(|kept| kept.actor)
    }

    /// All of them.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn list(&self) -> anyhow::Result<Vec<Kept>> {
        let changed = fs::metadata(&self.path).ok().map(|meta| (meta.ino(), meta.modified().ok()));
        let Ok(mut read) = self.read.lock() else { bail!("the list of tokens is poisoned") };
        if changed.is_some() && read.0 != changed {
            let text = fs::read(&self.path).with_context(|| format!("could not read {}", self.path.display()))?;
            let kept = serde_json::from_slice(&text)
                .with_context(|| format!("{} is no list of tokens", self.path.display()))?;
            *read = (changed, kept);
        }
        Ok(read.1.clone())
    }

    /// Makes a token for a caller; it is given once and never again.
    ///
    /// # Errors
    /// Where the name is taken, or the list cannot be written.
    pub fn issue(&self, name: &str, actor: Actor) -> anyhow::Result<String> {
        let mut kept = self.list()?;
        if kept.iter().any(|kept| kept.name == name) {
            bail!("there is a token named {name} already; revoke it first");
        }
        if kept.len() >= MOST_TOKENS {
            bail!("there are {MOST_TOKENS} tokens already; revoke some first");
        }
        let mut bytes = [0; 32];
        rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, &mut bytes)
            .context("the system gave no random bytes")?;
        let token = format!("rollbook_{}", hex(&bytes));
        kept.push(Kept { name: name.to_owned(), actor, sha256: Hash::of(token.as_bytes()) });
        self.write(&kept)?;
        Ok(token)
    }

    /// Takes a token away; false where there was none of this name.
    ///
    /// # Errors
    /// Where the list cannot be written.
    pub fn revoke(&self, name: &str) -> anyhow::Result<bool> {
        let mut kept = self.list()?;
        let before = kept.len();
        kept.retain(|kept| kept.name != name);
        self.write(&kept)?;
        Ok(kept.len() < before)
    }

    /// Writes beside and renames, so that a reader sees the old list or the new one.
    fn write(&self, kept: &[Kept]) -> anyhow::Result<()> {
        // A file system may give a new file the number of the one it replaces, so what was read is read again.
        if let Ok(mut read) = self.read.lock() {
            read.0 = None;
        }
        let beside = self.path.with_extension("json.new");
        private(&beside, &serde_json::to_vec_pretty(kept)?)?;
        fs::rename(&beside, &self.path).with_context(|| format!("could not replace {}", self.path.display()))
    }
}

/// Writes a file that its owner alone can read.
///
/// # Errors
/// Where it cannot be written.
pub fn private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let doing = || format!("could not write {}", path.display());
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).with_context(doing)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor() -> Actor {
        Actor { org: "la-care".into(), id: "intake".into(), role: "recorder".into() }
    }

    #[test]
    fn a_token_is_known_until_it_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(folder.path());
        let token = tokens.issue("intake", actor()).unwrap();
        assert_eq!(Tokens::of(folder.path()).caller(&token), Some(actor()));
        assert_eq!(tokens.caller("rollbook_0"), None);
        assert!(tokens.issue("intake", actor()).is_err());
        assert!(tokens.revoke("intake").unwrap());
        assert_eq!(Tokens::of(folder.path()).caller(&token), None);
    }

    #[test]
    fn the_list_holds_no_token() {
        let folder = tempfile::tempdir().unwrap();
        let token = Tokens::of(folder.path()).issue("intake", actor()).unwrap();
        assert!(!fs::read_to_string(folder.path().join("tokens.json")).unwrap().contains(&token));
    }
}
