//! What surrounds every event: who says so, about whom, since when it was true, and where it was read.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::county::County;
use crate::event::Event;
use crate::ids::{CorrelationId, EventId, Hash, MemberId};
use crate::plan::PlanCode;
use crate::string_type::codes;
use crate::time::Occurred;

codes! {
    /// What hides an event's detail from roles without the right.
    Sensitivity {
        /// Nothing.
        None = "none",
        /// Substance use records under 42 CFR Part 2.
        Part2 = "part2",
        /// HIV.
        Hiv = "hiv",
        /// A minor's own consent.
        Minor = "minor",
    }
}

/// About whom an event is: a member, or the rulebook of the whole ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The rulebook; its events are about no member.
    Rulebook,
    /// A member, by pseudonym.
    Member(MemberId),
}

impl Subject {
    /// The member, where it is one.
    pub fn member(self) -> Option<MemberId> {
        match self {
            Self::Rulebook => None,
            Self::Member(member) => Some(member),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rulebook => f.write_str("rulebook"),
            Self::Member(member) => member.fmt(f),
        }
    }
}

impl FromStr for Subject {
    type Err = crate::ids::BadUuid;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "rulebook" { Ok(Self::Rulebook) } else { text.parse().map(Self::Member) }
    }
}

/// Who says so, from the caller's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The organization's code.
    pub org: String,
    /// The person or program within it.
    pub id: String,
    /// The role it acted in.
    pub role: String,
}

/// Where it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Source {
    /// The system or file kind.
    pub system: String,
    /// SHA-256 of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_sha256: Option<Hash>,
    /// The row in it, the header being row 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// The id it has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// An event as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    pub id: EventId,
    pub subject: Subject,
    pub plan: PlanCode,
    pub county: County,
    pub occurred_at: Occurred,
    /// When the recorder took it; to the microsecond.
    pub recorded_at: DateTime<Utc>,
    pub actor: Actor,
    pub source: Option<Source>,
    /// The event this one follows from.
    pub causation: Option<EventId>,
    pub correlation: Option<CorrelationId>,
    /// The voided event that this one is the corrected version of.
    pub replaces: Option<EventId>,
    pub sensitivity: Sensitivity,
    /// SHA-256 of the stored bytes of the subject's previous event; none for its first.
    pub previous: Option<Hash>,
    pub event: Event,
    /// Fields that a later program wrote and this one does not know, by JSON pointer: kept and written back.
    pub unknown: BTreeMap<String, Value>,
}

impl Envelope {
    /// Whether two events say the same: all but who recorded it, when, from which file, after what.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.subject == other.subject
            && self.plan == other.plan
            && self.county == other.county
            && self.occurred_at == other.occurred_at
            && self.replaces == other.replaces
            && self.sensitivity == other.sensitivity
            && self.event == other.event
    }
}
