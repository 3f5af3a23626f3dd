use super::*;
use rollbook_events::families::enrollment::Enrollment;

// MCP Name, CIN, status, start, end, discontinued, code, manager, populations, homeless, produced, NPI
fn row(status: &str, from: &str, end: &str, discontinued: &str, code: &str, produced: &str) -> String {
    format!("Anthem,91234567A,{status},{from},{end},{discontinued},{code},,,,{produced},1234567893")
}

fn refused(row: &str) -> Quarantine {
    returns(&mut Dossier::default(), row).unwrap_err()
}

#[test]
fn an_enrollment_with_its_manager_population_and_housing() {
    let mut dossier = Dossier::default();
    let row = "Anthem,91234567A,Enrolled,01/05/2025,,,,Casey  Placeholder,Birth Equity Population of Focus; ccs,Y,02/05/2025,1234567893";
    let kinds = returns(&mut dossier, row).unwrap();
    let expected =
        ["enrolled", "lead_care_manager_assigned", "housing_observed", "population_assessed", "population_assessed"];
    assert_eq!(kinds, expected);
    let text = format!("{:?}", dossier.recorded().iter().map(|r| r.envelope.event.clone()).collect::<Vec<_>>());
    assert!(!text.contains("Placeholder") && text.contains("lcm-"), "{text}");
    let statement = one(FileKind::ReturnTransmission, RETURNS, row).unwrap();
    assert_eq!(statement.identity.extra["ECM Lead Care Manager Name"], "Casey  Placeholder");
}

#[test]
fn the_next_months_say_nothing_new_until_something_is() {
    let mut dossier = Dossier::default();
    let month = |produced: &str, homeless: &str| {
        format!("Anthem,91234567A,Active,1/5/2025,,,,Casey Placeholder,ccs,{homeless},{produced},1234567893")
    };
    assert_eq!(returns(&mut dossier, &month("02/05/2025", "Y")).unwrap().len(), 4);
    assert!(returns(&mut dossier, &month("03/05/2025", "Y")).unwrap().is_empty());
    assert_eq!(returns(&mut dossier, &month("04/05/2025", "N")).unwrap(), ["housing_observed"]);
    assert_eq!(returns(&mut dossier, &month("05/05/2025", "Y")).unwrap(), ["housing_observed"]);
    assert!(returns(&mut dossier, &month("03/05/2025", "Y")).unwrap().is_empty());
    assert_eq!(
        returns(&mut dossier, &month("05/05/2025", "N")).unwrap_err().reason.split(':').next(),
        Some("sources_disagree")
    );
}

#[test]
fn an_end_date_is_the_last_day_covered() {
    let mut dossier = Dossier::default();
    assert_eq!(returns(&mut dossier, &row("Enrolled", "01/05/2025", "", "", "", "02/05/2025")).unwrap(), ["enrolled"]);
    let end = row("Disenrolled", "01/05/2025", "02/28/2025", "02/28/2025", "14", "03/05/2025");
    assert_eq!(returns(&mut dossier, &end).unwrap(), ["disenrolled"]);
    let [Event::Enrollment(Enrollment::Disenrolled(ended))] = &standing(&dossier, "disenrolled")[..] else { panic!() };
    assert_eq!((ended.until.to_string().as_str(), ended.reason.as_str()), ("2025-03-01", "died"));
    let twice = returns(&mut Dossier::default(), &end).unwrap();
    assert_eq!(twice, ["enrolled", "disenrolled"]);
}

#[test]
fn a_missing_reason_is_unknown_and_an_unknown_one_waits() {
    let mut dossier = Dossier::default();
    returns(&mut dossier, &row("Discontinued", "01/05/2025", "02/28/2025", "", "", "03/05/2025")).unwrap();
    let [Event::Enrollment(Enrollment::Disenrolled(ended))] = &standing(&dossier, "disenrolled")[..] else { panic!() };
    assert_eq!(ended.reason.as_str(), "unknown");
    let quarantine = refused(&row("Discontinued", "01/05/2025", "02/28/2025", "", "16", "03/05/2025"));
    assert_eq!(quarantine.column.as_deref(), Some("Discontinuation Reason Code"));
}

