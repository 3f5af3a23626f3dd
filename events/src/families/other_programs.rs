//! What other programs the member takes part in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family;
use crate::codes::{Channel, Evidence, Key};
use crate::npi::Provider;
use crate::program::Program;
use crate::rejection::{Rejection, bad_span};
use crate::time::Day;

family! {
    /// What other programs the member takes part in.
    OtherPrograms {
        ParticipationReported = "participation_reported" [] {program, check},
        ProgramChosen = "program_chosen" [] {},
    }
}

/// A span in another program; a later report of the same plan, program and `from` replaces the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParticipationReported {
    pub program: Program,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    pub evidence: Evidence,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Key>,
}

impl ParticipationReported {
    /// `until` is the first day no longer covered, so it lies after `from`.
    fn check(&self) -> Result<(), Rejection> {
        match self.until {
            Some(until) if self.from.is_some_and(|from| until <= from) => Err(bad_span("data.until")),
            _ => Ok(()),
        }
    }
}

/// The member chose between programs that exclude one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProgramChosen {
    pub chosen: Program,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_up: Vec<Program>,
}
