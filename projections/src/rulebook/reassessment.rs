//! The parameters of reassessment.

use rollbook_events::codes::Basis;
use serde::Deserialize;

/// When an enrollment is to be reassessed, and how soon again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReassessmentRules {
    /// REAS-1: the date set for those who came from a predecessor program.
    pub transition: Option<Transition>,
    /// REAS-4: months that must lie between two reassessments.
    pub min_interval_months: Option<u16>,
    /// Where that is written.
    pub min_interval_cite: String,
}

/// REAS-1: until when who transitioned is reassessed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// The rule that sets it.
    pub rule: String,
    /// Enrollments that rest on these.
    pub bases: Vec<Basis>,
    /// Months from the first day; where the month has no such day, its last one.
    pub months: u16,
    /// Who set it.
    pub issuer: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}
