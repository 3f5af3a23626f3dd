//! What a batch of events changes: rows closed, rows opened, links joined and parted.

use std::collections::HashMap;

use rollbook_events::Position;

use crate::links::Pair;
use crate::view::Row;
use crate::views;

/// A row with the positions between which it is known.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The row.
    pub row: Row,
    /// The position it was first known at.
    pub known_from: Position,
    /// The position it was no longer known at, where that lies in the same batch.
    pub known_until: Option<Position>,
}

/// What a batch changes in one view.
#[derive(Debug, Default)]
pub struct ViewChanges {
    /// Rows of earlier batches that are closed, by key, with the position that closed them.
    pub closed: Vec<(String, Position)>,
    /// Rows that are new.
    pub opened: Vec<Opened>,
    open_here: HashMap<String, usize>,
}

impl ViewChanges {
    pub(crate) fn close(&mut self, key: &str, at: Position) {
        match self.open_here.remove(key).and_then(|index| self.opened.get_mut(index)) {
            Some(opened) => opened.known_until = Some(at),
            None => self.closed.push((key.to_owned(), at)),
        }
    }

    pub(crate) fn open(&mut self, row: Row, at: Position) {
        self.open_here.insert(row.key.clone(), self.opened.len());
        self.opened.push(Opened { row, known_from: at, known_until: None });
    }

    /// Writes the differences between what was and what is.
    pub(crate) fn replace(&mut self, before: &[Row], after: &[Row], at: Position) {
        if before == after {
            return;
        }
        // A member has few rows of a view: to look through them is cheaper than to make a table of them.
        let is_in = |row: &Row, rows: &[Row]| rows.iter().find(|other| other.key == row.key) == Some(row);
        for row in before.iter().filter(|row| !is_in(row, after)) {
            self.close(&row.key, at);
        }
        for row in after.iter().filter(|row| !is_in(row, before)) {
            self.open(row.clone(), at);
        }
    }
}

/// What a batch changes, view by view in the order of [`views::ALL`], and in the links.
#[derive(Debug, Default)]
pub struct Changes {
    /// Changes of each view.
    pub views: Vec<ViewChanges>,
    /// Links that were joined, with the position.
    pub joined: Vec<(Pair, Position)>,
    /// Links that were parted, with the position.
    pub parted: Vec<(Pair, Position)>,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self { views: views::ALL.iter().map(|_| ViewChanges::default()).collect(), ..Self::default() }
    }

    /// How many rows it writes.
    pub fn rows(&self) -> usize {
        self.views.iter().map(|view| view.opened.len() + view.closed.len()).sum()
    }
}
