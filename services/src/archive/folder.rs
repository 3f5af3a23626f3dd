//! An archive in a folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::place::{Place, PlaceError, Put};

/// How long a disk may take for one file; one that another machine serves may never answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What an unfinished file begins with.
const UNFINISHED: &str = ".unfinished-";

/// A folder of this machine.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    written: AtomicU64,
}

impl Folder {
    /// An archive in this folder, which is made with the first file.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, written: AtomicU64::new(0) }
    }

    /// Does something with files off the runtime's threads, for so long and no longer.
    async fn off_thread<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, PlaceError> {
        let failed = |source| PlaceError { place: self.address(), doing, source };
        match tokio::time::timeout(TIMEOUT, tokio::task::spawn_blocking(work)).await {
            Ok(Ok(done)) => done.map_err(|error| failed(error.into())),
            Ok(Err(error)) => Err(failed(error.into())),
            Err(elapsed) => Err(failed(elapsed.into())),
        }
    }
}

#[async_trait]
impl Place for Folder {
    async fn put_new(&self, name: &str, bytes: Bytes) -> Result<Put, PlaceError> {
        let path = self.root.join(name);
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        self.off_thread("written", move || put_new(&path, number, &bytes)).await
    }

    async fn get(&self, name: &str) -> Result<Option<Bytes>, PlaceError> {
        let path = self.root.join(name);
        let read = move || match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        self.off_thread("read", read).await
    }

    async fn list(&self, folder: &str, after: Option<&str>) -> Result<Vec<String>, PlaceError> {
        let path = self.root.join(folder);
        let after = after.map(str::to_owned);
        let list = move || {
            let entries = match fs::read_dir(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let mut names = Vec::new();
            for entry in entries {
                let name = entry?.file_name().to_string_lossy().into_owned();
                if !name.starts_with(UNFINISHED) && after.as_ref().is_none_or(|after| name > *after) {
                    names.push(name);
                }
            }
            Ok(names)
        };
        self.off_thread("listed", list).await
    }

    fn address(&self) -> String {
        self.root.display().to_string()
    }
}

/// Writes under another name, flushes, and gives it its own name with a link, which fails where that name is taken; a
/// rename would put the new file in the old one's place.
fn put_new(path: &Path, number: u64, bytes: &[u8]) -> io::Result<Put> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    make(folder)?;
    if path.exists() {
        return Ok(Put::Taken);
    }
    let unfinished = folder.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
    let written = write(&unfinished, bytes).and_then(|()| fs::hard_link(&unfinished, path));
    // Whatever happened, this name is of no use any more.
    let removed = fs::remove_file(&unfinished);
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Put::Taken),
        written => written?,
    }
    removed?;
    flush(folder)?;
    Ok(Put::Stored)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A killed process of the same id may have left one.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a folder for this user's eyes alone, so that it outlives a power cut.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for made in folder.ancestors().take(3).filter(|made| made.is_dir()) {
        flush(made)?;
    }
    Ok(())
}

fn flush(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_put_once_and_never_changed() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path().join("archive"));
        assert_eq!(folder.list("A", None).await.unwrap(), Vec::<String>::new());
        assert_eq!(folder.get("A/1").await.unwrap(), None);
        assert_eq!(folder.put_new("A/1", Bytes::from_static(b"one")).await.unwrap(), Put::Stored);
        assert_eq!(folder.put_new("A/1", Bytes::from_static(b"two")).await.unwrap(), Put::Taken);
        assert_eq!(folder.get("A/1").await.unwrap().as_deref(), Some(b"one".as_slice()));
        folder.put_new("A/2", Bytes::from_static(b"two")).await.unwrap();
        fs::write(root.path().join("archive/A").join(format!("{UNFINISHED}1-1")), "half").unwrap();
        let mut names = folder.list("A", None).await.unwrap();
        names.sort();
        assert_eq!(names, ["1", "2"]);
        assert_eq!(folder.list("A", Some("1")).await.unwrap(), ["2"]);
    }

    #[tokio::test]
    async fn of_many_that_put_the_same_name_at_once_one_does() {
        let root = tempfile::tempdir().unwrap();
        let folders: Vec<Folder> = (0..8).map(|_| Folder::new(root.path().to_owned())).collect();
        // The same process has the same names for unfinished files; two processes never do.
        let puts = folders.iter().enumerate().map(|(n, folder)| {
            folder.written.store(u64::try_from(n).unwrap() * 100, Ordering::Relaxed);
            folder.put_new("A/1", Bytes::from(format!("{n}")))
        });
        let puts = futures_util::future::join_all(puts).await;
        assert_eq!(puts.into_iter().filter(|put| matches!(put, Ok(Put::Stored))).count(), 1);
    }
}
