//! The tokens that this ledger has issued by hand: a name for each, and by which id it is known. No token stands in it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use nix::fcntl::{Flock, FlockArg};
use rollbook_events::{Actor, Hash, Sensitivity};
use serde::{Deserialize, Serialize};

use super::reread::Reread;

/// Tokens that one ledger may have; past it somebody forgot to take any away.
const MOST_TOKENS: usize = 1_000;

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What an operator calls it.
    pub name: String,
    /// Who the caller is.
    pub actor: Actor,
    /// SHA-256 of the token, by which a part of the first release knows it while a ledger is updated part by part.
    pub sha256: Hash,
    /// The token's own id. None is a token of the first release, which nothing of this one takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Which sensitive events it may see whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rights: Vec<Sensitivity>,
    /// When it ceases to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
}

/// The list of a data folder. Cheap to clone; a change by another program is seen without a restart.
#[derive(Debug, Clone)]
pub struct List(Arc<Reread<Vec<Kept>>>);

impl List {
    /// The list of a data folder.
    pub fn of(data: &Path) -> Self {
        Self(Arc::new(Reread::new(data.join("tokens.json"), parsed)))
    }

    /// All of them.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn all(&self) -> anyhow::Result<Arc<Vec<Kept>>> {
        self.0.now()
    }

    /// Whether the token of an id is in it.
    pub(super) fn holds(&self, id: &str) -> bool {
        self.all().is_ok_and(|all| all.iter().any(|kept| kept.id.as_deref() == Some(id)))
    }

    /// Adds a token. Those that hold no more are dropped meanwhile.
    ///
    /// # Errors
    /// Where there are too many, or the name is taken by one that holds (unless it may be shared), or the list cannot be written.
    pub(super) fn add(&self, kept: Kept, shared: bool, now: DateTime<Utc>) -> anyhow::Result<()> {
        self.changed(|all| {
            all.retain(|kept| kept.expires.is_none_or(|expires| expires > now));
            if !shared && all.iter().any(|other| other.name == kept.name) {
                bail!("there is a token named {} already; revoke it first", kept.name);
            }
            if all.len() >= MOST_TOKENS {
                bail!("there are {MOST_TOKENS} tokens already; revoke some first");
            }
            all.push(kept);
            Ok(())
        })
    }

    /// Takes the tokens of a name away; false where there was none.
    ///
    /// # Errors
    /// Where the list cannot be written.
    pub fn revoke(&self, name: &str) -> anyhow::Result<bool> {
        let mut revoked = false;
        self.changed(|all| {
            let before = all.len();
            all.retain(|kept| kept.name != name);
            revoked = all.len() < before;
            Ok(())
        })?;
        Ok(revoked)
    }

    /// Changes the list, one program at a time, and writes it beside and renames, so that a reader sees the old one or the new.
    fn changed(&self, change: impl FnOnce(&mut Vec<Kept>) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let _alone = self.locked()?;
        self.0.forget();
        let mut all = self.all()?.as_ref().clone();
        change(&mut all)?;
        let path = self.0.path();
        let beside = path.with_extension("json.new");
        private(&beside, &serde_json::to_vec_pretty(&all)?)?;
        fs::rename(&beside, path).with_context(|| format!("could not replace {}", path.display()))?;
        self.0.forget();
        Ok(())
    }

    fn locked(&self) -> anyhow::Result<Flock<fs::File>> {
        let path: PathBuf = self.0.path().with_extension("lock");
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.with_context(|| format!("could not open {}", path.display()))?;
        let locked = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| error);
        locked.with_context(|| format!("could not lock {}", path.display()))
    }
}

fn parsed(path: &Path, text: &[u8]) -> anyhow::Result<Vec<Kept>> {
    let all: Vec<Kept> =
        serde_json::from_slice(text).with_context(|| format!("{} is no list of tokens", path.display()))?;
    let old = all.iter().filter(|kept| kept.id.is_none()).count();
    if old > 0 {
        tracing::warn!(
            tokens = old,
            "tokens of an earlier release are taken no more; issue them anew and revoke the old"
        );
    }
    Ok(all)
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
