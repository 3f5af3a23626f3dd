//! The rules' numbers, dates and lists, as they stand for one plan and county on one day.

use serde::Deserialize;

use super::appeals::AppealRules;
use super::authorizations::AuthorizationRules;
use super::calendar::Calendar;
use super::contradictions::{Contradiction, Contradictions};
use super::eligibility::EligibilityRules;
use super::housing::TenancyRules;
use super::notices::NoticeRules;
use super::offerings::Offering;
use super::outreach::OutreachRules;
use super::populations::PopulationRule;
use super::reassessment::ReassessmentRules;
use super::services::ServiceRules;
use super::units::UnitRules;

/// Every family's parameters. What an edition does not say, it does not decide: an older text stays readable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// What counts as outreach, when it may be given up, and how much of it is paid.
    pub outreach: OutreachRules,
    /// Which days are no business days.
    pub calendar: Calendar,
    /// How long a decision may take, and who may decide first.
    pub authorization: AuthorizationRules,
    /// Whether the expedited example binds.
    pub expedited: super::authorizations::Expedited,
    /// What may be approved presumptively, and by whom.
    pub presumptive: super::authorizations::Presumptive,
    /// What may be approved after the fact.
    pub retrospective: super::authorizations::Retrospective,
    /// When a notice is required, and when it must be mailed.
    pub notices: NoticeRules,
    /// How long an appeal may be filed and may take.
    pub appeals: AppealRules,
    /// When an enrollment is reassessed.
    pub reassessment: ReassessmentRules,
    /// Which Community Supports a plan offers where and when.
    pub offered: Vec<Offering>,
    /// Which Populations of Focus are live where, for whom and since when.
    pub population: Vec<PopulationRule>,
    /// What else decides whether a member is eligible.
    pub eligibility: EligibilityRules,
    /// How often tenancy sustaining services may be had.
    pub tenancy: TenancyRules,
    /// Stays, ages and day limits of services.
    pub services: ServiceRules,
    /// Units a month and what is paid by them.
    pub units: UnitRules,
    /// Where the sources contradict each other.
    pub contradiction: Vec<Contradiction>,
    /// What a plan has decided for itself where they do.
    pub disputed: Contradictions,
}
