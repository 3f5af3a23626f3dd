//! What others build on changes by addition alone: the contracts of today are compared with those that were released.

mod compare;

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use compare::broken;

/// What to do about a change that breaks somebody.
const ADVICE: &str = "\
somebody builds on what was released. A changed event is a new version of its kind, with a step from the old one (events/README.md); \
a changed answer is a new field beside the old one, or a new path; a new parameter or field of a request is optional. A release \
that breaks on purpose says so in its notes, raises the version, and writes anew what is compared with: \
ROLLBOOK_RELEASED=1 cargo nextest run -p rollbook-tests contracts";

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/released"))
}

/// The contracts of this program, by the file each is kept in when it is released.
fn contracts() -> Vec<(&'static str, Value)> {
    let mut schemas: Map<String, Value> = rollbook_events::schemas::all().into_iter().collect();
    schemas.insert("submission.json".to_owned(), rollbook_events::submission::schema().to_value());
    vec![
        ("openapi.json", serde_json::to_value(rollbook::http::openapi()).unwrap()),
        ("asyncapi.json", rollbook::feed::asyncapi::document()),
        ("schemas.json", Value::Object(schemas)),
    ]
}

/// Whether somebody releases what is, and wants it to be compared with from now on.
#[expect(clippy::disallowed_methods, reason = "a test is told by the environment what to write")]
fn is_released() -> bool {
    std::env::var_os("ROLLBOOK_RELEASED").is_some()
}

#[test]
fn contracts_are_those_that_were_released_and_more() {
    let mut found = Vec::new();
    for (name, now) in contracts() {
        let path = folder().join(name);
        if is_released() {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, serde_json::to_string_pretty(&now).unwrap() + "\n").unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let released: Value = serde_json::from_str(&text).unwrap();
        let all = if name == "schemas.json" { each(&released, &now) } else { broken(&released, &now) };
        found.extend(all.into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(found.is_empty(), "{}\n\n{ADVICE}", found.join("\n"));
}

/// Schemas by their names, each of which is a document of its own.
fn each(released: &Value, now: &Value) -> Vec<String> {
    let of_one = |(name, old): (&String, &Value)| match now.get(name) {
        Some(new) => broken(old, new).into_iter().map(|what| format!("{name}: {what}")).collect(),
        None => vec![format!("{name} is gone")],
    };
    released.as_object().unwrap().iter().flat_map(of_one).collect()
}

/// A schema within a document, as a request's body, an answer, and a schema by itself.
fn changed(change: impl Fn(&mut Value)) -> [Vec<String>; 3] {
    let schema = json!({ "type": "object", "required": ["id"], "properties": {
        "id": { "type": "string" }, "code": { "enum": ["a", "b"] }, "more": { "$ref": "#/$defs/More" },
        "one": { "oneOf": [{ "const": "x" }, { "const": "y" }] },
    }, "$defs": { "More": { "type": "object", "properties": { "n": { "type": ["integer", "null"] } } } } });
    let mut other = schema.clone();
    change(&mut other);
    let body = |schema: &Value| json!({ "content": { "application/json": { "schema": schema } } });
    let request =
        |schema: &Value| json!({ "paths": { "/a": { "post": { "requestBody": body(schema), "responses": {} } } } });
    let answer = |schema: &Value| json!({ "paths": { "/a": { "get": { "responses": { "200": body(schema) } } } } });
    // References lead from the document's root.
    let rooted = |mut document: Value, schema: &Value| {
        document["$defs"] = schema["$defs"].clone();
        document
    };
    [
        broken(&rooted(request(&schema), &schema), &rooted(request(&other), &other)),
        broken(&rooted(answer(&schema), &schema), &rooted(answer(&other), &other)),
        each(&json!({ "enrolled.v1.json": schema }), &json!({ "enrolled.v1.json": other })),
    ]
}

#[test]
fn what_is_added_breaks_nobody_and_what_is_taken_away_does() {
    let broken_in = |change: &dyn Fn(&mut Value)| changed(change).map(|found| !found.is_empty());
    assert_eq!(broken_in(&|_| {}), [false; 3]);
    assert_eq!(broken_in(&|s| s["properties"]["new"] = json!({ "type": "string" })), [false; 3], "a new field");
    assert_eq!(broken_in(&|s| s["properties"]["code"]["enum"] = json!(["a", "b", "c"])), [false; 3], "a new value");
    let removed = |s: &mut Value| _ = s["properties"].as_object_mut().unwrap().remove("code");
    assert_eq!(broken_in(&removed), [true; 3], "a field is gone");
    assert_eq!(broken_in(&|s| s["properties"]["code"]["enum"] = json!(["a"])), [true; 3], "a value is gone");
    assert_eq!(
        broken_in(&|s| s["properties"]["one"]["oneOf"] = json!([{ "const": "x" }])),
        [true; 3],
        "a choice is gone"
    );
    assert_eq!(broken_in(&|s| s["properties"]["id"]["type"] = json!("integer")), [true; 3], "another type");
    assert_eq!(broken_in(&|s| s["properties"]["id"]["pattern"] = json!("^a$")), [true, true, true], "a new pattern");
    // An answer may promise more than before, and a request may ask for less.
    assert_eq!(broken_in(&|s| s["required"] = json!(["id", "code"])), [true, false, true], "more is required");
    assert_eq!(broken_in(&|s| s["required"] = json!([])), [false, true, true], "less is promised");
    assert_eq!(broken_in(&|s| s["$defs"]["More"]["properties"] = json!({})), [true, true, true], "deeper within");
}

#[test]
fn paths_parameters_answers_and_channels_stay() {
    let operation = json!({ "parameters": [{ "name": "plan", "in": "query", "schema": { "type": "string" } }], "responses": { "200": {}, "404": {} } });
    let document = json!({ "paths": { "/a": { "get": operation } }, "channels": { "enrolled": { "address": "feed.{plan}.enrolled" } } });
    let found = |change: &dyn Fn(&mut Value)| {
        let mut other = document.clone();
        change(&mut other);
        broken(&document, &other).len()
    };
    let get = |d: &mut Value, key: &str, to: Value| d["paths"]["/a"]["get"][key] = to;
    assert_eq!(found(&|d| _ = d["paths"].as_object_mut().unwrap().remove("/a")), 1);
    assert_eq!(found(&|d| get(d, "responses", json!({ "200": {} }))), 1);
    assert_eq!(found(&|d| get(d, "parameters", json!([]))), 1);
    let both = |required: bool| json!([{ "name": "plan", "in": "query", "schema": { "type": "string" } }, { "name": "new", "in": "query", "required": required }]);
    assert_eq!([found(&|d| get(d, "parameters", both(false))), found(&|d| get(d, "parameters", both(true)))], [0, 1]);
    assert_eq!(found(&|d| d["channels"] = json!({})), 1);
    assert_eq!(found(&|d| d["channels"]["enrolled"]["address"] = "feed.enrolled".into()), 1);
    assert_eq!(found(&|d| d["paths"]["/b"] = json!({ "get": {} })), 0);
}
