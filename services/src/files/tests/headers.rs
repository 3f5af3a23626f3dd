use super::*;
use crate::files::FileError;

const CINS: [&str; 6] = ["CIN", "MCP_CIN", "mcp cin", "Medi-Cal Member Client Index Number (CIN)", " CIN_1", "CIN.2"];

fn failure(kind: FileKind, text: &str) -> String {
    open(&on_disk(text.as_bytes()).path, "may.csv", kind).unwrap_err().to_string()
}

#[test]
fn the_exact_headers_of_the_tracker_are_all_understood_or_kept() {
    let (profile, _) = rows(FileKind::OutreachTracker, TRACKER);
    let described = profile.describe();
    assert_eq!(described.len(), 12);
    assert_eq!(described[6], "column 7 'Member Client Index Number' = cin");
    assert_eq!(described[5], "column 6 'Client Name' unmapped");
    assert_eq!(described.iter().filter(|line| line.ends_with("unmapped")).count(), 3, "{described:?}");
}

#[test]
fn a_header_is_found_by_its_letters_whatever_its_spelling() {
    for cin in CINS {
        let text =
            format!("{cin},MEMBER LAST  NAME,Member Resdential City,Client_ID2\n91234567A,Fakename,Nowhere,X-1\n");
        let (profile, rows) = rows(FileKind::MemberInformation, &text);
        let defaults = Defaults { plan: plans("anthem"), county: None, produced_on: "2025-01-31".parse().ok() };
        let statement = read_row(&profile, rows[0].as_ref().unwrap(), &defaults, &plans).unwrap();
        assert_eq!(statement.identity.last_name.as_deref(), Some("Fakename"), "{cin}");
        assert_eq!(statement.identity.address.as_deref(), Some("Nowhere"));
        assert_eq!(statement.identity.extra.get("Client_ID2").map(String::as_str), Some("X-1"));
    }
}

#[test]
fn the_order_of_the_columns_means_nothing() {
    let header = "ECM Provider NPI,Outreach Attempt Successful,Date of Outreach Attempt,CIN,Provider Type,MCP Name,\
        Outreach Attempt Method";
    let other =
        one(FileKind::OutreachTracker, header, "1234567893,N,01/05/2025,91234567A,Clinical,Anthem,Phone").unwrap();
    let usual = ",Anthem,,1234567893,,,91234567A,Clinical,01/05/2025,Phone,N,";
    let usual = one(FileKind::OutreachTracker, TRACKER, usual).unwrap();
    assert!(other.facts == usual.facts);
}

#[test]
fn a_repeated_column_may_be_empty_or_equal_but_not_contradict_itself() {
    let header = "CIN,CIN_1,Member Assigned Date,MCP Name";
    let read = |cins: &str| one(FileKind::MemberInformation, header, &format!("{cins},01/05/2025,Anthem"));
    let cin = "91234567A".parse::<Cin>().unwrap();
    for cins in ["91234567A,91234567A", "91234567A,", ",91234567a", "91234567A,91234567A29180"] {
        assert!(read(cins).unwrap().cin == cin, "{cins}");
    }
    let quarantine = read("91234567A,91234567C").unwrap_err();
    assert_eq!(quarantine.column.as_deref(), Some("CIN_1"));
    assert!(quarantine.reason.starts_with("sources_disagree"));
}

#[test]
fn titles_may_stand_above_the_header_and_the_row_numbers_count_them() {
    let text = format!(
        "\u{feff}Anthem Blue Cross,,\r\nMade 02/01/2025\r\n\r\n{TRACKER},,\r\n,,,\r\n\
        ,Anthem,,1234567893,,\"Fakename,\nTesta\",91234567A,Clinical,01/05/2025,Phone,N,5,,\r\n,,,,,,\r\n"
    );
    let (profile, rows) = rows(FileKind::OutreachTracker, &text);
    assert_eq!(profile.describe().len(), 12);
    let [Ok(row)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.row, row.cells.len()), (6, 12));
    assert_eq!(row.cells[5], "Fakename,\nTesta");
}

#[test]
fn a_missing_column_is_named_with_the_headers_that_were_seen() {
    let said = failure(FileKind::OutreachTracker, "CIN,Date of Outreach Attempt,Notes\n91234567A,01/05/2025,x\n");
    for part in ["may.csv", "'Outreach Attempt Method'", "'Provider Type'", "'Notes'"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("91234567A"));
}

#[test]
fn what_has_no_header_shows_none_of_its_rows() {
    let said = failure(FileKind::MemberInformation, "91234567A,Fakename,Testa\n91234567C,Nobody,Testa\n");
    assert!(!said.contains("Fakename") && !said.contains("9123"), "{said}");
    assert!(failure(FileKind::MemberInformation, "").contains("no header"));
}

#[test]
fn other_delimiters_are_read_and_other_encodings_are_named() {
    let text = "CIN|Member Assigned Date|MCP Name\n91234567A|01/05/2025|Anthem\n";
    assert!(read(FileKind::MemberInformation, text)[0].is_ok());
    let utf16 = open(&on_disk(b"\xFF\xFEC\0I\0N\0").path, "may.csv", FileKind::MemberInformation);
    assert!(matches!(utf16, Err(FileError::Refused { reason, .. }) if reason.contains("UTF-16")));
    let xls = open(&on_disk(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1").path, "may.xls", FileKind::MemberInformation);
    assert!(matches!(xls, Err(FileError::Refused { .. })));
}
