//! One case: a copy of the base, hurt; does the program see it, does it build on it, does the runbook mend it?

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::base::Base;
use super::judge::{Effect, effect};
use super::mend::mend;
use crate::chaos::tools::ledger::{Ledger, Program, Start, said};
use crate::chaos::tools::store_files::{Part, Place, Wound, list};
use crate::chaos::tools::{copy_folder, streams, text};

/// How long a mended ledger may take to project everything anew.
const PROJECTED: Duration = Duration::from_secs(120);

/// What a case does to a ledger.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its number in the campaign, from 0.
    pub number: u64,
    /// What is hurt, in this order.
    pub wounds: Vec<Wound>,
}

impl Case {
    /// Draws the case of a number. One to three wounds: in the log or in the archive, and in what follows from them. Never in
    /// both: two copies are what a ledger promises to survive the loss of one of.
    pub fn draw(seed: u64, number: u64, places: &[Place]) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number + 1);
        let spared = if random.random_bool(0.3) { Part::Store } else { Part::Archive };
        let parts: Vec<&Place> = places.iter().filter(|place| place.part != spared).collect();
        let many = random.random_range(1..=3);
        let mut wounds = Vec::new();
        for _ in 0..many {
            // First the part, so that one with many files is not hurt the more often.
            let mut kinds: Vec<Part> = parts.iter().map(|place| place.part).collect();
            // The store holds four streams.
            let kind = if spared == Part::Archive && random.random_bool(0.5) {
                Part::Store
            } else {
                kinds.dedup();
                kinds.get(random.random_range(0..kinds.len())).copied().unwrap_or(Part::Store)
            };
            let of_kind: Vec<Place> = parts.iter().filter(|place| place.part == kind).copied().cloned().collect();
            wounds.extend(Wound::draw(&mut random, &of_kind));
        }
        Self { number, wounds }
    }

    /// What it does, in words.
    pub fn words(&self) -> String {
        self.wounds.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

/// What a running ledger made of the damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Up {
    /// It did not come up; what it said.
    Refused(String),
    /// It came up and recorded nothing.
    Red(String),
    /// It recorded, and all that was there before was there and right.
    Whole,
    /// It recorded beside views that are not right, though its log is whole.
    BesideViews(Vec<String>),
    /// It recorded on top of damage.
    OnTop(Vec<String>),
}

/// What came of a case.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was done.
    pub case: Case,
    /// What that did, by a judge of our own.
    pub effect: Effect,
    /// Whether `rollbook verify` found damage.
    pub reported: bool,
    /// What it said.
    pub said: String,
    /// What a running ledger made of it.
    pub up: Up,
    /// What was not as before after the runbook was followed; empty is right.
    pub unmended: Vec<String>,
}

impl Outcome {
    /// Damage with an effect that nobody was told of.
    pub fn missed(&self) -> bool {
        !self.effect.none() && !self.reported
    }

    /// What is not as it must be. A start looks at ends, settings and receipts, not at every message and every row: what lies
    /// damaged elsewhere it records upon, until `verify` tells of it. That counts where `strict`, or where nobody tells of it.
    pub fn violations(&self, strict: bool) -> Vec<String> {
        let mut violations = Vec::new();
        if self.missed() {
            violations.push(format!("missed by verify: {}", self.effect.all().cloned().collect::<Vec<_>>().join(", ")));
        }
        match &self.up {
            Up::OnTop(_) | Up::BesideViews(_) if self.reported && !strict => {}
            Up::OnTop(damage) => violations.push(format!("acknowledged on top of damage: {}", damage.join(", "))),
            Up::BesideViews(damage) => {
                violations.push(format!("acknowledged beside wrong views: {}", damage.join(", ")))
            }
            Up::Refused(_) | Up::Red(_) | Up::Whole => {}
        }
        violations.extend(self.unmended.iter().map(|what| format!("not mended: {what}")));
        violations
    }
}

/// Runs a case in a folder of its own.
///
/// # Errors
/// Where something other than the damage is in the way.
pub async fn run(program: &Program, base: &Base, case: Case, scratch: &Path) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir_in(scratch)?;
    let damaged = folder.path().join("damaged");
    copy_folder(&base.data, &damaged)?;
    for wound in &case.wounds {
        wound.inflict(&damaged)?;
    }
    let effect = effect(base, &damaged, folder.path()).await?;
    let started = folder.path().join("started");
    copy_folder(&damaged, &started)?;
    let (reported, said) = verify(program, &damaged)?;
    let up = up(program, base, &started, folder.path()).await.context("a ledger started on damage")?;
    std::fs::remove_dir_all(&started)?;
    let unmended = match mend(program, &damaged, &base.keys, &effect) {
        Ok(()) => {
            whole(program, base, &damaged, folder.path()).await.unwrap_or_else(|error| vec![format!("{error:#}")])
        }
        Err(error) => vec![format!("{error:#}")],
    };
    Ok(Outcome { case, effect, reported, said, up, unmended })
}

