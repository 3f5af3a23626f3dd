//! Tenancy support and housing deposits: the parameters.

use serde::Deserialize;

/// Tenancy support and housing deposits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HousingRules {}
