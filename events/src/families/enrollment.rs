//! Enrollment, service and disenrollment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family;
use crate::codes::{Basis, Channel, DecidedBy, DisenrollmentReason, Key, Month, Party, ReassessmentOutcome};
use crate::ids::{AuthorizationId, EnrollmentId};
use crate::npi::Provider;
use crate::program::Program;
use crate::rejection::{Rejection, bad_span};
use crate::time::{Day, Instant};

family! {
    /// Enrollment, service and disenrollment.
    Enrollment {
        Enrolled = "enrolled" [] {program},
        ServiceStarted = "service_started" [] {},
        ProviderAssigned = "provider_assigned" [] {check},
        LeadCareManagerAssigned = "lead_care_manager_assigned" [] {check},
        StayRecorded = "stay_recorded" [] {program, check},
        UnitsRecorded = "units_recorded" [] {program},
        OptedOut = "opted_out" [] {program},
        DiscontinuationRecommended = "discontinuation_recommended" [] {},
        Disenrolled = "disenrolled" [] {},
        Reinstated = "reinstated" [] {},
        Reassessed = "reassessed" [] {},
    }
}

/// The member is enrolled in a program from a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Enrolled {
    pub enrollment: EnrollmentId,
    pub program: Program,
    pub basis: Basis,
    pub channel: Channel,
    pub provider: Provider,
    pub from: Day,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<AuthorizationId>,
}

/// The first service under an enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceStarted {
    pub enrollment: EnrollmentId,
    pub on: Day,
}

/// Who serves from a day; `channel` where the delivery channel changes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderAssigned {
    pub enrollment: EnrollmentId,
    pub provider: Provider,
    pub from: Day,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

impl ProviderAssigned {
    /// `until` is the first day no longer covered, so it lies after `from`.
    fn check(&self) -> Result<(), Rejection> {
        match self.until {
            Some(until) if until <= self.from => Err(bad_span("data.until")),
            _ => Ok(()),
        }
    }
}

/// Who leads the care from a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeadCareManagerAssigned {
    pub enrollment: EnrollmentId,
    /// A free key, never a name.
    pub manager: Key,
    pub from: Day,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

impl LeadCareManagerAssigned {
    /// `until` is the first day no longer covered, so it lies after `from`.
    fn check(&self) -> Result<(), Rejection> {
        match self.until {
            Some(until) if until <= self.from => Err(bad_span("data.until")),
            _ => Ok(()),
        }
    }
}

/// A stay, as in a sobering center.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StayRecorded {
    pub program: Program,
    pub provider: Provider,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<AuthorizationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_years: Option<u8>,
    pub admitted_at: Instant,
    pub discharged_at: Instant,
}

impl StayRecorded {
    fn check(&self) -> Result<(), Rejection> {
        if self.discharged_at <= self.admitted_at { Err(bad_span("data.discharged_at")) } else { Ok(()) }
    }
}

/// Units of service in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnitsRecorded {
    pub program: Program,
    pub month: Month,
    pub units: u32,
    pub outreach_units: u32,
    pub provider: Provider,
}

/// The member, or somebody for them, declined or stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OptedOut {
    pub program: Program,
    pub by: DecidedBy,
    #[serde(default)]
    pub signed: bool,
}

/// A provider recommends to end an enrollment; the plan decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiscontinuationRecommended {
    pub enrollment: EnrollmentId,
    pub reason: DisenrollmentReason,
    pub by: Key,
}

/// The enrollment ends; `until` is the first day no longer covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disenrolled {
    pub enrollment: EnrollmentId,
    pub until: Day,
    pub reason: DisenrollmentReason,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agreed_by: Vec<Party>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternative: Option<Program>,
}

/// The enrollment goes on from a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reinstated {
    pub enrollment: EnrollmentId,
    pub from: Day,
    pub reason: Key,
}

/// The enrollment was reassessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reassessed {
    pub enrollment: EnrollmentId,
    pub on: Day,
    pub outcome: ReassessmentOutcome,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<DisenrollmentReason>,
}
