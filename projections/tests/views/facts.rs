//! Facts in few words, and rows in few words.

use std::sync::{Arc, LazyLock};

use rollbook_events::{Actor, Envelope, Event, EventId, Hash, MemberId, Position, Source, Subject, Submission};
use rollbook_projections::{Cell, Dossier, Recorded, Row, Rulebook, View, rules, views};
use serde_json::{Value, json};
use uuid::Uuid;

/// Facts about one member, in the order they are told.
#[derive(Clone, Default)]
pub struct Facts(pub Vec<Recorded>);

/// The id a short name stands for.
pub fn id(name: &str) -> Uuid {
    Uuid::new_v8(Hash::of(name.as_bytes()).to_string().as_bytes()[..16].try_into().unwrap())
}

impl Facts {
    /// Tells one more fact of L.A. Care's.
    pub fn tell(self, at: &str, kind: &str, data: Value) -> Self {
        self.tell_of("la-care", at, kind, data)
    }

    /// Tells one more fact of a plan's; its event's short name is its number, from `1`.
    pub fn tell_of(mut self, plan: &str, at: &str, kind: &str, data: Value) -> Self {
        let number = self.0.len() + 1;
        let event = id(&number.to_string());
        let told = json!({
            "id": event, "kind": kind, "member": id("member"), "plan": plan, "county": "los-angeles",
            "occurred_at": at, "data": data,
        });
        let told = Submission::from_value(told).unwrap_or_else(|why| panic!("{kind}: {why:?}"));
        let envelope = Envelope {
            id: EventId(event),
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
        self.0.push(recorded(number, Arc::new(envelope)));
        self
    }

    /// Enrolled through a plan's own provider.
    pub fn enrolled(self, enrollment: &str, program: &str, from: &str) -> Self {
        self.enrolled_through("plan_direct", enrollment, program, from)
    }

    pub fn enrolled_through(self, channel: &str, enrollment: &str, program: &str, from: &str) -> Self {
        let data = json!({
            "enrollment": id(enrollment), "program": program, "basis": "opt_in", "channel": channel,
            "provider": "sample-clinic", "from": from,
        });
        self.tell(from, "enrolled", data)
    }

    pub fn disenrolled(self, at: &str, enrollment: &str, until: &str) -> Self {
        self.tell(at, "disenrolled", json!({ "enrollment": id(enrollment), "until": until, "reason": "goals_met" }))
    }

    pub fn takes_part(self, program: &str, from: &str, until: Option<&str>) -> Self {
        let mut data = json!({ "program": program, "from": from, "evidence": "verified" });
        if let Some(until) = until {
            data["until"] = until.into();
        }
        self.tell_of("la-county-dhs", from, "participation_reported", data)
    }

    pub fn covered(self, medi_cal: &str, medicare: &str, from: &str) -> Self {
        self.tell(from, "coverage_reported", json!({ "medi_cal": medi_cal, "medicare": medicare, "from": from }))
    }

    pub fn identified(self, at: &str) -> Self {
        let data = json!({ "program": "ecm", "pathway": "assigned_list", "populations": ["homelessness"] });
        self.tell(at, "member_identified", data)
    }

    pub fn called(self, at: &str, reached: &str) -> Self {
        self.tell(at, "outreach_attempted", attempt("phone", &[], reached))
    }

    pub fn voided(self, at: &str, event: usize) -> Self {
        let data = json!({ "event": id(&event.to_string()), "reason": "mistake", "approved_by": "somebody" });
        self.tell(at, "event_voided", data)
    }

    /// The last fact was read from this system, perhaps in a file.
    pub fn read_from(mut self, system: &str, in_a_file: bool) -> Self {
        let last = self.0.last_mut().unwrap();
        let file_sha256 = in_a_file.then(|| Hash::of(system.as_bytes()));
        let source = Source { system: system.to_owned(), file_sha256, row: None, external_id: None };
        Arc::make_mut(&mut last.envelope).source = Some(source);
        self
    }

    pub fn dossier(&self) -> Dossier {
        let mut dossier = Dossier::default();
        self.0.iter().cloned().for_each(|fact| dossier.apply(fact));
        dossier
    }

    pub fn rows(&self, view: &str) -> Vec<Row> {
        self.rows_under(built_in(), view)
    }

    pub fn rows_under(&self, rulebook: &Rulebook, view: &str) -> Vec<Row> {
        views::find(view).unwrap().rows(&rules::facts::Facts::of(&self.dossier(), rulebook))
    }

    /// As [`Facts::told`], under the built-in edition with a plan's file laid over it.
    pub fn told_laid(&self, overlay: &str, view: &str, columns: &[&str]) -> Vec<String> {
        self.told_under(&laid(overlay), view, columns)
    }

    /// The rows of a view, each as these columns with blanks between, sorted; `-` for nothing.
    pub fn told(&self, view: &str, columns: &[&str]) -> Vec<String> {
        told(view, columns, self.rows(view))
    }

    pub fn told_under(&self, rulebook: &Rulebook, view: &str, columns: &[&str]) -> Vec<String> {
        told(view, columns, self.rows_under(rulebook, view))
    }
}

fn told(view: &str, columns: &[&str], rows: Vec<Row>) -> Vec<String> {
    let table = views::find(view).unwrap().table();
    let place = |name: &&str| table.columns.iter().position(|column| column.name == *name).unwrap();
    let places: Vec<_> = columns.iter().map(place).collect();
    let mut told: Vec<_> = rows.iter().map(|row| words(row, &places)).collect();
    told.sort();
    told
}

/// The built-in edition with a plan's file laid over it.
pub fn laid(overlay: &str) -> Rulebook {
    let overlay = format!("[[overlay]]\nfile = \"plan.toml\"\ntext = '''\n{overlay}'''\n");
    Rulebook::parse(&format!("{}\n{overlay}", Rulebook::built_in_text())).unwrap_or_else(|why| panic!("{why}"))
}

/// An outreach attempt with these flags.
pub fn attempt(channel: &str, flags: &[&str], reached: &str) -> Value {
    let mut data = json!({
        "program": "ecm", "channel": channel, "reached": reached, "staff": "non_clinical",
        "provider": "sample-outreach",
    });
    for flag in flags {
        data[*flag] = true.into();
    }
    data
}

pub fn recorded(number: usize, envelope: Arc<Envelope>) -> Recorded {
    Recorded { position: Position(number as u64), hash: Hash::of(b""), envelope, body: "".into() }
}

/// The same event at another position.
pub fn moved(fact: &Recorded, number: usize) -> Recorded {
    recorded(number, fact.envelope.clone())
}

/// The built-in rulebook, read once.
pub fn built_in() -> &'static Rulebook {
    static BUILT_IN: LazyLock<Rulebook> = LazyLock::new(|| Rulebook::parse(Rulebook::built_in_text()).unwrap());
    &BUILT_IN
}

pub fn is_voiding(fact: &Recorded) -> bool {
    matches!(fact.envelope.event, Event::Correction(_))
}

pub fn words(row: &Row, places: &[usize]) -> String {
    let word = |place: &usize| match &row.cells[*place] {
        Cell::Null => "-".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Integer(number) => number.to_string(),
        Cell::Boolean(yes) => yes.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Instant(instant) => instant.to_rfc3339(),
        Cell::Uuid(uuid) => uuid.to_string(),
    };
    places.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The views these tests are about.
pub fn ours() -> impl Iterator<Item = &'static dyn View> {
    let names = [
        "current_enrollment",
        "assignment",
        "duplication_conflict",
        "outreach_conversion",
        "authorization",
        "reassessment",
        "clock",
        "finding",
    ];
    names.into_iter().map(|name| views::find(name).unwrap())
}
