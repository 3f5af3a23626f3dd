//! Rows as a table: fitted to the terminal for a person, plain and uncut elsewhere.

use std::collections::HashSet;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table};
use serde_json::{Map, Value};

/// A row of an answer.
pub type Row = Map<String, Value>;

/// Columns no table shows, because a cell would fill the screen.
const NEVER: [&str; 1] = ["event"];

/// The rows as a table of these columns; of all they have where none of these is among them.
pub fn render(rows: &[Row], columns: &[&str], terminal: bool) -> String {
    let columns = present(rows, columns);
    let mut table = Table::new();
    table.load_style(NOTHING);
    if terminal {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.style_mut().header_separator = LineStyle::none().fill('─').junction('─');
    } else {
        table.force_no_tty();
    }
    table.set_header(columns.clone());
    for row in rows {
        table.add_row(columns.iter().map(|column| cell(row.get(*column))));
    }
    for (index, column) in columns.iter().enumerate() {
        if numeric(rows, column)
            && let Some(column) = table.column_mut(index)
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// Of these columns those that some row has; without any, all there are, in the order they come.
fn present<'a>(rows: &'a [Row], columns: &[&'a str]) -> Vec<&'a str> {
    let has = |column: &&str| rows.iter().any(|row| row.contains_key(*column));
    let chosen: Vec<&str> = columns.iter().copied().filter(has).collect();
    if !chosen.is_empty() {
        return chosen;
    }
    let mut seen: HashSet<&str> = HashSet::from(NEVER);
    rows.iter().flat_map(|row| row.keys()).map(String::as_str).filter(|column| seen.insert(column)).collect()
}

fn numeric(rows: &[Row], column: &str) -> bool {
    let mut values = rows.iter().filter_map(|row| row.get(column)).filter(|value| !value.is_null()).peekable();
    values.peek().is_some() && values.all(Value::is_number)
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => clean(text),
        Some(other) => clean(&other.to_string()),
    }
}

/// A text of a file must not give orders to a terminal.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(value: Value) -> Vec<Row> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_plain_table_has_the_chosen_columns_and_numbers_to_the_right() {
        let rows = rows(json!([
            { "plan": "la-care", "members": 5, "event": {}, "reason": null, "until_on": null },
            { "plan": "net", "members": 1200, "event": {}, "reason": null, "until_on": "2024-07-01" },
        ]));
        let expected =
            " plan     members  reason  until_on\n la-care        5  -       -\n net         1200  -       2024-07-01";
        assert_eq!(render(&rows, &["plan", "members", "absent", "reason", "until_on"], false), expected);
    }

    #[test]
    fn without_a_choice_every_column_but_the_stored_event_is_shown() {
        let rows = rows(json!([{ "b": "1", "event": {} }, { "b": "2", "a": true }]));
        assert_eq!(render(&rows, &[], false), " b  a\n 1  -\n 2  true");
    }

    #[test]
    fn a_cell_gives_no_orders_to_a_terminal() {
        assert_eq!(cell(Some(&json!("\u{1b}[2Jgone\n"))), "\u{fffd}[2Jgone\u{fffd}");
    }
}
