//! Two generations of the views compared at one position: rows, and a hash of the canonical dump, view by view.

use std::cmp::Ordering;
use std::collections::VecDeque;

use rollbook_events::Position;
use rollbook_projections::store::read::{Filter, Known, Sight, Walk};
use rollbook_projections::store::{Db, StoreError};
use rollbook_projections::{Table, views};
use sha2::{Digest, Sha256};

/// Keys that are told of each view that differs.
const MOST_KEYS: usize = 5;

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) at: Position,
    pub(super) rows: u64,
    pub(super) differences: Vec<Difference>,
}

/// A view that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) view: &'static str,
    /// Rows in the live generation and in the new one.
    pub(super) rows: (u64, u64),
    /// SHA-256 of the dumps, in hex.
    pub(super) hashes: (String, String),
    /// The first keys whose rows differ.
    pub(super) keys: Vec<String>,
}

impl std::fmt::Display for Compared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (views, at) = (views::ALL.len(), self.at);
        if self.differences.is_empty() {
            return write!(f, "{} rows of {views} views are the same at position {at}", self.rows);
        }
        write!(f, "at position {at}")?;
        for (index, of) in self.differences.iter().enumerate() {
            let (live, new) = of.rows;
            let (was, is) = (of.hashes.0.get(..12).unwrap_or_default(), of.hashes.1.get(..12).unwrap_or_default());
            let between = if index == 0 { " " } else { "; " };
            write!(f, "{between}{} differs: {live} rows live ({was}), {new} new ({is})", of.view)?;
            write!(f, ", first in {}", of.keys.join(", "))?;
        }
        Ok(())
    }
}

/// Compares every row that either ever had, as known at a position that both have reached.
pub(super) async fn compare(live: &Db, new: &Db, at: Position) -> Result<Compared, StoreError> {
    let mut compared = Compared { at, rows: 0, differences: Vec::new() };
    for view in views::ALL {
        let table = view.table();
        let (mut one, mut other) = (Side::new(live, table, at), Side::new(new, table, at));
        let mut keys: Vec<String> = Vec::new();
        loop {
            let order = match (one.next().await?, other.next().await?) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) if a == b => Ordering::Equal,
                (Some(a), Some(b)) => {
                    // The same place with other contents counts on both sides.
                    note(&mut keys, a.row.key.as_str().min(&b.row.key));
                    (a.row.key.as_str(), a.known_from).cmp(&(b.row.key.as_str(), b.known_from))
                }
            };
            if order != Ordering::Greater
                && let Some(taken) = one.take()
                && order == Ordering::Less
            {
                note(&mut keys, &taken.row.key);
            }
            if order != Ordering::Less
                && let Some(taken) = other.take()
                && order == Ordering::Greater
            {
                note(&mut keys, &taken.row.key);
            }
        }
        compared.rows += one.rows;
        let (rows, hashes) = ((one.rows, other.rows), (one.hash(), other.hash()));
        if !keys.is_empty() || hashes.0 != hashes.1 {
            compared.differences.push(Difference { view: table.name, rows, hashes, keys });
        }
    }
    Ok(compared)
}

fn note(keys: &mut Vec<String>, key: &str) {
    if keys.len() < MOST_KEYS && keys.last().is_none_or(|last| last != key) {
        keys.push(key.to_owned());
    }
}

/// One generation's dump of a view on its way.
struct Side<'a> {
    db: &'a Db,
    table: &'static Table,
    walk: Walk,
    waiting: VecDeque<Known>,
    rows: u64,
    hash: Sha256,
}

impl<'a> Side<'a> {
    fn new(db: &'a Db, table: &'static Table, at: Position) -> Self {
        let walk = Walk::new(Sight::everything_for_the_ledger_itself(), table, Filter::default(), at);
        Self { db, table, walk, waiting: VecDeque::new(), rows: 0, hash: Sha256::new() }
    }

    /// The row that comes next, without taking it.
    async fn next(&mut self) -> Result<Option<&Known>, StoreError> {
        while self.waiting.is_empty() {
            match self.walk.next(self.db).await? {
                Some(rows) => self.waiting.extend(rows),
                None => break,
            }
        }
        Ok(self.waiting.front())
    }

    fn take(&mut self) -> Option<Known> {
        let known = self.waiting.pop_front()?;
        self.rows += 1;
        self.hash.update(serde_json::Value::Object(known.line(self.table)).to_string());
        self.hash.update(b"\n");
        Some(known)
    }

    fn hash(&mut self) -> String {
        std::mem::take(&mut self.hash).finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
