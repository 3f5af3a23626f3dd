//! The parameters of appeals.

use serde::Deserialize;

/// How long an appeal may be filed and may take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppealRules {}
