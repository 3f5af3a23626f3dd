//! What would differ under another rulebook, for one member, without touching anything: the what-if of a plan's file.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::dossier::Dossier;
use crate::rulebook::Rulebook;
use crate::rules::facts::Facts;
use crate::rules::notices::{self, Determined};
use crate::view::{Row, View};
use crate::views::duplication_conflict::DuplicationConflict;
use crate::views::finding::Findings;

/// What reads differently under two rulebooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `notice_determination`, `duplication_conflict` or `finding`.
    pub view: &'static str,
    /// What makes it this one and no other of its view.
    pub key: String,
    /// As it is under the rulebook in force; none where it is not there.
    pub before: Option<Map<String, Value>>,
    /// As it would be; none where it would not be there.
    pub after: Option<Map<String, Value>>,
    /// Why, in words.
    pub reason: String,
}

/// A side by side of the rows of one view: by key, each as its columns.
type Told = BTreeMap<String, Map<String, Value>>;

/// Everything that differs for a member. `now` decides only whether a request's clock has run out.
pub fn differences(dossier: &Dossier, former: &Rulebook, other: &Rulebook, now: DateTime<Utc>) -> Vec<Difference> {
    let (was, would) = (Facts::of(dossier, former), Facts::of(dossier, other));
    let mut found = Vec::new();
    compare("notice_determination", determined(&was, now), determined(&would, now), &mut found);
    for view in [&DuplicationConflict as &dyn View, &Findings] {
        compare(view.table().name, rows(view, &was), rows(view, &would), &mut found);
    }
    found
}

fn determined(facts: &Facts<'_>, now: DateTime<Utc>) -> Told {
    notices::decided(facts, now).iter().map(|of| (of.obligation.to_string(), shown(of))).collect()
}

fn shown(of: &Determined<'_>) -> Map<String, Value> {
    let limbs: Vec<Value> = of.answer.limbs.iter().map(|limb| Value::from(*limb)).collect();
    let told = [
        ("program", Value::from(of.program.as_str())),
        ("plan", of.trigger.plan.as_str().into()),
        ("outcome", of.answer.outcome.as_str().into()),
        ("notice", of.answer.notice.map(|notice| notice.as_str()).into()),
        ("limbs", limbs.into()),
        ("rule", of.answer.rule.into()),
        ("trigger", of.trigger.id.to_string().into()),
    ];
    told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn rows(view: &dyn View, facts: &Facts<'_>) -> Told {
    let told = |row: Row| {
        let columns = view.table().columns.iter().zip(&row.cells);
        (row.key, columns.map(|(column, cell)| (column.name.to_owned(), cell.json())).collect())
    };
    view.rows(facts).into_iter().map(told).collect()
}

fn compare(view: &'static str, mut was: Told, would: Told, found: &mut Vec<Difference>) {
    for (key, after) in would {
        let before = was.remove(&key);
        if before.as_ref() != Some(&after) {
            found.push(Difference {
                view,
                key,
                reason: reason(before.as_ref(), Some(&after)),
                before,
                after: Some(after),
            });
        }
    }
    for (key, before) in was {
        found.push(Difference { view, key, reason: reason(Some(&before), None), before: Some(before), after: None });
    }
}

/// The rule, where it is written, and what reads differently.
fn reason(before: Option<&Map<String, Value>>, after: Option<&Map<String, Value>>) -> String {
    let side = after.or(before);
    let rule = side.and_then(|row| row.get("rule")).and_then(Value::as_str).unwrap_or_default();
    let cite = crate::catalogue::cite(rule).map(|cite| format!(" ({cite})")).unwrap_or_default();
    let what = match (before, after) {
        (Some(before), Some(after)) => {
            let differs = |(name, value): &(&String, &Value)| before.get(name.as_str()) != Some(*value);
            let told = |(name, value): (&String, &Value)| {
                format!(
                    "{name} {} instead of {}",
                    word(value),
                    before.get(name.as_str()).map_or_else(String::new, word)
                )
            };
            after.iter().filter(differs).map(told).collect::<Vec<_>>().join(", ")
        }
        (None, _) => "it would be there".to_owned(),
        (Some(_), None) => "it would not be there".to_owned(),
    };
    format!("{rule}{cite}: {what}")
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
