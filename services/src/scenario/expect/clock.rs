//! `expect.clock`: the clocks of authorizations, notices, appeals and reassessments.

use rollbook_events::pacific_day;
use serde_json::Value;

use super::key::{day, instant};
use super::{By, Key, Kind, Row, Source, Spec, USUAL, Wanted};
use crate::scenario::ids::Ids;

/// The table.
pub const SPEC: Spec = Spec {
    name: "clock",
    source: Source::View { view: "clock", path: &["clocks"], query: &[] },
    keys: &[
        Key::same("clock", Kind::Text),
        Key::new("of", Kind::Text, By::Fits(of)),
        Key::new("due", Kind::When, By::Fits(due)),
        Key::new("governing", Kind::Text, By::Fits(governing)),
        Key::same("late_by_days", Kind::Number),
        Key::new("earliest", Kind::Day, By::Column("earliest_on")),
    ],
    about: &["clock"],
    ..USUAL
};

/// A short id does not say whether it is an authorization's or a notice's.
fn of(wanted: &Wanted, row: &Row, ids: &Ids) -> bool {
    let of = row.get("of").and_then(Value::as_str);
    wanted.texts().iter().any(|short| ids.meanings(short).iter().any(|id| Some(id.as_str()) == of))
}

/// Instants are compared as instants whatever their zone; a day with the Pacific day.
fn due(wanted: &Wanted, row: &Row, _: &Ids) -> bool {
    let at = row.get("due_at").and_then(instant);
    match wanted {
        Wanted::Day(due) => day(row.get("due_on")).or_else(|| at.map(|at| pacific_day(&at))) == Some(*due),
        Wanted::At(due) => at == Some(*due),
        Wanted::Text(_) | Wanted::Texts(_) | Wanted::Open | Wanted::After(_) | Wanted::Number(_) | Wanted::Yes(_) => {
            false
        }
    }
}

fn governing(wanted: &Wanted, row: &Row, _: &Ids) -> bool {
    wanted.is(row.get("rule")) && row.get("governing") == Some(&Value::Bool(true))
}
