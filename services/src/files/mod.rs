//! The file adapters, pure: from a file to rows, from a row to a statement, from a statement and what the ledger
//! already holds to submissions.
//!
//! Reading order: [`reader`] (a file as rows), [`header`] (which column is what), [`cells`] and [`when`] (what a cell
//! says), one module a kind of file (what a row says), [`keys`] (the ids of what is said).
//!
//! **Invariant:** no HTTP, no NATS, no clock. Every row becomes submissions or a quarantine; nothing is guessed, nothing
//! is dropped: a cell that means nothing to the vocabulary stands verbatim in the identity's `extra`. No reason and no
//! error holds the text of a cell, because it may be a person's.

mod aliases;
mod attempts;
mod cells;
mod delimited;
mod events_file;
mod header;
mod held;
mod keys;
mod member_information;
mod outreach_tracker;
mod populations;
mod reader;
mod repeats;
mod restated;
mod return_submissions;
mod return_transmission;
mod statement;
mod when;
mod workbook;
mod zip_guard;

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::NaiveDate;
use rollbook_events::identity::Identity;
use rollbook_events::{Cin, County, PlanCode};

pub use events_file::read_event_line;
pub use header::Profile;
pub use member_information::Identified;
pub use outreach_tracker::{Attempt, Tracked};
pub use reader::{FileError, FileReader, open};
pub use repeats::Repeats;
pub use return_transmission::{Returned, Status};
pub use statement::{read_row, submissions};

/// A row as it stands in the file.
#[derive(Clone, PartialEq, Eq)]
pub struct RawRow {
    /// Its number as a spreadsheet program counts: the file's first row is 1, which is the header where nothing stands
    /// above it. For one submission a line, the number of the line.
    pub row: u32,
    /// The cells in the order of the columns; as many as the header has.
    pub cells: Vec<String>,
    /// What goes to the quarantine file: the row's own text, or for a workbook its cells joined as CSV.
    pub raw: String,
}

/// A row that is no row: reading goes on after it.
#[derive(Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its number, as in [`RawRow`].
    pub row: u32,
    /// Why, without the value.
    pub reason: String,
    /// Its text, as far as it is one.
    pub raw: String,
    /// The file breaks off here: what follows cannot be read, so the file is not whole.
    pub breaks_off: bool,
}

/// Defaults a caller may give for what a file leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    pub plan: Option<PlanCode>,
    pub county: Option<County>,
    /// The day the file was made.
    pub produced_on: Option<NaiveDate>,
}

/// What a row says.
#[derive(Clone, PartialEq, Eq)]
pub struct Statement {
    /// The row it stands in.
    pub row: u32,
    /// About whom.
    pub cin: Cin,
    /// Who that is, with all columns that map to nothing of the vocabulary.
    pub identity: Identity,
    /// Whose record it is.
    pub plan: PlanCode,
    /// Where the row or the defaults say so.
    pub county: Option<County>,
    /// What happened.
    pub facts: Facts,
}

/// What a row says happened, by kind of file.
#[derive(Clone, PartialEq, Eq)]
pub enum Facts {
    /// The plan identified the member.
    MemberInformation(Identified),
    /// Attempts to reach the member; several where the file collapses them.
    OutreachTracker(Tracked),
    /// What became of the member.
    ReturnTransmission(Box<Returned>),
}

/// Why a row waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    /// The column it is about, by its header in the file.
    pub column: Option<String>,
    /// A code and a sentence, as in `bad_date: expected …`; never the value.
    pub reason: String,
}

impl Quarantine {
    fn of(column: &str, reason: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), reason: reason.into() }
    }

    fn row(reason: impl Into<String>) -> Self {
        Self { column: None, reason: reason.into() }
    }
}

macro_rules! hidden {
    ($($name:ident),+) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("[phi]") }
        }
    )+ };
}

hidden!(RawRow, Statement, Facts);

impl fmt::Debug for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}: {} [phi]", self.row, self.reason)
    }
}
