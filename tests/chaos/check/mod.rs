//! The invariants, each checked by a pure function of the evidence.

pub mod acknowledged;
pub mod chain;
pub mod model;
pub mod order;
pub mod phantoms;
pub mod reads;
pub mod rebuilt;
pub mod settled;
pub mod whole;

use std::collections::BTreeMap;
use std::fmt;

use rollbook_events::{Envelope, Submission, Whom};

use super::evidence::{Evidence, Stored};
use super::history::{Outcome, Record, What};

/// What is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant, as in `I1`.
    pub invariant: &'static str,
    /// What was found.
    pub what: String,
}

impl Violation {
    /// Of an invariant.
    pub fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

/// An invariant, what it says, and how it is checked.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// As in `I1`.
    pub invariant: &'static str,
    /// What it says.
    pub about: &'static str,
    /// What breaks it.
    pub check: fn(&Evidence) -> Vec<String>,
}

/// Every invariant that is checked after a run.
pub const ALL: &[Check] = &[
    Check {
        invariant: "I1",
        about: "every acknowledged event is in the stream exactly once, with its content, at the acknowledged position",
        check: acknowledged::check,
    },
    Check {
        invariant: "I2",
        about: "every stored event was asked for, and nothing that was surely refused is stored",
        check: phantoms::check,
    },
    Check { invariant: "I3", about: "the same id has one effect and one answer", check: acknowledged::same_answer },
    Check {
        invariant: "I4",
        about: "what was acknowledged before something else was asked for stands before it; recorded_at never falls",
        check: order::check,
    },
    Check {
        invariant: "I5",
        about: "the sequence has no hole and every member's chain of hashes holds",
        check: chain::check,
    },
    Check { invariant: "I6", about: "a request is recorded whole, side by side, or not at all", check: whole::check },
    Check {
        invariant: "I7",
        about: "every view is what a projector makes of the log in an empty database, and what a small model says",
        check: rebuilt::check,
    },
    Check { invariant: "I7", about: "the views agree with a fold of our own", check: model::check },
    Check {
        invariant: "I8",
        about: "the checkpoint is never ahead of the log or of its rows, and never falls",
        check: reads::checkpoint,
    },
    Check { invariant: "I9", about: "a reader that asks for a position never sees less", check: reads::at_least },
    Check { invariant: "I10", about: "what was known at a position never changes", check: reads::past },
    Check {
        invariant: "I13",
        about: "every row of an imported file is settled once, as what it is",
        check: settled::check,
    },
];

/// Violations of an invariant that are told one by one; more are counted.
const MOST_TOLD: usize = 3;

/// Checks everything.
pub fn all(evidence: &Evidence) -> Vec<Violation> {
    let mut violations = Vec::new();
    for check in ALL {
        let found = (check.check)(evidence);
        let more = found.len().saturating_sub(MOST_TOLD);
        violations.extend(found.into_iter().take(MOST_TOLD).map(|what| Violation::new(check.invariant, what)));
        if more > 0 {
            violations.push(Violation::new(check.invariant, format!("and {more} more")));
        }
    }
    violations
}

/// A request that submits, with what it sent.
pub(super) fn submits(record: &Record) -> Option<(&[String], &[super::history::Receipt])> {
    match &record.what {
        What::Submit { sent, receipts, .. } => Some((sent, receipts)),
        What::Import { .. } | What::Read { .. } | What::Status { .. } => None,
    }
}

/// Whether a stored event says what a submission says; who it is about is compared where the submission names a pseudonym.
pub(super) fn says(submission: &Submission, stored: &Envelope) -> bool {
    let about = match &submission.whom {
        Whom::Member(member) => stored.subject.member() == Some(*member),
        Whom::Cin(_) => stored.subject.member().is_some(),
        Whom::Rulebook => stored.subject.member().is_none(),
    };
    about
        && submission.id.is_none_or(|id| id == stored.id)
        && submission.plan == stored.plan
        && submission.county == stored.county
        && submission.occurred_at == stored.occurred_at
        && submission.replaces == stored.replaces
        && submission.sensitivity == stored.sensitivity
        && submission.event == stored.event
}

/// A submission as it was sent; none where it is none.
pub(super) fn read(text: &str) -> Option<Submission> {
    Submission::parse(text.as_bytes()).ok()
}

/// Stored events by id.
pub(super) fn by_id(evidence: &Evidence) -> BTreeMap<String, Vec<&Stored>> {
    let mut by_id: BTreeMap<String, Vec<&Stored>> = BTreeMap::new();
    for stored in &evidence.events {
        if let Some(envelope) = &stored.envelope {
            by_id.entry(envelope.id.to_string()).or_default().push(stored);
        }
    }
    by_id
}

/// Every attempt to have something recorded, with each of its submissions.
pub(super) fn attempts(evidence: &Evidence) -> impl Iterator<Item = (&Record, &str)> {
    evidence.history.iter().flat_map(|record| {
        let sent = submits(record).map(|(sent, _)| sent).unwrap_or_default();
        sent.iter().map(move |text| (record, text.as_str()))
    })
}

/// Whether an attempt may have had an effect.
pub(super) fn may_have_recorded(record: &Record) -> bool {
    record.outcome != Outcome::Fail
}
