use super::*;
use proptest::prelude::*;

/// Texts that no reason of ours could hold by chance, and shapes that come near to something readable.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-Z]{2}ZQ[a-z]{3,9}",
        "[0-9/:, -]{6,24}",
        "(0[1-9]|1[0-2])/[0-3][0-9]/20[0-9]{2}( [0-2][0-9]:[0-5][0-9])?",
        "9[0-9]{7}[A-Z]([0-9]{5})?",
        "\\PC{8,30}",
        Just("Enrolled".to_owned()),
        Just("Y".to_owned()),
        Just("Phone".to_owned()),
        Just("1234567893".to_owned()),
        Just("Anthem".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_row_panics_and_no_reason_repeats_a_cell(cells in prop::collection::vec(cell(), 12), kind in 0_usize..3) {
        let (kind, header) = [
            (FileKind::OutreachTracker, TRACKER),
            (FileKind::ReturnTransmission, RETURNS),
            (FileKind::MemberInformation, "CIN,CIN_1,Member Assigned Date,MCP Name,Plan Code,County,Member POF,DOB,\
                Individuals Experiencing Homelessness,ECM Provider NPI,MIF Production Date,Notes"),
        ][kind];
        let headers: Vec<String> = header.split(',').map(str::to_owned).collect();
        let profile = Profile::of(kind, &headers);
        let row = RawRow { row: 2, raw: String::new(), cells: cells.clone() };
        let told = read_row(&profile, &row, &Defaults::default(), &plans)
            .and_then(|statement| told(&statement, &Dossier::default()));
        if let Err(quarantine) = told {
            for cell in cells.iter().map(|cell| cell.trim()).filter(|cell| cell.len() > 5 && plans(cell).is_none()) {
                let named = cell == "Enrolled";
                prop_assert!(named || !quarantine.reason.contains(cell), "{}", quarantine.reason);
                prop_assert!(quarantine.column.as_deref() != Some(cell));
            }
        }
    }

    #[test]
    fn no_text_panics_as_a_file(text in "([A-Za-z0-9,\"\r\n;|]|CIN|Member Assigned Date){0,200}") {
        if let Ok(mut reader) = open(&on_disk(text.as_bytes()).path, "any.csv", FileKind::MemberInformation) {
            let mut last = 0;
            while let Some(row) = reader.next_row() {
                let row = row.map_or_else(|bad| bad.row, |row| row.row);
                prop_assert!(row > last);
                last = row;
            }
        }
    }

    #[test]
    fn what_csv_writes_is_read_back(rows in prop::collection::vec(prop::collection::vec("[a-z,\" \n]{0,8}", 2), 1..6)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["CIN", "Notes"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let mut reader = open(&on_disk(&bytes).path, "any.csv", FileKind::MemberInformation).unwrap();
        let read: Vec<Vec<String>> = std::iter::from_fn(|| reader.next_row()).map(|row| row.unwrap().cells).collect();
        let expected: Vec<_> = rows.into_iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
        prop_assert_eq!(read, expected);
    }
}
