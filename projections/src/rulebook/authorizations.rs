//! The parameters of authorizations: clocks, presumptive and retrospective approval.

use rollbook_events::codes::Urgency;
use rollbook_events::time::Day;
use rollbook_events::{Program, Provider};
use serde::Deserialize;

/// How long a decision may take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthorizationRules {
    /// Every clock; those that apply to a request are all computed, the earliest governs (CLK-9).
    pub clock: Vec<DecisionClock>,
    /// A plan's own clocks, beside those of everybody; one of a rule that stands above has the word over it.
    pub plan_clock: Vec<DecisionClock>,
    /// CON-27: how long a plan allows until a provider is assigned.
    pub assignment: Option<Assignment>,
}

/// How long a plan allows from a request until a provider is assigned: beside the clock of the decision, not instead.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The rule that sets it.
    pub rule: String,
    /// For these programs; all of them where none is named.
    #[serde(default)]
    pub programs: Vec<Program>,
    /// How many business days.
    pub business_days: u16,
    /// Who set it.
    pub issuer: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// CON-14: whether a plan has made the example of an expedited clock its own rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expedited {
    /// Whether it binds.
    pub binding: bool,
}

/// One clock of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionClock {
    /// The rule that sets it.
    pub rule: String,
    /// Requests of this urgency.
    pub urgency: Urgency,
    /// For these programs; all of them where none is named.
    #[serde(default)]
    pub programs: Vec<Program>,
    /// How many.
    pub amount: u16,
    /// Of what.
    pub unit: Unit,
    /// Days by which it may be extended, with notice.
    #[serde(default)]
    pub extension_days: Option<u16>,
    /// Requests received from this day.
    #[serde(default)]
    pub from: Option<Day>,
    /// Requests received before this day.
    #[serde(default)]
    pub until: Option<Day>,
    /// Whether it binds; an example that does not gives a warning (CON-14).
    #[serde(default = "yes")]
    pub binding: bool,
    /// Who set it.
    pub issuer: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

fn yes() -> bool {
    true
}

/// What a clock counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Elapsed hours.
    Hours,
    /// Days of the calendar.
    CalendarDays,
    /// Days that are neither on a weekend nor a holiday.
    BusinessDays,
}

/// AUTH-7: who may approve what before the plan does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Presumptive {
    /// Services.
    pub services: Vec<Program>,
    /// Providers on the plan's list.
    pub providers: Vec<Provider>,
    /// Where it is written.
    pub cite: String,
}

/// What may be approved after it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retrospective {
    /// Services.
    pub services: Vec<Program>,
    /// Where it is written.
    pub cite: String,
}
