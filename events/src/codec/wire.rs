//! The CloudEvents attributes, spelled out apart from the types that are used.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{DecodeError, SCHEMA_BASE, parse_type, read_data, type_name};
use crate::envelope::{Actor, Envelope, Sensitivity, Source};
use crate::time::{Instant, Occurred};

/// `source` of every event: the context in which `id` is unique is the ledger itself.
const SOURCE: &str = "/rollbook";

pub(super) fn write(envelope: &Envelope) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Out(envelope))
}

struct Out<'a>(&'a Envelope);

impl Serialize for Out<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let e = self.0;
        let kind = e.event.name();
        let version = e.event.kind().map_or(1, |kind| kind.version());
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("specversion", "1.0")?;
        map.serialize_entry("id", &e.id)?;
        map.serialize_entry("source", SOURCE)?;
        map.serialize_entry("type", &type_name(kind, version))?;
        map.serialize_entry("subject", &e.subject.to_string())?;
        map.serialize_entry("time", &e.occurred_at.earliest())?;
        map.serialize_entry("datacontenttype", "application/json")?;
        map.serialize_entry("dataschema", &format!("{SCHEMA_BASE}{kind}.v{version}.json"))?;
        if let Occurred::Day(day) = e.occurred_at {
            map.serialize_entry("occurredday", &day)?;
        }
        map.serialize_entry("recordedtime", &e.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true))?;
        map.serialize_entry("plan", &e.plan)?;
        map.serialize_entry("county", &e.county)?;
        map.serialize_entry("actororg", &e.actor.org)?;
        map.serialize_entry("actorid", &e.actor.id)?;
        map.serialize_entry("actorrole", &e.actor.role)?;
        if let Some(source) = &e.source {
            map.serialize_entry("sourcesystem", &source.system)?;
            entry(&mut map, "sourcefile", source.file_sha256.as_ref())?;
            entry(&mut map, "sourcerow", source.row.as_ref())?;
            entry(&mut map, "sourceexternalid", source.external_id.as_ref())?;
        }
        entry(&mut map, "causationid", e.causation.as_ref())?;
        entry(&mut map, "correlationid", e.correlation.as_ref())?;
        entry(&mut map, "replaces", e.replaces.as_ref())?;
        map.serialize_entry("sensitivity", &e.sensitivity)?;
        entry(&mut map, "previoushash", e.previous.as_ref())?;
        map.serialize_entry("data", &e.event)?;
        map.end()
    }
}

fn entry<M: SerializeMap, T: Serialize>(map: &mut M, key: &str, value: Option<&T>) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(key, value))
}

macro_rules! attributes {
    ($($field:ident),+ $(,)?) => {
        /// The attributes as they stand, borrowed where JSON lets them be.
        #[derive(Default)]
        struct In<'a> { $($field: Option<Cow<'a, str>>,)+ sourcerow: Option<u32>, data: Option<&'a RawValue>, unknown: BTreeMap<String, Value> }

        impl<'de> Deserialize<'de> for In<'de> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Attributes;
                impl<'de> Visitor<'de> for Attributes {
                    type Value = In<'de>;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("a CloudEvents object") }
                    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<In<'de>, M::Error> {
                        let mut it = In::default();
                        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                            match &*key {
                                $(stringify!($field) => it.$field = Some(map.next_value::<Text<'de>>()?.0),)+
                                "type" => it.kind = Some(map.next_value::<Text<'de>>()?.0),
                                "sourcerow" => it.sourcerow = Some(map.next_value()?),
                                "data" => it.data = Some(map.next_value()?),
                                other => {
                                    let pointer = format!("/{}", other.replace('~', "~0").replace('/', "~1"));
                                    it.unknown.insert(pointer, map.next_value()?);
                                }
                            }
                        }
                        Ok(it)
                    }
                }
                deserializer.deserialize_map(Attributes)
            }
        }
    };
}

attributes! {
    specversion, id, source, kind, subject, time, datacontenttype, dataschema, occurredday, recordedtime, plan, county,
    actororg, actorid, actorrole, sourcesystem, sourcefile, sourceexternalid, causationid, correlationid, replaces,
    sensitivity, previoushash,
}

struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Envelope, DecodeError> {
    let wire: In<'_> = serde_json::from_slice(bytes)
        .map_err(|error| DecodeError::NotJson { line: error.line(), column: error.column() })?;
    if wire.specversion.as_deref() != Some("1.0") {
        return Err(DecodeError::Attribute { name: "specversion", problem: "is not 1.0" });
    }
    let (kind, version) = parse_type(&required("type", wire.kind)?).ok_or(DecodeError::UnknownType)?;
    let data = wire.data.ok_or(DecodeError::Attribute { name: "data", problem: "is missing" })?;
    let (event, unknown_data) = read_data(kind, version, data.get())?;
    let mut unknown = wire.unknown;
    unknown.extend(unknown_data);
    let occurred_at = match optional("occurredday", wire.occurredday)? {
        Some(crate::time::Day(day)) => Occurred::Day(day),
        None => Occurred::At(parse::<Instant>("time", wire.time)?),
    };
    let recorded_at: DateTime<Utc> = parse::<Instant>("recordedtime", wire.recordedtime)?.utc();
    let source = match wire.sourcesystem {
        None => None,
        Some(system) => Some(Source {
            system: system.into_owned(),
            file_sha256: optional("sourcefile", wire.sourcefile)?,
            row: wire.sourcerow,
            external_id: wire.sourceexternalid.map(Cow::into_owned),
        }),
    };
    Ok(Envelope {
        id: parse("id", wire.id)?,
        subject: parse("subject", wire.subject)?,
        plan: parse("plan", wire.plan)?,
        county: parse("county", wire.county)?,
        occurred_at,
        recorded_at,
        actor: Actor {
            org: required("actororg", wire.actororg)?.into_owned(),
            id: required("actorid", wire.actorid)?.into_owned(),
            role: required("actorrole", wire.actorrole)?.into_owned(),
        },
        source,
        causation: optional("causationid", wire.causationid)?,
        correlation: optional("correlationid", wire.correlationid)?,
        replaces: optional("replaces", wire.replaces)?,
        sensitivity: optional("sensitivity", wire.sensitivity)?.unwrap_or(Sensitivity::None),
        previous: optional("previoushash", wire.previoushash)?,
        event,
        unknown,
    })
}

fn required<'a>(name: &'static str, value: Option<Cow<'a, str>>) -> Result<Cow<'a, str>, DecodeError> {
    value.ok_or(DecodeError::Attribute { name, problem: "is missing" })
}

fn optional<T: std::str::FromStr>(name: &'static str, value: Option<Cow<'_, str>>) -> Result<Option<T>, DecodeError> {
    let parse =
        |text: Cow<'_, str>| text.parse().map_err(|_| DecodeError::Attribute { name, problem: "is unreadable" });
    value.map(parse).transpose()
}

fn parse<T: std::str::FromStr>(name: &'static str, value: Option<Cow<'_, str>>) -> Result<T, DecodeError> {
    optional(name, Some(required(name, value)?))?.ok_or(DecodeError::Attribute { name, problem: "is missing" })
}
