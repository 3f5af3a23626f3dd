use super::*;
use crate::files::{Facts, Repeats, Tracked};
use rollbook_events::families::outreach::{Outreach, OutreachAttempted};

fn row(when: &str, method: &str, successful: &str, time: &str) -> String {
    let quoted = |text: &str| format!("\"{text}\"");
    let cells = [when, method, successful, time].map(quoted).join(",");
    format!("la-care,L.A. Care,Sample Street Clinic,1234567893,990000001,Testa Fakename,91234567A,Clinical,{cells}")
}

fn statement(when: &str, method: &str, successful: &str, time: &str) -> Result<Statement, Quarantine> {
    one(FileKind::OutreachTracker, TRACKER, &row(when, method, successful, time))
}

fn tracked(when: &str, method: &str, successful: &str, time: &str) -> Tracked {
    match statement(when, method, successful, time).unwrap().facts {
        Facts::OutreachTracker(facts) => facts,
        Facts::MemberInformation(_) | Facts::ReturnTransmission(_) => panic!("another kind"),
    }
}

fn refused(when: &str, method: &str, successful: &str, time: &str) -> (String, String) {
    let quarantine = statement(when, method, successful, time).unwrap_err();
    (quarantine.column.unwrap_or_default(), quarantine.reason)
}

fn attempts(submissions: &[Submission]) -> Vec<OutreachAttempted> {
    let attempt = |submission: &Submission| {
        let Event::Outreach(Outreach::OutreachAttempted(attempt)) = &submission.event else { panic!("no attempt") };
        attempt.clone()
    };
    submissions.iter().map(attempt).collect()
}

#[test]
fn a_time_is_california_s_with_the_offset_of_its_day() {
    let at = |when: &str| tracked(when, "Phone", "N", "").attempts[0].occurred_at.to_string();
    assert_eq!(at("01/05/2025 14:05"), "2025-01-05T14:05:00-08:00");
    assert_eq!(at("7/5/2025 2:05 PM"), "2025-07-05T14:05:00-07:00");
    assert_eq!(at("2025-07-05 00:30:00"), "2025-07-05T00:30:00-07:00");
    assert_eq!(at("7/5/2025 12:30AM"), "2025-07-05T00:30:00-07:00");
    for day in ["7/5/2025", "07/05/2025", "2025-07-05", "7/5/2025 0:00"] {
        assert_eq!(at(day), "2025-07-05", "{day}");
    }
}

#[test]
fn an_hour_that_never_was_or_was_twice_waits_for_a_person() {
    for when in ["03/09/2025 02:30", "11/02/2025 01:30"] {
        let (column, reason) = refused(when, "Phone", "N", "");
        assert_eq!(column, "Date of Outreach Attempt");
        assert!(reason.contains("clocks"), "{reason}");
    }
    assert_eq!(tracked("11/02/2025 02:30", "Phone", "N", "").attempts.len(), 1);
}

#[test]
fn dates_that_may_mean_something_else_wait_for_a_person() {
    let dates = [
        "1/5/25",
        "45662",
        "13/05/2025",
        "02/30/2025",
        "2025-13-01",
        "01/05/2025 25:00",
        "01/05/2025 13:00 PM",
        "January 5",
        "1-5-2025",
        "01/05/2025 10:00 - 01/05/2025 09:00",
        "01/05/2025 10:00 -",
        "01/05/2025,,01/06/2025",
    ];
    for when in dates {
        assert_eq!(refused(when, "Phone", "N", "").0, "Date of Outreach Attempt", "{when}");
    }
}

#[test]
fn methods_and_outcomes_are_read_by_their_usual_names_alone() {
    let read = |method: &str| tracked("01/05/2025", method, "Y", "").attempts[0].channel.to_string();
    let known = [
        ("In-person", "in_person"),
        ("IN PERSON", "in_person"),
        ("Telephonic", "phone"),
        ("Phone Call", "phone"),
        ("SMS", "text"),
        ("E-mail", "email"),
        ("Letter", "mail"),
        ("Portal", "portal"),
        ("Robo-call", "robocall"),
        ("Automated call", "robocall"),
    ];
    for (method, channel) in known {
        assert_eq!(read(method), channel);
    }
    for method in ["Carrier pigeon", "Video", "Electronic", "Other", "Telephonic/Video", ""] {
        assert_eq!(refused("01/05/2025", method, "Y", "").0, "Outreach Attempt Method", "{method}");
    }
    for successful in ["", "maybe", "2"] {
        assert_eq!(refused("01/05/2025", "Phone", successful, "").0, "Outreach Attempt Successful");
    }
}

#[test]
fn a_row_is_an_attempt_by_live_staff_only_in_person_or_by_phone_and_a_robocall_is_for_nobody_in_particular() {
    let told = |method: &str| {
        attempts(&told(&statement("01/05/2025", method, "Y", "").unwrap(), &Dossier::default()).unwrap()).remove(0)
    };
    let flags = |method: &str| (told(method).individualized, told(method).response_invited, told(method).live_staff);
    assert_eq!(flags("In-person"), (true, true, true));
    assert_eq!(flags("Email"), (true, true, false));
    assert_eq!(flags("Robocall"), (false, true, false));
    assert_eq!(told("Phone").reached.as_str(), "member");
}

