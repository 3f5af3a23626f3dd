//! Files laid over the built-in edition: a plan's own numbers, lists and answers, in force for a plan, a county and a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use rollbook_events::time::Day;
use rollbook_events::{County, PlanCode};
use serde::Deserialize;
use toml::{Spanned, Table, Value};

use super::{Parameters, RulebookError, lines};
use crate::spans::Span;

/// An overlay as the adopted text holds it: whole, so that its hash covers every word of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// The file.
    file: String,
    /// Its text.
    text: Spanned<String>,
}

/// What an overlay says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Header {
    /// Its name.
    pub id: Option<String>,
    /// The plan it is of; every plan where it names none.
    pub plan: Option<PlanCode>,
    /// The county it is for; all of the plan's where it names none.
    pub county: Option<County>,
    /// First day it is in force.
    pub from: Option<Day>,
    /// First day it is no longer in force.
    pub until: Option<Day>,
    /// Who set it.
    pub issuer: Option<String>,
}

/// A file laid over the built-in edition.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// The file.
    pub file: String,
    /// Its text.
    pub text: String,
    /// What it says of itself.
    pub header: Header,
    pub(super) table: Table,
}

const HEADER: [&str; 6] = ["id", "plan", "county", "from", "until", "issuer"];

impl Overlay {
    /// Reads an overlay on its own.
    ///
    /// # Errors
    /// What is wrong with it, with its line in this text.
    pub fn parse(file: &str, text: &str) -> Result<Self, RulebookError> {
        let at = |error: toml::de::Error| {
            RulebookError::at(text, error.span().map_or(0, |span| span.start), error.message().trim())
        };
        let header: Header = toml::from_str(text).map_err(at)?;
        let mut table: Table = toml::from_str(text).map_err(at)?;
        HEADER.iter().for_each(|key| _ = table.remove(*key));
        let overlay = Self { file: file.to_owned(), text: text.to_owned(), header, table };
        overlay.check()?;
        Ok(overlay)
    }

    /// Whether both are files of one issuer for one plan and county, in force on some common day: which of them has the
    /// word would be a guess. A file that takes another's place has its name.
    pub(super) fn is_of_the_same_days(&self, other: &Self) -> bool {
        let days = |header: &Header| Span {
            from: header.from.map_or(NaiveDate::MIN, |day| day.0),
            until: header.until.map(|day| day.0),
        };
        let (a, b) = (&self.header, &other.header);
        let scope = |header: &Header| (header.issuer.clone(), header.plan.clone(), header.county);
        self.file != other.file && scope(a) == scope(b) && days(a).overlap(days(b)).is_some()
    }

    fn check(&self) -> Result<(), RulebookError> {
        if let (Some(from), Some(until)) = (self.header.from, self.header.until)
            && until <= from
        {
            return Err(RulebookError::at(&self.text, 0, "`until` does not lie after `from`"));
        }
        typed(&self.text, self.table.clone()).map(|_| ())
    }

    fn speaks_of(&self, plan: Option<&PlanCode>, county: Option<County>, day: NaiveDate) -> bool {
        self.header.plan.as_ref().is_none_or(|own| Some(own) == plan)
            && self.header.county.is_none_or(|own| Some(own) == county)
            && self.header.from.is_none_or(|from| from.0 <= day)
            && self.header.until.is_none_or(|until| day < until.0)
    }
}

/// Reads parameters, refusing what is no parameter at its line.
pub(super) fn typed(text: &str, table: Table) -> Result<Parameters, RulebookError> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let offset = lines::offset_of(text, &lines::steps(error.path()));
        RulebookError::at(text, offset, error.inner().message().trim())
    })
}

/// A plan and a county, where an overlay names them.
type Scope = (Option<PlanCode>, Option<County>);
/// Parameters, each from the first day they are in force.
type Dated = Vec<(NaiveDate, Arc<Parameters>)>;

/// The parameters of every plan, county and time that some overlay tells apart.
#[derive(Debug, Clone)]
pub(super) struct Layers {
    plans: BTreeSet<PlanCode>,
    counties: BTreeSet<County>,
    /// By plan and county, each from its first day; the last that begins by a day is in force on it.
    by_scope: BTreeMap<Scope, Dated>,
    base: Arc<Parameters>,
}

