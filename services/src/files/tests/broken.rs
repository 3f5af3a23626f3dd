use super::*;

const HEADER: &str = "CIN,Member Last Name,Member Assigned Date,MCP Name";
const GOOD: &str = "91234567A,Fakename,01/05/2025,Anthem";

/// The row numbers, and the reason of those that are none.
fn outcome(bytes: &[u8]) -> Vec<(u32, Option<String>)> {
    let mut reader = open(&on_disk(bytes).path, "may.csv", FileKind::MemberInformation).unwrap();
    let rows = std::iter::from_fn(|| reader.next_row());
    rows.map(|row| row.map_or_else(|bad| (bad.row, Some(bad.reason)), |row| (row.row, None))).collect()
}

fn assert_only_row_3_is_bad(bad: &[u8], says: &str) {
    let bytes = [format!("{HEADER}\n{GOOD}\n").as_bytes(), bad, format!("\n{GOOD}\n{GOOD}\n").as_bytes()].concat();
    let outcome = outcome(&bytes);
    assert_eq!(outcome.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 3, 4, 5], "{says}");
    for (row, reason) in outcome {
        assert_eq!(reason.is_some_and(|reason| reason.contains(says)), row == 3, "row {row}: {says}");
    }
}

#[test]
fn a_bad_row_costs_itself_alone() {
    assert_only_row_3_is_bad(b"91234567A,Fakename", "fewer cells");
    assert_only_row_3_is_bad(b"91234567A,Fakename,01/05/2025,Anthem,extra", "right of the last header");
    assert_only_row_3_is_bad(b"91234567A,F\xE9,01/05/2025,Anthem", "UTF-8");
    assert_only_row_3_is_bad(b"91234567A,F\0,01/05/2025,Anthem", "NUL");
    assert_only_row_3_is_bad(b"91234567A,\"Fake\"name,01/05/2025,Anthem", "not doubled");
    assert_only_row_3_is_bad(b"91234567A,\"Fakename,01/05/2025,Anthem", "not closed");
    assert_only_row_3_is_bad(format!("91234567A,{},01/05/2025,Anthem", "x".repeat(5000)).as_bytes(), "4 KiB");
    assert_only_row_3_is_bad(format!("91234567A,{},01/05/2025,Anthem", "x".repeat(70_000)).as_bytes(), "64 KiB");
    assert_only_row_3_is_bad("x,".repeat(250).as_bytes(), "200 columns");
}

#[test]
fn an_open_quote_does_not_swallow_a_quoted_row_after_it() {
    let text = format!("{HEADER}\n91234567A,\"Fakename,01/05/2025,Anthem\n91234567C,\"Nobody\",01/05/2025,Anthem\n");
    let outcome = outcome(text.as_bytes());
    assert_eq!(outcome.iter().map(|(row, bad)| (*row, bad.is_some())).collect::<Vec<_>>(), [(2, true), (3, false)]);
}

#[test]
fn quotes_within_an_unquoted_cell_stand_for_themselves() {
    let text = format!("{HEADER}\n91234567A,Testa \"Tess\" Fakename,01/05/2025,Anthem");
    assert_eq!(outcome(text.as_bytes()), [(2, None)]);
}

#[test]
fn a_file_of_submissions_is_read_line_by_line() {
    let line = r#"{"kind":"opted_out","cin":"91234567A","plan":"anthem","county":"orange","occurred_at":"2025-01-05","data":{"program":"ecm","by":"member"}}"#;
    let own = line.replace("\"plan\"", "\"source\":{\"system\":\"crm\",\"external_id\":\"7\"},\"plan\"");
    let bytes =
        [line.as_bytes(), b"\r\n\r\n", own.as_bytes(), b"\n{\n\xFF\n", line.replace("ecm", "x").as_bytes()].concat();
    let mut reader = open(&on_disk(&bytes).path, "may.ndjson", FileKind::Events).unwrap();
    let file = Hash::of(&bytes);
    let rows: Vec<_> = std::iter::from_fn(|| reader.next_row()).collect();
    let read: Vec<_> =
        rows.iter().filter_map(|row| row.as_ref().ok()).map(|row| crate::files::read_event_line(row, file)).collect();
    let source = |nth: usize| read[nth].as_ref().unwrap().source.clone().unwrap();
    assert_eq!((source(0).system.as_str(), source(0).row, source(0).file_sha256), ("events-file", Some(1), Some(file)));
    assert_eq!(
        (source(1).system.as_str(), source(1).row, source(1).external_id.as_deref()),
        ("crm", Some(3), Some("7"))
    );
    assert_ne!(read[0].as_ref().unwrap().id, read[1].as_ref().unwrap().id);
    assert!(rows[3].as_ref().is_err_and(|bad| bad.row == 5 && !bad.breaks_off));
    let quarantine = read[3].as_ref().unwrap_err();
    assert_eq!(quarantine.column.as_deref(), Some("data.program"));
}
