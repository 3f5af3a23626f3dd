//! What is submitted: drawn from a seed, never from what the ledger answered, so that the same seed says the same.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use uuid::Uuid;

/// What one client says, one operation after another.
#[derive(Debug)]
pub struct Author {
    random: ChaCha8Rng,
    members: u32,
    /// What was said before: what can be said again, and voided.
    said: Vec<Operation>,
}

/// One request to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The submissions.
    pub submissions: Vec<Value>,
    /// Whether they stand in an array.
    pub array: bool,
    /// Whether nothing is wrong with them in themselves.
    pub sound: bool,
    /// How often the client asks again where it does not know, or was told to come again.
    pub patience: u32,
}

const PLANS: [&str; 4] = ["la-care", "health-net", "molina", "anthem"];
const PROGRAMS: [&str; 2] = ["ecm", "housing_deposit"];
const PROVIDERS: [&str; 2] = ["1234567893", "1999999984"];

impl Author {
    /// A client that draws from a source of its own and speaks of so many members.
    pub fn new(random: ChaCha8Rng, members: u32) -> Self {
        Self { random, members, said: Vec::new() }
    }

    fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random.random()).into_uuid()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.choose(&mut self.random).unwrap()
    }

    fn member(&mut self) -> String {
        format!("0b0b0b0b-0b0b-8b0b-8b0b-{:012x}", self.random.random_range(0..self.members))
    }

    fn day(&mut self) -> String {
        let (year, month, day) =
            (self.random.random_range(2022..=2025), self.random.random_range(1..=12), self.random.random_range(1..=28));
        format!("{year}-{month:02}-{day:02}")
    }

    /// A submission that may be recorded whatever the ledger holds.
    pub fn sound(&mut self) -> Value {
        let day = self.day();
        let (program, provider, plan) = (self.one(&PROGRAMS), self.one(&PROVIDERS), self.one(&PLANS));
        let member = self.member();
        // An enrollment of the member that all clients speak of.
        let enrollment = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{member}/{program}").as_bytes());
        let (kind, data) = match self.random.random_range(0..9) {
            0 | 1 => (
                "enrolled",
                json!({ "enrollment": enrollment, "program": program, "basis": "opt_in", "channel": "plan_direct",
                    "provider": provider, "from": day }),
            ),
            2 => ("service_started", json!({ "enrollment": enrollment, "on": day })),
            3 => ("provider_assigned", json!({ "enrollment": enrollment, "provider": provider, "from": day })),
            4 => ("disenrolled", json!({ "enrollment": enrollment, "until": day, "reason": "goals_met" })),
            5 => (
                "authorization_decided",
                json!({ "authorization": self.uuid(), "program": program, "outcome": "denied",
                    "decided_at": format!("{day}T12:00:00-08:00"), "reasons": ["not_medically_appropriate"] }),
            ),
            6 => ("member_looked_up", json!({ "system": "hmis" })),
            _ => (
                "outreach_attempted",
                json!({ "program": program, "channel": "phone", "individualized": true, "response_invited": true,
                    "live_staff": true, "reached": "nobody", "staff": "non_clinical", "provider": provider }),
            ),
        };
        // The correlation marks a submission that has no id of its own.
        json!({ "id": self.uuid(), "kind": kind, "member": member, "plan": plan, "county": "los-angeles",
            "occurred_at": day, "correlation": self.uuid(), "data": data })
    }

    /// A submission that is wrong in itself.
    pub fn unsound(&mut self) -> Value {
        let mut wrong = self.sound();
        match self.random.random_range(0..7) {
            0 => wrong["plan"] = json!("No Plan"),
            1 => wrong["kind"] = json!("no_such_kind"),
            2 => wrong["occurred_at"] = json!("2199-01-01"),
            3 => _ = wrong.as_object_mut().unwrap().remove("county"),
            4 => wrong["data"]["colour"] = json!("blue"),
            5 => wrong["occurred_at"] = json!("2024-02-30"),
            _ => wrong["member"] = json!("somebody"),
        }
        wrong
    }

    /// Voids an event that this client has spoken of, for the same member.
    fn void(&mut self) -> Option<Value> {
        let said: Vec<&Value> = self.said.iter().filter(|said| said.sound).flat_map(|said| &said.submissions).collect();
        let of = (*said.choose(&mut self.random)?).clone();
        let (event, member) = (of["id"].as_str()?.to_owned(), of["member"].as_str()?.to_owned());
        Some(json!({ "id": self.uuid(), "kind": "event_voided", "member": member, "plan": of["plan"],
            "county": "los-angeles", "occurred_at": "2025-06-01", "correlation": self.uuid(),
            "data": { "event": event, "reason": "recorded in error", "approved_by": "desk-7" } }))
    }

    /// The next request.
    pub fn draw(&mut self) -> Operation {
        let patience = if self.random.random_bool(0.25) { 0 } else { 8 };
        let turn = self.random.random_range(0..100);
        let mut operation = match turn {
            // The same again, to the byte.
            0..20 if !self.said.is_empty() => return self.said.choose(&mut self.random).unwrap().clone(),
            // The same id for something else.
            20..25 if !self.said.is_empty() => {
                let of = self.said.choose(&mut self.random).unwrap().submissions[0]["id"].clone();
                let mut other = self.sound();
                other["id"] = if of.is_null() { json!(self.uuid()) } else { of };
                return Operation { submissions: vec![other], array: false, sound: true, patience };
            }
            25..32 => Operation { submissions: vec![self.unsound()], array: false, sound: false, patience },
            32..36 => {
                let mut several = self.several();
                let at = self.random.random_range(0..several.len());
                several[at] = self.unsound();
                Operation { submissions: several, array: true, sound: false, patience }
            }
            36..50 => Operation { submissions: self.several(), array: true, sound: true, patience },
            50..56 => match self.void() {
                Some(void) => Operation { submissions: vec![void], array: false, sound: true, patience },
                None => Operation { submissions: vec![self.sound()], array: false, sound: true, patience },
            },
            56..59 => {
                // Without an id of its own: asked once, because nothing tells a second asking from another event.
                let mut nameless = self.sound();
                nameless.as_object_mut().unwrap().remove("id");
                return Operation { submissions: vec![nameless], array: false, sound: true, patience: 0 };
            }
            59..63 => {
                let mut known_by_cin = self.sound();
                known_by_cin.as_object_mut().unwrap().remove("member");
                known_by_cin["cin"] = json!(format!("9{:07}A", self.random.random_range(0..self.members)));
                Operation { submissions: vec![known_by_cin], array: false, sound: true, patience }
            }
            _ => Operation { submissions: vec![self.sound()], array: false, sound: true, patience },
        };
        operation.array |= operation.submissions.len() > 1;
        self.said.push(operation.clone());
        operation
    }

    fn several(&mut self) -> Vec<Value> {
        let many = self.random.random_range(2..=6);
        (0..many).map(|_| self.sound()).collect()
    }

    /// A number, for choices that are not about what is said.
    pub fn number(&mut self, below: u64) -> u64 {
        self.random.random_range(0..below)
    }

    /// A member of those spoken of.
    pub fn somebody(&mut self) -> String {
        self.member()
    }
}
