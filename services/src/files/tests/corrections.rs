use super::*;
use rollbook_events::families::enrollment::{Disenrolled, Enrolled, Enrollment};

fn row(status: &str, from: &str, end: &str, produced: &str) -> String {
    let code = if status == "Disenrolled" { "1" } else { "" };
    format!("Anthem,91234567A,{status},{from},{end},,{code},Casey Placeholder,,,{produced},1234567893")
}

fn starts(dossier: &Dossier) -> Vec<Enrolled> {
    let enrolled = |event: Event| {
        let Event::Enrollment(Enrollment::Enrolled(enrolled)) = event else { return None };
        Some(enrolled)
    };
    standing(dossier, "enrolled").into_iter().filter_map(enrolled).collect()
}

fn ends(dossier: &Dossier) -> Vec<Disenrolled> {
    let ended = |event: Event| {
        let Event::Enrollment(Enrollment::Disenrolled(ended)) = event else { return None };
        Some(ended)
    };
    standing(dossier, "disenrolled").into_iter().filter_map(ended).collect()
}

fn from_days(dossier: &Dossier) -> Vec<String> {
    starts(dossier).iter().map(|enrolled| enrolled.from.to_string()).collect()
}

fn until_days(dossier: &Dossier) -> Vec<String> {
    ends(dossier).iter().map(|ended| ended.until.to_string()).collect()
}

fn is_disputed(result: Result<Vec<&'static str>, Quarantine>) -> bool {
    result.is_err_and(|quarantine| quarantine.reason.starts_with("sources_disagree"))
}

#[test]
fn a_later_file_corrects_a_start_and_it_stays_the_same_enrollment() {
    let mut dossier = Dossier::default();
    returns(&mut dossier, &row("Enrolled", "01/15/2025", "", "02/05/2025")).unwrap();
    let before = starts(&dossier).remove(0);
    let wrong = dossier.recorded()[0].envelope.id;
    let kinds = returns(&mut dossier, &row("Enrolled", "01/05/2025", "", "03/05/2025")).unwrap();
    assert_eq!(kinds, ["event_voided", "enrolled", "event_voided", "lead_care_manager_assigned"],);
    assert_eq!(from_days(&dossier), ["2025-01-05"]);
    assert_eq!(starts(&dossier)[0].enrollment, before.enrollment);
    let right = dossier.standing().into_iter().find(|e| e.event.name() == "enrolled").unwrap().replaces;
    assert_eq!(right, Some(wrong));
    assert_eq!(standing(&dossier, "lead_care_manager_assigned").len(), 1);
}

#[test]
fn an_earlier_file_that_comes_late_changes_nothing() {
    let mut dossier = Dossier::default();
    let (january, february) =
        (row("Enrolled", "01/15/2025", "", "02/05/2025"), row("Enrolled", "01/05/2025", "", "03/05/2025"));
    returns(&mut dossier, &january).unwrap();
    returns(&mut dossier, &february).unwrap();
    for _ in 0..2 {
        assert!(returns(&mut dossier, &january).unwrap().is_empty());
        assert!(returns(&mut dossier, &february).unwrap().is_empty());
    }
    let mut backwards = Dossier::default();
    returns(&mut backwards, &february).unwrap();
    assert!(returns(&mut backwards, &january).unwrap().is_empty());
    assert_eq!(from_days(&backwards), ["2025-01-05"]);
}

#[test]
fn back_and_forth_ends_with_the_last_file_s_word() {
    let mut dossier = Dossier::default();
    for (from, produced) in [("01/15/2025", "02/05/2025"), ("01/05/2025", "03/05/2025"), ("01/15/2025", "04/05/2025")] {
        returns(&mut dossier, &row("Enrolled", from, "", produced)).unwrap();
    }
    assert_eq!(from_days(&dossier), ["2025-01-15"]);
    let length = dossier.recorded().len();
    for (from, produced) in [("01/15/2025", "02/05/2025"), ("01/05/2025", "03/05/2025"), ("01/15/2025", "04/05/2025")] {
        returns(&mut dossier, &row("Enrolled", from, "", produced)).unwrap();
    }
    assert_eq!(dossier.recorded().len(), length);
}

