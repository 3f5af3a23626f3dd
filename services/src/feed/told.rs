//! An event of the log as the feed tells it, pure.
//!
//! The attributes stand as they are stored, in their order and to the byte, `data` included, so that an event of a newer
//! program passes through an older publisher unharmed. Three differences: `logposition` and `feednumber` come last;
//! `previoushash` is left out, because it is taken over a member's event before, which may be another plan's or a sensitive one,
//! and whoever guesses that one could prove the guess; and an event that is sensitive tells only what [`SHOWN`] names, with
//! `redacted`: those with the right ask for the whole of it over HTTP, by its position.

use std::borrow::Cow;
use std::fmt;

use rollbook_events::{PlanCode, Position};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What the feed adds; an attribute that is stored under one of these names gives way.
const ADDED: [&str; 3] = ["logposition", "feednumber", "redacted"];

/// Told to nobody.
const HIDDEN: &str = "previoushash";

/// What of a sensitive event everybody is told: that it happened, to whom and when, not what it says, who said so, or where.
const SHOWN: [&str; 14] = [
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "occurredday",
    "recordedtime",
    "plan",
    "county",
    "causationid",
    "correlationid",
    "replaces",
    "sensitivity",
];

/// Why an event cannot be told. It names the attribute, never a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untellable {
    /// Not a JSON object.
    #[error("it is no JSON object")]
    NotJson,
    /// An attribute that says where the event belongs is absent or unreadable.
    #[error("its attribute {name} is missing or unreadable")]
    Attribute {
        /// Which.
        name: &'static str,
    },
}

/// An event, ready to be told.
#[derive(Debug)]
pub struct Told<'a> {
    /// The plan whose feed it belongs to.
    pub plan: PlanCode,
    /// The kind, as in `enrolled`.
    pub kind: String,
    redacted: bool,
    attributes: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Told<'a> {
    /// Reads the stored bytes of an event of any version, also of one that this program does not know.
    ///
    /// # Errors
    /// Where it does not say to which plan it belongs or of which kind it is.
    pub fn read(stored: &'a [u8]) -> Result<Self, Untellable> {
        let Attributes(attributes) = serde_json::from_slice(stored).map_err(|_| Untellable::NotJson)?;
        let text = |name: &'static str| {
            let found = attributes.iter().find(|(of, _)| of == name);
            found.map(|(_, raw)| serde_json::from_str::<String>(raw.get()).map_err(|_| Untellable::Attribute { name }))
        };
        let missing = |name| Untellable::Attribute { name };
        let plan = text("plan").ok_or(missing("plan"))??.parse().map_err(|_| missing("plan"))?;
        let kind = kind(&text("type").ok_or(missing("type"))??).ok_or(missing("type"))?;
        // A sensitivity that a newer program has thought of is one.
        let redacted = text("sensitivity").transpose()?.is_some_and(|sensitivity| sensitivity != "none");
        Ok(Self { plan, kind, redacted, attributes })
    }

    /// The subject of its message.
    pub fn subject(&self) -> String {
        format!("feed.{}.{}", self.plan, self.kind)
    }

    /// The body of its message, in one line.
    pub fn body(&self, position: Position, number: u64) -> Vec<u8> {
        let mut body = Vec::with_capacity(1_024);
        body.push(b'{');
        for (name, raw) in self.attributes.iter().filter(|(name, _)| self.tells(name)) {
            // Names of attributes are letters and digits; whatever stands there is written as JSON all the same.
            body.extend(serde_json::Value::from(&**name).to_string().bytes());
            body.push(b':');
            body.extend(in_one_line(raw.get()).bytes());
            body.push(b',');
        }
        if self.redacted {
            body.extend(b"\"redacted\":true,");
        }
        body.extend(format!("\"logposition\":{position},\"feednumber\":{number}}}").bytes());
        body
    }

    fn tells(&self, name: &str) -> bool {
        !ADDED.contains(&name) && name != HIDDEN && (!self.redacted || SHOWN.contains(&name))
    }
}

/// `enrolled` of `rollbook.enrolled.v1`, where it can stand in a subject.
fn kind(of: &str) -> Option<String> {
    let (kind, version) = of.strip_prefix("rollbook.")?.rsplit_once(".v")?;
    version.parse::<u16>().ok()?;
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    (!kind.is_empty() && kind.bytes().all(plain)).then(|| kind.to_owned())
}

