//! Which Community Supports a plan offers.

use chrono::NaiveDate;
use rollbook_events::time::Day;
use rollbook_events::{County, PlanCode, Program};
use serde::Deserialize;

/// ELIG-15: a service a plan offers in a county for a time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offering {
    /// The service.
    pub program: Program,
    /// The plan; any where none is named.
    #[serde(default)]
    pub plan: Option<PlanCode>,
    /// The county; all of the plan's where none is named.
    #[serde(default)]
    pub county: Option<County>,
    /// First day.
    #[serde(default)]
    pub from: Option<Day>,
    /// First day no longer.
    #[serde(default)]
    pub until: Option<Day>,
    /// The rule that says so.
    #[serde(default)]
    pub rule: Option<String>,
    /// A plan's own gate: any of these gives access, a program the member is enrolled in or what was found of them.
    #[serde(default, alias = "requires")]
    pub requires_any: Vec<String>,
    /// Parts of the service that are left out, which no plan may do (ELIG-16).
    #[serde(default)]
    pub without: Vec<String>,
    /// Where it is written.
    #[serde(default)]
    pub cite: Option<String>,
    /// Whether it was read in a source, or only remembered.
    #[serde(default)]
    pub verified: Option<bool>,
}

impl Offering {
    /// Whether it holds the day.
    pub fn holds(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from.0 <= day) && self.until.is_none_or(|until| day < until.0)
    }
}
