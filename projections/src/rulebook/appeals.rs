//! The parameters of appeals.

use serde::Deserialize;

use super::authorizations::Unit;

/// How long an appeal may be filed and may take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppealRules {
    /// CLK-12: from the date on the notice.
    pub filing: Option<Term>,
    /// CLK-13: from the day the appeal was filed.
    pub resolution: Option<Term>,
    /// CLK-13: from the instant an expedited appeal was received.
    pub expedited: Option<Term>,
    /// CLK-16: from the resolution that upheld the plan.
    pub state_hearing: Option<Term>,
    /// CLK-15: from the mailing of the notice, or until its effective date where that is later.
    pub aid_paid_pending: Option<Term>,
}

/// One term.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The rule that sets it.
    pub rule: String,
    /// How many.
    pub amount: u16,
    /// Of what.
    pub unit: Unit,
    /// Days by which it may be extended, with notice.
    #[serde(default)]
    pub extension_days: Option<u16>,
    /// Who set it.
    pub issuer: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}
