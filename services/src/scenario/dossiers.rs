//! What is worked out from whole dossiers and stands in no view: reports and files for plans. Both ways of running give
//! the events themselves, so that both are worked out here, by the same functions that write the files.

use std::collections::BTreeMap;
use std::sync::Arc;

use rollbook_events::codes::Month;
use rollbook_events::{Hash, PlanCode, Position, decode};
use rollbook_projections::exports::outreach_tracker;
use rollbook_projections::reports::{self, Quarter, Report};
use rollbook_projections::rules::facts::Facts;
use rollbook_projections::{Dossier, Recorded, Rulebook};
use serde_json::Value;

use super::expect::{Expectation, Row, counted_rows};

/// The dossiers that rows of `event_history` hold, member by member.
fn dossiers(history: &[Row]) -> BTreeMap<String, Dossier> {
    let mut dossiers: BTreeMap<String, Dossier> = BTreeMap::new();
    let mut rows: Vec<(u64, &Row)> =
        history.iter().filter_map(|row| Some((row.get("position")?.as_u64()?, row))).collect();
    rows.sort_by_key(|(position, _)| *position);
    for (position, row) in rows {
        let (Some(member), Some(event)) = (row.get("member").and_then(Value::as_str), row.get("event")) else {
            continue;
        };
        let body = event.to_string();
        let Ok(envelope) = decode(body.as_bytes()) else { continue };
        dossiers.entry(member.to_owned()).or_default().apply(Recorded {
            position: Position(position),
            hash: Hash::of(body.as_bytes()),
            envelope: Arc::new(envelope),
            body: body.into(),
        });
    }
    dossiers
}

/// A report: what every member adds to it, as one row; or the facts it counts, a row each.
///
/// # Errors
/// Where there is no such report or period.
pub fn report(expectation: &Expectation, history: Vec<Row>, rulebook: &Rulebook) -> Result<Vec<Row>, String> {
    let word = |key| expectation.word(key).unwrap_or_default();
    let (Ok(report), Ok(quarter)) = (word("report").parse::<Report>(), word("period").parse::<Quarter>()) else {
        return counted_rows(expectation, history);
    };
    let plan = plan(expectation.word("plan"))?;
    let add = |dossier: &Dossier| reports::count(report, quarter, plan.as_ref(), &Facts::of(dossier, rulebook));
    let count: u64 = dossiers(&history).values().map(add).sum();
    // As many rows as it counts, which is what `count` looks at.
    let row = |number: u64| {
        let mut row: Row = expectation.word("plan").map(|plan| ("plan".to_owned(), plan.into())).into_iter().collect();
        row.extend([("report".to_owned(), word("report").into()), ("number".to_owned(), number.into())]);
        row
    };
    Ok((1..=count).map(row).collect())
}

/// A file for a plan: how many rows it has, and what they say.
///
/// # Errors
/// Where there is no such file.
pub fn export(
    expectation: &Expectation,
    plan_of_case: Option<&str>,
    history: &[Row],
    rulebook: &Rulebook,
) -> Result<Vec<Row>, String> {
    let profile = expectation.word("profile").unwrap_or_default();
    if !matches!(profile, "outreach-tracker" | "outreach_tracker" | "otf") {
        return Err(format!("this build has no export `{profile}`"));
    }
    let month: Month = expectation
        .word("month")
        .unwrap_or_default()
        .parse()
        .map_err(|_| "an export needs a `month`, as in 2022-03")?;
    let Some(plan) = plan(expectation.word("plan").or(plan_of_case))? else {
        return Err("an export needs a `plan`".to_owned());
    };
    let mut content: Vec<Value> = Vec::new();
    for dossier in dossiers(history).values() {
        let facts = Facts::of(dossier, rulebook);
        content
            .extend(outreach_tracker::rows(&facts, &plan, month).iter().map(|row| Value::from(row.cells().to_vec())));
    }
    let rows = content.len();
    let file = [("profile", profile.into()), ("rows", rows.into()), ("content", Value::Array(content))];
    Ok(vec![file.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()])
}

fn plan(word: Option<&str>) -> Result<Option<PlanCode>, String> {
    word.map(str::parse).transpose().map_err(|_| "`plan` is no plan's code".to_owned())
}
