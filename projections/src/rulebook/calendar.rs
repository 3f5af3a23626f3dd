//! The holidays that are no business days.

use rollbook_events::time::Day;
use serde::Deserialize;

/// Which days are no business days, besides Saturdays and Sundays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calendar {
    /// Holidays, each as the civil day it is kept on.
    pub holidays: Vec<Day>,
    /// Years whose list was checked day by day; a clock that runs in another year is marked.
    pub checked_years: Vec<u16>,
    /// Where it is written.
    pub cite: String,
}
