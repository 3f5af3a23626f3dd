//! The program matrix: which two things may not run at once, or only with care.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rollbook_events::Program;
use rollbook_events::codes::Channel;
use rollbook_events::time::Day;
use serde::Deserialize;
use toml::Spanned;

use super::{ContradictionId, Parameters, RulebookError};
use crate::spans::Span;

/// What follows where two spans overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Both may run.
    Allow,
    /// Both may run, with a duty not to duplicate.
    AllowCoordinated,
    /// They duplicate each other.
    Conflict,
    /// The member picks one.
    Choose,
    /// The member is to be disenrolled from the first.
    Exclude,
    /// The coverage rules the first out.
    NotEligible,
    /// The sources disagree: a person decides.
    Review,
}

impl Outcome {
    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::AllowCoordinated => "allow_coordinated",
            Self::Conflict => "conflict",
            Self::Choose => "choose",
            Self::Exclude => "exclude",
            Self::NotEligible => "not_eligible",
            Self::Review => "review",
        }
    }
}

/// A coverage a rule can speak of; managed care without Medicare needs no word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageCode {
    /// Medi-Cal, paid for each service.
    FeeForService,
    /// No active Medi-Cal.
    MediCalInactive,
    /// Medicare, paid for each service.
    MedicareFfs,
    /// Dual Eligible Special Needs Plan.
    DSnp,
    /// Its look-alike.
    DSnpLookalike,
    /// Any other Medicare Advantage plan.
    OtherMedicareAdvantage,
    /// Cal MediConnect.
    CalMediconnect,
    /// Fully Integrated Dual Eligible Special Needs Plan.
    FideSnp,
}

impl CoverageCode {
    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FeeForService => "fee_for_service",
            Self::MediCalInactive => "medi_cal_inactive",
            Self::MedicareFfs => "medicare_ffs",
            Self::DSnp => "d_snp",
            Self::DSnpLookalike => "d_snp_lookalike",
            Self::OtherMedicareAdvantage => "other_medicare_advantage",
            Self::CalMediconnect => "cal_mediconnect",
            Self::FideSnp => "fide_snp",
        }
    }
}

/// What one side of a pair names: programs, one bit each, or a coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector {
    /// Any of these programs.
    Programs(u64),
    /// This coverage.
    Coverage(CoverageCode),
}

const _: () = assert!(Program::ALL.len() <= 64, "a selector holds a bit for each program");

impl Selector {
    /// Just this program.
    pub fn of(program: Program) -> Self {
        Self::Programs(1 << program as u32)
    }

    /// Whether both name something in common.
    pub fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Programs(these), Self::Programs(those)) => these & those != 0,
            (Self::Coverage(this), Self::Coverage(that)) => this == that,
            (Self::Programs(_), Self::Coverage(_)) | (Self::Coverage(_), Self::Programs(_)) => false,
        }
    }
}

/// One rule of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Its id in the catalogue; a rule that needs two entries has them under one id.
    pub id: String,
    /// The first side.
    pub a: Selector,
    /// The first side's delivery channel, where the rule turns on it (CON-3).
    pub a_channel: Option<Channel>,
    /// The second side.
    pub b: Selector,
    /// What follows.
    pub outcome: Outcome,
    /// The contradiction it rests on: a plan's own word on it takes the place of the outcome.
    pub disputed: Option<ContradictionId>,
    /// What a reader is told beside the outcome.
    pub flag: Option<PairFlag>,
    /// Where it is written.
    pub cite: String,
    /// First day it is in force; always, where there is none.
    pub from: Option<NaiveDate>,
    /// First day it is no longer in force.
    pub until: Option<NaiveDate>,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

/// What a reader is told beside an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairFlag {
    /// The list names a class, and this program falls under it without being named.
    ClassRule,
}

impl PairFlag {
    /// The finding's code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClassRule => "class_rule",
        }
    }
}

impl Pair {
    /// What follows by the rules of a plan: its own word where the sources dispute it, else the rule's.
    pub fn outcome_by(&self, parameters: &Parameters) -> Outcome {
        let word = self.disputed.as_ref().and_then(|id| parameters.disputed.get(id));
        word.copied().unwrap_or(self.outcome)
    }

