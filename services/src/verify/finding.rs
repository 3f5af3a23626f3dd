//! What a verification tells: what it checked, how much of it, and what it found.

use serde::Serialize;

/// The findings listed; more are counted.
const MOST_LISTED: usize = 1_000;

/// What to do where a stream is damaged.
pub const RESTORE: &str =
    "stop the ledger and restore its streams from the archive (deploy/README.md, Archive and restore)";

/// What to do where the archive is damaged and the stream is not.
pub const SHELVE: &str =
    "move it and all later segments of its stream away; the archiver writes them again from the stream";

/// What to do where the views are damaged.
pub const REBUILD: &str = "build the views anew: rollbook rebuild";

/// How far it has come: what is being checked, so much done, of so much.
pub type Told<'a> = dyn FnMut(&str, u64, u64) + 'a;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where: a stream, a segment, a view.
    pub place: String,
    /// What is wrong, with positions, and nothing of a person.
    pub what: String,
    /// What to do about it.
    pub next: String,
}

/// Something that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Where.
    pub place: String,
    /// What.
    pub what: &'static str,
    /// How many of it.
    pub count: u64,
}

/// What a verification came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// What was checked.
    pub checked: Vec<Checked>,
    /// What was found, at most 1,000.
    pub findings: Vec<Finding>,
    /// How many were found.
    pub found: u64,
    /// What is worth knowing and no damage.
    pub notes: Vec<String>,
}

impl Report {
    /// Something is not as it must be.
    pub fn found(&mut self, place: impl Into<String>, what: impl Into<String>, next: impl Into<String>) {
        self.found += 1;
        if self.findings.len() < MOST_LISTED {
            self.findings.push(Finding { place: place.into(), what: what.into(), next: next.into() });
        }
    }

    /// Something was checked.
    pub fn checked(&mut self, place: impl Into<String>, what: &'static str, count: u64) {
        self.checked.push(Checked { place: place.into(), what, count });
    }

    /// Something is worth knowing.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Whether nothing was found.
    pub fn all_well(&self) -> bool {
        self.found == 0
    }
}

/// Positions as people read them.
pub(super) fn positions(from: u64, to: u64) -> String {
    if from == to { format!("position {from}") } else { format!("positions {from} to {to}") }
}
