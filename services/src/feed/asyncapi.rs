//! The feed's contract as an AsyncAPI 3 document, made from the kinds and their schemas, pure.

use rollbook_events::codec::SCHEMA_BASE;
use rollbook_events::{County, Kind, Sensitivity, schemas};
use serde_json::{Map, Value, json};

use super::receipt::HEADER;

/// The versions of AsyncAPI and of this contract.
const ASYNCAPI: &str = "3.0.0";

/// The document: a channel a kind, a message a version of it, all schemas within.
pub fn document() -> Value {
    let mut parts = Map::new();
    parts.insert("FeedEvent".to_owned(), envelope());
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for kind in Kind::all() {
        let name = kind.name();
        let mut of_channel = Map::new();
        for version in 1..=kind.version() {
            let message = format!("{name}.v{version}");
            let data = schemas::find(&format!("{message}.json")).unwrap_or_default();
            take_in(&message, data, &mut parts);
            messages.insert(message.clone(), told(name, &message));
            of_channel.insert(message.clone(), json!({ "$ref": format!("#/components/messages/{message}") }));
        }
        let channel = json!({
            "address": format!("feed.{{plan}}.{name}"),
            "title": format!("Events of the kind {name}"),
            "parameters": { "plan": { "$ref": "#/components/parameters/plan" } },
            "messages": of_channel,
        });
        channels.insert(name.to_owned(), channel);
        let channel = json!({ "$ref": format!("#/channels/{name}") });
        operations.insert(format!("publish_{name}"), json!({ "action": "send", "channel": channel }));
    }
    let components = json!({ "messages": messages, "schemas": parts, "parameters": { "plan": {
        "description": "The plan or county agency whose record it is, as in la-care. A subscriber reads its own alone.",
    } } });
    json!({
        "asyncapi": ASYNCAPI,
        "info": info(),
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": components,
    })
}

fn info() -> Value {
    json!({
        "title": "Rollbook's feed",
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": "Apache-2.0" },
        "description": format!(
            "Every event of the enrollment ledger once, on the JetStream stream ENROLLMENT_FEED, in the order of the log. Read it \
             through a durable pull consumer filtered to feed.PLAN.>, or over HTTP at /v1/feed. Each message carries its position \
             in the log and its running number in the feed of its plan; the header {HEADER} is the receipt after it: SHA-256 over \
             the receipt before (32 zero bytes at first) and the SHA-256 of the body, in hex. A subscriber that computes the same \
             has missed nothing. Later programs may add attributes, kinds and values of open lists: pass by what you do not know."
        ),
    })
}

/// A message of a kind and version.
fn told(kind: &str, message: &str) -> Value {
    let receipt = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$", "description": "The receipt of the plan's feed after this message." });
    json!({
        "name": message,
        "title": kind,
        "contentType": "application/cloudevents+json",
        "headers": { "type": "object", "required": [HEADER], "properties": { HEADER: receipt } },
        "payload": { "allOf": [
            { "$ref": "#/components/schemas/FeedEvent" },
            { "type": "object", "properties": {
                "type": { "const": format!("rollbook.{message}") },
                "dataschema": { "const": format!("{SCHEMA_BASE}{message}.json") },
                "data": { "$ref": format!("#/components/schemas/{message}") },
            } },
        ] },
    })
}

