//! Expectations: each table of `expect` is data that says which keys it has, which rows it is about and which column each
//! key is compared with. One matcher serves them all.

mod clock;
mod conflict;
mod eligibility;
mod enrollment;
mod export;
mod finding;
mod key;
mod matching;
mod notice;
mod outreach;
mod rejected;
mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::ids::Ids;
use super::table::{Table, Wrong};

pub use key::{By, Key, Kind, Wanted};
pub use matching::{Matching, matching};
pub use report::counted_rows;

/// A row of a view as the API gives it.
pub type Row = serde_json::Map<String, serde_json::Value>;

/// Every table of expectations. A new one is a file here and a line.
const ALL: &[&Spec] = &[
    &enrollment::SPEC,
    &eligibility::SPEC,
    &conflict::SPEC,
    &notice::SPEC,
    &outreach::SPEC,
    &clock::SPEC,
    &finding::SPEC,
    &export::SPEC,
    &report::SPEC,
    &rejected::SPEC,
];

/// Where the rows of a table come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A view, and where the API gives a member's rows of it.
    View {
        /// The view.
        view: &'static str,
        /// The path below the member.
        path: &'static [&'static str],
        /// What is asked besides, so that no row is left out.
        query: &'static [(&'static str, &'static str)],
    },
    /// The answer on eligibility, which stands in no table.
    Eligibility,
    /// A file for a plan.
    Export,
    /// A count of facts in a period.
    Report,
    /// What became of the last given.
    Rejected,
}

/// A table of expectations.
#[derive(Debug)]
pub struct Spec {
    /// Its name after `expect.`
    pub name: &'static str,
    /// Where its rows come from.
    pub source: Source,
    /// Its own keys; those of every table stand in [`EVERY`].
    pub keys: &'static [Key],
    /// Keys without which it asks nothing.
    pub needs: &'static [&'static str],
    /// The key whose value `none` says that no row matches the others.
    pub none: Option<&'static str>,
    /// Which rows are looked at, whatever the keys say.
    pub stands: fn(&Expectation, &Row) -> bool,
    /// Which rows an `as_of` leaves.
    pub holds: fn(&Expectation, &Row, chrono::NaiveDate) -> bool,
    /// What becomes of the rows before they are matched, as where episodes are summed.
    pub gather: fn(&Expectation, Vec<Row>) -> Vec<Row>,
    /// What `count` counts.
    pub count: fn(&[&Row]) -> usize,
    /// Columns by which rows are told apart from those of other programs, for the report of a failed case.
    pub about: &'static [&'static str],
}

/// What a table says unless it says otherwise.
const USUAL: Spec = Spec {
    name: "",
    source: Source::Rejected,
    keys: &[],
    needs: &[],
    none: None,
    stands: |_, _| true,
    holds: |_, row, day| matching::holds(row, day),
    gather: |_, rows| rows,
    count: |rows| rows.len(),
    about: &["program"],
};

/// Keys of every table.
const EVERY: &[Key] = &[
    Key::new("member", Kind::Text, By::Apart),
    Key::new("plan", Kind::Text, By::Fits(matching::plan)),
    Key::new("as_of", Kind::Day, By::Apart),
    Key::new("known_at", Kind::KnownAt, By::Apart),
    Key::new("count", Kind::Number, By::Apart),
];

/// An expectation.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Its table.
    pub spec: &'static Spec,
    /// Its line.
    pub line: usize,
    /// What its keys want.
    pub wanted: BTreeMap<&'static str, Wanted>,
}

/// Reads the table of all expectations.
pub(super) fn read(mut expect: Table<'_>, line: &dyn Fn(usize) -> usize) -> Result<Vec<Expectation>, Wrong> {
    let mut expected = Vec::new();
    for spec in ALL {
        for table in expect.take(spec.name).map_or(Ok(Vec::new()), |entry| entry.tables())? {
            expected.push(Expectation::of(spec, table, line)?);
        }
    }
    expect.finish()?;
    expected.sort_by_key(|expectation| expectation.line);
    Ok(expected)
}

impl Expectation {
    fn of(spec: &'static Spec, mut table: Table<'_>, line: &dyn Fn(usize) -> usize) -> Result<Self, Wrong> {
        let at = table.at;
        let mut wanted = BTreeMap::new();
        for key in spec.keys() {
            if let Some(entry) = table.take(key.name) {
                wanted.insert(key.name, key.read(&entry)?);
            }
        }
        table.finish()?;
        if let Some(missing) = spec.needs.iter().find(|key| !wanted.contains_key(**key)) {
            return Err(table.missing(missing));
        }
        Ok(Self { spec, line: line(at), wanted })
    }

    /// What a key wants.
    pub fn get(&self, key: &str) -> Option<&Wanted> {
        self.wanted.get(key)
    }

    /// The word that a key wants.
    pub fn word(&self, key: &str) -> Option<&str> {
        match self.wanted.get(key) {
            Some(Wanted::Text(text)) => Some(text),
            Some(_) | None => None,
        }
    }

    /// The day a key wants.
    pub fn day(&self, key: &str) -> Option<chrono::NaiveDate> {
        match self.wanted.get(key) {
            Some(Wanted::Day(day)) => Some(*day),
            Some(_) | None => None,
        }
    }

    /// Whether it says that nothing is there.
    pub fn is_none(&self) -> bool {
        self.spec.none.is_some_and(|key| self.word(key) == Some("none"))
    }

    /// The names it refers to.
    pub(super) fn references(&self) -> impl Iterator<Item = &str> {
        self.wanted.values().filter_map(|wanted| match wanted {
            Wanted::After(name) => Some(name.as_str()),
            Wanted::Text(text) => text.strip_prefix('$'),
            Wanted::Texts(_) | Wanted::Day(_) | Wanted::Open | Wanted::At(_) | Wanted::Number(_) | Wanted::Yes(_) => {
                None
            }
        })
    }

    /// It in words: the table and what its keys want.
    pub fn told(&self) -> String {
        let keys: Vec<String> = self.wanted.iter().map(|(key, wanted)| format!("{key} = {wanted}")).collect();
        format!("expect.{} (line {}): {}", self.spec.name, self.line, keys.join(", "))
    }

    /// Whether a row matches a key.
    fn meets(&self, key: &Key, row: &Row, ids: &Ids) -> bool {
        let Some(wanted) = self.get(key.name) else { return true };
        match key.by {
            By::Apart => true,
            By::Column(column) => wanted.is(row.get(column)),
            By::Fits(fits) => fits(wanted, row, ids),
        }
    }
}

impl Spec {
    /// Its own keys and those of every table.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().chain(EVERY.iter().filter(|every| self.keys.iter().all(|own| own.name != every.name)))
    }
}
