//! What a scenario file says, read strictly: a misspelt key, a name that nothing bears or a code that is none is an error
//! with its line, for an expectation that is not understood would pass for one that is met.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::{DateTime, Utc};
use rollbook_events::{Occurred, pacific_day};
use rollbook_projections::Rulebook;
use rollbook_projections::rulebook::Overlay;
use serde_json::{Map, Value};
use toml::de::DeTable;

use super::Unreadable;
use super::expect::{self, Expectation};
use super::given::noon;
use super::ids;
use super::table::{Entry, Table, Wrong};

/// The member meant where none is named.
pub const USUAL_MEMBER: &str = "m1";

/// A scenario.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its file.
    pub file: PathBuf,
    /// The case.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Where it is written.
    pub cites: Vec<String>,
    /// Whether a source states it, or it was inferred from one.
    pub basis: Option<String>,
    /// The rules of the catalogue it exercises.
    pub rules: Vec<String>,
    /// Whose record, where a given names no plan of its own.
    pub plan: Option<String>,
    /// Where, likewise.
    pub county: Option<String>,
    /// The file laid over the built-in rulebook.
    pub overlay: Option<Overlay>,
    /// The facts, in recorded order.
    pub given: Vec<Given>,
    /// What must come of them.
    pub expected: Vec<Expectation>,
}

/// A fact: a submission with local names in the place of ids.
#[derive(Debug, Clone)]
pub struct Given {
    /// Its line.
    pub line: usize,
    /// The kind of event.
    pub kind: Option<String>,
    /// The name other lines refer to it by.
    pub name: Option<String>,
    /// When it was true: a civil day or an instant, as it is submitted.
    pub at: Option<Value>,
    /// When the ledger learned it.
    pub recorded: Option<DateTime<Utc>>,
    /// About whom, by a local name.
    pub member: String,
    /// Whose record.
    pub plan: Option<String>,
    /// Where.
    pub county: Option<String>,
    /// Who says so: organization, person or program, role.
    pub actor: Option<[Option<String>; 3]>,
    /// Fields of the submission that are handed on as they are: `id`, `source`, `replaces`, `sensitivity`.
    pub envelope: Map<String, Value>,
    /// The payload.
    pub data: Map<String, Value>,
}

impl Case {
    /// Reads a file.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its line.
    pub fn read(file: &Path) -> Result<Self, Unreadable> {
        let whole = |problem: String| Unreadable { file: file.to_owned(), line: None, problem };
        let text = std::fs::read_to_string(file).map_err(|error| whole(format!("cannot be read: {error}")))?;
        let overlay = |name: &str| {
            let path = file.parent().unwrap_or(Path::new("")).join(name);
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
        };
        Self::parse(file, &text, overlay)
    }

