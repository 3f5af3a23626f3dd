use super::*;
use crate::files::{Facts, FileError};
use chrono::NaiveDate;
use rust_xlsxwriter::{Format, Workbook, Worksheet};

fn tracker_tab(sheet: &mut Worksheet, top: u32) {
    for (place, header) in (0_u16..).zip(TRACKER.split(',')) {
        sheet.write_string(top, place, header.trim()).unwrap();
    }
    let stamp = Format::new().set_num_format("mm/dd/yyyy hh:mm");
    let day = Format::new().set_num_format("mm/dd/yyyy");
    let length = Format::new().set_num_format("[h]:mm");
    let on = NaiveDate::from_ymd_opt(2025, 7, 5).unwrap();
    for (row, hour) in [(top + 1, Some(9)), (top + 2, Some(14)), (top + 3, None)] {
        sheet.write_string(row, 1, "Anthem").unwrap();
        sheet.write_number(row, 3, 1_234_567_893.0).unwrap();
        sheet.write_string(row, 6, "91234567A").unwrap();
        sheet.write_string(row, 7, "Non-Clinical").unwrap();
        match hour {
            Some(hour) => {
                let at = on.and_hms_opt(hour, 10, 0).unwrap();
                sheet.write_datetime_with_format(row, 8, at, &stamp).unwrap();
            }
            None => {
                sheet.write_datetime_with_format(row, 8, on, &day).unwrap();
            }
        }
        sheet.write_string(row, 9, "In person").unwrap();
        sheet.write_boolean(row, 10, true).unwrap();
        sheet.write_number_with_format(row, 11, 25.0 / 1440.0, &length).unwrap();
    }
    sheet.write_string(top + 5, 0, " ").unwrap();
}

fn returns_tab(sheet: &mut Worksheet) {
    for (place, header) in (0_u16..).zip(RETURNS.split(',')) {
        sheet.write_string(0, place, header.trim()).unwrap();
    }
}

fn saved(mut workbook: Workbook) -> OnDisk {
    on_disk(&workbook.save_to_buffer().unwrap())
}

#[test]
fn real_dates_numbers_and_booleans_are_what_they_say() {
    let mut workbook = Workbook::new();
    returns_tab(workbook.add_worksheet().set_name("RTF").unwrap());
    tracker_tab(workbook.add_worksheet().set_name("OTF").unwrap(), 2);
    let file = saved(workbook);
    let mut reader = open(&file.path, "both.xlsx", FileKind::OutreachTracker).unwrap();
    let rows: Vec<_> = std::iter::from_fn(|| reader.next_row()).map(Result::unwrap).collect();
    assert_eq!(rows.iter().map(|row| row.row).collect::<Vec<_>>(), [4, 5, 6]);
    let attempts = rows.iter().map(|row| {
        let Facts::OutreachTracker(facts) =
            read_row(reader.profile(), row, &Defaults::default(), &plans).unwrap().facts
        else {
            panic!()
        };
        (facts.attempts[0].occurred_at.to_string(), facts.attempts[0].minutes)
    });
    let expected =
        [("2025-07-05T09:10:00-07:00", Some(25)), ("2025-07-05T14:10:00-07:00", Some(25)), ("2025-07-05", Some(25))];
    assert!(attempts.eq(expected.map(|(at, minutes)| (at.to_owned(), minutes))));
    assert!(reader.rows_hint().is_some_and(|rows| rows >= 3));
    assert!(reader.bytes_read() > 0 && reader.bytes_read() <= reader.bytes());
    assert!(open(&file.path, "both.xlsx", FileKind::ReturnTransmission).unwrap().next_row().is_none());
}

#[test]
fn two_tabs_of_one_kind_are_no_choice_of_ours() {
    let mut workbook = Workbook::new();
    tracker_tab(workbook.add_worksheet().set_name("January").unwrap(), 0);
    tracker_tab(workbook.add_worksheet().set_name("February").unwrap(), 0);
    let error = open(&saved(workbook).path, "two.xlsx", FileKind::OutreachTracker).unwrap_err().to_string();
    assert!(error.contains("'January', 'February'") && error.contains("OTF"), "{error}");
}

#[test]
fn what_is_no_workbook_and_what_breaks_off_is_said() {
    let mut workbook = Workbook::new();
    tracker_tab(workbook.add_worksheet(), 0);
    let whole = workbook.save_to_buffer().unwrap();
    let half = open(&on_disk(&whole[..whole.len() / 2]).path, "half.xlsx", FileKind::OutreachTracker);
    assert!(matches!(half, Err(FileError::Refused { .. })));
    let empty = open(&saved(Workbook::new()).path, "none.xlsx", FileKind::OutreachTracker);
    assert!(matches!(empty, Err(FileError::NoHeader { .. } | FileError::Refused { .. })));
}

#[test]
fn a_workbook_that_breaks_off_within_says_where() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    tracker_tab(sheet, 0);
    for row in 10..20_000 {
        sheet.write_number(row, 3, f64::from(row * 7919 % 10_007)).unwrap();
    }
    let mut bytes = workbook.save_to_buffer().unwrap();
    let part = b"xl/worksheets/sheet1.xml";
    let start = bytes.windows(part.len()).position(|window| window == part).unwrap();
    bytes[start + 60_000..start + 60_200].fill(0xAA);
    let mut reader = open(&on_disk(&bytes).path, "broken.xlsx", FileKind::OutreachTracker).unwrap();
    let rows: Vec<_> = std::iter::from_fn(|| reader.next_row()).collect();
    let (last, before) = rows.split_last().unwrap();
    assert!(last.as_ref().is_err_and(|bad| bad.breaks_off && bad.row > 1_000), "{} rows", rows.len());
    assert!(before.iter().all(Result::is_ok));
}

#[test]
fn a_day_that_never_was_is_not_read_as_another() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (place, header) in (0_u16..).zip(["CIN", "Member Assigned Date", "MCP Name"]) {
        sheet.write_string(0, place, header).unwrap();
    }
    sheet.write_string(1, 0, "91234567A").unwrap();
    sheet.write_number_with_format(1, 1, 60.0, &Format::new().set_num_format("mm/dd/yyyy")).unwrap();
    sheet.write_string(1, 2, "Anthem").unwrap();
    let mut reader = open(&saved(workbook).path, "1900.xlsx", FileKind::MemberInformation).unwrap();
    let row = reader.next_row().unwrap().unwrap();
    let quarantine = read_row(reader.profile(), &row, &Defaults::default(), &plans).unwrap_err();
    assert_eq!(quarantine.column.as_deref(), Some("Member Assigned Date"));
}
