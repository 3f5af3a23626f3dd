//! Facts of one member in few words, and answers in few words.

use std::sync::{Arc, LazyLock};

use chrono::NaiveDate;
use rollbook_events::codes::Channel;
use rollbook_events::{Actor, Envelope, EventId, Hash, MemberId, PlanCode, Position, Subject, Submission};
use rollbook_projections::rules::eligibility::{Answer, Question, eligibility};
use rollbook_projections::rules::facts::Facts;
use rollbook_projections::rules::findings::findings;
use rollbook_projections::{Cell, Dossier, Recorded, Rulebook, views};
use serde_json::{Value, json};
use uuid::Uuid;

/// Facts about one member, in the order they are told, with the plan and county that are meant where none is named.
#[derive(Clone)]
pub struct Told {
    pub plan: &'static str,
    pub county: &'static str,
    pub facts: Vec<Recorded>,
    pub rulebook: Arc<Rulebook>,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let told =
            |fact: &Recorded| format!("{} {} {:?}", fact.envelope.plan, fact.envelope.occurred_at, fact.envelope.event);
        f.debug_list().entries(self.facts.iter().map(told)).finish()
    }
}

/// The id a short name stands for.
pub fn id(name: &str) -> Uuid {
    Uuid::new_v8(Hash::of(name.as_bytes()).to_string().as_bytes()[..16].try_into().unwrap())
}

pub fn day(day: &str) -> NaiveDate {
    day.parse().unwrap()
}

static BUILT_IN: LazyLock<Arc<Rulebook>> =
    LazyLock::new(|| Arc::new(Rulebook::parse(Rulebook::built_in_text()).unwrap()));

/// The built-in edition with a plan's file over it.
pub fn with_overlay(text: &str) -> Result<Arc<Rulebook>, String> {
    let written = json!({ "file": "plan.toml", "text": text });
    let entry = format!("\n[[overlay]]\nfile = {}\ntext = {}\n", written["file"], written["text"]);
    let whole = format!("{}{entry}", Rulebook::built_in_text());
    Rulebook::parse(&whole).map(Arc::new).map_err(|error| error.to_string())
}

/// A member of a plan, in managed care since before everything.
pub fn of(plan: &'static str, county: &'static str) -> Told {
    nobody(plan, county).covered("managed_care", "none", "2021-01-01")
}

/// A member of L.A. Care's.
pub fn member() -> Told {
    of("la-care", "los-angeles")
}

/// Nobody anything is known of.
pub fn nobody(plan: &'static str, county: &'static str) -> Told {
    Told { plan, county, facts: Vec::new(), rulebook: BUILT_IN.clone() }
}

impl Told {
    pub fn by(mut self, overlay: &str) -> Self {
        self.rulebook = with_overlay(overlay).unwrap();
        self
    }

    pub fn tell(self, at: &str, kind: &str, data: Value) -> Self {
        let plan = self.plan;
        self.tell_of(plan, at, kind, data)
    }

    /// One more fact, of another plan; its event's short name is its number, from `1`.
    pub fn tell_of(mut self, plan: &str, at: &str, kind: &str, data: Value) -> Self {
        let number = self.facts.len() + 1;
        let told = json!({
            "id": id(&number.to_string()), "kind": kind, "member": id("member"), "plan": plan, "county": self.county,
            "occurred_at": at, "data": data,
        });
        let told = Submission::from_value(told).unwrap_or_else(|why| panic!("{kind}: {why:?}"));
        let envelope = Envelope {
            id: EventId(id(&number.to_string())),
            subject: Subject::Member(MemberId(id("member"))),
            plan: told.plan,
            county: told.county,
            occurred_at: told.occurred_at,
            recorded_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            actor: Actor { org: "test".into(), id: "test".into(), role: "test".into() },
            source: None,
            causation: None,
            correlation: None,
            replaces: None,
            sensitivity: told.sensitivity,
            previous: None,
            event: told.event,
            unknown: Default::default(),
        };
        self.facts.push(recorded(number, Arc::new(envelope)));
        self
    }

