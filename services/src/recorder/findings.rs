//! What new events bring about that a reader must look at: overlaps that were not there before.

use rollbook_events::Subject;
use rollbook_projections::rules::facts::Facts;
use rollbook_projections::view::{Cell, Table, Touched};
use rollbook_projections::views::duplication_conflict::DuplicationConflict;
use rollbook_projections::{Dossier, Recorded, Row, Rulebook, View};

use super::kept::Before;
use super::{Finding, Histories};

/// How far the dossiers of some members had come before a request.
pub(super) fn before(histories: &mut Histories, subjects: impl IntoIterator<Item = Subject>) -> Vec<(Subject, Before)> {
    let mut subjects: Vec<Subject> = subjects.into_iter().collect();
    subjects.sort();
    subjects.dedup();
    subjects.into_iter().map(|subject| (subject, histories.of(subject).before())).collect()
}

/// The overlaps that are there now and were not before. Most events make none, and then nothing is worked out.
pub(super) fn after(histories: &mut Histories, before: &[(Subject, Before)]) -> Vec<Finding> {
    let Some(rulebook) = histories.rulebook() else { return Vec::new() };
    let mut findings = Vec::new();
    for (subject, before) in before {
        let kept = histories.of(*subject);
        let touches = |recorded: &Recorded| {
            !matches!(DuplicationConflict.touched(&kept.dossier, &rulebook, recorded), Touched::Nothing)
        };
        if kept.since(*before).iter().any(touches) {
            let were = rows(&kept.as_of(*before), &rulebook);
            let are = rows(&kept.dossier, &rulebook);
            findings.extend(are.iter().filter(|row| !were.contains(row)).map(finding));
        }
    }
    findings.retain(|finding| finding.code != "allow_coordinated");
    findings
}

fn rows(dossier: &Dossier, rulebook: &Rulebook) -> Vec<Row> {
    DuplicationConflict.rows(&Facts::of(dossier, rulebook))
}

fn finding(row: &Row) -> Finding {
    let table = DuplicationConflict.table();
    let text = |name: &str| cell(table, row, name).and_then(|cell| cell.json().as_str().map(str::to_owned));
    Finding {
        code: text("outcome").unwrap_or_default(),
        rule: text("rule"),
        programs: ["program_a", "program_b"].into_iter().filter_map(text).collect(),
        plans: ["plan_a", "plan_b"].into_iter().filter_map(text).collect(),
        from: text("from_on"),
        until: text("until_on"),
    }
}

fn cell<'a>(table: &Table, row: &'a Row, name: &str) -> Option<&'a Cell> {
    let index = table.columns.iter().position(|column| column.name == name)?;
    row.cells.get(index)
}
