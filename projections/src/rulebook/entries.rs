//! What an adopted text says under one rule of the catalogue, as it is written: for people, who read it in the text's words.

use toml::{Table, Value};

use super::Rulebook;
use crate::catalogue::{HeldAs, Rule};

/// A value or an entry of a rulebook's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The plan's file it stands in; none for the edition itself.
    pub file: Option<String>,
    /// Its key, as in `outreach.closing.attempts`.
    pub key: String,
    /// What it says, as TOML in one line.
    pub says: String,
}

impl Rulebook {
    /// Everything the edition and the files laid over it say under a rule.
    pub fn entries(&self, rule: &Rule) -> Vec<Entry> {
        let mut found = Vec::new();
        let texts = std::iter::once((None, self.text()));
        let laid = self.overlays().iter().map(|overlay| (Some(&overlay.file), overlay.text.as_str()));
        for (file, text) in texts.chain(laid) {
            // Every text was read before; what is left to find is only where it names the rule.
            let Ok(table) = toml::from_str::<Table>(text) else { continue };
            let mut add = |key: &str, value: &Value| {
                let entry = Entry { file: file.cloned(), key: key.to_owned(), says: one_line(value) };
                if !found.contains(&entry) {
                    found.push(entry);
                }
            };
            if rule.held_as == HeldAs::Parameter
                && let Some(value) = at(&table, &rule.held_at)
            {
                add(&rule.held_at, value);
            }
            naming(&table, "", &rule.id, &mut add);
        }
        found
    }
}

/// The value of a dotted key; lists of entries are told by the rule they name, never whole.
fn at<'t>(table: &'t Table, key: &str) -> Option<&'t Value> {
    let mut steps = key.split('.');
    let first = table.get(steps.next()?)?;
    let value = steps.try_fold(first, |value, step| value.get(step))?;
    (!matches!(value, Value::Array(entries) if entries.iter().any(Value::is_table))).then_some(value)
}

/// Every table that says which rule it is of.
fn naming(table: &Table, under: &str, rule: &str, add: &mut impl FnMut(&str, &Value)) {
    for (name, value) in table {
        if under.is_empty() && name == "overlay" {
            continue;
        }
        let key = if under.is_empty() { name.clone() } else { format!("{under}.{name}") };
        match value {
            Value::Table(inner) if names(inner, rule) => add(&key, value),
            Value::Table(inner) => naming(inner, &key, rule, add),
            Value::Array(entries) => {
                for entry in entries {
                    if let Value::Table(inner) = entry
                        && names(inner, rule)
                    {
                        add(&key, entry);
                    }
                }
            }
            Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
        }
    }
}

fn names(table: &Table, rule: &str) -> bool {
    ["rule", "id"].into_iter().any(|key| table.get(key).and_then(Value::as_str) == Some(rule))
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Table(table) => {
            let shown = table.iter().filter(|(key, _)| !matches!(key.as_str(), "rule" | "id"));
            shown.map(|(key, value)| format!("{key} = {}", one_line(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Array(entries) => format!("[{}]", entries.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
            value.to_string()
        }
    }
}