#[test]
fn a_later_file_corrects_an_end() {
    let mut dossier = Dossier::default();
    returns(&mut dossier, &row("Disenrolled", "01/05/2025", "02/20/2025", "03/05/2025")).unwrap();
    let kinds = returns(&mut dossier, &row("Disenrolled", "01/05/2025", "02/28/2025", "04/05/2025")).unwrap();
    assert_eq!(kinds, ["event_voided", "disenrolled"]);
    assert_eq!(until_days(&dossier), ["2025-03-01"]);
    assert!(returns(&mut dossier, &row("Disenrolled", "01/05/2025", "02/20/2025", "03/05/2025")).unwrap().is_empty());
    assert!(is_disputed(returns(&mut dossier, &row("Disenrolled", "01/05/2025", "02/25/2025", "04/05/2025"))));
}

#[test]
fn a_later_file_corrects_a_start_and_an_end_at_once() {
    let mut dossier = Dossier::default();
    returns(&mut dossier, &row("Disenrolled", "01/15/2025", "02/20/2025", "03/05/2025")).unwrap();
    returns(&mut dossier, &row("Disenrolled", "01/05/2025", "02/28/2025", "04/05/2025")).unwrap();
    assert_eq!((from_days(&dossier), until_days(&dossier)), (vec!["2025-01-05".into()], vec!["2025-03-01".into()]));
    assert_eq!(starts(&dossier)[0].enrollment, ends(&dossier)[0].enrollment);
}

#[test]
fn enrolled_again_after_all_voids_the_end_and_a_second_end_stands() {
    let mut dossier = Dossier::default();
    let end = row("Disenrolled", "01/05/2025", "02/28/2025", "03/05/2025");
    returns(&mut dossier, &end).unwrap();
    let kinds = returns(&mut dossier, &row("Enrolled", "01/05/2025", "", "04/05/2025")).unwrap();
    assert_eq!(kinds, ["event_voided"]);
    assert!(ends(&dossier).is_empty());
    // The file that was taken back comes once more; then a later one says it again.
    assert!(returns(&mut dossier, &end).unwrap().is_empty());
    assert_eq!(returns(&mut dossier, &end.replace("03/05", "05/05")).unwrap(), ["disenrolled"]);
    assert_eq!(until_days(&dossier), ["2025-03-01"]);
}

#[test]
fn a_start_after_the_end_is_another_enrollment() {
    let mut dossier = Dossier::default();
    returns(&mut dossier, &row("Disenrolled", "01/05/2025", "02/28/2025", "03/05/2025")).unwrap();
    let kinds = returns(&mut dossier, &row("Enrolled", "03/01/2025", "", "04/05/2025")).unwrap();
    assert_eq!(kinds, ["enrolled", "lead_care_manager_assigned"]);
    assert_eq!(from_days(&dossier), ["2025-01-05", "2025-03-01"]);
    assert_ne!(starts(&dossier)[0].enrollment, starts(&dossier)[1].enrollment);
    // A start within the ended one may be a corrected start or a second enrollment.
    assert!(is_disputed(returns(&mut Dossier::clone(&dossier), &row("Enrolled", "02/10/2025", "", "05/05/2025"))));
}

#[test]
fn an_enrollment_that_begins_on_a_day_once_wrongly_stated_is_its_own() {
    let mut dossier = Dossier::default();
    returns(&mut dossier, &row("Enrolled", "03/01/2025", "", "03/05/2025")).unwrap();
    returns(&mut dossier, &row("Enrolled", "01/05/2025", "", "04/05/2025")).unwrap();
    returns(&mut dossier, &row("Disenrolled", "01/05/2025", "02/20/2025", "05/05/2025")).unwrap();
    returns(&mut dossier, &row("Enrolled", "03/01/2025", "", "06/05/2025")).unwrap();
    assert_eq!(from_days(&dossier), ["2025-01-05", "2025-03-01"]);
    assert_ne!(starts(&dossier)[0].enrollment, starts(&dossier)[1].enrollment);
}

