//! What of a row is not told, though the row is: the ids of other organizations' events, and where a sensitive event came from.

use std::collections::BTreeSet;

use rollbook_projections::store::read::{Known, SeenEvents};
use rollbook_projections::{Cell, Table};
use serde_json::Value;
use uuid::Uuid;

use super::edge::Edge;
use super::problem::Problem;
use crate::policy::{Fields, Scope};

/// Columns that name an event, or several with commas. Both sides of an overlap the store has cut already.
const NAMES_EVENTS: &[&str] = &[
    "because",
    "resolution_event",
    "trigger",
    "determination",
    "supersedes",
    "superseded_by",
    "opened_by",
    "closed_by",
    "enrolled_event",
    "request_event",
    "decision_event",
    "reassessed_event",
    "replaces",
    "voided_by",
];
/// What of a sensitive event tells its source.
const OF_THE_SOURCE: &[&str] = &[
    "occurred_at",
    "actor_org",
    "actor_id",
    "actor_role",
    "source_system",
    "source_file",
    "source_row",
    "replaces",
    "hash",
    "event",
];
/// Where a stored event names others: `/` parts the keys.
const WHERE_NAMED: &[&str] =
    &["causationid", "replaces", "data/trigger", "data/supersedes", "data/because", "data/event", "data/determination"];

/// Leaves out of rows what the scope does not show. Whether anything was there, or how much, is not told either.
///
/// # Errors
/// Where the views cannot be read.
pub async fn withhold(edge: &Edge, scope: &Scope, table: &Table, rows: &mut [Known]) -> Result<(), Problem> {
    if !scope.sight().is_everything() {
        let named: BTreeSet<Uuid> = rows.iter().flat_map(|known| named(table, known)).collect();
        let seen =
            if named.is_empty() { SeenEvents::new() } else { edge.db.seen_events(scope.sight(), &named).await? };
        rows.iter_mut().for_each(|known| forget(table, known, &seen));
    }
    if table.name == "event_history" {
        rows.iter_mut().for_each(|known| hide_source(table, known, scope.fields()));
    }
    Ok(())
}

/// Whether the source of the event of a row of `event_history` is withheld.
pub fn is_withheld(table: &Table, known: &Known, fields: &Fields) -> bool {
    match cell(table, known, "sensitivity") {
        Some(Cell::Text(of)) => !fields.shows_written(of),
        Some(_) | None => true,
    }
}

fn cell<'a>(table: &Table, known: &'a Known, name: &str) -> Option<&'a Cell> {
    let index = table.columns.iter().position(|column| column.name == name)?;
    known.row.cells.get(index)
}

fn hide_source(table: &Table, known: &mut Known, fields: &Fields) {
    if is_withheld(table, known, fields) {
        for (column, cell) in table.columns.iter().zip(&mut known.row.cells) {
            if OF_THE_SOURCE.contains(&column.name) {
                *cell = Cell::Null;
            }
        }
    }
}

/// Every event that a row names.
fn named(table: &Table, known: &Known) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for (column, cell) in table.columns.iter().zip(&known.row.cells) {
        match (column.name, cell) {
            ("event", Cell::Text(stored)) => ids.extend(named_within(stored)),
            ("evidence_a" | "evidence_b", Cell::Uuid(id)) => ids.push(*id),
            (name, Cell::Uuid(id)) if NAMES_EVENTS.contains(&name) => ids.push(*id),
            (name, Cell::Text(list)) if NAMES_EVENTS.contains(&name) => {
                ids.extend(list.split(',').filter_map(|id| id.parse::<Uuid>().ok()));
            }
            (_, _) => {}
        }
    }
    ids
}

fn named_within(stored: &str) -> Vec<Uuid> {
    let Ok(event) = serde_json::from_str::<Value>(stored) else { return Vec::new() };
    let id = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    let at = |place: &&str| event.pointer(&format!("/{place}")).cloned();
    let values = WHERE_NAMED.iter().filter_map(at).flat_map(|value| match value {
        Value::Array(several) => several,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => vec![value],
    });
    values.filter_map(|value| id(&value)).collect()
}