    pub fn covered(self, medi_cal: &str, medicare: &str, from: &str) -> Self {
        self.tell(from, "coverage_reported", json!({ "medi_cal": medi_cal, "medicare": medicare, "from": from }))
    }

    pub fn covered_until(self, from: &str, until: &str) -> Self {
        let data = json!({ "medi_cal": "managed_care", "medicare": "none", "from": from, "until": until });
        self.tell(from, "coverage_reported", data)
    }

    pub fn population(self, at: &str, population: &str, age: Option<u8>, met: bool) -> Self {
        let mut data = json!({ "population": population, "met": met });
        if let Some(age) = age {
            data["age_years"] = age.into();
        }
        self.tell(at, "population_assessed", data)
    }

    /// Homeless, and found so.
    pub fn homeless(self, at: &str) -> Self {
        self.population(at, "homelessness", Some(45), true)
    }

    pub fn assessed(self, at: &str, program: &str, findings: [bool; 3]) -> Self {
        let [definition_met, medically_appropriate, cost_effective] = findings;
        let data = json!({
            "program": program, "definition_met": definition_met, "medically_appropriate": medically_appropriate,
            "cost_effective": cost_effective,
        });
        self.tell(at, "service_assessed", data)
    }

    pub fn referred(self, at: &str, program: &str, more: Value) -> Self {
        let mut data = json!({
            "referral": id("referral"), "program": program, "pathway": "provider", "requested_by": "provider",
        });
        merge(&mut data, more);
        self.tell(at, "referral_received", data)
    }

    pub fn takes_part(self, program: &str, from: &str, until: Option<&str>) -> Self {
        let mut data = json!({ "program": program, "from": from, "evidence": "verified" });
        if let Some(until) = until {
            data["until"] = until.into();
        }
        self.tell_of("la-county-dhs", from, "participation_reported", data)
    }

    pub fn enrolled(self, enrollment: &str, program: &str, from: &str, more: Value) -> Self {
        let mut data = json!({
            "enrollment": id(enrollment), "program": program, "basis": "opt_in", "channel": "plan_direct",
            "provider": "sample-clinic", "from": from,
        });
        merge(&mut data, more);
        self.tell(from, "enrolled", data)
    }

    pub fn disenrolled(self, enrollment: &str, until: &str) -> Self {
        let data = json!({ "enrollment": id(enrollment), "until": until, "reason": "goals_met" });
        self.tell(until, "disenrolled", data)
    }

    pub fn started(self, enrollment: &str, on: &str) -> Self {
        self.tell(on, "service_started", json!({ "enrollment": id(enrollment), "on": on }))
    }

    pub fn housed(self, on: &str, housed: bool) -> Self {
        self.tell(on, "housing_observed", json!({ "housed": housed, "on": on }))
    }

    pub fn dossier(&self) -> Dossier {
        let mut dossier = Dossier::default();
        self.facts.iter().cloned().for_each(|fact| dossier.apply(fact));
        dossier
    }

