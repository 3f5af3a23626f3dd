//! Tenancy sustaining services: how often in a lifetime.

use serde::Deserialize;

/// TSS-1 to TSS-3, CON-25: so many durations in a lifetime, and so many more where it is documented what has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenancyRules {
    /// Durations without further documentation; no limit where there is none.
    pub limit: Option<usize>,
    /// Durations beyond that, each with documentation.
    pub extensions: usize,
    /// What uses up a duration.
    pub counts_on: CountsOn,
    /// The rule on a duration that needs documentation.
    pub rule: String,
    /// The rule on a duration that documentation opens.
    pub extension_rule: String,
    /// The rule on a duration beyond both.
    pub last_rule: String,
    /// Where they are written.
    pub cite: String,
}

/// What uses up a duration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountsOn {
    /// A service that was begun: what was approved and never begun was not received.
    #[default]
    ServiceStarted,
    /// An approval, begun or not.
    Approved,
}
