//! One case: its facts are given, its questions asked, its expectations matched. The way it is run, without a server or
//! against a ledger, gives facts and answers questions and knows nothing of expectations.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use rollbook_events::MemberId;
use rollbook_projections::views;
use serde_json::Value;

use super::dossiers;
use super::expect::{By, Expectation, Row, Source, Wanted, matching};
use super::file::Case;
use super::ids::Ids;

/// What became of a given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log, with what follows from it.
    Recorded,
    /// It was refused.
    Refused {
        /// The code.
        code: String,
        /// The field, as a path in the submission.
        field: String,
        /// What is expected there.
        detail: String,
    },
}

/// A case's facts as they were taken.
#[derive(Debug)]
pub struct Played {
    /// What its short ids are.
    pub ids: Ids,
    /// When each given counts as recorded.
    pub recorded: Vec<DateTime<Utc>>,
    /// What became of each.
    pub outcomes: Vec<Outcome>,
    /// The position before the first, then that after each, determinations that follow from it included.
    pub positions: Vec<u64>,
}

/// A question about a case's members as known at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub source: Source,
    /// About whom.
    pub members: Vec<MemberId>,
    /// As known at this position.
    pub at: u64,
    /// What is asked besides: program, channel, plan, county.
    pub about: BTreeMap<&'static str, String>,
}

/// Rows, or why there can be none.
pub type Answer = Result<Vec<Row>, String>;

/// A way to run cases.
pub trait Way {
    /// Gives the facts of a case, in their order.
    ///
    /// # Errors
    /// Where they could not be given at all; that one is refused is an outcome.
    fn play(&mut self, case: &Case) -> impl Future<Output = anyhow::Result<Played>>;

    /// Answers a question about the case last played.
    ///
    /// # Errors
    /// Where it could not be asked.
    fn answer(&mut self, question: &Question) -> impl Future<Output = anyhow::Result<Answer>>;
}

/// What a case came to.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What was not as expected.
    pub failures: Vec<Failure>,
    /// The file's words for the ids of its events.
    pub names: HashMap<String, String>,
}

/// An expectation that was not met, or a given that was refused.
#[derive(Debug)]
pub struct Failure {
    /// Its line.
    pub line: usize,
    /// What was expected.
    pub expected: String,
    /// What is wrong.
    pub why: String,
    /// What came.
    pub came: Vec<Row>,
}

/// Runs a case.
///
/// # Errors
/// Where the way fails, not where the case does.
pub async fn run(case: &Case, way: &mut impl Way) -> anyhow::Result<Verdict> {
    let played = way.play(case).await?;
    let mut failures = refusals(case, &played);
    for expectation in &case.expected {
        failures.extend(check(case, &played, expectation, way).await?);
    }
    Ok(Verdict { failures, names: names(case, &played.ids) })
}

/// Facts that were refused and should not have been.
fn refusals(case: &Case, played: &Played) -> Vec<Failure> {
    let awaited = case.expected.iter().any(|expectation| expectation.spec.source == Source::Rejected);
    let last = case.given.len().saturating_sub(1);
    let mut failures = Vec::new();
    for (index, (given, outcome)) in case.given.iter().zip(&played.outcomes).enumerate() {
        if let Outcome::Refused { code, field, detail } = outcome
            && !(awaited && index == last)
        {
            let kind = given.kind.as_deref().unwrap_or("no kind");
            failures.push(Failure {
                line: given.line,
                expected: format!("given (line {}, {kind}) to be recorded", given.line),
                why: format!("it was refused, {code}: {field} {detail}"),
                came: Vec::new(),
            });
        }
    }
    failures
}

async fn check(
    case: &Case,
    played: &Played,
    expectation: &Expectation,
    way: &mut impl Way,
) -> anyhow::Result<Option<Failure>> {
    let failed = |why: String, came| Some(Failure { line: expectation.line, expected: expectation.told(), why, came });
    if let Some(missing) = missing_column(expectation) {
        return Ok(failed(missing, Vec::new()));
    }
    let answer = asked(case, played, expectation, "known_at", way).await?;
    let rows = match answer {
        Ok(rows) => rows,
        Err(why) => return Ok(failed(why, Vec::new())),
    };
    if expectation.get("identical_to").is_some() {
        let other = asked(case, played, expectation, "identical_to", way).await?;
        if other.as_ref() != Ok(&rows) {
            let came = rows.into_iter().chain(other.unwrap_or_default()).collect();
            return Ok(failed("the two are not identical".to_owned(), came));
        }
    }
    let matching = matching(expectation, rows, &played.ids);
    Ok(if matching.met { None } else { failed(matching.why, matching.came) })
}