    /// Runs over the answers about a program.
    pub fn answers<R>(&self, program: &str, channel: Option<Channel>, read: impl FnOnce(&[Answer<'_>]) -> R) -> R {
        let dossier = self.dossier();
        let facts = Facts::of(&dossier, &self.rulebook);
        let plan: PlanCode = self.plan.parse().unwrap();
        let county = self.county.parse().unwrap();
        let question = Question { program: program.parse().unwrap(), channel, plan: &plan, county };
        read(&eligibility(&facts, &question))
    }

    /// The answer on a day as `outcome reason,reason`, with `(channel)` before it where it names one; with a bar between
    /// where it differs by channel, and `-` where nothing is answered.
    pub fn on(&self, program: &str, on: &str) -> String {
        self.answers(program, None, |answers| {
            let told: Vec<_> = answers.iter().filter(|answer| answer.span.holds(day(on))).map(words).collect();
            if told.is_empty() { "-".to_owned() } else { told.join(" | ") }
        })
    }

    /// The answer through a channel.
    pub fn through(&self, channel: Channel, program: &str, on: &str) -> String {
        self.answers(program, Some(channel), |answers| {
            let told: Vec<_> = answers.iter().filter(|answer| answer.span.holds(day(on))).map(words).collect();
            told.join(" | ")
        })
    }

    /// Every span of a program, as `from until outcome reasons`.
    pub fn spans(&self, program: &str) -> Vec<String> {
        self.answers(program, None, |answers| {
            let until = |answer: &Answer<'_>| answer.span.until.map_or("-".to_owned(), |until| until.to_string());
            answers.iter().map(|answer| format!("{} {} {}", answer.span.from, until(answer), words(answer))).collect()
        })
    }

    /// The rules of the answer on a day.
    pub fn rules(&self, program: &str, on: &str) -> String {
        self.answers(program, None, |answers| {
            let here = answers.iter().filter(|answer| answer.span.holds(day(on)));
            here.map(|answer| answer.rules.join(",")).collect::<Vec<_>>().join(" | ")
        })
    }

    pub fn cites(&self, program: &str, on: &str) -> Vec<String> {
        self.answers(program, None, |answers| {
            let here = answers.iter().filter(|answer| answer.span.holds(day(on)));
            here.flat_map(|answer| answer.cites.iter().map(|cite| (*cite).to_owned())).collect()
        })
    }

    /// Findings, each as `code rule program from until`.
    pub fn findings(&self) -> Vec<String> {
        let dossier = self.dossier();
        let facts = Facts::of(&dossier, &self.rulebook);
        let mut told: Vec<_> = findings(&facts)
            .iter()
            .map(|found| {
                let program = found.program.map_or("-", |program| program.as_str());
                let until = found.until.map_or("-".to_owned(), |until| until.to_string());
                format!("{} {} {program} {} {until}", found.code, found.rule, found.from)
            })
            .collect();
        told.sort();
        told
    }

    /// Conflicts, each as `outcome rule a b from until`.
    pub fn conflicts(&self) -> Vec<String> {
        let view = views::find("duplication_conflict").unwrap();
        let columns = ["outcome", "rule", "program_a", "program_b", "from_on", "until_on"];
        let place = |name: &&str| view.table().columns.iter().position(|column| column.name == *name).unwrap();
        let places: Vec<_> = columns.iter().map(place).collect();
        let dossier = self.dossier();
        let rows = view.rows(&Facts::of(&dossier, &self.rulebook));
        let mut told: Vec<String> = rows
            .iter()
            .map(|row| places.iter().map(|place| cell(&row.cells[*place])).collect::<Vec<_>>().join(" "))
            .collect();
        told.sort();
        told
    }
}

pub fn recorded(number: usize, envelope: Arc<Envelope>) -> Recorded {
    Recorded { position: Position(number as u64), hash: Hash::of(b""), envelope, body: "".into() }
}

fn merge(data: &mut Value, more: Value) {
    for (key, value) in more.as_object().cloned().unwrap_or_default() {
        data[key] = value;
    }
}

fn words(answer: &Answer<'_>) -> String {
    let channel = answer.channel.map(|channel| format!("({channel}) ")).unwrap_or_default();
    let reasons: Vec<_> = answer.reasons.iter().map(|reason| reason.as_str()).collect();
    format!("{channel}{} {}", answer.outcome.as_str(), reasons.join(",")).trim_end().to_owned()
}

pub fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Null => "-".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Integer(number) => number.to_string(),
        Cell::Boolean(yes) => yes.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Instant(instant) => instant.to_rfc3339(),
        Cell::Uuid(uuid) => uuid.to_string(),
    }
}
