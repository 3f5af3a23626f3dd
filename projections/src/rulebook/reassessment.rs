//! The parameters of reassessment.

use serde::Deserialize;

/// When an enrollment is to be reassessed, and how soon again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReassessmentRules {
    /// REAS-4: months that must lie between two reassessments.
    pub min_interval_months: Option<u32>,
}
