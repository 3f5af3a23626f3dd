//! The stored form: a CloudEvents 1.0 event in structured JSON, one message an event.
//!
//! Writing always writes the current version. Reading takes any released version through its upcast steps, and keeps what
//! it does not know, so that an older program passes a newer one's fields on unharmed.

mod wire;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::envelope::Envelope;
use crate::event::{Event, Kind};
use crate::rejection::Rejection;

/// Where every ledger serves its schemas; `.localhost` because the contract is the same on every machine.
pub const SCHEMA_BASE: &str = "http://rollbook.localhost/schemas/";

/// The media type of a stored event.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";

/// A stored event that cannot be read. It names the attribute or field, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not a JSON object.
    #[error("not a JSON object at line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// An attribute of the envelope is absent or unreadable.
    #[error("attribute {name} {problem}")]
    Attribute {
        /// The CloudEvents attribute.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A kind or version that this program does not know; a newer program may.
    #[error("type is not a kind and version this program knows")]
    UnknownType,
    /// `data` does not fit its kind.
    #[error("data does not fit {kind}: {problem}")]
    Data {
        /// The kind.
        kind: &'static str,
        /// Which field, and what was expected.
        problem: Rejection,
    },
}

/// The stored bytes of an event. The same event always gives the same bytes.
///
/// # Errors
/// Only where a JSON writer can fail, which for these types it cannot.
pub fn encode(envelope: &Envelope) -> serde_json::Result<Vec<u8>> {
    let bytes = wire::write(envelope)?;
    if envelope.unknown.is_empty() {
        return Ok(bytes);
    }
    let mut value: Value = serde_json::from_slice(&bytes)?;
    for (pointer, unknown) in &envelope.unknown {
        insert(&mut value, pointer, unknown.clone());
    }
    serde_json::to_vec(&value)
}

/// Reads stored bytes of any released version.
///
/// # Errors
/// See [`DecodeError`]; a reader that meets one must not go on as if the event were not there.
pub fn decode(bytes: &[u8]) -> Result<Envelope, DecodeError> {
    wire::read(bytes)
}

/// Reads `data` of a kind and version, giving the event and what it does not know by JSON pointer.
pub(crate) fn read_data(kind: Kind, version: u16, data: &str) -> Result<(Event, BTreeMap<String, Value>), DecodeError> {
    let problem = |path: &str, error: &serde_json::Error| DecodeError::Data {
        kind: kind.name(),
        problem: Rejection::from_serde(path, &error.to_string()),
    };
    let mut unknown_paths = Vec::new();
    let mut note = |path: serde_ignored::Path<'_>| unknown_paths.push(pointer(&path));
    if version == kind.version() {
        let mut json = serde_json::Deserializer::from_str(data);
        let event = Event::read(kind, serde_ignored::Deserializer::new(&mut json, &mut note));
        let event = event.map_err(|error| problem("data", &error))?;
        let unknown = if unknown_paths.is_empty() {
            BTreeMap::new()
        } else {
            pick(&serde_json::from_str(data).map_err(|error| problem("data", &error))?, &unknown_paths)
        };
        return Ok((event, unknown));
    }
    let mut map: Map<String, Value> = serde_json::from_str(data).map_err(|error| problem("data", &error))?;
    for step in kind.info().upcasts.get(usize::from(version) - 1..).unwrap_or_default() {
        step(&mut map);
    }
    let value = Value::Object(map);
    let event = Event::read(kind, serde_ignored::Deserializer::new(&value, &mut note));
    let event = event.map_err(|error| problem("data", &error))?;
    Ok((event, pick(&value, &unknown_paths)))
}

fn pick(data: &Value, pointers: &[String]) -> BTreeMap<String, Value> {
    let found = pointers.iter().filter_map(|p| Some((format!("/data{p}"), data.pointer(p)?.clone())));
    found.collect()
}

/// The JSON pointer of a path that serde did not know.
fn pointer(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}/{index}", pointer(parent)),
        Path::Map { parent, key } => format!("{}/{}", pointer(parent), key.replace('~', "~0").replace('/', "~1")),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => pointer(parent),
    }
}

fn insert(value: &mut Value, pointer: &str, unknown: Value) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(map)) = value.pointer_mut(parent) {
        map.insert(key.replace("~1", "/").replace("~0", "~"), unknown);
    }
}

/// `rollbook.enrolled.v1`
pub(crate) fn type_name(kind: &str, version: u16) -> String {
    format!("rollbook.{kind}.v{version}")
}

/// The kind and version of a `type` attribute.
pub(crate) fn parse_type(text: &str) -> Option<(Kind, u16)> {
    let (kind, version) = text.strip_prefix("rollbook.")?.rsplit_once(".v")?;
    let kind = Kind::parse(kind)?;
    let version = version.parse().ok().filter(|version| (1..=kind.version()).contains(version))?;
    Some((kind, version))
}
