//! Scenario files: dated facts in, expected outcomes out; what a compliance officer reads, a machine runs.
//!
//! Reading order: [`file`] (what a file says), [`given`] and [`ids`] (its facts as submissions), [`expect`] (its
//! expectations, one file a table), [`run`] (what both ways of running share), [`pure`] (without a server), [`server`]
//! (against a ledger), [`report`].

mod derived;
mod dossiers;
pub mod expect;
pub mod file;
pub mod find;
pub mod given;
pub mod ids;
pub mod pure;
pub mod report;
pub mod run;
pub mod server;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

/// A file that cannot be read as a scenario: where, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; none where it is about the whole file.
    pub line: Option<usize>,
    /// What is wrong, naming the key.
    pub problem: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for Unreadable {}
