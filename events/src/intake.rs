//! The stream `INTAKE`: which files came, and what became of each row. It holds no value of a row, only references.

use serde::{Deserialize, Serialize};

use crate::ids::{EventId, Hash};
use crate::plan::PlanCode;
use crate::string_type::codes;
use crate::time::Instant;

codes! {
    /// The kinds of file that are imported.
    FileKind {
        /// Plan to provider, monthly: whom to reach (domain rules C3).
        MemberInformation = "member-information",
        /// Provider to plan: each outreach attempt (C1).
        OutreachTracker = "outreach-tracker",
        /// Provider to plan, monthly: what became of each member (C2).
        ReturnTransmission = "return-transmission",
        /// Submissions of the vocabulary itself, one JSON object a line.
        Events = "events",
    }
}

codes! {
    /// What became of a row.
    RowOutcome {
        /// It became events.
        Recorded = "recorded",
        /// The ledger already held all that it says.
        Duplicate = "duplicate",
        /// It could not be read without a guess, and waits for a person.
        Quarantined = "quarantined",
    }
}

/// One event of a file, on `intake.<sha256>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IntakeEvent {
    /// A file came in.
    FileReceived {
        id: EventId,
        at: Instant,
        sha256: Hash,
        /// The file's own name, without its folder.
        name: String,
        file_kind: FileKind,
        /// The header as it was understood: which of our columns stands where, and which map to nothing.
        profile: Vec<String>,
        plan: Option<PlanCode>,
        by: String,
    },
    /// Some rows were settled; up to [`MOST_ROWS_SETTLED`] in one message, because one flush then serves them all.
    ///
    /// `counts` are the file's so far, so that its last event alone says where to go on.
    RowsSettled { id: EventId, at: Instant, rows: Vec<RowSettled>, counts: RowCounts },
    /// The file is done.
    FileCompleted { id: EventId, at: Instant, counts: RowCounts },
}

/// Rows in one `rows_settled`; at some 100 bytes a row it stays under the stream's message limit.
pub const MOST_ROWS_SETTLED: usize = 1_000;

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSettled {
    /// The row in the file, the header being row 1.
    pub row: u32,
    pub outcome: RowOutcome,
    /// The events that say what the row says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventId>,
    /// The column a quarantined row was refused for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Why, without the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The rows of a file by outcome; together they are all its rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    pub rows: u64,
    pub recorded: u64,
    pub duplicate: u64,
    pub quarantined: u64,
    /// Events that the recorded rows became.
    pub events: u64,
}

impl RowCounts {
    /// Counts one settled row.
    pub fn add(&mut self, row: &RowSettled) {
        self.rows += 1;
        match row.outcome {
            RowOutcome::Recorded => {
                self.recorded += 1;
                self.events += u64::try_from(row.events.len()).unwrap_or(u64::MAX);
            }
            RowOutcome::Duplicate => self.duplicate += 1,
            RowOutcome::Quarantined => self.quarantined += 1,
        }
    }
}
