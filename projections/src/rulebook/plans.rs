//! The registry of plans and county agencies, and how files write their names.

use std::collections::HashMap;

use rollbook_events::{County, PlanCode};
use serde::Deserialize;
use toml::Spanned;

use super::RulebookError;

/// A plan or a county agency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its code.
    pub code: PlanCode,
    /// Its full name.
    pub name: String,
    /// Other ways files write it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Counties the sources name it in; no limit.
    #[serde(default)]
    pub counties: Vec<County>,
}

impl Plan {
    /// The plan's county, where the sources name it in one alone.
    pub fn only_county(&self) -> Option<County> {
        match self.counties[..] {
            [county] => Some(county),
            _ => None,
        }
    }
}

/// A name without case, blanks and punctuation: `L.A. Care` and `LA CARE` are one spelling.
pub(super) fn spelling(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Every spelling of every plan; one that two plans share would be a guess, so it is refused.
pub(super) fn names(text: &str, plans: &[Spanned<Plan>]) -> Result<HashMap<String, usize>, RulebookError> {
    let mut names = HashMap::new();
    for (index, written) in plans.iter().enumerate() {
        let plan = written.get_ref();
        let known = plan.aliases.iter().map(String::as_str).chain([plan.code.as_str(), plan.name.as_str()]);
        for name in known {
            let other = names.insert(spelling(name), index);
            if spelling(name).is_empty() || other.is_some_and(|other| other != index) {
                let problem = format!("`plan` {}: `{name}` names no plan, or another one too", plan.code);
                return Err(RulebookError::at(text, written.span().start, problem));
            }
        }
    }
    Ok(names)
}
