//! Which Populations of Focus are live where, for whom and since when.

use chrono::NaiveDate;
use rollbook_events::time::Day;
use rollbook_events::{County, Population};
use serde::Deserialize;

/// CON-7: one population in one place for one age group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopulationRule {
    /// The rule that says so.
    pub rule: String,
    /// The population.
    pub population: Population,
    /// The counties; all where none is named.
    #[serde(default)]
    pub counties: Vec<County>,
    /// For whom.
    pub age_group: AgeGroup,
    /// First day.
    pub from: Day,
    /// First day no longer.
    #[serde(default)]
    pub until: Option<Day>,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

impl PopulationRule {
    /// Whether it holds the day.
    pub fn holds(&self, day: NaiveDate) -> bool {
        self.from.0 <= day && self.until.is_none_or(|until| day < until.0)
    }

    /// Whether it speaks of a county.
    pub fn is_of(&self, county: County) -> bool {
        self.counties.is_empty() || self.counties.contains(&county)
    }
}

/// Adults, children and youth, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgeGroup {
    /// 21 and older.
    Adult,
    /// Up to 20.
    Child,
    /// Both.
    Any,
}