    /// Reads the text of a file; overlays are read by the function.
    ///
    /// # Errors
    /// As [`Case::read`].
    pub fn parse(
        file: &Path,
        text: &str,
        overlay: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Self, Unreadable> {
        let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        let unreadable =
            |at: usize, problem: String| Unreadable { file: file.to_owned(), line: Some(line(at)), problem };
        let whole = DeTable::parse(text).map_err(|error| {
            unreadable(error.span().map_or(0, |span| span.start), format!("no TOML: {}", error.message().trim()))
        })?;
        let case = Self::of(file, Table::of(&whole), &line, &overlay);
        let case = case.map_err(|wrong| unreadable(wrong.at, wrong.problem))?;
        case.check_names()?;
        Ok(case)
    }

    fn of(
        file: &Path,
        mut top: Table<'_>,
        line: &dyn Fn(usize) -> usize,
        overlay: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Self, Wrong> {
        let mut text = |key| top.take(key).map(|entry| entry.text()).transpose();
        let (id, title, basis) = (text("id")?, text("title")?, text("basis")?);
        let (plan, county) = (text("plan")?, text("county")?);
        let mut texts = |key| top.take(key).map_or(Ok(Vec::new()), |entry| entry.texts());
        let (cites, rules) = (texts("cites")?, texts("rules")?);
        let overlay = top.take("rulebook").map(|entry| overlay_file(&entry, overlay)).transpose()?;
        let given = top.take("given").map_or(Ok(Vec::new()), |entry| entry.tables())?;
        let given: Vec<Given> = given.into_iter().map(|table| Given::of(table, line)).collect::<Result<_, Wrong>>()?;
        let expected = match top.take("expect") {
            Some(entry) => expect::read(entry.table()?, line)?,
            None => Vec::new(),
        };
        top.finish()?;
        let id = id.ok_or_else(|| top.missing("id"))?;
        Ok(Self {
            file: file.to_owned(),
            id,
            title: title.unwrap_or_default(),
            cites,
            basis,
            rules,
            plan,
            county,
            overlay,
            given,
            expected,
        })
    }

    /// A name that two facts bear, or that none bears, is a slip of the pen.
    fn check_names(&self) -> Result<(), Unreadable> {
        let wrong = |line, problem| Unreadable { file: self.file.clone(), line: Some(line), problem };
        let mut names = BTreeSet::new();
        for given in &self.given {
            if let Some(name) = &given.name
                && !names.insert(name.as_str())
            {
                return Err(wrong(given.line, format!("`name`: two givens bear the name `{name}`")));
            }
        }
        let of_given = self.given.iter().flat_map(|given| given.references().map(|name| (given.line, name)));
        let of_expected = self.expected.iter().flat_map(|e| e.references().map(|name| (e.line, name)));
        match of_given.chain(of_expected).find(|(_, name)| !names.contains(name)) {
            Some((line, name)) => Err(wrong(line, format!("`${name}`: no given bears this name"))),
            None => Ok(()),
        }
    }

    /// The rulebook it is judged by.
    ///
    /// # Errors
    /// Where its own cannot be laid over the built-in one.
    pub fn rulebook(&self) -> anyhow::Result<Rulebook> {
        let built_in = Rulebook::parse(Rulebook::built_in_text()).context("the built-in rulebook cannot be read")?;
        let Some(overlay) = &self.overlay else { return Ok(built_in) };
        Rulebook::parse(&built_in.text_with(overlay))
            .with_context(|| format!("the rulebook of {}", self.file.display()))
    }

    /// The local names of everyone the facts are about; without facts, of the one they would be about.
    pub fn members(&self) -> BTreeSet<&str> {
        let members: BTreeSet<&str> = self.given.iter().map(|given| given.member.as_str()).collect();
        if members.is_empty() { BTreeSet::from([USUAL_MEMBER]) } else { members }
    }
}

fn overlay_file(entry: &Entry<'_>, read: &dyn Fn(&str) -> Result<String, String>) -> Result<Overlay, Wrong> {
    let wrong = |problem: String| Wrong { at: entry.at, problem: format!("`rulebook`: {problem}") };
    let name = entry.text()?;
    let text = read(&name).map_err(wrong)?;
    Overlay::parse(&name, &text).map_err(|error| wrong(format!("{name}, {error}")))
}

impl Given {
    fn of(mut table: Table<'_>, line: &dyn Fn(usize) -> usize) -> Result<Self, Wrong> {
        let at = table.at;
        let mut text = |key| table.take(key).map(|entry| entry.text()).transpose();
        let (kind, name, member) = (text("kind")?, text("name")?, text("member")?);
        let (plan, county) = (text("plan")?, text("county")?);
        let when = table.take("at").map(|entry| entry.json()).transpose()?;
        let recorded = table.take("recorded").map(|entry| recorded(&entry)).transpose()?;
        let mut envelope = Map::new();
        for key in ["id", "source", "replaces", "sensitivity"] {
            if let Some(entry) = table.take(key) {
                envelope.insert(key.to_owned(), entry.json()?);
            }
        }
        let actor = table.take("actor").map(|entry| actor(&entry)).transpose()?;
        let data = match table.take("data") {
            None => Map::new(),
            Some(entry) => match entry.json()? {
                Value::Object(data) => data,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    return Err(entry.wrong("a table"));
                }
            },
        };
        table.finish()?;
        let member = member.unwrap_or_else(|| USUAL_MEMBER.to_owned());
        let name = name.map(|name| name.strip_prefix('$').map(str::to_owned).unwrap_or(name));
        Ok(Self { line: line(at), kind, name, at: when, recorded, member, plan, county, actor, envelope, data })
    }

    /// When it was true, where that can be read at all.
    pub fn occurred(&self) -> Option<Occurred> {
        self.at.as_ref()?.as_str()?.parse().ok()
    }

    /// The names its ids refer to.
    fn references(&self) -> impl Iterator<Item = &str> {
        let data = self.data.iter().filter(|(field, _)| ids::is_id(field)).map(|(_, value)| value);
        let values = data
            .chain(self.envelope.get("replaces"))
            .flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
        values.filter_map(|value| value.as_str()?.strip_prefix('$'))
    }

    /// Whether it is about the rules and no member.
    pub fn is_rulebook(&self) -> bool {
        self.kind.as_deref() == Some("rulebook_adopted")
    }

    /// Whether it says to be true only after the ledger learns it, so that it must be refused.
    pub fn is_early(&self, recorded: DateTime<Utc>) -> bool {
        match self.occurred() {
            Some(Occurred::At(instant)) => instant.utc() > recorded,
            Some(Occurred::Day(day)) => day > pacific_day(&recorded),
            None => false,
        }
    }
}

/// A bare day counts as noon, as it does for `at`.
fn recorded(entry: &Entry<'_>) -> Result<DateTime<Utc>, Wrong> {
    Ok(match entry.when()? {
        Occurred::At(instant) => instant.utc(),
        Occurred::Day(day) => noon(day),
    })
}

fn actor(entry: &Entry<'_>) -> Result<[Option<String>; 3], Wrong> {
    let mut table = entry.table()?;
    let mut text = |key| table.take(key).map(|entry| entry.text()).transpose();
    let actor = [text("org")?, text("id")?, text("role")?];
    table.finish()?;
    Ok(actor)
}
