//! Units a month, and what is paid by them: the parameters.

use rollbook_events::time::Day;
use rollbook_events::{PlanCode, Program};
use serde::Deserialize;

/// Units a month, and what is paid by them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnitRules {
    /// From how many units a plan pays a month.
    pub minimum: Vec<UnitMinimum>,
}

/// PAY-1: the units of a month from which a plan pays it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitMinimum {
    /// The rule that says so.
    pub rule: String,
    /// The plan; any where none is named.
    #[serde(default)]
    pub plan: Option<PlanCode>,
    /// The program.
    pub program: Program,
    /// How many, outreach among them.
    pub units: u32,
    /// First day.
    #[serde(default)]
    pub from: Option<Day>,
    /// First day no longer.
    #[serde(default)]
    pub until: Option<Day>,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}
