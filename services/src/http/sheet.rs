//! Rows as CSV, safe to open in a spreadsheet program.

use serde_json::{Map, Value};

/// The rows as CSV lines under the given columns.
pub fn csv(columns: &[&str], rows: &[Map<String, Value>], header: bool) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if header {
        writer.write_record(columns)?;
    }
    for row in rows {
        writer.write_record(columns.iter().map(|column| row.get(*column).map(cell).unwrap_or_default()))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// The rows as NDJSON.
pub fn ndjson(rows: &[Map<String, Value>]) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut lines, row)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => guarded(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// A text that a spreadsheet program would take for a formula gets an apostrophe before it (OWASP, CSV injection).
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_cell_begins_a_formula() {
        let rows: Vec<Map<String, Value>> = ["=1+1", "+1", "-1", "@a", "\ta", "a=1"]
            .iter()
            .map(|text| json!({ "a": text, "n": -1, "e": { "x": [1] }, "z": null }).as_object().unwrap().clone())
            .collect();
        let text = String::from_utf8(csv(&["a", "n", "e", "z", "none"], &rows, true).unwrap()).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("a,n,e,z,none"));
        assert_eq!(lines.next(), Some(r#"'=1+1,-1,"{""x"":[1]}",,"#));
        assert!(
            text.contains("\n'+1,") && text.contains("\n'-1,") && text.contains("\n'@a,") && text.contains("\na=1,")
        );
    }

    #[test]
    fn a_line_is_a_row() {
        let rows = [json!({ "a": "b\nc" }).as_object().unwrap().clone(), Map::new()];
        assert_eq!(ndjson(&rows).unwrap(), b"{\"a\":\"b\\nc\"}\n{}\n");
    }
}
