//! Stays, ages and day limits of services: the parameters.

use serde::Deserialize;

/// Stays, ages and day limits of services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceRules {}
