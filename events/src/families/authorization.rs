//! Requests for authorization and their decisions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family;
use crate::codes::{AuthorizationOutcome, AuthorizationReason, RequestedBy, Reviewer, Text, Urgency};
use crate::ids::{AuthorizationId, ReferralId};
use crate::npi::Provider;
use crate::program::Program;
use crate::rejection::{Rejection, bad_span};
use crate::time::{Day, Instant};

family! {
    /// Requests for authorization and their decisions.
    Authorization {
        AuthorizationRequested = "authorization_requested" [] {program},
        AuthorizationDecided = "authorization_decided" [] {program, check},
    }
}

/// A request for authorization was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorizationRequested {
    pub authorization: AuthorizationId,
    pub program: Program,
    pub urgency: Urgency,
    pub received_at: Instant,
    pub requested_by: RequestedBy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<ReferralId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_conditions: Option<Text>,
}

/// A request was decided; presumptive where a provider decided first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorizationDecided {
    pub authorization: AuthorizationId,
    pub program: Program,
    pub outcome: AuthorizationOutcome,
    #[serde(default)]
    pub presumptive: bool,
    pub decided_at: Instant,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<AuthorizationReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewer: Option<Reviewer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<ReferralId>,
    /// Who approved presumptively.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_conditions: Option<Text>,
}

impl AuthorizationDecided {
    /// `until` is the first day no longer covered, so it lies after `from`.
    fn check(&self) -> Result<(), Rejection> {
        match self.until {
            Some(until) if self.from.is_some_and(|from| until <= from) => Err(bad_span("data.until")),
            _ => Ok(()),
        }
    }
}
