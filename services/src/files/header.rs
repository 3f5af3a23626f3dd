//! The header of a file as it was understood.

use std::collections::HashMap;
use std::sync::LazyLock;

use rollbook_events::intake::FileKind;

use super::aliases::{Field, HEADERS, MISSPELT, Need};

/// How many rows may stand above the header: titles, dates, logos.
pub(super) const SEARCHED: usize = 10;

/// The header as understood: which of our fields stands in which column, and which columns map to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    kind: FileKind,
    columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) header: String,
    pub(super) field: Option<Field>,
}

impl Profile {
    /// A file of submissions, which has no header.
    pub(super) const fn of_events() -> Self {
        Self { kind: FileKind::Events, columns: Vec::new() }
    }

    /// Reads a row as the header; columns after the last named one are none.
    pub(super) fn of(kind: FileKind, cells: &[String]) -> Self {
        let width = cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
        let column = |cell: &String| Column {
            header: cell.split_whitespace().collect::<Vec<_>>().join(" "),
            field: field(cell).filter(|field| field.need(kind) != Need::Kept),
        };
        Self { kind, columns: cells.iter().take(width).map(column).collect() }
    }

    /// The kind of file.
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// Every column in order: `column 7 'MCP_CIN' = cin`, `column 9 'Client_ID2' unmapped`.
    pub fn describe(&self) -> Vec<String> {
        if self.kind == FileKind::Events {
            return vec!["one submission a line".to_owned()];
        }
        let column = |(number, column): (usize, &Column)| match column.field {
            Some(field) => format!("column {number} '{}' = {}", column.header, field.name()),
            None => format!("column {number} '{}' unmapped", column.header),
        };
        (1..).zip(&self.columns).map(column).collect()
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many columns are ours.
    pub(super) fn understood(&self) -> usize {
        self.columns.iter().filter(|column| column.field.is_some()).count()
    }

    /// The fields without which no row can be read and that no column has, by the header they should have.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        HEADERS
            .iter()
            .filter(|(field, _)| field.need(self.kind) == Need::Required)
            .filter(|(field, _)| self.columns.iter().all(|column| column.field != Some(*field)))
            .filter_map(|(_, headers)| headers.first().copied())
            .collect()
    }
}

/// The profile of the header among a file's first rows: the first row that has all that is needed, else the row that
/// looks most like a header.
pub(super) fn find<'a>(kind: FileKind, rows: impl Iterator<Item = &'a [String]>) -> Option<(usize, Profile)> {
    let mut best: Option<(usize, Profile)> = None;
    for (index, cells) in rows.take(SEARCHED).enumerate() {
        let profile = Profile::of(kind, cells);
        if profile.missing().is_empty() {
            return Some((index, profile));
        }
        // Two known headers at least: a row of anything else may be a person's and must not be shown as a header.
        if profile.understood() >= 2 && best.as_ref().is_none_or(|(_, best)| best.understood() < profile.understood()) {
            best = Some((index, profile));
        }
    }
    best
}

static FIELDS: LazyLock<HashMap<String, Field>> = LazyLock::new(|| {
    let pairs = HEADERS.iter().flat_map(|(field, headers)| headers.iter().map(|header| (normalized(header), *field)));
    pairs.collect()
});

fn field(header: &str) -> Option<Field> {
    FIELDS.get(&normalized(header)).copied()
}

/// Lower case, letters and digits only, without the `_1` that spreadsheet readers give a repeated header.
pub(super) fn normalized(header: &str) -> String {
    let header = header.trim();
    let unnumbered = header.trim_end_matches(|c: char| c.is_ascii_digit());
    let header = match unnumbered.strip_suffix(['_', '.']) {
        Some(first) if unnumbered.len() < header.len() => first,
        Some(_) | None => header,
    };
    let kept: String = header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    MISSPELT.iter().fold(kept, |header, (wrong, right)| header.replace(wrong, right))
}