#[test]
fn the_same_production_date_or_another_source_waits_for_a_person() {
    let mut dossier = Dossier::default();
    returns(&mut dossier, &row("Enrolled", "01/15/2025", "", "02/05/2025")).unwrap();
    assert!(is_disputed(returns(&mut dossier, &row("Enrolled", "01/05/2025", "", "02/05/2025"))));
    let mut by_hand = told_by_hand("01/15/2025");
    assert!(is_disputed(returns(&mut by_hand, &row("Enrolled", "01/05/2025", "", "03/05/2025"))));
    assert_eq!(
        returns(&mut by_hand, &row("Enrolled", "01/15/2025", "", "03/05/2025")).unwrap(),
        ["lead_care_manager_assigned"]
    );
}

/// An enrollment that the ledger has from somewhere else than a file.
fn told_by_hand(from: &str) -> Dossier {
    let statement = one(FileKind::ReturnTransmission, RETURNS, &row("Enrolled", from, "", "02/05/2025")).unwrap();
    let mut submissions = told(&statement, &Dossier::default()).unwrap();
    submissions.truncate(1);
    submissions[0].id = Some(EventId(uuid::Uuid::from_u128(7)));
    submissions[0].source = None;
    let mut dossier = Dossier::default();
    record(&mut dossier, &submissions);
    dossier
}

#[test]
fn a_person_s_void_is_not_undone_by_the_next_file() {
    let mut dossier = Dossier::default();
    returns(&mut dossier, &row("Enrolled", "01/15/2025", "", "02/05/2025")).unwrap();
    let mut void = told(
        &one(FileKind::ReturnTransmission, RETURNS, &row("Enrolled", "01/05/2025", "", "03/05/2025")).unwrap(),
        &dossier,
    )
    .unwrap();
    void.truncate(1);
    if let Event::Correction(rollbook_events::families::correction::Correction::EventVoided(void)) = &mut void[0].event
    {
        void.reason = "entered for the wrong person".parse().unwrap();
    }
    record(&mut dossier, &void);
    assert!(is_disputed(returns(&mut dossier, &row("Enrolled", "01/15/2025", "", "03/05/2025"))));
}

#[test]
fn another_provider_at_another_time_is_another_enrollment_and_at_the_same_a_dispute() {
    let mut dossier = Dossier::default();
    returns(&mut dossier, &row("Enrolled", "01/05/2025", "", "02/05/2025")).unwrap();
    let other = |from: &str| row("Enrolled", from, "", "03/05/2025").replace("1234567893", "1558598797");
    assert!(is_disputed(returns(&mut dossier, &other("01/05/2025"))));
    assert_eq!(returns(&mut dossier, &other("02/10/2025")).unwrap(), ["enrolled", "lead_care_manager_assigned"]);
    assert_eq!(from_days(&dossier), ["2025-01-05", "2025-02-10"]);
}

#[test]
fn another_manager_leads_from_the_day_the_file_was_made() {
    let mut dossier = Dossier::default();
    returns(&mut dossier, &row("Enrolled", "01/05/2025", "", "02/05/2025")).unwrap();
    let next = row("Enrolled", "01/05/2025", "", "03/05/2025").replace("Casey", "Robin");
    assert_eq!(returns(&mut dossier, &next).unwrap(), ["lead_care_manager_assigned"]);
    assert!(returns(&mut dossier, &next.replace("03/05", "04/05")).unwrap().is_empty());
    assert!(returns(&mut dossier, &row("Enrolled", "01/05/2025", "", "02/05/2025")).unwrap().is_empty());
}
