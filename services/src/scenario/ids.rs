//! Short ids of a file as the ledger's: the same salt and the same short id give the same UUID.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rollbook_events::{EventId, Hash, MemberId};
use serde_json::Value;
use uuid::Uuid;

use super::file::{Case, Given};

/// Fields of a payload that hold an id, with what they are an id of.
const FIELDS: &[(&str, Class)] = &[
    ("enrollment", Class::Own("enrollment")),
    ("authorization", Class::Own("authorization")),
    ("referral", Class::Own("referral")),
    ("notice", Class::Own("notice")),
    ("appeal", Class::Own("appeal")),
    ("event", Class::Event),
    ("determination", Class::Event),
    ("trigger", Class::Event),
    ("because", Class::Event),
    ("supersedes", Class::Event),
    ("other", Class::Member),
];

/// What an id is an id of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// An enrollment, an authorization and the like: ids that come from outside.
    Own(&'static str),
    /// An event.
    Event,
    /// A member.
    Member,
}

/// Whether a field of a payload holds an id.
pub fn is_id(field: &str) -> bool {
    FIELDS.iter().any(|(name, _)| *name == field)
}

/// The ids of one run of one file.
#[derive(Debug, Clone)]
pub struct Ids {
    salt: String,
    /// The event of each given, in their order.
    events: Vec<EventId>,
    /// Index of the given that a name means, or a short id of an event.
    named: HashMap<String, usize>,
    short: HashMap<String, usize>,
    /// What the events of the file say of ids, for a name in the place of an id that is no event's.
    told: Vec<HashMap<&'static str, String>>,
}

impl Ids {
    /// The ids of a file under a salt, its facts recorded at these instants.
    pub fn new(case: &Case, salt: &str, recorded: &[DateTime<Utc>]) -> Self {
        let mut ids = Self {
            salt: salt.to_owned(),
            events: Vec::new(),
            named: HashMap::new(),
            short: HashMap::new(),
            told: Vec::new(),
        };
        for (index, (given, recorded)) in case.given.iter().zip(recorded).enumerate() {
            let short = given.envelope.get("id").and_then(Value::as_str).unwrap_or_default();
            // The same short id again is the same id, as a caller would send it again.
            let same = ids.short.get(short).and_then(|index| ids.events.get(*index)).copied();
            ids.events.push(same.unwrap_or_else(|| ids.event(index, *recorded)));
            if !short.is_empty() {
                ids.short.entry(short.to_owned()).or_insert(index);
            }
            if let Some(name) = &given.name {
                ids.named.insert(name.clone(), index);
            }
            ids.told.push(told(given));
        }
        ids
    }

    /// Events of one day are told apart by their ids: these are in the order of recording, as the ledger's own would be.
    fn event(&self, index: usize, recorded: DateTime<Utc>) -> EventId {
        let digest = self.digest("event", &index.to_string());
        let mut rest = [0; 10];
        rest.copy_from_slice(&digest[..10]);
        let [high, low] = u16::try_from(index & 0x0fff).unwrap_or_default().to_be_bytes();
        (rest[0], rest[1]) = (high, low);
        let millis = u64::try_from(recorded.timestamp_millis()).unwrap_or_default();
        EventId(uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
    }

    fn digest(&self, class: &str, short: &str) -> [u8; 32] {
        Hash::of(format!("{}|{class}|{short}", self.salt).as_bytes()).bytes()
    }

    fn uuid(&self, class: &str, short: &str) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.digest(class, short)[..16]);
        Uuid::new_v8(bytes)
    }

    /// The pseudonym of a local name.
    pub fn member(&self, name: &str) -> MemberId {
        MemberId(self.uuid("member", name))
    }

    /// The event of a given.
    pub fn of_given(&self, index: usize) -> Option<EventId> {
        self.events.get(index).copied()
    }

    /// Which given a name means.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.named.get(name).copied()
    }

    /// The id that an envelope's `replaces` means.
    pub fn event_value(&self, value: &Value) -> Value {
        self.id(Class::Event, value)
    }

    /// A field of a payload, with ids in the place of short ids.
    pub fn field(&self, kind: &str, field: &str, value: &Value) -> Value {
        // There `notice` is what the notice is about.
        if kind == "notice_determined" && field == "notice" {
            return value.clone();
        }
        match FIELDS.iter().find(|(name, _)| *name == field) {
            Some((_, class)) => self.id(*class, value),
            None => value.clone(),
        }
    }

    fn id(&self, class: Class, value: &Value) -> Value {
        match value {
            Value::Array(values) => values.iter().map(|value| self.id(class, value)).collect(),
            // What can be no short id is handed on, to be refused.
            Value::String(short) if short.is_empty() || short.contains(char::is_whitespace) || is_nil(short) => {
                value.clone()
            }
            Value::String(short) => Value::String(self.id_of(class, short).to_string()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.clone(),
        }
    }

    fn id_of(&self, class: Class, short: &str) -> Uuid {
        let named = short.strip_prefix('$').and_then(|name| self.index_of(name));
        match class {
            Class::Member => self.member(short).0,
            Class::Event => {
                let index = named.or_else(|| self.short.get(short).copied());
                let event = index.and_then(|index| self.of_given(index));
                event.map_or_else(|| self.uuid("event", short), |event| event.0)
            }
            Class::Own(class) => {
                let told = named.and_then(|index| self.told.get(index)?.get(class));
                match (told, named.and_then(|index| self.of_given(index))) {
                    (Some(told), _) => self.uuid(class, told),
                    (None, Some(event)) => event.0,
                    (None, None) => self.uuid(class, short),
                }
            }
        }
    }

    /// Every id a short id or a name may mean where the file does not say of what.
    pub fn meanings(&self, short: &str) -> Vec<String> {
        let classes = FIELDS.iter().map(|(_, class)| *class).filter(|class| *class != Class::Member);
        let mut meanings: Vec<String> = classes.map(|class| self.id_of(class, short).to_string()).collect();
        meanings.sort();
        meanings.dedup();
        meanings
    }
}

fn is_nil(short: &str) -> bool {
    Uuid::try_parse(short).is_ok_and(|id| id.is_nil())
}

/// The short ids that a given tells, by what they are ids of.
fn told(given: &Given) -> HashMap<&'static str, String> {
    let mut told = HashMap::new();
    for (field, class) in FIELDS {
        if let (Class::Own(class), Some(Value::String(short))) = (class, given.data.get(*field)) {
            told.insert(*class, short.clone());
        }
    }
    told
}
