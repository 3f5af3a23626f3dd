//! The disk: recording stops while there is still room, for a log that finds its disk full may not even be able to say so.

use std::path::{Path, PathBuf};

use indicatif::BinaryBytes;
use nix::sys::statvfs::statvfs;

use crate::log::Room;

/// How much must stay free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Least {
    /// Bytes.
    pub bytes: u64,
    /// Of what can be used at all.
    pub percent: u8,
}

impl Default for Least {
    fn default() -> Self {
        Self { bytes: 2 * 1_024 * 1_024 * 1_024, percent: 1 }
    }
}

/// A place that must have room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What it is, for whoever reads of it.
    pub what: &'static str,
    /// Where.
    pub path: PathBuf,
}

/// What is free, and what can be used at all, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Free {
    /// Free for this user.
    pub free: u64,
    /// Free or used by files; what is kept for root is neither.
    pub usable: u64,
}

impl Free {
    /// What the file system of a path says.
    ///
    /// # Errors
    /// Where it says nothing.
    pub fn at(path: &Path) -> nix::Result<Self> {
        let space = statvfs(path)?;
        // Their widths differ from system to system.
        let bytes = |blocks: u128| u64::try_from(blocks * u128::from(space.fragment_size())).unwrap_or(u64::MAX);
        let (blocks, free) = (u128::from(space.blocks()), u128::from(space.blocks_free()));
        let available = u128::from(space.blocks_available());
        Ok(Self { free: bytes(available), usable: bytes(blocks.saturating_sub(free) + available) })
    }

    /// What a server says of its own store.
    fn of(room: Room) -> Self {
        Self { free: room.most.saturating_sub(room.used), usable: room.most }
    }

    /// What must be free here at least.
    pub fn needed(self, least: Least) -> u64 {
        let part = u128::from(self.usable) * u128::from(least.percent) / 100;
        least.bytes.max(u64::try_from(part).unwrap_or(u64::MAX))
    }
}

/// Why a place has too little room, where it has.
fn too_little(what: &str, free: Free, least: Least) -> Option<String> {
    let needed = free.needed(least);
    (free.free < needed).then(|| {
        let (free, needed) = (BinaryBytes(free.free), BinaryBytes(needed));
        format!(
            "{free} are free {what}, and {needed} must be: make room, or lower --least-free and --least-free-percent"
        )
    })
}

/// Why nothing may be recorded for want of room, where that is so.
pub(super) fn look(places: &[Place], store: Option<Room>, least: Least) -> Option<String> {
    let on_disks = places.iter().filter_map(|Place { what, path }| match Free::at(path) {
        Ok(free) => too_little(&format!("on the disk of {what}"), free, least),
        // Who cannot see how much is left does not go on until nothing is.
        Err(error) => Some(format!("the disk of {what} does not tell what is free ({})", error.desc())),
    });
    let in_store = store.and_then(|room| too_little("in what the NATS server may store", Free::of(room), least));
    let all: Vec<String> = on_disks.chain(in_store).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_024 * 1_024 * 1_024;

    #[test]
    fn too_little_is_below_the_bytes_or_below_the_part() {
        let least = Least::default();
        let says = |free, usable| too_little("here", Free { free, usable }, least).is_some();
        assert!(!says(10 * GB, 1_000 * GB));
        assert!(says(10 * GB - 1, 1_000 * GB), "less than a hundredth");
        assert!(!says(2 * GB, 5 * GB));
        assert!(says(2 * GB - 1, 5 * GB), "less than 2 GB");
        let least = Least { bytes: 1_024, percent: 0 };
        assert_eq!(too_little("here", Free { free: 1_024, usable: 100 * GB }, least), None);
        assert!(
            too_little("here", Free { free: 1_023, usable: 100 * GB }, least).unwrap().starts_with("1023 B are free")
        );
    }

    #[test]
    fn every_place_and_the_server_s_own_limit_count() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { what: "the data folder", path: folder.path().to_owned() };
        let none = Least { bytes: 0, percent: 0 };
        assert_eq!(look(std::slice::from_ref(&place), None, none), None);
        let everything = Least { bytes: u64::MAX, percent: 0 };
        let both = look(&[place], Some(Room { used: 5, most: 7 }), everything).unwrap();
        assert!(
            both.contains("disk of the data folder") && both.contains("2 B are free in what the NATS server"),
            "{both}"
        );
        let gone = Place { what: "the views", path: folder.path().join("gone") };
        assert!(look(&[gone], None, none).unwrap().contains("does not tell what is free"));
    }
}
