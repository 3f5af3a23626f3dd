//! An imported file: each row settled once, as what it is, however often the import was killed.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_events::intake::{IntakeEvent, RowOutcome};

use super::{by_id, read, says};
use crate::chaos::evidence::Evidence;

/// Every row of the file has one outcome; a sound row is in the stream, an unsound one nowhere.
pub fn check(evidence: &Evidence) -> Vec<String> {
    let Some(file) = &evidence.file else { return Vec::new() };
    let mut wrong = Vec::new();
    let mut outcomes: BTreeMap<u32, BTreeSet<&'static str>> = BTreeMap::new();
    let mut completed = 0;
    for event in &evidence.intake {
        match event {
            IntakeEvent::RowsSettled { rows, .. } => {
                for row in rows {
                    outcomes.entry(row.row).or_default().insert(match row.outcome {
                        RowOutcome::Recorded | RowOutcome::Duplicate => "taken",
                        RowOutcome::Quarantined => "quarantined",
                    });
                }
            }
            IntakeEvent::FileCompleted { .. } => completed += 1,
            IntakeEvent::FileReceived { .. } => {}
        }
    }
    if completed == 0 {
        wrong.push("the file was never completed".to_owned());
    }
    let stored = by_id(evidence);
    // The rows of a file of submissions are its lines, from 1.
    for (number, (text, sound)) in (1..).zip(&file.rows) {
        let is: Vec<&str> = outcomes.get(&number).map(|is| is.iter().copied().collect()).unwrap_or_default();
        if is != [if *sound { "taken" } else { "quarantined" }] {
            wrong.push(format!("row {number}, sound: {sound}, is settled as {is:?}"));
        }
        let Some(submission) = read(text).filter(|_| *sound) else { continue };
        let event = submission.id.and_then(|id| stored.get(&id.to_string())?.first().copied());
        let envelope = event.and_then(|event| event.envelope.as_ref());
        if !envelope.is_some_and(|envelope| says(&submission, envelope)) {
            wrong.push(format!("row {number} is settled and its event is not in the stream"));
        }
    }
    wrong
}
