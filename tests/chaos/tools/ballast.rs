//! A disk that fills up: a small file system, and a file that takes its room.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{run, text};

/// A small file system in memory. Dropping it unmounts.
#[derive(Debug)]
pub struct SmallDisk {
    mount: PathBuf,
}

impl SmallDisk {
    /// Mounts one of a size at a folder.
    ///
    /// # Errors
    /// Where the machine does not allow it: without root, for one.
    pub fn mount(at: &Path, megabytes: u64) -> anyhow::Result<Self> {
        std::fs::create_dir_all(at)?;
        run("mount", &["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=0700"), "tmpfs", text(at)?])?;
        Ok(Self { mount: at.to_owned() })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// Bytes that are free.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn free(&self) -> anyhow::Result<u64> {
        free(&self.mount)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Ok(mount) = text(&self.mount) {
            _ = run("umount", &[mount]).or_else(|_| run("umount", &["-l", mount]));
        }
    }
}

/// Bytes that are free where a folder lies.
///
/// # Errors
/// Where the system does not say.
pub fn free(folder: &Path) -> anyhow::Result<u64> {
    let said = nix::sys::statvfs::statvfs(folder).context("the free space cannot be read")?;
    Ok(said.blocks_available() * said.fragment_size())
}

/// A file that takes room until it is dropped.
#[derive(Debug)]
pub struct Ballast {
    path: PathBuf,
}

impl Ballast {
    /// Fills the file system of a folder until only so many bytes are free.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn leaving(folder: &Path, bytes: u64) -> anyhow::Result<Self> {
        let path = folder.join("ballast");
        let mut file = File::create(&path)?;
        let ballast = Self { path };
        let chunk = vec![0xBA_u8; 256 * 1_024];
        loop {
            let over = free(folder)?.saturating_sub(bytes);
            let take = usize::try_from(over).unwrap_or(usize::MAX).min(chunk.len());
            if take == 0 {
                return Ok(ballast);
            }
            match file.write(chunk.get(..take).unwrap_or(&chunk)) {
                Ok(0) => return Ok(ballast),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(ballast),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.path);
        // Else a power cut would bring it back, and the disk would be full again with nobody to empty it.
        if let Some(folder) = self.path.parent() {
            _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
    }
}
