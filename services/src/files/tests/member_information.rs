use super::*;
use crate::files::Facts;
use rollbook_events::Population;

const HEADER: &str = "Primary Payer (MCP) Identifier,MCP Name,CIN,Member Date of Birth,Member Assigned Date,\
    MIF Production Date,Medi-Cal Coverage County,Individuals Experiencing Homelessness,Involved in Child Welfare,\
    Member POF,ECM Provider NPI,Primary Phone Number,Home Phone Number,Preferred Language (Spoken)";

fn read_one(row: &str) -> Result<Statement, Quarantine> {
    one(FileKind::MemberInformation, HEADER, row)
}

fn identified(row: &str) -> crate::files::Identified {
    match read_one(row).unwrap().facts {
        Facts::MemberInformation(facts) => facts,
        Facts::OutreachTracker(_) | Facts::ReturnTransmission(_) => panic!("another kind"),
    }
}

#[test]
fn a_row_identifies_the_member_with_age_and_populations() {
    let facts = identified(
        "la-care,L.A. Care,91234567A29180,05/10/2006,05/09/2024,05/25/2024,Los Angeles,Y,no,Birth equity; SMI/SUD,1234567893,\
         (213) 555-0100,(213) 555-0101,Spanish",
    );
    assert_eq!(facts.age_years, Some(17));
    let populations = [Population::Homelessness, Population::SeriousMentalHealthOrSud, Population::BirthEquity];
    assert_eq!(facts.populations, populations);
}

#[test]
fn without_an_assigned_date_it_is_the_day_the_file_was_made_and_without_both_a_quarantine() {
    let on = |row: &str| identified(row).on.to_string();
    assert_eq!(on(",Anthem,91234567A,,,2024-05-25,,,,,,,,"), "2024-05-25");
    assert_eq!(on(",Anthem,91234567A,,5/9/2024,2024-05-25,,,,,,,,"), "2024-05-09");
    let quarantine = read_one(",Anthem,91234567A,,,,,,,,,,,").unwrap_err();
    assert_eq!(quarantine.column.as_deref(), Some("Member Assigned Date"));
}

#[test]
fn what_cannot_be_read_names_its_column() {
    let wrong = [
        (",Anthem,9123456A,,5/9/2024,,,,,,,,,", "CIN", "bad_identifier"),
        (",Anthem,91234567A,,2/30/2025,,,,,,,,,", "Member Assigned Date", "bad_date"),
        (",Anthem,91234567A,,5/9/24,,,,,,,,,", "Member Assigned Date", "bad_date"),
        (",Anthem,91234567A,,45421,,,,,,,,,", "Member Assigned Date", "bad_date"),
        (",Anthem,91234567A,13/05/1980,5/9/2024,,,,,,,,,", "Member Date of Birth", "bad_date"),
        (",Anthem,91234567A,05/10/2024,5/9/2024,,,,,,,,,", "Member Date of Birth", "bad_date"),
        (",Anthem,91234567A,,5/9/2024,,Atlantis,,,,,,,", "Medi-Cal Coverage County", "unknown_code"),
        (",Anthem,91234567A,,5/9/2024,,,maybe,,,,,,", "Individuals Experiencing Homelessness", "unknown_code"),
        (",Anthem,91234567A,,5/9/2024,,,,,1a,,,,", "Member POF", "unknown_code"),
        (",Anthem,91234567A,,5/9/2024,,,,,,1234567890,,,", "ECM Provider NPI", "bad_identifier"),
        (",Nobody's Plan,91234567A,,5/9/2024,,,,,,,,,", "MCP Name", "unknown_code"),
        ("la-care,Anthem,91234567A,,5/9/2024,,,,,,,,,", "Primary Payer (MCP) Identifier", "sources_disagree"),
        (",,91234567A,,5/9/2024,,,,,,,,,", "Primary Payer (MCP) Identifier", "missing_field"),
    ];
    for (row, column, code) in wrong {
        let quarantine = read_one(row).unwrap_err();
        assert_eq!(quarantine.column.as_deref(), Some(column), "{row}");
        assert!(quarantine.reason.starts_with(code), "{row}: {quarantine:?}");
    }
}

#[test]
fn an_identifier_nobody_knows_is_no_contradiction_of_a_name() {
    let statement = read_one("304,Anthem,91234567A,,5/9/2024,,,,,,,,,").unwrap();
    assert_eq!(statement.plan.as_str(), "anthem");
}

#[test]
fn the_same_row_in_another_file_is_the_same_event_and_a_changed_population_is_another() {
    let mut dossier = Dossier::default();
    let tell = |dossier: &mut Dossier, row: &str| {
        let statement = read_one(row).unwrap();
        let submissions = told(&statement, dossier).unwrap();
        record(dossier, &submissions).len()
    };
    assert_eq!(tell(&mut dossier, ",Anthem,91234567A,05/10/2006,05/09/2024,05/25/2024,,Y,,,1234567893,,,"), 1);
    assert_eq!(tell(&mut dossier, ",Anthem,91234567A,,5/9/2024,06/25/2024,Orange,1,,,1234567893,,,"), 0);
    assert_eq!(tell(&mut dossier, ",Anthem,91234567A,,5/9/2024,07/25/2024,,Y,Y,,1234567893,,,"), 1);
    assert_eq!(standing(&dossier, "member_identified").len(), 2);
}

#[test]
fn the_county_is_the_row_s_then_the_ledger_s_then_the_plan_s_then_missing() {
    let row = ",Anthem,91234567A,,5/9/2024,,Orange,,,,,,,";
    let mut dossier = Dossier::default();
    let statement = read_one(row).unwrap();
    let first = told(&statement, &dossier).unwrap();
    record(&mut dossier, &first);
    let later = read_one(",Anthem,91234567A,,6/9/2024,,,,,,,,,").unwrap();
    assert_eq!(told(&later, &dossier).unwrap()[0].county, County::Orange);
    assert_eq!(told(&later, &Dossier::default()).unwrap()[0].county, County::LosAngeles);
    let nowhere = submissions(&later, member(&later.cin), &Dossier::default(), Hash::of(b""), &|_| None);
    assert!(nowhere.unwrap_err().reason.starts_with("missing_field"));
}

#[test]
fn nothing_of_a_person_is_printed() {
    let (_, rows) = rows(FileKind::MemberInformation, "CIN,Member Last Name\n91234567A,Fakename\n\"x,y\n");
    assert!(!format!("{rows:?}").contains("Fakename"));
    let statement = read_one(",Anthem,91234567A,,5/9/2024,,,,,,,,,").unwrap();
    assert_eq!(format!("{statement:?} {:?}", statement.facts), "[phi] [phi]");
}
