//! Stays, ages, channels and own authorizations of services: the parameters.

use rollbook_events::time::Day;
use rollbook_events::{PlanCode, Program};
use serde::Deserialize;

/// Stays, ages, channels and own authorizations of services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceRules {
    /// What a stay in a sobering center may be.
    pub sobering_center: StayRules,
    /// What needs an authorization of its own.
    pub own_authorization: OwnAuthorization,
    /// What the county delivers and bills, and for whom.
    pub county_channel: CountyChannel,
    /// What may run at once, but calls for a look.
    pub beside: Vec<Beside>,
    /// Whose word on a program goes before another's.
    pub run_by: Vec<RunBy>,
    /// Whose referrals are followed until their loop is closed.
    pub closed_loop: ClosedLoop,
}

/// SOB-1, SOB-2: how long a stay may last, and for whom it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StayRules {
    /// Hours that a stay must stay below.
    pub max_hours: Option<u32>,
    /// The age from which it is.
    pub min_age: Option<u8>,
    /// Where it is written.
    pub cite: String,
}

/// HD-1, AUTH-9: services that no other service's authorization implies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OwnAuthorization {
    /// The services.
    pub programs: Vec<Program>,
    /// Where it is written.
    pub cite: String,
}

/// DUP-5: what the county delivers and bills under a subcontract, for its own clients alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CountyChannel {
    /// What it delivers.
    pub programs: Vec<Program>,
    /// Whose clients they are.
    pub clients_of: Vec<Program>,
    /// Where it is written.
    pub cite: String,
}

/// Two programs whose running at once is no conflict, and yet calls for a look.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// The finding.
    pub code: String,
    /// The rule that says so.
    pub rule: String,
    /// One program.
    pub a: Program,
    /// The other.
    pub b: Program,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// B8-06: programs that one agency runs, so that its own word on them goes before what others report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunBy {
    /// The agency or plan.
    pub plan: PlanCode,
    /// What it runs.
    pub programs: Vec<Program>,
    /// Where it is written.
    pub cite: String,
}

/// C2d, CLK-21: closed-loop referrals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClosedLoop {
    /// Referrals received from this day; none at all where no day is named.
    pub from: Option<Day>,
    /// Services whose referrals it does not cover.
    pub exempt: Vec<Program>,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}
