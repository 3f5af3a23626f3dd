//! Walking through every row that a view ever had up to a position: the canonical dump, in the order of keys.

use rollbook_events::Position;
use serde_json::{Map, Value};

use super::{Filter, Known, Page, Sight};
use crate::store::db::{Db, StoreError};
use crate::store::write::sql;
use crate::view::{Cell, Table};

/// Rows read at once.
const ROWS_AT_ONCE: u32 = 4_000;

/// A walk that has come to some key.
#[derive(Debug)]
pub struct Walk {
    sight: Sight,
    table: &'static Table,
    filter: Filter,
    position: Position,
    after: Option<String>,
    done: bool,
}

impl Walk {
    /// Through the rows of a filter that lie within a sight, as the ledger knew them at a position, which the views have
    /// reached.
    pub fn new(sight: Sight, table: &'static Table, filter: Filter, position: Position) -> Self {
        let next = Cell::Integer(sql(position).saturating_add(1));
        let mut filter = Filter { ever: true, ..filter };
        filter.less_than.push(("known_from", next));
        Self { sight, table, filter, position, after: None, done: false }
    }

    /// The next rows, all versions of a key together; none at the end.
    ///
    /// # Errors
    /// What the database said.
    pub async fn next(&mut self, db: &Db) -> Result<Option<Vec<Known>>, StoreError> {
        if self.done {
            return Ok(None);
        }
        let mut most = ROWS_AT_ONCE;
        let mut rows = loop {
            let page = Page { order: None, after: self.after.clone().map(|key| (None, key)), most };
            let mut rows = db.page(&self.sight, self.table, &self.filter, &page).await?;
            self.done = rows.len() < usize::try_from(most).unwrap_or(usize::MAX);
            if self.done || whole_keys(&mut rows) {
                break rows;
            }
            // One row with more versions than a page holds.
            most = most.saturating_mul(2);
        };
        self.after = rows.last().map(|last| last.row.key.clone());
        for known in &mut rows {
            known.known_until = known.known_until.filter(|until| *until <= self.position);
        }
        Ok(Some(rows))
    }
}

impl Known {
    /// The row as a line of the dump: its key, then the row as the view has it.
    pub fn line(&self, table: &Table) -> Map<String, Value> {
        let mut line = Map::new();
        line.insert("row_key".to_owned(), self.row.key.clone().into());
        line.extend(self.json(table));
        line
    }
}

/// Drops the last key's versions, of which there may be more on the next page; false where nothing would be left.
fn whole_keys(rows: &mut Vec<Known>) -> bool {
    let Some(last) = rows.last().map(|last| last.row.key.clone()) else { return true };
    let kept = rows.iter().rposition(|known| known.row.key != last).map_or(0, |index| index + 1);
    if kept == 0 {
        return false;
    }
    rows.truncate(kept);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Row;

    fn known(key: &str, from: u64) -> Known {
        let row = Row { key: key.to_owned(), member: None, cells: Vec::new() };
        Known { row, known_from: Position(from), known_until: None }
    }

    #[test]
    fn a_page_ends_between_two_keys() {
        let mut rows = vec![known("a", 1), known("b", 1), known("b", 2)];
        assert!(whole_keys(&mut rows));
        assert_eq!(rows, [known("a", 1)]);
        let mut rows = vec![known("b", 1), known("b", 2)];
        assert!(!whole_keys(&mut rows), "one key alone fills the page");
        assert_eq!(rows.len(), 2);
    }
}