/// Whoever reads the feed line by line reads whole messages. Between tokens alone can a line of JSON end, and this program
/// writes none there.
fn in_one_line(raw: &str) -> Cow<'_, str> {
    if !raw.contains(['\n', '\r']) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.replace(['\n', '\r'], " "))
}

/// The attributes in the order they stand.
struct Attributes<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Attributes<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Attributes<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a CloudEvents object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Attributes<'de>, M::Error> {
                let mut attributes = Vec::with_capacity(24);
                while let Some(name) = map.next_key::<String>()? {
                    attributes.push((Cow::Owned(name), map.next_value()?));
                }
                Ok(Attributes(attributes))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(more: &Value) -> Vec<u8> {
        let mut event = json!({
            "specversion": "1.0", "id": "018f3c1e-7a10-7c3d-9b4e-0123456789ab", "source": "/rollbook",
            "type": "rollbook.enrolled.v1", "subject": "0a0a0a0a-0a0a-8a0a-8a0a-0a0a0a0a0a0a", "plan": "la-care",
            "actororg": "la-care", "actorid": "jane", "actorrole": "recorder", "sourcesystem": "tracker",
            "sensitivity": "none", "previoushash": "ab", "data": { "program": "ecm" },
        });
        for (name, value) in more.as_object().unwrap() {
            event[name] = value.clone();
        }
        serde_json::to_vec(&event).unwrap()
    }

    fn told(stored: &[u8]) -> Value {
        serde_json::from_slice(&Told::read(stored).unwrap().body(Position(7), 3)).unwrap()
    }

    #[test]
    fn an_event_is_told_as_it_is_stored_with_its_place_last() {
        let stored = event(&json!({ "logposition": 1, "later": [1.0, "ü"] }));
        let body = Told::read(&stored).unwrap();
        assert_eq!((body.subject().as_str(), body.plan.as_str()), ("feed.la-care.enrolled", "la-care"));
        let text = String::from_utf8(body.body(Position(7), 3)).unwrap();
        let expected = String::from_utf8(stored).unwrap().replace("\"previoushash\":\"ab\",", "");
        let expected = expected.replace(",\"logposition\":1,\"later\":[1.0,\"ü\"]}", ",\"later\":[1.0,\"ü\"],");
        assert_eq!(text, expected + "\"logposition\":7,\"feednumber\":3}");
    }

    #[test]
    fn a_sensitive_event_tells_neither_what_nor_who_nor_where() {
        for sensitivity in ["part2", "hiv", "minor", "of_a_later_program"] {
            let told = told(&event(&json!({ "sensitivity": sensitivity, "unheardof": "secret" })));
            assert_eq!((&told["redacted"], &told["feednumber"]), (&json!(true), &json!(3)));
            for hidden in ["data", "actororg", "actorid", "actorrole", "sourcesystem", "previoushash", "unheardof"] {
                assert!(told.get(hidden).is_none(), "{hidden}");
            }
            assert_eq!(told["source"], "/rollbook", "a CloudEvents event has one");
        }
    }

    #[test]
    fn a_kind_of_a_later_program_passes_and_what_belongs_nowhere_does_not() {
        let kind = |stored: &[u8]| Told::read(stored).map(|told| told.kind);
        assert_eq!(kind(&event(&json!({ "type": "rollbook.unheard_of.v9" }))), Ok("unheard_of".to_owned()));
        for (name, value) in [("type", "rollbook.a.b.v1"), ("type", "rollbook.>.v1"), ("plan", "LA.*"), ("plan", "")] {
            assert_eq!(kind(&event(&json!({ name: value }))), Err(Untellable::Attribute { name }), "{value}");
        }
        assert_eq!(kind(b"[]"), Err(Untellable::NotJson));
    }

    #[test]
    fn a_body_is_one_line() {
        let stored = String::from_utf8(event(&json!({}))).unwrap().replace("{\"program\"", "{\r\n\"program\"");
        let body = Told::read(stored.as_bytes()).unwrap().body(Position(1), 1);
        assert!(!body.contains(&b'\n') && serde_json::from_slice::<Value>(&body).is_ok());
    }
}
