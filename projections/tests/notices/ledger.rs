//! A ledger in few words: facts are told, and what follows from them is determined at once, as the recorder does.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use rollbook_events::{Actor, Envelope, EventId, Occurred, Position, Sensitivity};
use rollbook_projections::rules::finding::Finding;
use rollbook_projections::rules::findings::findings;
use rollbook_projections::rules::notices::due;
use rollbook_projections::{Dossier, Rulebook, rules, views};
use serde_json::{Value, json};

use crate::facts::{Facts, attempt, built_in, id, laid, recorded, words};

/// Facts with the determinations that follow from them.
#[derive(Clone)]
pub struct Ledger {
    pub facts: Facts,
    pub rulebook: &'static Rulebook,
}

/// The built-in rulebook with L.A. Care's file laid over it: tries before giving up.
pub fn with_policy() -> &'static Rulebook {
    static LAID: LazyLock<&Rulebook> = LazyLock::new(|| leaked("[outreach.closing]\nattempts = 3\nwindow_days = 30\n"));
    &LAID
}

/// Makes a rulebook last as long as the tests.
pub fn leaked(own: &str) -> &'static Rulebook {
    Box::leak(Box::new(laid(&format!("plan = \"la-care\"\n{own}"))))
}

pub fn noon(day: &str) -> DateTime<Utc> {
    format!("{}T20:00:00Z", &day[..10]).parse().unwrap()
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for fact in &self.facts.0 {
            let (of, event) = (&fact.envelope, &fact.envelope.event);
            writeln!(f, "{} {} {} {} {event:?}", fact.position, of.id, of.plan, of.occurred_at)?;
        }
        Ok(())
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self::under(built_in())
    }
}

impl Ledger {
    pub fn under(rulebook: &'static Rulebook) -> Self {
        Self { facts: Facts::default(), rulebook }
    }

    /// Tells a fact on its own day.
    pub fn tell(self, at: &str, kind: &str, data: Value) -> Self {
        self.tell_of("la-care", at, at, kind, data)
    }

    /// Tells a plan's fact on a later day.
    pub fn tell_of(self, plan: &str, told: &str, at: &str, kind: &str, data: Value) -> Self {
        let facts = self.facts.tell_of(plan, at, kind, data);
        Self { facts, ..self }.settled(noon(told))
    }

    /// Determines what follows, as of an instant.
    pub fn settled(mut self, now: DateTime<Utc>) -> Self {
        let dossier = self.dossier();
        let facts = rules::facts::Facts::of(&dossier, self.rulebook);
        for due in due(&facts, now) {
            let number = self.facts.0.len() + 1;
            let trigger = due.determined.trigger;
            let envelope = Envelope {
                id: EventId(id(&number.to_string())),
                occurred_at: Occurred::At(rollbook_events::time::Instant::new(now.fixed_offset())),
                recorded_at: now,
                actor: Actor { org: "rollbook".into(), id: "recorder".into(), role: "ledger".into() },
                source: None,
                causation: Some(trigger.id),
                correlation: None,
                replaces: None,
                sensitivity: Sensitivity::None,
                event: due.event(self.rulebook, Position(7)).unwrap().into(),
                ..trigger.clone()
            };
            self.facts.0.push(recorded(number, Arc::new(envelope)));
        }
        self
    }

    /// The number of the last fact.
    pub fn last(&self) -> usize {
        self.facts.0.len()
    }

    pub fn voided(self, at: &str, event: usize) -> Self {
        let data = json!({ "event": id(&event.to_string()), "reason": "mistake", "approved_by": "somebody" });
        self.tell(at, "event_voided", data)
    }

    pub fn enrolled(self, enrollment: &str, program: &str, from: &str) -> Self {
        self.enrolled_by("opt_in", None, enrollment, program, from)
    }

    pub fn enrolled_by(self, basis: &str, by: Option<&str>, enrollment: &str, program: &str, from: &str) -> Self {
        let mut data = json!({
            "enrollment": id(enrollment), "program": program, "basis": basis, "channel": "plan_direct",
            "provider": "sample-clinic", "from": from,
        });
        if let Some(authorization) = by {
            data["authorization"] = json!(id(authorization));
        }
        self.tell(from, "enrolled", data)
    }

