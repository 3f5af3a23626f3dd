//! Which rows somebody may see: every question to the views is cut down to it before it reaches the database.
//!
//! **Invariant:** no row outside a sight leaves the store, no cell of the side of an overlap that lies outside of it does, and
//! no filter can feel for such a cell. Who may see what is decided in `rollbook`'s `policy`, and nowhere else.

use chrono::NaiveDate;
use rollbook_events::{Position, Program};

use super::Known;
use crate::view::{Cell, Table};

/// One reason to see a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// It is in the record of this organization.
    Record(String),
    /// It names this organization as the one that serves.
    Served(String),
    /// Its member is, for its program and plan, assigned to this provider on this day, as `assignment` knows it now: not
    /// before the first of the provider's days, and not after the last.
    Assigned {
        /// The provider, as `assignment` names it.
        provider: String,
        /// The day.
        on: NaiveDate,
    },
}

/// Which rows may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight(Rows);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rows {
    All { is_for_a_caller: bool },
    Of(Vec<Grant>),
}

impl Sight {
    /// Every row, for those parts of the ledger that answer nobody: the recorder, the projector, the sweep, `verify`. They
    /// alone are not held to PostgreSQL's row security.
    pub const fn everything_for_the_ledger_itself() -> Self {
        Self(Rows::All { is_for_a_caller: false })
    }

    /// Every row, for somebody. The policy alone says for whom.
    pub const fn everything_for_a_caller() -> Self {
        Self(Rows::All { is_for_a_caller: true })
    }

    /// Rows for which one of these holds; no row where there is none.
    pub const fn of(grants: Vec<Grant>) -> Self {
        Self(Rows::Of(grants))
    }

    /// Whether every row may be seen.
    pub const fn is_everything(&self) -> bool {
        matches!(self.0, Rows::All { .. })
    }

    /// Whether it is the ledger itself that looks.
    pub(super) const fn is_of_the_ledger_itself(&self) -> bool {
        matches!(self.0, Rows::All { is_for_a_caller: false })
    }

    /// The grants; none where everything may be seen.
    pub(super) fn grants(&self) -> Option<&[Grant]> {
        match &self.0 {
            Rows::All { .. } => None,
            Rows::Of(grants) => Some(grants),
        }
    }

    /// A text that two sights share only where they are the same.
    pub fn name(&self) -> String {
        let Some(grants) = self.grants() else { return "everything".to_owned() };
        let one = |grant: &Grant| match grant {
            Grant::Record(org) => format!("record {org}"),
            Grant::Served(org) => format!("served {org}"),
            Grant::Assigned { provider, on } => format!("assigned {provider} {on}"),
        };
        grants.iter().map(one).collect::<Vec<_>>().join("|")
    }

    /// Whether a filter on a column asks for what only those see who see both sides of a row.
    pub(super) fn needs_both(&self, table: &Table, column: &str) -> bool {
        !self.is_everything() && sides(table).len() > 1 && !OF_AN_OVERLAP.contains(&column)
    }
}

/// The columns that tell whose a row, or one side of a row, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Side {
    pub(in crate::store) plan: &'static str,
    pub(in crate::store) program: &'static str,
    pub(in crate::store) provider: Option<&'static str>,
    /// Columns that say something of this side alone.
    own: &'static [&'static str],
}

/// What anybody who sees one side of an overlap sees of the whole of it.
const OF_AN_OVERLAP: &[&str] = &["outcome", "plan_a", "plan_b", "from_on", "until_on"];
/// What says something of both sides of an overlap.
const OF_BOTH: &[&str] = &["rule", "cite", "resolution", "resolved_on", "resolution_event"];

const SIDE_A: Side = Side {
    plan: "plan_a",
    program: "program_a",
    provider: Some("provider_a"),
    own: &["program_a", "channel_a", "provider_a", "evidence_a"],
};
const SIDE_B: Side = Side {
    plan: "plan_b",
    program: "program_b",
    provider: Some("provider_b"),
    own: &["program_b", "channel_b", "provider_b", "evidence_b"],
};
const WHOLE: Side = Side { plan: "plan", program: "program", provider: None, own: &[] };
const SERVED: Side = Side { provider: Some("provider"), ..WHOLE };

/// The sides of a view's rows; none of a view that does not say whose its rows are, which then nobody sees but who sees all.
pub(in crate::store) fn sides(table: &Table) -> &'static [Side] {
    let has = |name: &str| table.columns.iter().any(|column| column.name == name);
    match (has("plan_a"), has("plan"), has("provider")) {
        (true, ..) => &[SIDE_A, SIDE_B],
        (false, true, true) => &[SERVED],
        (false, true, false) => &[WHOLE],
        (false, false, _) => &[],
    }
}