    /// The days of a span on which the rule is in force.
    pub fn in_force(&self, span: Span) -> Option<Span> {
        span.overlap(Span { from: self.from.unwrap_or(span.from), until: self.until })
    }

    /// Whether some day and some two spans could fall under both.
    fn collides(&self, other: &Self) -> bool {
        let days = |pair: &Self| Span { from: pair.from.unwrap_or(NaiveDate::MIN), until: pair.until };
        let channels = |one: Option<Channel>, two: Option<Channel>| one.is_none() || two.is_none() || one == two;
        let straight = self.a.meets(other.a) && self.b.meets(other.b) && channels(self.a_channel, other.a_channel);
        let crossed = self.a.meets(other.b) && self.b.meets(other.a);
        (straight || crossed) && days(self).overlap(days(other)).is_some()
    }
}

/// The rule on two enrollments in one program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SameProgram {
    /// Its id in the catalogue.
    pub id: String,
    /// Where it is written.
    pub cite: String,
    /// Whether it was read in a source, or only remembered.
    pub verified: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    id: Spanned<String>,
    a: Spanned<String>,
    a_channel: Option<Channel>,
    b: Option<Spanned<String>>,
    b_coverage: Option<CoverageCode>,
    outcome: Outcome,
    disputed: Option<ContradictionId>,
    flag: Option<PairFlag>,
    cite: String,
    from: Option<Day>,
    until: Option<Day>,
    verified: bool,
}

type Classes = BTreeMap<Spanned<String>, Vec<Program>>;

/// Turns names into selectors, and refuses two entries that speak of the same pair on the same day.
pub(super) fn understand(text: &str, classes: &Classes, written: Vec<Written>) -> Result<Vec<Pair>, RulebookError> {
    for name in classes.keys() {
        if name.get_ref().parse::<Program>().is_ok() {
            let problem = format!("`class` {}: a program has that name", name.get_ref());
            return Err(RulebookError::at(text, name.span().start, problem));
        }
    }
    let mut pairs: Vec<Pair> = Vec::with_capacity(written.len());
    for entry in written {
        let at = entry.id.span().start;
        let pair = read(text, classes, entry)?;
        if let Some(other) = pairs.iter().find(|other| other.collides(&pair)) {
            let problem = format!("`pair` {}: `{}` speaks of the same pair on the same day", pair.id, other.id);
            return Err(RulebookError::at(text, at, problem));
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

fn read(text: &str, classes: &Classes, written: Written) -> Result<Pair, RulebookError> {
    let at = written.id.span().start;
    let id = written.id.into_inner();
    let b = match (&written.b, written.b_coverage) {
        (Some(name), None) => select(text, classes, &id, "b", name)?,
        (None, Some(coverage)) => Selector::Coverage(coverage),
        _ => return Err(RulebookError::at(text, at, format!("`pair` {id}: needs either `b` or `b_coverage`"))),
    };
    let (from, until) = (written.from.map(|day| day.0), written.until.map(|day| day.0));
    if from.zip(until).is_some_and(|(from, until)| until <= from) {
        return Err(RulebookError::at(text, at, format!("`pair` {id}: `until` does not lie after `from`")));
    }
    Ok(Pair {
        a: select(text, classes, &id, "a", &written.a)?,
        id,
        a_channel: written.a_channel,
        b,
        outcome: written.outcome,
        disputed: written.disputed,
        flag: written.flag,
        cite: written.cite,
        from,
        until,
        verified: written.verified,
    })
}

fn select(
    text: &str,
    classes: &Classes,
    id: &str,
    key: &str,
    name: &Spanned<String>,
) -> Result<Selector, RulebookError> {
    if let Ok(program) = name.get_ref().parse() {
        return Ok(Selector::of(program));
    }
    let Some(programs) = classes.get(name) else {
        let problem = format!("`pair` {id}: `{key}` is neither a program nor a class");
        return Err(RulebookError::at(text, name.span().start, problem));
    };
    Ok(Selector::Programs(programs.iter().fold(0, |bits, program| bits | 1 << *program as u32)))
}