/// Whether the program reports damage, and what it says. Exit 3 (nothing could be checked) is a report as well: nobody
/// is told that all is well.
fn verify(program: &Program, data: &Path) -> anyhow::Result<(bool, String)> {
    let output = program.run(data, &["verify", "--views", "--data", text(data)?])?;
    Ok((!output.status.success(), said(&output)))
}

/// Starts a ledger on the damage, and lets it record if it will.
async fn up(program: &Program, base: &Base, data: &Path, scratch: &Path) -> anyhow::Result<Up> {
    let ledger = match program.up(data, &[])? {
        Start::Refused(said) => return Ok(Up::Refused(said)),
        Start::Up(ledger) => ledger,
    };
    let mut recorded = 0;
    let mut refused = String::new();
    for event in events(base) {
        match ledger.post("/v1/events", &event).await? {
            (201, _) => recorded += 1,
            (code, answer) => refused = format!("{code} {}", answer.get("type").unwrap_or(&Value::Null)),
        }
    }
    if recorded == 0 {
        return Ok(Up::Red(refused));
    }
    let views = views_of(program, base, &ledger);
    ledger.stop()?;
    let log = match super::base::read_store(data, scratch).await {
        Ok(found) => streams::differences(&base.streams, &found),
        Err(error) => vec![format!("the store cannot be read: {error:#}")],
    };
    Ok(match views {
        _ if !log.is_empty() => Up::OnTop(log),
        views if !views.is_empty() => Up::BesideViews(views),
        _ => Up::Whole,
    })
}

/// Two events that any ledger takes: about a member it knows, and about one it does not.
fn events(base: &Base) -> Vec<Value> {
    let known = base.streams.get("ENROLLMENT").and_then(|stream| {
        let members = stream.lines.iter().filter_map(|line| line.subject.strip_prefix("enrollment."));
        members.filter(|member| *member != "rulebook").nth(stream.lines.len() / 2).map(str::to_owned)
    });
    let members = [known, Some("0b0b0b0b-0b0b-8b0b-8b0b-00000000da3a".to_owned())];
    let event = |member| {
        json!({ "kind": "member_looked_up", "member": member, "plan": "la-care", "county": "los-angeles",
                "occurred_at": "2024-02-01", "data": { "system": "hmis" } })
    };
    members.into_iter().flatten().map(event).collect()
}

/// Views whose rows up to the base's end are not what they were. A row that a later event has closed counts as open.
fn views_of(program: &Program, base: &Base, ledger: &Ledger) -> Vec<String> {
    let dumps = match ledger.dumps(program) {
        Ok(dumps) => dumps,
        Err(error) => return vec![format!("the views cannot be read: {error:#}")],
    };
    let end = base.streams.get("ENROLLMENT").map_or(0, |stream| stream.last);
    let known = |dump: &str| as_known_at(dump, end);
    let pairs = base.dumps.iter().zip(&dumps);
    pairs.filter(|((_, a), (_, b))| known(a) != known(b)).map(|((name, _), _)| (*name).to_owned()).collect()
}

/// The rows of a dump as they stood at a position.
fn as_known_at(dump: &str, end: u64) -> Vec<Value> {
    let mut rows: Vec<Value> = dump.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let number = |row: &Value, key: &str| row.get(key).and_then(Value::as_u64);
    rows.retain(|row| number(row, "known_from").is_none_or(|from| from <= end));
    for row in &mut rows {
        if number(row, "known_until").is_some_and(|until| until > end)
            && let Some(until) = row.get_mut("known_until")
        {
            *until = Value::Null;
        }
    }
    rows
}

/// What is not as in the base after mending: the streams position by position, the views row by row, and that `verify` is
/// content; empty is right.
async fn whole(program: &Program, base: &Base, data: &Path, scratch: &Path) -> anyhow::Result<Vec<String>> {
    let ledger = program.up(data, &[])?.ledger()?;
    ledger.caught_up(PROJECTED).await?;
    let dumps = ledger.dumps(program)?;
    ledger.stop()?;
    let mut unmended = streams::differences(&base.streams, &super::base::read_store(data, scratch).await?);
    for ((name, before), (_, after)) in base.dumps.iter().zip(&dumps) {
        if before != after {
            unmended.push(format!("the view {name} differs"));
        }
    }
    let (reported, said) = verify(program, data)?;
    if reported {
        unmended.push(format!("verify: {said}"));
    }
    Ok(unmended)
}

/// The files of a base that can be hurt.
///
/// # Errors
/// Where its folder cannot be read.
pub fn places(base: &Base) -> anyhow::Result<Vec<Place>> {
    let places = list(&base.data)?;
    for part in [Part::Store, Part::Views, Part::Archive] {
        places.iter().find(|place| place.part == part).with_context(|| format!("the base has no file of {part:?}"))?;
    }
    Ok(places)
}

/// Where scratch folders go: memory where there is room, because a campaign writes gigabytes that nobody keeps.
pub fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let roomy = crate::chaos::tools::ballast::free(&memory).is_ok_and(|free| free > 4 * 1_024 * 1_024 * 1_024);
    if roomy { memory } else { std::env::temp_dir() }
}
