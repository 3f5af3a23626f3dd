//! The rules' numbers and pairs, as data: one TOML text, its hash, and what it says once it is understood.
//!
//! Whatever can be wrong in a text is found here, with its line, so that a rule never meets a half-read rulebook.

mod appeals;
mod authorizations;
mod calendar;
mod contradictions;
mod eligibility;
mod entries;
mod housing;
mod lines;
mod lint;
mod notices;
mod offerings;
mod outreach;
mod overlays;
mod pairs;
mod parameters;
mod plans;
mod populations;
mod reassessment;
mod services;
mod units;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use rollbook_events::{County, Hash, PlanCode, Program};
use serde::Deserialize;
use toml::{Spanned, Table};

pub use appeals::{AppealRules, Term};
pub use authorizations::{Assignment, AuthorizationRules, DecisionClock, Expedited, Presumptive, Retrospective, Unit};
pub use calendar::Calendar;
pub use contradictions::{Contradiction, ContradictionId, Contradictions};
pub use eligibility::{
    Adult, AgeLimit, ByHousing, Discretionary, EligibilityRules, Grandfathering, Source, TransitionList,
};
pub use entries::Entry;
pub use housing::{CountsOn, TenancyRules};
pub use lint::Refusal;
pub use notices::{Alternative, Cause, GivenUp, Ground, NoticeRules, Reviewed, SameDay};
pub use offerings::Offering;
pub use outreach::{Closing, OutreachRules};
use overlays::Layers;
pub use overlays::{Header, Overlay};
pub use pairs::{CoverageCode, Outcome, Pair, PairFlag, SameProgram, Selector};
pub use parameters::Parameters;
pub use plans::Plan;
pub use populations::{AgeGroup, PopulationRule};
pub use reassessment::{ReassessmentRules, Transition};
pub use services::{Beside, ClosedLoop, CountyChannel, OwnAuthorization, RunBy, ServiceRules, StayRules};
pub use units::{UnitMinimum, UnitRules};

/// The built-in edition, as `rollbook rulebook` prints it and a new ledger adopts it.
const BUILT_IN: &str = concat!(
    include_str!("../rulebook/edition.toml"),
    include_str!("../rulebook/pairs.toml"),
    include_str!("../rulebook/outreach.toml"),
    include_str!("../rulebook/calendar.toml"),
    include_str!("../rulebook/authorizations.toml"),
    include_str!("../rulebook/notices.toml"),
    include_str!("../rulebook/appeals.toml"),
    include_str!("../rulebook/reassessment.toml"),
    include_str!("../rulebook/populations.toml"),
    include_str!("../rulebook/offerings.toml"),
    include_str!("../rulebook/eligibility.toml"),
    include_str!("../rulebook/contradictions.toml"),
    include_str!("../rulebook/housing.toml"),
    include_str!("../rulebook/services.toml"),
    include_str!("../rulebook/units.toml"),
    include_str!("../rulebook/plans.toml"),
    include_str!("../rulebook/overlays.toml"),
);

/// A rulebook that was read and understood.
#[derive(Debug, Clone)]
pub struct Rulebook {
    text: Arc<str>,
    hash: Hash,
    id: String,
    pairs: Vec<Pair>,
    same_program: SameProgram,
    overlays: Vec<Overlay>,
    layers: Layers,
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

/// What an edition says besides parameters; the rest of its keys are those of [`Parameters`].
#[derive(Deserialize)]
struct Written {
    id: String,
    #[serde(default)]
    class: BTreeMap<Spanned<String>, Vec<Program>>,
    same_program: SameProgram,
    #[serde(default)]
    pair: Vec<pairs::Written>,
    #[serde(default)]
    plan: Vec<Spanned<Plan>>,
    #[serde(default)]
    overlay: Vec<overlays::Written>,
}

const NO_PARAMETERS: [&str; 6] = ["id", "class", "same_program", "pair", "plan", "overlay"];

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
        let at = |error: toml::de::Error| {
            RulebookError::at(text, error.span().map_or(0, |span| span.start), error.message().trim())
        };
        let written: Written = toml::from_str(text).map_err(at)?;
        let mut base: Table = toml::from_str(text).map_err(at)?;
        NO_PARAMETERS.iter().for_each(|key| _ = base.remove(*key));
        let pairs = pairs::understand(text, &written.class, written.pair)?;
        let plan_names = plans::names(text, &written.plan)?;
        let overlays = overlays::understand(text, written.overlay)?;
        Ok(Self {
            hash: Hash::of(text.as_bytes()),
            layers: Layers::of(text, &base, &overlays)?,
            text: text.into(),
            id: written.id,
            pairs,
            same_program: written.same_program,
            overlays,
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

    /// The parameters in force for a plan in a county on a day.
    pub fn parameters(&self, plan: &PlanCode, county: County, day: NaiveDate) -> &Parameters {
        self.layers.at(plan, county, day)
    }

    /// The parameters no plan's file speaks of.
    pub fn base(&self) -> &Parameters {
        self.layers.base()
    }

    /// The text with a file laid over it, in place of the one of that name where there is one: what is to be adopted.
    pub fn text_with(&self, overlay: &Overlay) -> String {
        overlays::laid_over(&self.text, &self.overlays, overlay)
    }

    /// What a file laid over this rulebook says that it may not, in the order of its lines.
    pub fn refusals(&self, overlay: &Overlay) -> Vec<Refusal> {
        let mut refused = lint::lint(self.base(), overlay);
        refused.extend(self.overlays.iter().filter(|other| other.is_of_the_same_days(overlay)).map(|other| Refusal {
            at: RulebookError::at(
                &overlay.text,
                0,
                format!("`{}` is in force for the same plan on the same days", other.file),
            ),
            rule: None,
        }));
        refused
    }

    /// The files laid over the built-in edition, in their order.
    pub fn overlays(&self) -> &[Overlay] {
        &self.overlays
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
