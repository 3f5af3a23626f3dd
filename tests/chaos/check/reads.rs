//! I8, I9, I10: what readers were told while things went wrong.

use std::collections::BTreeSet;

use crate::chaos::evidence::Evidence;
use crate::chaos::history::{Outcome, Record, What};

/// I8: no position is told that the log does not have; a list at a position holds each event up to it; positions never fall,
/// but where the power was cut: views in SQLite are not flushed, for they are made again from the log.
pub fn checkpoint(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    for record in answered(evidence) {
        let Some(position) = record.position else { continue };
        if position > evidence.head {
            wrong.push(format!("operation {} was told of position {position}, past the log", record.operation));
        }
        match &record.what {
            What::Status { head } if position > *head => {
                wrong.push(format!("operation {}: the views at {position}, the log at {head}", record.operation));
            }
            What::Read { listed: Some(listed), member: None, .. } if !listed.iter().copied().eq(1..=position) => {
                let many = listed.len();
                wrong.push(format!("operation {}: {many} events are listed at position {position}", record.operation));
            }
            What::Status { .. } | What::Read { .. } | What::Submit { .. } | What::Import { .. } => {}
        }
    }
    wrong.extend(falling(evidence));
    wrong
}

fn falling(evidence: &Evidence) -> Vec<String> {
    // Of the views as they stand; a question about the past is answered at the past.
    let of_now = |record: &&Record| match &record.what {
        What::Status { .. } => true,
        What::Read { path, .. } => !path.contains("known_at="),
        What::Submit { .. } | What::Import { .. } => false,
    };
    let told = || answered(evidence).filter(of_now).filter_map(|record| Some((record, record.position?)));
    let mut ended: Vec<(u64, u64, u64)> =
        told().map(|(record, position)| (record.ended, record.begun, position)).collect();
    let mut begun: Vec<(u64, u64, u64)> =
        told().map(|(record, position)| (record.begun, position, record.operation)).collect();
    ended.sort_unstable();
    begun.sort_unstable();
    let (mut ended, mut highest, mut wrong) = (ended.into_iter().peekable(), 0, Vec::new());
    let (mut cuts, mut cut) = (evidence.power_cuts.iter().copied().peekable(), 0);
    for (at, position, operation) in begun {
        while let Some(next) = cuts.next_if(|next| *next < at) {
            (cut, highest) = (next, 0);
        }
        while let Some((_, since, earlier)) = ended.next_if(|(end, ..)| *end < at) {
            // What was asked before the cut tells of the views before it.
            highest = if since > cut { highest.max(earlier) } else { highest };
        }
        if position < highest {
            wrong.push(format!("operation {operation} saw the views at {position} after they were at {highest}"));
        }
    }
    wrong
}

/// I9: who asks for a position is shown at least that, with every event of the member up to what is shown.
pub fn at_least(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    for record in answered(evidence) {
        let What::Read { at_least, listed, member, .. } = &record.what else { continue };
        let Some(position) = record.position else { continue };
        if let Some(asked) = at_least.filter(|asked| position < *asked) {
            wrong.push(format!("operation {} asked for {asked} and was shown {position}", record.operation));
        }
        let (Some(listed), Some(member)) = (listed, member) else { continue };
        let subject = format!("enrollment.{member}");
        let of_member = evidence.events.iter().filter(|stored| stored.subject == subject);
        let stored: BTreeSet<u64> =
            of_member.map(|stored| stored.position).filter(|stored| *stored <= position).collect();
        let listed: BTreeSet<u64> = listed.iter().copied().collect();
        if stored != listed {
            let (lacks, has) = (stored.difference(&listed).count(), listed.difference(&stored).count());
            let operation = record.operation;
            wrong.push(format!("operation {operation} at {position}: {lacks} events are missing, {has} too many"));
        }
    }
    wrong
}

/// I10.
pub fn past(evidence: &Evidence) -> Vec<String> {
    let changed = evidence.asked_again.iter().filter(|asked| asked.then != asked.now);
    changed.map(|asked| format!("{} is answered otherwise now than it was then", asked.path)).collect()
}

fn answered(evidence: &Evidence) -> impl Iterator<Item = &Record> {
    evidence.history.iter().filter(|record| record.outcome == Outcome::Ok)
}
