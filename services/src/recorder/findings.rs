//! What new events bring about that a reader must look at: overlaps that were not there before.

use rollbook_events::Subject;
use rollbook_projections::rules::facts::Facts;
use rollbook_projections::view::{Cell, Table};
use rollbook_projections::views::duplication_conflict::DuplicationConflict;
use rollbook_projections::{Row, Rulebook, View};

use super::{Finding, Histories};

/// The overlaps of a member before a request.
pub(super) struct Before {
    subject: Subject,
    rows: Vec<Row>,
}

/// The overlaps of some members as they stand.
pub(super) fn before(histories: &mut Histories, subjects: impl IntoIterator<Item = Subject>) -> Vec<Before> {
    let Some(rulebook) = histories.rulebook() else { return Vec::new() };
    let mut subjects: Vec<Subject> = subjects.into_iter().collect();
    subjects.sort();
    subjects.dedup();
    subjects.into_iter().map(|subject| Before { subject, rows: rows(histories, subject, &rulebook) }).collect()
}

/// The overlaps that are there now and were not before.
pub(super) fn after(histories: &mut Histories, before: &[Before]) -> Vec<Finding> {
    let Some(rulebook) = histories.rulebook() else { return Vec::new() };
    let mut findings = Vec::new();
    for Before { subject, rows: were } in before {
        let are = rows(histories, *subject, &rulebook);
        findings.extend(are.iter().filter(|row| !were.contains(row)).map(finding));
    }
    findings.retain(|finding| finding.code != "allow_coordinated");
    findings
}

fn rows(histories: &mut Histories, subject: Subject, rulebook: &Rulebook) -> Vec<Row> {
    DuplicationConflict.rows(&Facts::of(&histories.of(subject).dossier, rulebook))
}

fn finding(row: &Row) -> Finding {
    let table = DuplicationConflict.table();
    let text = |name: &str| cell(table, row, name).and_then(|cell| cell.json().as_str().map(str::to_owned));
    Finding {
        code: text("outcome").unwrap_or_default(),
        rule: text("rule").unwrap_or_default(),
        programs: ["program_a", "program_b"].into_iter().filter_map(text).collect(),
        from: text("from_on"),
        until: text("until_on"),
    }
}

fn cell<'a>(table: &Table, row: &'a Row, name: &str) -> Option<&'a Cell> {
    let index = table.columns.iter().position(|column| column.name == name)?;
    row.cells.get(index)
}