/// Which side a column speaks of alone.
pub(super) fn side_of(table: &Table, column: &str) -> Option<&'static Side> {
    sides(table).iter().find(|side| side.own.contains(&column))
}

/// Pushes that a side is seen, as a condition in brackets.
macro_rules! push_side {
    ($query:expr, $table:expr, $side:expr, $grants:expr) => {
        $query.push("(1 = 0");
        let of = |column: &str| format!("{}.{column}", $table.sql_name());
        for grant in $grants {
            match (grant, $side.provider) {
                ($crate::store::read::Grant::Record(org), _) => {
                    $query.push(" OR ").push(of($side.plan)).push(" = ").push_bind(org.clone());
                }
                ($crate::store::read::Grant::Served(org), Some(provider)) => {
                    $query.push(" OR ").push(of(provider)).push(" = ").push_bind(org.clone());
                }
                ($crate::store::read::Grant::Served(_), None) => {}
                ($crate::store::read::Grant::Assigned { provider, on }, _) => {
                    $query
                        .push(" OR EXISTS (SELECT 1 FROM assignment AS assigned WHERE assigned.known_until IS NULL")
                        .push(" AND assigned.member = ")
                        .push(of("member"))
                        .push(" AND assigned.plan = ")
                        .push(of($side.plan))
                        .push(" AND assigned.program = ")
                        .push(of($side.program))
                        .push(" AND assigned.provider = ")
                        .push_bind(provider.clone())
                        .push(" AND assigned.from_on <= ")
                        .push_bind(*on)
                        .push(" AND (assigned.until_on IS NULL OR assigned.until_on > ")
                        .push_bind(*on)
                        .push("))");
                }
            }
        }
        $query.push(")");
    };
}
pub(super) use push_side;

/// Pushes that a row is seen: one of its sides is.
macro_rules! push_sight {
    ($query:expr, $table:expr, $sight:expr) => {
        if let Some(grants) = $sight.grants() {
            $query.push(" AND (1 = 0");
            for side in $crate::store::read::sight::sides($table) {
                $query.push(" OR ");
                $crate::store::read::sight::push_side!($query, $table, side, grants);
            }
            $query.push(")");
        }
    };
}
pub(super) use push_sight;

/// Cuts an overlap down to what may be told to who sees only some of its sides: the kind of the other program, the days, and
/// whose record it is. The row's place in the list and since when it reads so would tell more, and are not told either.
pub(super) fn cut(table: &Table, known: &mut Known, seen: &[bool]) {
    let cells = |known: &mut Known, columns: &[&str], value: fn(&str, &Cell) -> Cell| {
        for (column, cell) in table.columns.iter().zip(&mut known.row.cells) {
            if columns.contains(&column.name) {
                *cell = value(column.name, cell);
            }
        }
    };
    for (side, seen) in sides(table).iter().zip(seen) {
        if !seen {
            cells(known, side.own, |column, cell| match (column, cell) {
                ("program_a" | "program_b", Cell::Text(program)) => Cell::Text(kind_of(program).to_owned()),
                _ => Cell::Null,
            });
        }
    }
    if seen.contains(&false) {
        cells(known, OF_BOTH, |_, _| Cell::Null);
        known.known_from = Position(0);
        known.known_until = None;
    }
}

/// The kind of a program or coverage, as it is told to an organization that takes no part in it.
pub fn kind_of(program: &str) -> &'static str {
    program.parse().map_or("coverage", |program: Program| program.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views;

    #[test]
    fn every_view_says_whose_its_rows_are() {
        for view in views::ALL {
            let table = view.table();
            let sides = sides(table);
            assert!(!sides.is_empty(), "{}", table.name);
            for column in sides.iter().flat_map(|side| [side.plan, side.program]) {
                assert!(table.columns.iter().any(|of| of.name == column), "{} {column}", table.name);
            }
        }
    }

    #[test]
    fn every_column_of_an_overlap_is_of_a_side_of_both_or_told_to_each() {
        let table = &views::duplication_conflict::TABLE;
        for column in table.columns {
            let places = [
                side_of(table, column.name).is_some(),
                OF_BOTH.contains(&column.name),
                OF_AN_OVERLAP.contains(&column.name),
            ];
            assert_eq!(places.iter().filter(|place| **place).count(), 1, "{}", column.name);
        }
    }

    #[test]
    fn two_sights_share_a_name_only_where_they_are_the_same() {
        let on = "2024-02-01".parse().unwrap();
        let org = || "la-care".to_owned();
        let names = [
            Sight::everything_for_a_caller(),
            Sight::of(Vec::new()),
            Sight::of(vec![Grant::Record(org())]),
            Sight::of(vec![Grant::Served(org())]),
            Sight::of(vec![Grant::Assigned { provider: org(), on }]),
        ]
        .map(|sight| sight.name());
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), 5);
    }
}
