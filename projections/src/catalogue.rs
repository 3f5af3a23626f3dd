//! Every rule of the sources in one table: what it says, where it is written, and what the ledger makes of it.
//!
//! The catalogue explains; the numbers that decide stand in the [`rulebook`](crate::rulebook) that a ledger adopted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// One rule of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// The family it belongs to.
    pub family: String,
    /// What it says, in our own words.
    pub says: String,
    /// Who made it: `dhcs`, `federal`, `state`, a county or a plan.
    pub issuer: String,
    /// The plan, where one made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Where it is written.
    pub cite: Vec<String>,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
    /// Whether the source states it, or it follows from one.
    pub basis: Basis,
    /// What the ledger makes of it.
    pub held_as: HeldAs,
    /// Where: a module, a parameter, a word of the vocabulary; or why nowhere.
    pub held_at: String,
    /// The contradictions that touch it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disputed: Vec<String>,
}

/// Whether a source states a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// In so many words.
    Stated,
    /// It follows from what one says.
    Inferred,
}

/// What the ledger makes of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldAs {
    /// A function decides by it.
    Rule,
    /// A number, date or list of the rulebook.
    Parameter,
    /// A kind of event, a field or a code.
    Vocabulary,
    /// It has no effect on the ledger.
    None,
}

impl HeldAs {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Parameter => "parameter",
            Self::Vocabulary => "vocabulary",
            Self::None => "no effect",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Rule>,
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../rulebook/catalogue/", $name, ".toml")))),+]
    };
}

/// The files, in reading order.
const FILES: &[(&str, &str)] = files![
    "eligibility_people",
    "eligibility_services",
    "populations",
    "duplication",
    "exclusion",
    "notices",
    "appeals",
    "authorizations",
    "consent",
    "outreach",
    "reassessment",
    "grandfathering",
    "housing",
    "community_supports_limits",
    "payment",
    "roles",
    "files",
    "core_services",
    "community_supports",
    "contradictions_1",
    "contradictions_2",
    "names_1",
    "names_2",
    "events",
    "referrals",
    "clocks_1",
    "clocks_2",
];

/// Which scenarios exercise which rule; generated from `tests/scenarios`, and checked against them by a test.
const SCENARIOS: &str = include_str!("../rulebook/scenarios.json");

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    // The files are part of the program: one that cannot be read is left out here, and fails `every_file_is_read`.
    FILES.iter().filter_map(|(_, text)| toml::from_str::<File>(text).ok()).flat_map(|file| file.rule).collect()
});

static EXERCISED: LazyLock<BTreeMap<String, BTreeSet<String>>> =
    LazyLock::new(|| serde_json::from_str(SCENARIOS).unwrap_or_default());

/// Every rule, in reading order.
pub fn rules() -> &'static [Rule] {
    &RULES
}

/// The rule of this id, however its letters are written.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id.eq_ignore_ascii_case(id))
}

/// The scenarios that exercise a rule, by their ids.
pub fn scenarios(id: &str) -> impl Iterator<Item = &'static str> {
    EXERCISED.get(id).into_iter().flatten().map(String::as_str)
}

/// Every rule that some scenario says it exercises.
pub fn exercised() -> impl Iterator<Item = &'static str> {
    EXERCISED.keys().map(String::as_str)
}

/// Where a rule is written, as one line; nothing for one the catalogue does not know.
pub fn cite(id: &str) -> Option<String> {
    find(id).map(|rule| rule.cite.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read() {
        for (name, text) in FILES {
            let read = toml::from_str::<File>(text);
            assert!(read.is_ok(), "{name}: {}", read.err().unwrap());
        }
    }

    #[test]
    fn an_id_names_one_rule_and_every_rule_says_something_and_where() {
        let mut ids = BTreeSet::new();
        for rule in rules() {
            assert!(ids.insert(&rule.id), "{} is there twice", rule.id);
            assert!(!rule.says.is_empty() && !rule.held_at.is_empty(), "{}", rule.id);
            assert!(!rule.cite.is_empty() && rule.cite.iter().all(|cite| !cite.is_empty()), "{}", rule.id);
        }
    }

    #[test]
    fn a_rule_is_found_in_whatever_case() {
        assert_eq!(find("noa-1").map(|rule| rule.id.as_str()), Some("NOA-1"));
        assert!(find("NOA-0").is_none());
    }
}
