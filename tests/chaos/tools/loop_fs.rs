//! A file system of its own on a loop device, whose power can be cut: what was not flushed is gone when it comes back.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use super::{run, text, there_is, wait_for};

/// Which file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// ext4, ordered data.
    Ext4,
    /// XFS.
    Xfs,
}

/// A mounted file system on a loop device. Dropping it unmounts.
#[derive(Debug)]
pub struct LoopFs {
    image: PathBuf,
    mount: PathBuf,
}

impl LoopFs {
    /// Whether this machine allows it; the reason where it does not.
    ///
    /// # Errors
    /// The reason, in words for a report.
    pub fn possible() -> Result<(), &'static str> {
        static TRIED: OnceLock<Result<(), &'static str>> = OnceLock::new();
        *TRIED.get_or_init(|| {
            if !nix::unistd::geteuid().is_root() {
                return Err("not root, so no file system can be mounted");
            }
            if !there_is("mkfs.ext4") || !there_is("xfs_io") {
                return Err("mkfs.ext4 (e2fsprogs) or xfs_io (xfsprogs) is missing");
            }
            let tried = tempfile::tempdir().map_err(anyhow::Error::from).and_then(|folder| {
                let mut disk = Self::make(folder.path(), 16, Kind::Ext4)?;
                disk.cut_power()?;
                disk.back()
            });
            tried.map_err(|_| "the machine has no loop devices to mount, or no shutdown of a file system")
        })
    }

    /// Makes one of a size in a folder, and mounts it there.
    ///
    /// # Errors
    /// Where the machine does not allow it.
    pub fn make(folder: &Path, megabytes: u64, kind: Kind) -> anyhow::Result<Self> {
        let (image, mount) = (folder.join("disk.img"), folder.join("disk"));
        std::fs::File::create(&image)?.set_len(megabytes * 1_024 * 1_024)?;
        std::fs::create_dir_all(&mount)?;
        match kind {
            // Nothing is left to be initialised in the background, where it would race with the cut.
            Kind::Ext4 => {
                run("mkfs.ext4", &["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", text(&image)?])?
            }
            Kind::Xfs => run("mkfs.xfs", &["-q", "-f", text(&image)?])?,
        };
        let disk = Self { image, mount };
        disk.mount()?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// The power fails: nothing that was not flushed before will be there again, and nothing more can be written.
    /// Whoever has files open there gets errors, and must be ended before [`LoopFs::back`].
    ///
    /// # Errors
    /// Where the file system cannot be shut down.
    pub fn cut_power(&self) -> anyhow::Result<()> {
        // Without -f the journal is not flushed either.
        run("xfs_io", &["-x", "-c", "shutdown", text(&self.mount)?]).map(drop)
    }

    /// The power is back: mounted again, with what was flushed.
    ///
    /// # Errors
    /// Where something still holds it, or it does not mount.
    pub fn back(&mut self) -> anyhow::Result<()> {
        let mount = text(&self.mount)?.to_owned();
        // A process that was killed a moment ago may still hold a file.
        wait_for("unmounting after the power cut", Duration::from_secs(20), || run("umount", &[&mount]).ok())?;
        self.mount()
    }

    fn mount(&self) -> anyhow::Result<()> {
        run("mount", &["-o", "loop", text(&self.image)?, text(&self.mount)?]).map(drop)
    }
}

impl Drop for LoopFs {
    fn drop(&mut self) {
        if let Ok(mount) = text(&self.mount) {
            // Lazily, so that a failed test cannot leave it mounted for ever.
            _ = run("umount", &[mount]).or_else(|_| run("umount", &["-l", mount]));
        }
    }
}