/// The attributes of every message.
fn envelope() -> Value {
    let text = |what: &str| json!({ "type": "string", "description": what });
    let id = |what: &str| json!({ "type": "string", "format": "uuid", "description": what });
    let number = |what: &str| json!({ "type": "integer", "minimum": 1, "description": what });
    let codes = |all: Vec<&str>, what: &str| json!({ "type": "string", "enum": all, "description": what });
    let counties = County::ALL.iter().map(|county| county.as_str()).collect();
    let sensitivities = Sensitivity::ALL.iter().map(|sensitivity| sensitivity.as_str()).collect();
    json!({
        "type": "object",
        "description": "A CloudEvents 1.0 event in structured JSON, as it is recorded, without the hash of the member's event before.",
        "required": ["specversion", "id", "source", "type", "subject", "time", "recordedtime", "plan", "county", "sensitivity",
            "logposition", "feednumber"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": id("The event's id; the same id is the same event."),
            "source": { "const": "/rollbook" },
            "type": text("rollbook.KIND.vVERSION"),
            "subject": text("The member's pseudonym, or `rulebook`."),
            "time": { "type": "string", "format": "date-time", "description": "When it was true; of a civil day its first instant in California." },
            "occurredday": { "type": "string", "format": "date", "description": "The civil day, where a day is all that was said." },
            "recordedtime": { "type": "string", "format": "date-time", "description": "When the ledger took it." },
            "datacontenttype": { "const": "application/json" },
            "dataschema": text("Where the ledger serves the schema of `data`."),
            "plan": text("Whose record it is."),
            "county": codes(counties, "Where."),
            "actororg": text("The organization that said so."),
            "actorid": text("Who in it."),
            "actorrole": text("In which role."),
            "sourcesystem": text("The system or kind of file it was read from."),
            "sourcefile": text("SHA-256 of the file."),
            "sourcerow": { "type": "integer", "minimum": 1, "description": "The row in it, the header being row 1." },
            "sourceexternalid": text("The id it has there."),
            "causationid": id("The event this one follows from."),
            "correlationid": id("What groups the events of one submission."),
            "replaces": id("The voided event that this one is the corrected version of."),
            "sensitivity": codes(sensitivities, "What hides its detail."),
            "data": { "type": "object", "description": "What happened; absent where `redacted` is true." },
            "redacted": { "const": true, "description": "The event is sensitive: `data`, `actor…` and `source…` attributes are left out. Those with the right ask for it at /v1/events, by its position." },
            "logposition": number("Where the event stands in the log."),
            "feednumber": number("The running number in the feed of its plan: 1, 2, 3, ….")
        },
    })
}

/// Puts a schema among the others, and what it defines for itself beside it.
fn take_in(name: &str, mut schema: Value, parts: &mut Map<String, Value>) {
    let Some(map) = schema.as_object_mut() else { return };
    map.remove("$id");
    map.remove("$schema");
    let own = match map.remove("$defs") {
        Some(Value::Object(own)) => own,
        Some(_) | None => Map::new(),
    };
    // What several kinds define alike stands once; what they define differently stands under the kind's own name.
    let place = |part: &str, parts: &Map<String, Value>| {
        let differs = own.get(part).is_some_and(|wanted| {
            parts.get(part).is_some_and(|there| *there != at(wanted.clone(), &|part| part.to_owned()))
        });
        if differs { format!("{name}.{part}") } else { part.to_owned() }
    };
    let places: Map<String, Value> = own.keys().map(|part| (part.clone(), place(part, parts).into())).collect();
    let moved = |part: &str| places.get(part).and_then(Value::as_str).unwrap_or(part).to_owned();
    for (part, value) in &own {
        parts.insert(moved(part), at(value.clone(), &moved));
    }
    parts.insert(name.to_owned(), at(schema, &moved));
}

/// The same schema with its references to definitions of its own led to where those are now.
fn at(value: Value, moved: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| match value.as_str().and_then(|to| to.strip_prefix("#/$defs/")) {
                    Some(part) if key == "$ref" => (key, format!("#/components/schemas/{}", moved(part)).into()),
                    Some(_) | None => (key, at(value, moved)),
                })
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.into_iter().map(|value| at(value, moved)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document as it is committed: pretty, so that a change is read as a diff.
    #[test]
    fn the_committed_document_is_the_generated_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/asyncapi.json");
        let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if option_env!("ROLLBOOK_UPDATE").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == text,
            "asyncapi.json is not the generated document; run with ROLLBOOK_UPDATE=1 and read the diff"
        );
    }

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| match value.as_str() {
                Some(to) if key == "$ref" => found.push(to.to_owned()),
                Some(_) | None => references(value, found),
            }),
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_kind_has_a_channel_and_every_reference_leads_somewhere() {
        let document = document();
        assert_eq!(document["channels"].as_object().unwrap().len(), Kind::all().count());
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100);
        for to in found {
            let pointer = to.strip_prefix('#').unwrap_or_else(|| panic!("{to} leads out of the document"));
            assert!(document.pointer(pointer).is_some(), "{to} leads nowhere");
        }
    }
}