#[test]
fn an_end_that_lies_ahead_is_reported_the_day_the_file_was_made() {
    let mut dossier = Dossier::default();
    returns(&mut dossier, &row("Disenrolled", "01/05/2025", "03/05/2025", "", "1", "03/05/2025")).unwrap();
    let ended = dossier.recorded().iter().find(|r| r.envelope.event.name() == "disenrolled").unwrap();
    assert_eq!(ended.envelope.occurred_at.to_string(), "2025-03-05");
}

#[test]
fn a_recommendation_is_no_end() {
    let mut dossier = Dossier::default();
    let recommended = row("Enrolled", "01/05/2025", "12/31/2078", "03/01/2025", "2", "03/05/2025");
    assert_eq!(returns(&mut dossier, &recommended).unwrap(), ["enrolled", "discontinuation_recommended"]);
    assert!(returns(&mut dossier, &recommended.replace("03/05", "04/05")).unwrap().is_empty());
}

#[test]
fn a_no_is_told_once_with_its_day_or_with_the_day_of_the_first_report() {
    let mut dossier = Dossier::default();
    assert_eq!(returns(&mut dossier, &row("Declined", "", "", "01/20/2025", "", "02/05/2025")).unwrap(), ["opted_out"]);
    assert!(returns(&mut dossier, &row("Declined", "", "", "1/20/2025", "", "03/05/2025")).unwrap().is_empty());
    assert!(returns(&mut dossier, &row("Opted Out", "", "", "", "", "03/05/2025")).unwrap().is_empty());
    let corrected = returns(&mut dossier, &row("Declined", "", "", "1/21/2025", "", "04/05/2025")).unwrap();
    assert_eq!(corrected, ["event_voided", "opted_out"]);
    let mut other = Dossier::default();
    returns(&mut other, &row("Declined", "", "", "", "", "02/05/2025")).unwrap();
    assert_eq!(other.recorded()[0].envelope.occurred_at.to_string(), "2025-02-05");
    assert!(returns(&mut other, &row("Declined", "", "", "", "", "03/05/2025")).unwrap().is_empty());
}

#[test]
fn a_pending_member_yields_nothing_and_loses_nothing() {
    let row = row("In Outreach", "01/05/2025", "", "", "4", "02/05/2025");
    assert!(returns(&mut Dossier::default(), &row).unwrap().is_empty());
    let statement = one(FileKind::ReturnTransmission, RETURNS, &row).unwrap();
    for (header, cell) in [
        ("Member ECM Status", "In Outreach"),
        ("ECM Enrollment Start Date", "01/05/2025"),
        ("Discontinuation Reason Code", "4"),
    ] {
        assert_eq!(statement.identity.extra[header], cell);
    }
}

#[test]
fn what_cannot_be_read_names_its_column() {
    let wrong = [
        (row("Enrolled", "", "", "", "", "02/05/2025"), "ECM Enrollment Start Date"),
        (row("Disenrolled", "01/05/2025", "", "02/28/2025", "", "03/05/2025"), "ECM Enrollment End Date"),
        (row("Disenrolled", "01/05/2025", "01/03/2025", "", "", "03/05/2025"), "ECM Enrollment End Date"),
        (row("Enrolled", "01/05/2025", "01/31/2025", "", "", "03/05/2025"), "Member ECM Status"),
        (row("Graduated", "01/05/2025", "", "", "", "03/05/2025"), "Member ECM Status"),
        (row("", "01/05/2025", "", "", "", "03/05/2025"), "Member ECM Status"),
        (row("Enrolled", "01/05/2025", "", "", "", ""), "RTF Production Date"),
        (row("Outreach", "02/30/2025", "", "", "", "03/05/2025"), "ECM Enrollment Start Date"),
        (row("Outreach", "", "", "", "", "03/05/2025").replace("7893", "7890"), "ECM Provider NPI"),
        (row("Enrolled", "01/05/2025", "", "", "", "03/05/2025").replace(",1234567893", ","), "ECM Provider NPI"),
    ];
    for (row, column) in wrong {
        assert_eq!(refused(&row).column.as_deref(), Some(column), "{row}");
    }
}
