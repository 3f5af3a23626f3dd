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
    pub amount: u32,
    /// Of what.
    pub unit: Unit,
    /// Days by which it may be extended, with notice.
    #[serde(default)]
    pub extension_days: Option<u32>,
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