#[test]
fn minutes_are_read_in_every_form_and_nothing_else_is() {
    let minutes = |time: &str| tracked("01/05/2025", "Phone", "N", time).attempts[0].minutes;
    let known = [
        ("", None),
        ("15", Some(15)),
        ("0 h 15 mins", Some(15)),
        ("1 h 5 mins", Some(65)),
        ("1hr 5min", Some(65)),
        ("2 hours", Some(120)),
        ("20 minutes", Some(20)),
        ("0", Some(0)),
    ];
    for (time, expected) in known {
        assert_eq!(minutes(time), expected, "{time}");
    }
    for time in ["a while", "0:15", "-5", "15.5", "5 mins 1 h", "10 10", "99999", "25 h"] {
        assert_eq!(refused("01/05/2025", "Phone", "N", time).0, "Time Spent Performing Outreach", "{time}");
    }
}

#[test]
fn collapsed_attempts_come_apart_each_with_its_own_minutes() {
    let when = "01/05/2025 10:00 - 01/05/2025 10:15, 01/07/2025 09:00 - 01/07/2025 09:05";
    let statement = statement(when, "Phone, In-person", "N, Y", "0 h 20 mins").unwrap();
    let submissions = told(&statement, &Dossier::default()).unwrap();
    let [first, second] = &attempts(&submissions)[..] else { panic!() };
    assert_eq!((first.minutes, first.channel.as_str(), first.reached.as_str()), (Some(15), "phone", "nobody"));
    assert_eq!((second.minutes, second.channel.as_str(), second.reached.as_str()), (Some(5), "in_person", "member"));
    assert_eq!(submissions[0].source.as_ref().unwrap().system, "outreach-tracker/collapsed");
    assert_eq!(statement.identity.extra["Time Spent Performing Outreach"], "0 h 20 mins");
}

#[test]
fn one_yes_over_several_attempts_is_the_last_one_s() {
    let facts = tracked("01/05/2025,01/07/2025, 01/09/2025", "Phone", "Y", "30");
    let reached: Vec<_> = facts.attempts.iter().map(|attempt| attempt.reached.as_str()).collect();
    assert_eq!(reached, ["nobody", "nobody", "member"]);
    assert!(facts.attempts.iter().all(|attempt| attempt.minutes.is_none()));
    assert_eq!(refused("01/05/2025,01/07/2025,01/09/2025", "Phone,Email", "Y", "").0, "Outreach Attempt Method");
    assert_eq!(refused("01/05/2025,01/07/2025", "Phone", "Y,N,Y", "").0, "Outreach Attempt Successful");
}

#[test]
fn an_attempt_is_the_same_event_alone_or_collapsed_in_whatever_file() {
    let mut dossier = Dossier::default();
    let alone = statement("01/05/2025 10:00", "Telephonic", "N", "15").unwrap();
    let submissions = told(&alone, &dossier).unwrap();
    record(&mut dossier, &submissions);
    let when = "01/05/2025 10:00 - 01/05/2025 10:15, 1/7/2025 9:00 AM - 1/7/2025 9:05 AM";
    let again = told(&statement(when, "Phone", "No,Yes", "20").unwrap(), &dossier).unwrap();
    assert_eq!(record(&mut dossier, &again).len(), 1);
    let silent = told(&statement("01/05/2025 10:00", "Telephonic", "N", "").unwrap(), &dossier).unwrap();
    assert!(record(&mut dossier, &silent).is_empty());
    let other = statement("01/05/2025 10:00", "Telephonic", "N", "40").unwrap();
    assert!(told(&other, &dossier).unwrap_err().reason.starts_with("sources_disagree"));
}

#[test]
fn two_calls_on_one_day_are_two_and_the_same_two_in_a_corrected_file() {
    let row = row("01/05/2025", "Phone", "N", "");
    let tell = |text: &str, dossier: &mut Dossier| {
        let mut repeats = Repeats::default();
        let mut recorded = 0;
        for statement in read(FileKind::OutreachTracker, text) {
            let mut statement = statement.unwrap();
            repeats.number(&mut statement);
            let submissions = told(&statement, dossier).unwrap();
            recorded += record(dossier, &submissions).len();
        }
        recorded
    };
    let mut dossier = Dossier::default();
    assert_eq!(tell(&format!("{TRACKER}\n{row}\n{row}\n"), &mut dossier), 2);
    assert_eq!(tell(&format!("{TRACKER}\n{row}\n{row}\n{row}\n"), &mut dossier), 1);
    assert_eq!(tracked("01/05/2025,01/05/2025", "Phone", "N", "").attempts[1].nth, 2);
    let twice = "01/05/2025 10:00,01/05/2025 10:00";
    assert_eq!(tracked(twice, "Phone", "N", "").attempts.len(), 1);
}