/// The rows an expectation is about, as known when one of its keys says.
async fn asked(
    case: &Case,
    played: &Played,
    expectation: &Expectation,
    known_at: &str,
    way: &mut impl Way,
) -> anyhow::Result<Answer> {
    let question = question(case, played, expectation, known_at);
    Ok(match expectation.spec.source {
        Source::Rejected => refused(case, played, way).await?,
        Source::Report => {
            let rulebook = case.rulebook()?;
            let history = way.answer(&Question { source: EVENTS, ..question }).await?;
            history.and_then(|rows| dossiers::report(expectation, rows, &rulebook))
        }
        Source::Export => {
            let rulebook = case.rulebook()?;
            let history = way.answer(&Question { source: EVENTS, ..question }).await?;
            history.and_then(|rows| dossiers::export(expectation, case.plan.as_deref(), &rows, &rulebook))
        }
        Source::View { .. } | Source::Eligibility => way.answer(&question).await?,
    })
}

/// A view or column that this build does not have: a case that asks for it must not pass by chance.
fn missing_column(expectation: &Expectation) -> Option<String> {
    let Source::View { view, .. } = expectation.spec.source else { return None };
    let Some(found) = views::find(view) else { return Some(format!("this build has no view {view}")) };
    let has = |name: &str| found.table().columns.iter().any(|column| column.name == name);
    let wanted = expectation.spec.keys().filter(|key| expectation.get(key.name).is_some());
    let missing = wanted.into_iter().find_map(|key| match key.by {
        By::Column(column) if !has(column) => Some(column),
        By::Column(_) | By::Fits(_) | By::Apart => None,
    });
    missing.map(|column| format!("this build's view {view} has no column {column}"))
}

/// The refusal of the last given as a row; none where it was recorded after all.
async fn refused(case: &Case, played: &Played, way: &mut impl Way) -> anyhow::Result<Answer> {
    let last = case.given.len().saturating_sub(1);
    let (Some(given), Some(Outcome::Refused { code, field, detail })) = (case.given.last(), played.outcomes.last())
    else {
        return Ok(Err("the last given was recorded".to_owned()));
    };
    let id = played.ids.of_given(last).map(|id| Value::from(id.to_string()));
    let is_own = (0..last).all(|index| played.ids.of_given(index) != played.ids.of_given(last));
    let question = Question {
        source: EVENTS,
        members: vec![played.ids.member(&given.member)],
        at: played.end(),
        about: BTreeMap::new(),
    };
    let history = way.answer(&question).await?.unwrap_or_default();
    if is_own && history.iter().any(|row| row.get("id") == id.as_ref()) {
        return Ok(Err("the last given was refused, and yet it was recorded".to_owned()));
    }
    let row = [("code", code), ("field", field), ("detail", detail)];
    Ok(Ok(vec![row.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value.as_str()))).collect()]))
}

/// The events of a member.
const EVENTS: Source = Source::View { view: "event_history", path: &["history"], query: &[] };

fn question(case: &Case, played: &Played, expectation: &Expectation, known_at: &str) -> Question {
    // Who names nobody means everyone: ten prospects are counted in one line.
    let members: Vec<&str> = match expectation.word("member") {
        Some(member) => vec![member],
        None => case.members().into_iter().collect(),
    };
    let mut about = BTreeMap::new();
    if expectation.spec.source == Source::Eligibility {
        for key in ["program", "channel", "plan", "county"] {
            about.extend(expectation.word(key).map(|word| (key, word.to_owned())));
        }
        let of_given = |field: fn(&super::file::Given) -> Option<&String>| case.given.iter().find_map(field).cloned();
        let plan = case.plan.clone().or_else(|| of_given(|given| given.plan.as_ref()));
        let county = case.county.clone().or_else(|| of_given(|given| given.county.as_ref()));
        for (key, value) in [("plan", plan), ("county", county)] {
            if let Some(value) = value {
                about.entry(key).or_insert(value);
            }
        }
    }
    Question {
        source: expectation.spec.source,
        members: members.into_iter().map(|member| played.ids.member(member)).collect(),
        at: played.at(expectation.get(known_at)),
        about,
    }
}

impl Played {
    /// The position after the last given.
    pub fn end(&self) -> u64 {
        self.positions.last().copied().unwrap_or_default()
    }

    /// The position that a `known_at` means; the end of the file where there is none.
    fn at(&self, known_at: Option<&Wanted>) -> u64 {
        let after = match known_at {
            Some(Wanted::After(name)) => self.ids.index_of(name).map_or(self.recorded.len(), |index| index + 1),
            Some(Wanted::At(at)) => self.recorded.partition_point(|recorded| recorded <= at),
            Some(_) | None => self.recorded.len(),
        };
        self.positions.get(after).copied().unwrap_or_else(|| self.end())
    }
}

/// How the file calls each of its events.
fn names(case: &Case, ids: &Ids) -> HashMap<String, String> {
    let named = case.given.iter().enumerate().filter_map(|(index, given)| {
        let kind = given.kind.as_deref().unwrap_or("given");
        let name = given.name.as_ref().map_or_else(String::new, |name| format!("${name}, "));
        Some((ids.of_given(index)?.to_string(), format!("{name}{kind}, line {}", given.line)))
    });
    named.collect()
}
