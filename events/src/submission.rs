//! What a caller asks the recorder to record, parsed strictly: unknown fields are refused, and every refusal names its field.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cin::Cin;
use crate::county::County;
use crate::envelope::{Sensitivity, Source};
use crate::event::{Event, Kind};
use crate::ids::{CorrelationId, EventId, MemberId};
use crate::plan::PlanCode;
use crate::rejection::{Rejection, RejectionCode};
use crate::strict_json;
use crate::time::Occurred;

/// Whom a submission is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// A member already known by pseudonym.
    Member(MemberId),
    /// A member by CIN; the recorder derives the pseudonym and the CIN goes no further.
    Cin(Cin),
    /// No member: the rulebook.
    Rulebook,
}

/// A well-formed submission. That it is well-formed says nothing of whether it may be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The caller's idempotency key; the recorder makes one where there is none.
    pub id: Option<EventId>,
    pub whom: Whom,
    pub plan: PlanCode,
    pub county: County,
    pub occurred_at: Occurred,
    pub source: Option<Source>,
    pub correlation: Option<CorrelationId>,
    pub replaces: Option<EventId>,
    pub sensitivity: Sensitivity,
    pub event: Event,
}

/// The outer object; `data` waits until the kind is known.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Outer {
    id: Option<EventId>,
    kind: String,
    version: Option<u16>,
    member: Option<MemberId>,
    cin: Option<Cin>,
    plan: PlanCode,
    county: County,
    occurred_at: Occurred,
    source: Option<StrictSource>,
    correlation: Option<CorrelationId>,
    replaces: Option<EventId>,
    #[serde(default = "no_sensitivity")]
    sensitivity: Sensitivity,
    data: Map<String, Value>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct StrictSource {
    system: crate::codes::Key,
    file_sha256: Option<crate::ids::Hash>,
    row: Option<u32>,
    external_id: Option<crate::codes::Key>,
}

fn no_sensitivity() -> Sensitivity {
    Sensitivity::None
}

impl Submission {
    /// Reads one submission from JSON text.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, Rejection> {
        Self::from_value(strict_json::parse(text)?)
    }

    /// Reads one submission from JSON that was itself read strictly.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn from_value(value: Value) -> Result<Self, Rejection> {
        let outer: Outer = typed(value, "")?;
        let kind = Kind::parse(&outer.kind).ok_or_else(|| {
            Rejection::new(RejectionCode::UnknownCode, "kind", "is not a kind of event; see /schemas")
        })?;
        let event = read_event(kind, outer.version, outer.data)?;
        event.check()?;
        let whom = match (&event, outer.member, outer.cin) {
            (Event::Rules(_), None, None) => Whom::Rulebook,
            (Event::Rules(_), _, _) => {
                return Err(Rejection::new(RejectionCode::UnknownField, "member", "a rulebook is about no member"));
            }
            (_, Some(member), None) => Whom::Member(member),
            (_, None, Some(cin)) => Whom::Cin(cin),
            (_, None, None) => {
                return Err(Rejection::new(RejectionCode::MissingField, "member", "is required, or cin in its place"));
            }
            (_, Some(_), Some(_)) => {
                return Err(Rejection::new(RejectionCode::UnknownField, "cin", "cannot stand beside member"));
            }
        };
        Ok(Self {
            id: outer.id,
            whom,
            plan: outer.plan,
            county: outer.county,
            occurred_at: outer.occurred_at,
            source: outer.source.map(|source| Source {
                system: source.system.as_str().to_owned(),
                file_sha256: source.file_sha256,
                row: source.row,
                external_id: source.external_id.map(|id| id.as_str().to_owned()),
            }),
            correlation: outer.correlation,
            replaces: outer.replaces,
            sensitivity: outer.sensitivity,
            event,
        })
    }
}

fn read_event(kind: Kind, version: Option<u16>, mut data: Map<String, Value>) -> Result<Event, Rejection> {
    let version = version.unwrap_or(kind.version());
    if !(1..=kind.version()).contains(&version) {
        return Err(Rejection::new(RejectionCode::UnknownCode, "version", format!("expected 1 to {}", kind.version())));
    }
    for step in kind.info().upcasts.get(usize::from(version) - 1..).unwrap_or_default() {
        step(&mut data);
    }
    let mut unknown: Option<String> = None;
    let mut note = |path: serde_ignored::Path<'_>| {
        unknown.get_or_insert_with(|| path.to_string());
    };
    let value = Value::Object(data);
    let mut track = serde_path_to_error::Track::new();
    let strict = serde_ignored::Deserializer::new(&value, &mut note);
    let event = Event::read(kind, serde_path_to_error::Deserializer::new(strict, &mut track));
    let event = event.map_err(|error| {
        let path = track.path().to_string();
        Rejection::from_serde(if path == "." { "" } else { &path }, &error.to_string()).under("data")
    })?;
    match unknown {
        Some(path) => {
            Err(Rejection::new(RejectionCode::UnknownField, path, "is not a field of this kind").under("data"))
        }
        None => Ok(event),
    }
}

