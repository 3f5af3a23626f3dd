//! Counts by quarter.

use rollbook_projections::reports::{Quarter, Report, by_program, count};
use rollbook_projections::rules::facts::Facts as Known;
use serde_json::json;

use crate::facts::{Facts, attempt, built_in, id};

fn counted(facts: &Facts, report: &str, quarter: &str, plan: Option<&str>) -> u64 {
    let dossier = facts.dossier();
    let plan = plan.map(|plan| plan.parse().unwrap());
    let (report, quarter) = (report.parse().unwrap(), quarter.parse().unwrap());
    count(report, quarter, plan.as_ref(), &Known::of(&dossier, built_in()))
}

fn requested(facts: Facts, name: &str, at: &str) -> Facts {
    let data = json!({
        "authorization": id(name), "program": "recuperative_care", "urgency": "standard", "received_at": at,
        "requested_by": "provider",
    });
    facts.tell(at, "authorization_requested", data)
}

fn decided(facts: Facts, name: &str, at: &str, outcome: &str) -> Facts {
    let data = json!({
        "authorization": id(name), "program": "recuperative_care", "outcome": outcome, "decided_at": at,
    });
    facts.tell(at, "authorization_decided", data)
}

#[test]
fn a_quarter_is_written_in_one_way() {
    for text in ["2026-Q1", "2026-Q4", "1900-Q1", "2199-Q4"] {
        assert_eq!(text.parse::<Quarter>().unwrap().to_string(), text);
    }
    for text in ["2026-Q0", "2026-Q5", "2026Q1", "2026-1", "1899-Q4", "2200-Q1", "2026-Q01", "", "+2026-Q1"] {
        assert!(text.parse::<Quarter>().is_err(), "{text}");
    }
    let days = |text: &str| {
        let span = text.parse::<Quarter>().unwrap().days().unwrap();
        format!("{} {}", span.from, span.until.unwrap())
    };
    assert_eq!(days("2026-Q1"), "2026-01-01 2026-04-01");
    assert_eq!(days("2026-Q4"), "2026-10-01 2027-01-01");
    assert!(Report::ALL.iter().all(|report| report.as_str().parse() == Ok(*report)));
    assert!("request".parse::<Report>().is_err());
}

#[test]
fn requests_by_the_pacific_day_they_were_received() {
    // E-9: 23:30 on June 30 in California is July in UTC.
    let facts = requested(Facts::default(), "a", "2026-07-01T06:30:00Z");
    let requests = |facts: &Facts, quarter| counted(facts, "authorization_requests", quarter, None);
    assert_eq!((requests(&facts, "2026-Q2"), requests(&facts, "2026-Q3")), (1, 0));
    let facts = requested(facts, "b", "2026-07-01T07:00:00Z");
    assert_eq!((requests(&facts, "2026-Q2"), requests(&facts, "2026-Q3")), (1, 1));
    // Told again, it is one request, as the last word has it; a decision alone is none.
    let again = requested(facts.clone(), "b", "2026-07-02T07:00:00Z");
    assert_eq!((requests(&again, "2026-Q2"), requests(&again, "2026-Q3")), (1, 1));
    assert_eq!(requests(&decided(facts.clone(), "c", "2026-07-02T07:00:00Z", "approved"), "2026-Q3"), 1);
    assert_eq!(counted(&facts, "authorization_requests", "2026-Q2", Some("la-care")), 1);
    assert_eq!(counted(&facts, "authorization_requests", "2026-Q2", Some("molina")), 0);
}

#[test]
fn denials_by_the_day_of_their_request() {
    let denials = |facts: &Facts, quarter| counted(facts, "authorizations_denied", quarter, None);
    let facts = decided(
        requested(Facts::default(), "a", "2026-06-30T12:00:00-07:00"),
        "a",
        "2026-07-05T12:00:00-07:00",
        "denied",
    );
    assert_eq!((denials(&facts, "2026-Q2"), denials(&facts, "2026-Q3")), (1, 0));
    assert_eq!(counted(&facts, "authorizations_denied", "2026-Q2", Some("molina")), 0);
    for outcome in ["approved", "modified", "deferred"] {
        let facts = requested(Facts::default(), "a", "2026-06-30T12:00:00-07:00");
        assert_eq!(denials(&decided(facts, "a", "2026-07-05T12:00:00-07:00", outcome), "2026-Q2"), 0, "{outcome}");
    }
    // Decided again; and without a request, by the day of the decision.
    assert_eq!(denials(&decided(facts, "a", "2026-07-06T12:00:00-07:00", "approved"), "2026-Q2"), 0);
    let alone = decided(Facts::default(), "a", "2026-07-01T06:30:00Z", "denied");
    assert_eq!((denials(&alone, "2026-Q2"), denials(&alone, "2026-Q3")), (1, 0));
}

#[test]
fn members_enrolled_on_any_day_of_the_quarter() {
    let enrolled = |facts: &Facts, quarter| counted(facts, "enrolled", quarter, None);
    let facts = Facts::default().enrolled("e", "ecm", "2022-06-30");
    assert_eq!((enrolled(&facts, "2022-Q1"), enrolled(&facts, "2022-Q2"), enrolled(&facts, "2023-Q1")), (0, 1, 1));
    let ended = facts.clone().disenrolled("2022-07-01", "e", "2022-07-01");
    assert_eq!((enrolled(&ended, "2022-Q2"), enrolled(&ended, "2022-Q3")), (1, 0));
    // Once in a program, however often; once in each program.
    let again = ended.enrolled("f", "ecm", "2022-09-01").disenrolled("2022-09-09", "f", "2022-09-09");
    assert_eq!(enrolled(&again.enrolled("g", "ecm", "2022-09-20"), "2022-Q3"), 1);
    let both = facts.enrolled("h", "housing_navigation", "2022-06-01");
    assert_eq!(enrolled(&both, "2022-Q2"), 2);
    assert_eq!(counted(&both, "enrolled", "2022-Q2", Some("molina")), 0);
    let dossier = both.dossier();
    let known = Known::of(&dossier, built_in());
    let counts = by_program(Report::Enrolled, "2022-Q2".parse().unwrap(), None, &known);
    let told: Vec<String> = counts.iter().map(|(program, count)| format!("{program} {count}")).collect();
    assert_eq!(told, ["ecm 1", "housing_navigation 1"]);
}

#[test]
fn attempts_that_count() {
    let facts =
        Facts::default().called("2022-03-31", "nobody").called("2022-04-01", "nobody").called("2022-04-02", "member");
    let facts = facts.tell("2022-04-03", "outreach_attempted", attempt("mail", &[], "nobody"));
    let facts = facts.enrolled("e", "ecm", "2022-04-10").called("2022-04-20", "member");
    assert_eq!(counted(&facts, "outreach_attempts", "2022-Q1", None), 1);
    assert_eq!(counted(&facts, "outreach_attempts", "2022-Q2", None), 2);
    assert_eq!(counted(&facts, "outreach_attempts", "2022-Q2", Some("la-care")), 2);
    assert_eq!(counted(&facts, "outreach_attempts", "2022-Q2", Some("molina")), 0);
}
