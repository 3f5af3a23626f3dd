//! The JSON Schemas that partners are given, made from the types.

use serde_json::{Value, json};

use crate::codec::SCHEMA_BASE;
use crate::event::Kind;

/// Every schema by file name (`enrolled.v1.json`), one for each kind and version.
pub fn all() -> Vec<(String, Value)> {
    Kind::all().flat_map(of_kind).collect()
}

/// The schema of this file name, where there is one.
pub fn find(name: &str) -> Option<Value> {
    let kind = Kind::parse(name.split('.').next()?)?;
    of_kind(kind).find_map(|(found, schema)| (found == name).then_some(schema))
}

fn of_kind(kind: Kind) -> impl Iterator<Item = (String, Value)> {
    kind.info().schemas.iter().zip(1..).map(move |(schema, version)| {
        let name = format!("{}.v{version}.json", kind.name());
        let mut schema = schema().to_value();
        if let Value::Object(map) = &mut schema {
            map.insert("$id".to_owned(), json!(format!("{SCHEMA_BASE}{name}")));
        }
        (name, schema)
    })
}
