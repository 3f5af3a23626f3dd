//! What else decides whether a member is eligible: the parameters.

use rollbook_events::codes::Channel;
use rollbook_events::time::Day;
use rollbook_events::{County, PlanCode, Population, Program};
use serde::Deserialize;

/// What else decides whether a member is eligible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EligibilityRules {
    /// From which age somebody is an adult of a Population of Focus.
    pub adult: Option<Adult>,
    /// ECM needs a population.
    pub population: Option<Source>,
    /// A Community Support needs three findings.
    pub determination: Option<Source>,
    /// What is only suspected waits for the plan.
    pub suspicion: Option<Source>,
    /// Populations that a plan may open below their threshold.
    pub discretionary: Option<Discretionary>,
    /// Ages that a service asks for.
    pub age: Vec<AgeLimit>,
    /// Who is carried over from a predecessor program.
    pub grandfathered: Vec<Grandfathering>,
    /// When members of the transition list are to be in what they were listed for.
    pub transition: Option<TransitionList>,
}

/// A rule and where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The rule.
    pub rule: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// From which age somebody is an adult.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adult {
    /// First age.
    pub from_years: u8,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// ELIG-8: where a plan may authorize below the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discretionary {
    /// The populations.
    pub populations: Vec<Population>,
    /// The rule.
    pub rule: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// An age that a service asks for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeLimit {
    /// The service.
    pub program: Program,
    /// The plan; any where none is named.
    #[serde(default)]
    pub plan: Option<PlanCode>,
    /// Youngest age.
    pub at_least: u8,
    /// The rule.
    pub rule: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// GF-1 to GF-8: who is carried over from a predecessor program, and into what. CON-4: the sources name three different
/// days, so that each is an entry of its own and the answer says which one held.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grandfathering {
    /// The rule.
    pub rule: String,
    /// The predecessor program.
    pub predecessor: Program,
    /// The day on which it must have run.
    pub held_on: Day,
    /// What the member must have been in besides, one of them.
    #[serde(default)]
    pub besides: Vec<Program>,
    /// The day on which that must have run.
    #[serde(default)]
    pub besides_on: Option<Day>,
    /// The day before which it must have begun.
    #[serde(default)]
    pub besides_before: Option<Day>,
    /// The day on which the member must have been in managed care.
    #[serde(default)]
    pub managed_care_on: Option<Day>,
    /// The counties; all where none is named.
    #[serde(default)]
    pub counties: Vec<County>,
    /// What the member is carried over into.
    #[serde(default)]
    pub into: Vec<Program>,
    /// GF-4, GF-5: what it is instead by how the member was housed on a day.
    #[serde(default)]
    pub by_housing: Option<ByHousing>,
    /// Through which channel, where the rule names one.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// First day.
    pub from: Day,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// What a member is carried over into by how they were housed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByHousing {
    /// The day.
    pub on: Day,
    /// Unhoused.
    pub unhoused: Program,
    /// The rule that says so.
    pub unhoused_rule: String,
    /// Housed.
    pub housed: Program,
    /// The rule that says so.
    pub housed_rule: String,
}

/// GF-10: when members of the transition list are to be in what they were listed for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransitionList {
    /// First day.
    pub on: Day,
    /// The rule.
    pub rule: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}
