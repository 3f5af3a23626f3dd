//! The data folder that a verb works on.

use std::path::{Path, PathBuf};

/// Which data folder.
#[derive(Debug, Clone, clap::Args)]
pub struct Folder {
    /// The ledger's data folder
    #[arg(long, env = "ROLLBOOK_DATA", value_name = "DIR", default_value = "./rollbook-data")]
    data: PathBuf,
}

impl Folder {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.data
    }
}
