//! Rows of one view as known at one position, page by page.

use std::collections::BTreeSet;
use std::sync::Arc;

use rollbook_events::MemberId;
use rollbook_projections::store::read::{Filter, Known, Page};
use rollbook_projections::{Cell, Rulebook, Table};
use serde_json::{Map, Value};

use super::basis::Basis;
use super::edge::Edge;
use super::problem::Problem;
use super::withheld::withhold;
use crate::policy::Scope;

/// How a row is given.
pub type Shape = Arc<dyn Fn(&Known, Option<&Rulebook>) -> Map<String, Value> + Send + Sync>;

/// What is asked of a view.
#[derive(Clone)]
pub struct Listing {
    /// The view.
    pub table: &'static Table,
    /// The column that rows are sorted by before their key.
    pub order: Option<&'static str>,
    /// Which rows.
    pub filter: Filter,
    /// What each is given as, in this order.
    pub columns: Vec<&'static str>,
    /// How.
    pub shape: Shape,
    /// Whether the shape itself leaves out what is withheld.
    pub withholds_itself: bool,
}

impl Listing {
    /// Rows as the view has them, in the order of their keys.
    pub fn of(table: &'static Table, filter: Filter) -> Self {
        Self {
            table,
            order: None,
            filter,
            columns: columns(table),
            shape: Arc::new(|known, _| known.json(table)),
            withholds_itself: false,
        }
    }

    /// Only rows of these members, where any are named.
    #[must_use]
    pub fn about(mut self, members: Option<BTreeSet<MemberId>>) -> Self {
        self.filter.members = members.map(|members| members.into_iter().collect());
        self
    }

    /// The value a row is sorted by before its key.
    pub fn order_value<'a>(&self, known: &'a Known) -> Option<&'a Cell> {
        let order = self.order?;
        let index = self.table.columns.iter().position(|column| column.name == order)?;
        known.row.cells.get(index)
    }
}

/// What a row of a view is given as.
pub fn columns(table: &Table) -> Vec<&'static str> {
    let own = table.columns.iter().map(|column| column.name);
    std::iter::once("member").chain(own).chain(["known_from", "known_until"]).collect()
}

/// Reads a listing page by page, each page as known at one and the same position.
pub struct Reader {
    edge: Edge,
    /// Within what.
    pub scope: Scope,
    /// What is read.
    pub listing: Listing,
    /// What it rests on.
    pub basis: Basis,
    after: Option<(Option<Cell>, String)>,
}

impl Reader {
    /// From the beginning, or after a row.
    pub fn new(
        edge: Edge,
        scope: Scope,
        listing: Listing,
        basis: Basis,
        after: Option<(Option<Cell>, String)>,
    ) -> Self {
        Self { edge, scope, listing, basis, after }
    }

    /// The next rows; fewer than `most` are the last ones.
    ///
    /// # Errors
    /// Where the views cannot be read, or were emptied meanwhile.
    pub async fn next(&mut self, most: u32) -> Result<Vec<Known>, Problem> {
        let page = Page { order: self.listing.order, after: self.after.clone(), most };
        let mut rows = self.page(&page).await?;
        if !self.listing.withholds_itself {
            withhold(&self.edge, &self.scope, self.listing.table, &mut rows).await?;
        }
        for row in &mut rows {
            // That a row was to change later was not known then.
            row.known_until = None;
        }
        if let Some(last) = rows.last() {
            self.after = Some((self.listing.order_value(last).cloned(), last.row.key.clone()));
        }
        Ok(rows)
    }

    async fn page(&mut self, page: &Page) -> Result<Vec<Known>, Problem> {
        let mut filter = self.listing.filter.clone();
        // Rows that are current now have an index of their own; they are those of our position while the views stand there.
        if self.basis.newest {
            let rows = self.edge.db.page(self.scope.sight(), self.listing.table, &filter, page).await?;
            if self.basis.still(&self.edge).await? {
                return Ok(rows);
            }
            self.basis.newest = false;
        }
        filter.known_at = Some(self.basis.position);
        let rows = self.edge.db.page(self.scope.sight(), self.listing.table, &filter, page).await?;
        self.basis.still(&self.edge).await?;
        Ok(rows)
    }

    /// Of which ledger.
    pub const fn edge(&self) -> &Edge {
        &self.edge
    }

    /// The rows as they are given.
    pub fn shaped(&self, rows: &[Known]) -> Vec<Map<String, Value>> {
        let rulebook = self.basis.rulebook.as_deref();
        rows.iter().map(|known| (self.listing.shape)(known, rulebook)).collect()
    }
}
