//! Units a month, and what is paid by them: the parameters.

use serde::Deserialize;

/// Units a month, and what is paid by them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnitRules {}