    pub fn started(self, enrollment: &str, on: &str) -> Self {
        self.tell(on, "service_started", json!({ "enrollment": id(enrollment), "on": on }))
    }

    pub fn disenrolled(self, at: &str, enrollment: &str, until: &str, reason: &str) -> Self {
        let data = json!({
            "enrollment": id(enrollment), "until": until, "reason": reason, "agreed_by": ["plan", "provider"],
        });
        self.tell(at, "disenrolled", data)
    }

    pub fn referred(self, at: &str, referral: &str, program: &str, by: &str) -> Self {
        let data = json!({ "referral": id(referral), "program": program, "pathway": "self", "requested_by": by });
        self.tell(at, "referral_received", data)
    }

    pub fn asked(self, at: &str, authorization: &str, program: &str, by: &str) -> Self {
        self.tell(&at[..10], "authorization_requested", asked(at, authorization, program, by))
    }

    pub fn decided(self, on: &str, authorization: &str, program: &str, outcome: &str) -> Self {
        self.tell(on, "authorization_decided", decided(on, authorization, program, outcome))
    }

    pub fn opted_out(self, at: &str, program: &str, signed: bool) -> Self {
        self.tell(at, "opted_out", json!({ "program": program, "by": "member", "signed": signed }))
    }

    pub fn given_up(self, at: &str) -> Self {
        self.tell(at, "outreach_closed", json!({ "program": "ecm", "reason": "unable_to_contact" }))
    }

    pub fn called(self, at: &str, reached: &str) -> Self {
        self.tell(at, "outreach_attempted", attempt("phone", &[], reached))
    }

    pub fn assessed(self, at: &str, met: bool) -> Self {
        self.tell(at, "population_assessed", json!({ "population": "homelessness", "met": met }))
    }

    pub fn mailed(self, notice: &str, program: &str, kind: &str, mailed_on: &str, effective_on: Option<&str>) -> Self {
        let data = mailed(notice, program, kind, mailed_on, effective_on);
        self.tell(mailed_on, "notice_issued", data)
    }

    pub fn dossier(&self) -> Dossier {
        self.facts.dossier()
    }

    /// The rows of the view, each as these columns, sorted.
    pub fn rows(&self, columns: &[&str]) -> Vec<String> {
        let view = views::find("notice_determination").unwrap();
        let place = |name: &&str| view.table().columns.iter().position(|column| column.name == *name).unwrap();
        let places: Vec<usize> = columns.iter().map(place).collect();
        let dossier = self.dossier();
        let rows = view.rows(&rules::facts::Facts::of(&dossier, self.rulebook));
        let mut told: Vec<String> = rows.iter().map(|row| words(row, &places)).collect();
        told.sort();
        told
    }

    /// What stands today: outcome, kind, limbs and rule; expiries to come included.
    pub fn stand(&self) -> Vec<String> {
        let columns = ["superseded_by", "voided", "outcome", "notice", "limbs", "rule"];
        let rows = self.rows(&columns);
        rows.iter().filter_map(|row| row.strip_prefix("- false ").map(str::to_owned)).collect()
    }

    /// The findings of a code: first day, first day no longer.
    pub fn found(&self, code: &str) -> Vec<String> {
        let dossier = self.dossier();
        findings(&rules::facts::Facts::of(&dossier, self.rulebook))
            .iter()
            .filter(|finding| finding.code == code)
            .map(|finding: &Finding<'_>| {
                format!("{} {}", finding.from, finding.until.map_or("-".to_owned(), |day| day.to_string()))
            })
            .collect()
    }
}

pub fn asked(at: &str, authorization: &str, program: &str, by: &str) -> Value {
    json!({
        "authorization": id(authorization), "program": program, "urgency": "standard", "received_at": at,
        "requested_by": by,
    })
}

pub fn decided(on: &str, authorization: &str, program: &str, outcome: &str) -> Value {
    json!({
        "authorization": id(authorization), "program": program, "outcome": outcome,
        "decided_at": format!("{on}T10:00:00-08:00"),
    })
}

pub fn mailed(notice: &str, program: &str, kind: &str, mailed_on: &str, effective_on: Option<&str>) -> Value {
    let mut data = json!({ "notice": id(notice), "program": program, "kind": kind, "mailed_on": mailed_on });
    if let Some(day) = effective_on {
        data["effective_on"] = day.into();
    }
    data
}
