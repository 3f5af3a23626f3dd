//! Identification and referral.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family;
use crate::codes::{IdentificationPathway, Key, ReferralPathway, ReferralStatus, RequestedBy, Text};
use crate::ids::ReferralId;
use crate::npi::Provider;
use crate::population::Population;
use crate::program::Program;

family! {
    /// Identification and referral.
    Referral {
        MemberIdentified = "member_identified" [] {program},
        PopulationAssessed = "population_assessed" [] {},
        ReferralReceived = "referral_received" [] {program},
        ServiceAssessed = "service_assessed" [] {program},
        ReferralUpdated = "referral_updated" [] {},
    }
}

/// Somebody listed the member as eligible: what an outreach episode begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberIdentified {
    pub program: Program,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub populations: Vec<Population>,
    /// Age on that civil day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_years: Option<u8>,
    pub pathway: IdentificationPathway,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
}

/// A Population of Focus was found met, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PopulationAssessed {
    pub population: Population,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_years: Option<u8>,
    #[serde(default)]
    pub met: bool,
    /// Authorized below the numeric threshold (ELIG-8).
    #[serde(default)]
    pub discretionary: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Key>,
}

/// A referral came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReferralReceived {
    pub referral: ReferralId,
    pub program: Program,
    pub pathway: ReferralPathway,
    pub requested_by: RequestedBy,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub populations: Vec<Population>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspected_programs: Vec<Program>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_years: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

/// A Community Support's three findings (ELIG-13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceAssessed {
    pub program: Program,
    #[serde(default)]
    pub definition_met: bool,
    #[serde(default)]
    pub medically_appropriate: bool,
    #[serde(default)]
    pub cost_effective: bool,
}

/// The status of a referral, as in a closed loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReferralUpdated {
    pub referral: ReferralId,
    pub status: ReferralStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closure: Option<Key>,
}

impl Referral {
    /// The age in years that it tells, where it does.
    pub fn age_years(&self) -> Option<u8> {
        match self {
            Self::MemberIdentified(identified) => identified.age_years,
            Self::PopulationAssessed(assessed) => assessed.age_years,
            Self::ReferralReceived(received) => received.age_years,
            Self::ServiceAssessed(_) | Self::ReferralUpdated(_) => None,
        }
    }

    /// Where it tells an age in years, or could.
    pub fn age_years_mut(&mut self) -> Option<&mut Option<u8>> {
        match self {
            Self::MemberIdentified(identified) => Some(&mut identified.age_years),
            Self::PopulationAssessed(assessed) => Some(&mut assessed.age_years),
            Self::ReferralReceived(received) => Some(&mut received.age_years),
            Self::ServiceAssessed(_) | Self::ReferralUpdated(_) => None,
        }
    }
}