/// Deserializes with the failing field's path in the refusal.
pub(crate) fn typed<T: serde::de::DeserializeOwned>(value: Value, under: &str) -> Result<T, Rejection> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        Rejection::from_serde(if path == "." { "" } else { &path }, &error.inner().to_string()).under(under)
    })
}

/// The JSON Schema of a submission's outer object.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Outer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn enrolled() -> Value {
        json!({
            "kind": "enrolled", "member": "0b0b0b0b-0b0b-8b0b-8b0b-0b0b0b0b0b0b", "plan": "la-care", "county": "los-angeles",
            "occurred_at": "2024-02-01",
            "data": { "enrollment": "018f3c1e-7a10-7c3d-9b4e-0123456789ab", "program": "ecm", "basis": "opt_in",
                      "channel": "plan_direct", "provider": "1234567893", "from": "2024-02-01" }
        })
    }

    fn refused(change: impl FnOnce(&mut Value)) -> (RejectionCode, String) {
        let mut value = enrolled();
        change(&mut value);
        let rejection = Submission::from_value(value).unwrap_err();
        (rejection.code, rejection.field)
    }

    #[test]
    fn a_whole_one_is_taken() {
        let submission = Submission::from_value(enrolled()).unwrap();
        assert_eq!(submission.event.name(), "enrolled");
    }

    #[test]
    fn each_refusal_names_its_code_and_field() {
        use RejectionCode as C;
        assert_eq!(refused(|v| v["kind"] = "fired".into()), (C::UnknownCode, "kind".into()));
        assert_eq!(refused(|v| v["county"] = "atlantis".into()), (C::UnknownCode, "county".into()));
        assert_eq!(refused(|v| v["colour"] = 1.into()), (C::UnknownField, "colour".into()));
        assert_eq!(refused(|v| v["data"]["colour"] = 1.into()), (C::UnknownField, "data.colour".into()));
        assert_eq!(refused(|v| v["data"]["program"] = "hn".into()), (C::UnknownCode, "data.program".into()));
        assert_eq!(refused(|v| v["data"]["from"] = "2024-02-30".into()), (C::BadDate, "data.from".into()));
        assert_eq!(
            refused(|v| v["data"]["provider"] = "1234567890".into()),
            (C::BadIdentifier, "data.provider".into())
        );
        assert_eq!(
            refused(|v| {
                v["data"].as_object_mut().unwrap().remove("from");
            }),
            (C::MissingField, "data.from".into())
        );
        assert_eq!(
            refused(|v| {
                v.as_object_mut().unwrap().remove("plan");
            }),
            (C::MissingField, "plan".into())
        );
        assert_eq!(
            refused(|v| {
                v.as_object_mut().unwrap().remove("member");
            }),
            (C::MissingField, "member".into())
        );
        assert_eq!(refused(|v| v["cin"] = "91234567A".into()), (C::UnknownField, "cin".into()));
        assert_eq!(refused(|v| v["occurred_at"] = "yesterday".into()), (C::BadDate, "occurred_at".into()));
        assert_eq!(refused(|v| v["data"]["from"] = 3.into()), (C::Malformed, "data.from".into()));
    }

    #[test]
    fn a_span_ends_after_it_begins() {
        let refusal = refused(|v| {
            v["kind"] = "participation_reported".into();
            v["data"] =
                json!({ "program": "icms_hfh", "from": "2024-02-01", "until": "2024-02-01", "evidence": "verified" });
        });
        assert_eq!(refusal, (RejectionCode::BadSpan, "data.until".into()));
    }

    #[test]
    fn a_refusal_never_repeats_the_value() {
        let mut value = enrolled();
        value["data"]["provider"] = json!({ "name": "Jane Roe" });
        let rejection = Submission::from_value(value).unwrap_err();
        assert!(!rejection.to_string().contains("Jane"), "{rejection}");
    }

    #[test]
    fn an_old_version_is_taken_through_its_upcast() {
        let mut value = enrolled();
        value["kind"] = "mail_returned".into();
        value["version"] = 1.into();
        value["data"] = json!({ "on": "2024-02-01", "forwarding": true });
        let submission = Submission::from_value(value).unwrap();
        assert_eq!(serde_json::to_value(&submission.event).unwrap()["forwarding_address"], true);
    }
}
