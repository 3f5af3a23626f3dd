//! The rules' numbers and pairs, as data: one TOML text, its hash, and what it says once it is understood.
//!
//! Whatever can be wrong in a text is found here, with its line, so that a rule never meets a half-read rulebook.

mod outreach;
mod pairs;
mod plans;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rollbook_events::{Hash, Program};
use serde::Deserialize;
use toml::Spanned;

pub use outreach::OutreachRules;
pub use pairs::{CoverageCode, Outcome, Pair, SameProgram, Selector};
pub use plans::Plan;

/// The built-in edition, as `rollbook rulebook` prints it and a new ledger adopts it.
const BUILT_IN: &str = concat!(
    include_str!("../rulebook/edition.toml"),
    include_str!("../rulebook/pairs.toml"),
    include_str!("../rulebook/outreach.toml"),
    include_str!("../rulebook/plans.toml"),
);

/// A rulebook that was read and understood.
#[derive(Debug, Clone)]
pub struct Rulebook {
    text: Arc<str>,
    hash: Hash,
    id: String,
    pairs: Vec<Pair>,
    same_program: SameProgram,
    outreach: OutreachRules,
    plans: Vec<Plan>,
    plan_names: HashMap<String, usize>,
}

/// A text that is no rulebook: the line, what is wrong there, and the line as it is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem} (in `{written}`)")]
pub struct RulebookError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, naming the key.
    pub problem: String,
    /// The line itself.
    pub written: String,
}

impl RulebookError {
    fn at(text: &str, offset: usize, problem: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let written = text.lines().nth(line - 1).unwrap_or_default().trim().to_owned();
        Self { line, problem: problem.into(), written }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    #[serde(default)]
    class: BTreeMap<Spanned<String>, Vec<Program>>,
    same_program: SameProgram,
    #[serde(default)]
    pair: Vec<pairs::Written>,
    outreach: OutreachRules,
    #[serde(default)]
    plan: Vec<Spanned<Plan>>,
}

impl Rulebook {
    /// The text of the built-in edition.
    pub fn built_in_text() -> &'static str {
        BUILT_IN
    }

    /// Reads a rulebook.
    ///
    /// # Errors
    /// The first thing that is wrong in the text, with its line.
    pub fn parse(text: &str) -> Result<Self, RulebookError> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            RulebookError::at(text, offset, error.message().trim())
        })?;
        let pairs = pairs::understand(text, &written.class, written.pair)?;
        let plan_names = plans::names(text, &written.plan)?;
        Ok(Self {
            hash: Hash::of(text.as_bytes()),
            text: text.into(),
            id: written.id,
            pairs,
            same_program: written.same_program,
            outreach: written.outreach,
            plans: written.plan.into_iter().map(Spanned::into_inner).collect(),
            plan_names,
        })
    }

    /// The edition's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole text, as it was adopted.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the text: what every answer and determination names.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The pairs of programs, or of a program and a coverage, that a rule speaks of.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The rule on two enrollments in one program.
    pub fn same_program(&self) -> &SameProgram {
        &self.same_program
    }

    /// What counts as outreach.
    pub fn outreach(&self) -> &OutreachRules {
        &self.outreach
    }

    /// The plans and agencies known by name.
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// The plan a file means by a name, an alias or a code, whatever the case and punctuation.
    pub fn plan_by_name(&self, name: &str) -> Option<&Plan> {
        self.plan_names.get(&plans::spelling(name)).and_then(|index| self.plans.get(*index))
    }
}
