//! A file that others change while the ledger runs: looked at each time, read when it is another.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::Context;

/// Which file was read: each write makes another file, and two writes may share a time.
type Version = (u64, u64, Option<SystemTime>);

/// A file and what it was understood as.
#[derive(Debug)]
pub(super) struct Reread<T> {
    path: PathBuf,
    parse: fn(&Path, &[u8]) -> anyhow::Result<T>,
    read: Mutex<(Option<Version>, Arc<T>)>,
}

impl<T: Default> Reread<T> {
    /// A file, which need not be there yet.
    pub fn new(path: PathBuf, parse: fn(&Path, &[u8]) -> anyhow::Result<T>) -> Self {
        Self { path, parse, read: Mutex::default() }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds; nothing where it is not there.
    ///
    /// # Errors
    /// Where it is there and cannot be read.
    pub fn now(&self) -> anyhow::Result<Arc<T>> {
        let version = fs::metadata(&self.path).ok().map(|meta| (meta.ino(), meta.size(), meta.modified().ok()));
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.0 != version {
            let value = match version {
                None => T::default(),
                Some(_) => {
                    let text = fs::read(&self.path);
                    let text = text.with_context(|| format!("could not read {}", self.path.display()))?;
                    (self.parse)(&self.path, &text)?
                }
            };
            *read = (version, Arc::new(value));
        }
        Ok(read.1.clone())
    }

    /// Reads it anew next time: a file system may give a new file the number of the one it replaces.
    pub fn forget(&self) {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
    }
}
