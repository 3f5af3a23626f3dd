//! What else decides whether a member is eligible: the parameters.

use serde::Deserialize;

/// What else decides whether a member is eligible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EligibilityRules {}