/// Leaves out the events that are not seen.
fn forget(table: &Table, known: &mut Known, seen: &SeenEvents) {
    let mut forgotten = false;
    for (column, cell) in table.columns.iter().zip(&mut known.row.cells) {
        match (column.name, &*cell) {
            ("event", Cell::Text(stored)) => *cell = forget_within(stored, seen),
            (name, Cell::Uuid(id)) if NAMES_EVENTS.contains(&name) && !seen.contains_key(id) => *cell = Cell::Null,
            (name, Cell::Text(list)) if NAMES_EVENTS.contains(&name) => {
                let is_seen = |id: &&str| id.parse().is_ok_and(|id: Uuid| seen.contains_key(&id));
                let kept: Vec<&str> = list.split(',').filter(is_seen).collect();
                forgotten |= kept.len() < list.split(',').count();
                *cell = (!kept.is_empty()).then(|| kept.join(",")).into();
            }
            (_, _) => {}
        }
    }
    // What a finding is about is made of what it rests on.
    if forgotten && table.name == "finding" {
        for (column, cell) in table.columns.iter().zip(&mut known.row.cells) {
            if column.name == "about" {
                *cell = Cell::Null;
            }
        }
    }
    // An overlap stands under one of a person's pseudonyms: the reader is told the one that their own event is about.
    for evidence in ["evidence_a", "evidence_b"] {
        if let Some(Cell::Uuid(id)) = cell(table, known, evidence)
            && known.known_from.0 == 0
            && let Some(member) = seen.get(id)
        {
            known.row.member = *member;
        }
    }
}

/// A stored event without the events that are not seen, and without the hash of the one before it.
fn forget_within(stored: &str, seen: &SeenEvents) -> Cell {
    let Ok(mut event) = serde_json::from_str::<Value>(stored) else { return Cell::Null };
    let is_seen = |value: &Value| {
        let id = value.as_str().and_then(|text| text.parse::<Uuid>().ok());
        id.is_some_and(|id| seen.contains_key(&id))
    };
    for place in WHERE_NAMED {
        let Some(value) = event.pointer_mut(&format!("/{place}")) else { continue };
        match value {
            Value::Array(several) => several.retain(is_seen),
            Value::String(_) if !is_seen(value) => *value = Value::Null,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {}
        }
    }
    if let Some(attributes) = event.as_object_mut() {
        attributes.remove("previoushash");
    }
    Cell::Text(event.to_string())
}

#[cfg(test)]
mod tests {
    use rollbook_projections::view::ColumnType;
    use rollbook_projections::views;

    use super::*;

    /// Ids of things, not of events. An event's id in a new column is looked for among `NAMES_EVENTS`.
    const NAMES_THINGS: &[&str] =
        &["id", "enrollment", "authorization_id", "referral", "issued_notice", "appeal", "evidence_a", "evidence_b"];

    #[test]
    fn every_id_of_every_view_is_known_to_name_an_event_or_a_thing() {
        for view in views::ALL {
            for column in view.table().columns.iter().filter(|column| column.kind == ColumnType::Uuid) {
                let places = [NAMES_EVENTS.contains(&column.name), NAMES_THINGS.contains(&column.name)];
                assert_eq!(places.iter().filter(|place| **place).count(), 1, "{}", column.name);
            }
        }
    }

    #[test]
    fn an_event_forgets_the_others_and_what_came_before_it() {
        let (mine, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let seen = SeenEvents::from([(mine, None)]);
        let stored = serde_json::json!({
            "id": "x", "previoushash": "ab", "causationid": other, "replaces": mine,
            "data": { "trigger": mine, "because": [other, mine, other], "program": "ecm" },
        });
        assert_eq!(named_within(&stored.to_string()), [other, mine, mine, other, mine, other]);
        let Cell::Text(told) = forget_within(&stored.to_string(), &seen) else { panic!("it is an event") };
        let told: Value = serde_json::from_str(&told).unwrap();
        let expected = serde_json::json!({
            "id": "x", "causationid": null, "replaces": mine,
            "data": { "trigger": mine, "because": [mine], "program": "ecm" },
        });
        assert_eq!(told, expected);
    }
}
