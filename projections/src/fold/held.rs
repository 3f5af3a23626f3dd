//! What the fold keeps of a member between events, and which members it lets go when that is too much.

use rollbook_events::MemberId;

use crate::dossier::Dossier;
use crate::rulebook::Rulebook;
use crate::rules::facts::Facts;
use crate::view::Row;
use crate::views;

/// What an event takes beside its texts, and a row, in bytes.
const EVENT_BYTES: usize = 800;
const ROW_BYTES: usize = 1_200;

/// A dossier with the rows it gives, so that the next event need not compute what was before it.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) dossier: Dossier,
    pub(super) rows: Vec<Vec<Row>>,
    /// Bytes that its events were stored in.
    pub(super) stored: usize,
    /// Whether the stored bytes of some of them were let go.
    pub(super) is_bare: bool,
}

impl Held {
    pub(super) fn of(dossier: Dossier, rulebook: Option<&Rulebook>, is_bare: bool) -> Self {
        let rows = rulebook.map_or_else(Vec::new, |rulebook| rows_of(&dossier, rulebook));
        let stored = dossier.recorded().iter().map(|recorded| recorded.body.len()).sum();
        Self { dossier, rows, stored, is_bare }
    }

    /// What it takes, about: the texts of an event are some half of what it was stored in.
    pub(super) fn bytes(&self) -> usize {
        let rows: usize = self.rows.iter().map(Vec::len).sum();
        self.dossier.recorded().len() * EVENT_BYTES + self.stored / 2 + rows * ROW_BYTES
    }
}

/// The rows of a dossier, view by view; of the views that name their own, none.
pub(super) fn rows_of(dossier: &Dossier, rulebook: &Rulebook) -> Vec<Vec<Row>> {
    let facts = Facts::of(dossier, rulebook);
    let rows = views::ALL.iter().map(|view| if view.names_its_rows() { Vec::new() } else { view.rows(&facts) });
    rows.collect()
}

/// Where a member stands in the order in which dossiers go: anywhere, and always there.
pub(super) fn place(member: MemberId) -> u64 {
    let (high, low) = member.0.as_u64_pair();
    (high ^ low.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The place from which on dossiers go, so that three quarters of `most` bytes stay; none while all may stay.
///
/// `sizes` gives for each dossier its place and its bytes.
pub(super) fn first_gone(mut sizes: Vec<(u64, usize)>, most: usize) -> Option<u64> {
    if sizes.iter().map(|(_, bytes)| bytes).sum::<usize>() <= most {
        return None;
    }
    sizes.sort_unstable();
    let mut bytes = 0;
    let first = sizes.into_iter().find(|(_, more)| {
        bytes += more;
        bytes > most / 4 * 3
    });
    first.map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_always_go_and_nothing_goes_without_need() {
        let sizes = vec![(40, 20), (10, 40), (30, 20), (20, 30)];
        assert_eq!(first_gone(sizes.clone(), 110), None);
        assert_eq!(first_gone(sizes, 100), Some(30));
        assert_eq!(first_gone(vec![(5, 200)], 100), Some(5));
    }
}
