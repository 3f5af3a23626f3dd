//! What these tests tell, and what they read of it.

use rollbook_projections::Rulebook;
use rollbook_projections::rules::{self, findings::findings};
use serde_json::{Value, json};

use crate::facts::{Facts, built_in, id};

/// A request with the name `a`.
pub fn request(program: &str, urgency: &str, received: &str) -> Value {
    json!({
        "authorization": id("a"), "program": program, "urgency": urgency, "received_at": received,
        "requested_by": "provider",
    })
}

pub fn requested(program: &str, urgency: &str, received: &str) -> Facts {
    Facts::default().tell(received, "authorization_requested", request(program, urgency, received))
}

/// A decision on `a`, of the program of the request that was told first.
pub fn decided(facts: Facts, outcome: &str, at: &str, more: Value) -> Facts {
    let mut data = json!({ "authorization": id("a"), "program": "ecm", "outcome": outcome, "decided_at": at });
    for (key, value) in more.as_object().unwrap() {
        data[key] = value.clone();
    }
    facts.tell(at, "authorization_decided", data)
}

/// The codes of what these rules find; what follows for notices is not told of here.
const OURS: &[&str] = &[
    "appeal_filed_late",
    "appeal_late",
    "authorization_late",
    "clock_warning",
    "incomplete",
    "reassessment_late",
    "too_frequent",
    "unauthorized_presumptive",
    "unauthorized_service",
];

/// Every finding of these rules, as its code, rule and days.
pub fn found_under(rulebook: &Rulebook, facts: &Facts) -> Vec<String> {
    let dossier = facts.dossier();
    let facts = rules::facts::Facts::of(&dossier, rulebook);
    let words = findings(&facts).into_iter().filter(|f| OURS.contains(&f.code)).map(|f| {
        let until = f.until.map_or("-".to_owned(), |until| until.to_string());
        format!("{} {} {} {until}", f.code, f.rule, f.from)
    });
    words.collect()
}

pub fn found(facts: &Facts) -> Vec<String> {
    found_under(built_in(), facts)
}
