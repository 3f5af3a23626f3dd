//! The files that a ledger keeps, and how they rot: a bit turned, an end cut off, a stretch of zeros, a file gone.

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rand::Rng;
use rand::seq::IndexedRandom;

/// What a file is to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Messages of a stream, the server's index of them, the settings of a stream.
    Store,
    /// The views.
    Views,
    /// Segments of the archive and what names them.
    Archive,
    /// How far was acknowledged.
    Receipt,
}

/// A file of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// What it is to the ledger.
    pub part: Part,
    /// From the data folder.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
}

/// The files of a data folder that the ledger's promises rest on, in the order of their paths. Left out: logs, locks and
/// settings that are written at each start, tokens and keys, and files received.
///
/// # Errors
/// Where a folder cannot be read.
pub fn list(data: &Path) -> anyhow::Result<Vec<Place>> {
    let mut places = Vec::new();
    let mut waiting = vec![data.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                waiting.push(entry.path());
                continue;
            }
            let path = entry.path().strip_prefix(data)?.to_owned();
            if let Some(part) = part(&path) {
                places.push(Place { part, path, bytes: entry.metadata()?.len() });
            }
        }
    }
    places.sort();
    Ok(places)
}

fn part(path: &Path) -> Option<Part> {
    let first = path.iter().next()?.to_str()?;
    match first {
        "nats" => path.starts_with("nats/store").then_some(Part::Store),
        "archive" => Some(Part::Archive),
        _ if first.starts_with("views.db") => Some(Part::Views),
        _ if first.contains("receipt") => Some(Part::Receipt),
        _ => None,
    }
}

/// What happens to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rot {
    /// One bit turns.
    Flip {
        /// Which byte.
        at: u64,
        /// Which bit of it, 0 to 7.
        bit: u8,
    },
    /// What follows is gone.
    Truncate {
        /// Bytes that are left.
        to: u64,
    },
    /// A stretch is zeros.
    Zero {
        /// Where it begins.
        at: u64,
        /// How long it is.
        bytes: u64,
    },
    /// The file is gone.
    Delete,
}

/// What happened where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wound {
    /// Which file.
    pub place: Place,
    /// What happened to it.
    pub rot: Rot,
}

impl fmt::Display for Wound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.place.path.display();
        match &self.rot {
            Rot::Flip { at, bit } => write!(f, "bit {bit} of byte {at} of {path} turned"),
            Rot::Truncate { to } => write!(f, "{path} cut from {} to {to} bytes", self.place.bytes),
            Rot::Zero { at, bytes } => write!(f, "{bytes} bytes of {path} zeroed from {at} on"),
            Rot::Delete => write!(f, "{path} deleted"),
        }
    }
}

impl Wound {
    /// Draws one: first which of these files, then what happens to it.
    pub fn draw(random: &mut impl Rng, places: &[Place]) -> Option<Self> {
        let place = places.choose(random)?.clone();
        let rot = match random.random_range(0..10) {
            _ if place.bytes == 0 => Rot::Delete,
            0..5 => Rot::Flip { at: random.random_range(0..place.bytes), bit: random.random_range(0..8) },
            5..7 => Rot::Truncate { to: random.random_range(0..place.bytes) },
            7..9 => {
                let at = random.random_range(0..place.bytes);
                // Up to a sector, as a disk loses them.
                Rot::Zero { at, bytes: random.random_range(1..=4_096).min(place.bytes - at) }
            }
            _ => Rot::Delete,
        };
        Some(Self { place, rot })
    }

    /// Does it to a data folder that nobody has open. A file that an earlier wound has deleted stays so.
    ///
    /// # Errors
    /// Where the file cannot be changed.
    pub fn inflict(&self, data: &Path) -> anyhow::Result<()> {
        let path = data.join(&self.place.path);
        if !path.exists() {
            return Ok(());
        }
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let length = file.metadata()?.len();
        match self.rot {
            Rot::Flip { at, bit } if at < length => {
                let mut byte = [0];
                file.read_exact_at(&mut byte, at)?;
                byte[0] ^= 1 << bit;
                file.write_all_at(&byte, at)?;
            }
            Rot::Truncate { to } if to < length => file.set_len(to)?,
            Rot::Zero { at, bytes } if at < length => {
                let zeros = vec![0; usize::try_from(bytes.min(length - at))?];
                file.write_all_at(&zeros, at)?;
            }
            Rot::Delete => std::fs::remove_file(&path)?,
            // An earlier wound has taken that part of the file.
            Rot::Flip { .. } | Rot::Truncate { .. } | Rot::Zero { .. } => {}
        }
        Ok(())
    }
}