impl Layers {
    /// Lays overlays over the base in their order: of two that say something of one key, the later has the word.
    pub(super) fn of(text: &str, base: &Table, overlays: &[Overlay]) -> Result<Self, RulebookError> {
        let plans: BTreeSet<PlanCode> = overlays.iter().filter_map(|overlay| overlay.header.plan.clone()).collect();
        let counties: BTreeSet<County> = overlays.iter().filter_map(|overlay| overlay.header.county).collect();
        let bounds = overlays.iter().flat_map(|overlay| [overlay.header.from, overlay.header.until]);
        let mut days: BTreeSet<NaiveDate> = bounds.flatten().map(|day| day.0).collect();
        days.insert(NaiveDate::MIN);
        let base_parameters = Arc::new(typed(text, base.clone())?);
        let mut by_scope = BTreeMap::new();
        for plan in std::iter::once(None).chain(plans.iter().map(Some)) {
            for county in std::iter::once(None).chain(counties.iter().copied().map(Some)) {
                let mut dated = Vec::new();
                for day in &days {
                    let laid: Vec<&Overlay> = overlays.iter().filter(|o| o.speaks_of(plan, county, *day)).collect();
                    let parameters = match laid.last() {
                        None => base_parameters.clone(),
                        Some(last) => Arc::new(typed(&last.text, lay(base, &laid))?),
                    };
                    dated.push((*day, parameters));
                }
                by_scope.insert((plan.cloned(), county), dated);
            }
        }
        Ok(Self { plans, counties, by_scope, base: base_parameters })
    }

    pub(super) fn at(&self, plan: &PlanCode, county: County, day: NaiveDate) -> &Parameters {
        let plan = self.plans.get(plan).cloned();
        let county = self.counties.get(&county).copied();
        let Some(dated) = self.by_scope.get(&(plan, county)) else { return &self.base };
        let index = dated.partition_point(|(from, _)| *from <= day);
        index.checked_sub(1).and_then(|last| dated.get(last)).map_or(&self.base, |(_, parameters)| parameters)
    }

    pub(super) fn base(&self) -> &Parameters {
        &self.base
    }
}

fn lay(base: &Table, overlays: &[&Overlay]) -> Table {
    let mut laid = base.clone();
    for overlay in overlays {
        merge(&mut laid, &overlay.table);
    }
    laid
}

/// What an entry of a list is about, for the lists of which a file may speak in part.
fn named_by(list: &str) -> Option<&'static str> {
    match list {
        "offered" => Some("program"),
        "population" => Some("population"),
        _ => None,
    }
}

/// Tables are laid key by key, everything else takes the place of what was there. Of the lists of entries, those about
/// other programs or populations stay: a plan that says when it offers one service does not withdraw the rest.
fn merge(under: &mut Table, over: &Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (Some(Value::Array(under)), Value::Array(over)) if let Some(of) = named_by(key) => {
                let named: Vec<Option<&Value>> = over.iter().map(|entry| entry.get(of)).collect();
                under.retain(|entry| !named.contains(&entry.get(of)));
                under.extend(over.iter().cloned());
            }
            _ => _ = under.insert(key.clone(), value.clone()),
        }
    }
}

/// Reads the overlays that an adopted text holds.
pub(super) fn understand(text: &str, written: Vec<Written>) -> Result<Vec<Overlay>, RulebookError> {
    let mut overlays: Vec<Overlay> = Vec::with_capacity(written.len());
    for one in written {
        let overlay = Overlay::parse(&one.file, one.text.get_ref()).map_err(|error| {
            let problem = format!("`overlay` {}, its line {}: {}", one.file, error.line, error.problem);
            RulebookError::at(text, one.text.span().start, problem)
        })?;
        overlays.push(overlay);
    }
    Ok(overlays)
}

/// How an adopted text holds an overlay.
const HEAD: &str = "[[overlay]]";

/// The text with an overlay added, or in place of the one of the same file.
pub(super) fn laid_over(text: &str, laid: &[Overlay], overlay: &Overlay) -> String {
    // An overlay cannot hold another, so the first line that is this one begins them.
    let start = if text.starts_with(HEAD) { Some(0) } else { text.find(&format!("\n{HEAD}")).map(|before| before + 1) };
    let mut whole = text.get(..start.unwrap_or(text.len())).unwrap_or(text).to_owned();
    let place = laid.iter().position(|other| other.file == overlay.file);
    for (index, other) in laid.iter().enumerate() {
        write_in(&mut whole, if place == Some(index) { overlay } else { other });
    }
    if place.is_none() {
        write_in(&mut whole, overlay);
    }
    whole
}

fn write_in(whole: &mut String, overlay: &Overlay) {
    if !whole.is_empty() && !whole.ends_with("\n\n") {
        whole.push('\n');
    }
    // A literal text keeps the file as it is written; only one that holds its quotes must be escaped.
    let text = if ["'''", "\r"].iter().any(|quoted| overlay.text.contains(quoted)) || overlay.text.ends_with('\'') {
        Value::String(overlay.text.clone()).to_string()
    } else {
        format!("'''\n{}'''", overlay.text)
    };
    let file = Value::String(overlay.file.clone());
    whole.push_str(&format!("{HEAD}\nfile = {file}\ntext = {text}\n"));
}
