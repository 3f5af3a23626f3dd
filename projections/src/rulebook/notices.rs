//! The parameters of Notices of Action.

use std::collections::BTreeMap;

use rollbook_events::Program;
use rollbook_events::codes::{AuthorizationReason, DisenrollmentReason, NoticeKind, NoticeOutcome, Party};
use serde::Deserialize;

/// When a notice is required and when it must be mailed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoticeRules {
    /// The programs the rules speak of.
    pub programs: Vec<Program>,
    /// Where that is written.
    pub cite: String,
    /// Ends of service that a plan's own staff judges.
    pub reviewed: Vec<Reviewed>,
    /// A plan's own answer, by cause.
    pub review: BTreeMap<Cause, NoticeOutcome>,
    /// How long before service ends a notice is mailed.
    pub advance: Option<Advance>,
    /// What allows a notice on the day service ends.
    pub same_day: Vec<SameDay>,
    /// How soon after a decision a notice is mailed.
    pub decision: Option<AfterDecision>,
    /// When a referral to something else is expected.
    pub alternatives: Vec<Alternative>,
    /// What must hold before a member is given up as not reached.
    pub given_up: GivenUp,
}

/// A cause on which plans may have an answer of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The member died.
    Died,
    /// Medi-Cal ended.
    CoverageLost,
    /// The member went to another plan.
    PlanChanged,
    /// The plan no longer offers the service.
    OfferingWithdrawn,
    /// The service was authorized and never began.
    NeverStarted,
    /// Outreach was given up while somebody's request was open.
    UnansweredRequest,
}

impl Cause {
    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Died => "died",
            Self::CoverageLost => "coverage_lost",
            Self::PlanChanged => "plan_changed",
            Self::OfferingWithdrawn => "offering_withdrawn",
            Self::NeverStarted => "never_started",
            Self::UnansweredRequest => "unanswered_request",
        }
    }
}

/// NOA-7: an end of service that a plan's own staff judges.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviewed {
    /// The cause.
    pub cause: Cause,
    /// The reasons of a disenrollment that are it.
    pub reasons: Vec<DisenrollmentReason>,
    /// A notice of another kind that is due beside.
    #[serde(default)]
    pub beside: Option<Beside>,
    /// The rule.
    pub rule: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// NOA-10: a notice of another kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// Its kind.
    pub notice: NoticeKind,
    /// The rule that asks for it.
    pub rule: String,
}

/// CLK-1: days between mailing a notice and the end of service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advance {
    /// Calendar days.
    pub days: u32,
    /// The rule.
    pub rule: String,
    /// Who set it.
    pub issuer: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// CLK-2: what allows a notice on the day service ends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SameDay {
    /// What must be on record.
    pub ground: Ground,
    /// For these reasons of the disenrollment; for all where none is named.
    #[serde(default)]
    pub reasons: Vec<DisenrollmentReason>,
    /// The rule.
    pub rule: String,
    /// Who set it.
    pub issuer: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// What must be on record for a notice on the day service ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The member's death.
    DeathRecorded,
    /// A signed statement of the member.
    SignedStatement,
    /// Mail that came back without a forwarding address.
    MailReturned,
    /// Nothing but the reason of the disenrollment.
    Reason,
}

/// CLK-10: business days between a decision and its notice.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterDecision {
    /// Business days.
    pub business_days: u32,
    /// The rule.
    pub rule: String,
    /// Who set it.
    pub issuer: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// When a referral to something else is expected.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// For these programs; for all where none is named.
    #[serde(default)]
    pub programs: Vec<Program>,
    /// Where a request was denied for one of these.
    #[serde(default)]
    pub denied_for: Vec<AuthorizationReason>,
    /// Where service ended for one of these.
    #[serde(default)]
    pub ended_for: Vec<DisenrollmentReason>,
    /// Where service ended for anything but these.
    #[serde(default)]
    pub ended_but_for: Vec<DisenrollmentReason>,
    /// The rule.
    pub rule: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// NOA-2: what must hold before a member is given up as not reached, besides the plan's `outreach.closing`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GivenUp {
    /// Reasons of a disenrollment that say so.
    pub reasons: Vec<DisenrollmentReason>,
    /// Who must agree.
    pub agreed_by: Vec<Party>,
    /// The rule.
    pub rule: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}
