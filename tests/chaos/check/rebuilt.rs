//! I7: the views are what the log says, to the byte, on either database.

use crate::chaos::evidence::Evidence;

/// Each view against the one that was made anew.
pub fn check(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    if evidence.views.is_empty() {
        wrong.push("no view was dumped".to_owned());
    }
    for (name, view) in &evidence.views {
        let Some(rebuilt) = evidence.rebuilt.get(name) else {
            wrong.push(format!("{name} was not made anew"));
            continue;
        };
        if view == rebuilt {
            continue;
        }
        let (rows, again) = (view.lines().count(), rebuilt.lines().count());
        let differs = view.lines().zip(rebuilt.lines()).find(|(a, b)| a != b);
        let key = |line: &str| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            format!("{} known from {}", value["row_key"], value["known_from"])
        };
        let first = differs.map(|(a, b)| format!("; first {} against {}", key(a), key(b))).unwrap_or_default();
        wrong.push(format!("{name} has {rows} rows and made anew {again}{first}"));
    }
    wrong
}
