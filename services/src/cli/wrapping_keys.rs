//! Where the keys lie that members' keys are wrapped with.

use std::path::{Path, PathBuf};

use crate::identity_keys::wrapping::FILE;

/// Which file.
#[derive(Debug, Clone, clap::Args)]
pub struct WrappingKeysFile {
    /// File with the one or two keys that members' keys are wrapped with [default: DIR/wrapping.keys]
    #[arg(long, env = "ROLLBOOK_WRAPPING_KEYS", value_name = "FILE")]
    wrapping_keys: Option<PathBuf>,
}

impl WrappingKeysFile {
    /// The one that was named.
    pub fn named(&self) -> Option<PathBuf> {
        self.wrapping_keys.clone()
    }

    /// The one that was named, else that of a data folder.
    pub fn or_in(&self, data: &Path) -> PathBuf {
        self.named().unwrap_or_else(|| data.join(FILE))
    }
}
