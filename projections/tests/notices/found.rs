//! Findings around notices.

use rollbook_projections::rules::facts::Facts;
use rollbook_projections::rules::findings::findings;
use serde_json::json;

use crate::facts::id;
use crate::ledger::{Ledger, with_policy};

fn served() -> Ledger {
    Ledger::default().enrolled("e", "ecm", "2023-03-01").started("e", "2023-03-08")
}

fn ended(reason: &str) -> Ledger {
    served().disenrolled("2024-02-16", "e", "2024-03-01", reason)
}

#[track_caller]
fn found(ledger: &Ledger, code: &str, expected: &[&str]) {
    assert_eq!(ledger.found(code), expected, "{code}");
}

#[test]
fn a_notice_is_missing_from_the_day_after_the_last_lawful_one() {
    found(&ended("goals_met"), "notice_missing", &["2024-02-21 -"]);
    found(&ended("coverage_lost"), "notice_missing", &[]);
    let on = |day: &str| ended("goals_met").mailed("n", "ecm", "discontinuation", day, Some("2024-03-01"));
    found(&on("2024-02-20"), "notice_missing", &[]);
    found(&on("2024-02-20"), "notice_late", &[]);
    found(&on("2024-02-21"), "notice_missing", &[]);
    found(&on("2024-02-21"), "notice_late", &["2024-02-21 -"]);
    found(&on("2024-02-22"), "notice_missing", &["2024-02-21 2024-02-22"]);
    found(&ended("goals_met").voided("2024-02-17", 3), "notice_missing", &[]);
}

#[test]
fn a_finding_says_what_it_is_of() {
    let ledger = Ledger::default().asked("2024-02-28T09:00:00-08:00", "a", "ecm", "member").decided(
        "2024-03-01",
        "a",
        "ecm",
        "denied",
    );
    let (first, second) = (
        ledger.dossier(),
        ended("goals_met").mailed("n", "ecm", "discontinuation", "2024-03-01", Some("2024-03-01")).dossier(),
    );
    let told = |dossier| {
        let facts = Facts::of(dossier, ledger.rulebook);
        let found = findings(&facts).into_iter().filter(|finding| !finding.code.contains("authorization"));
        found
            .map(|found| format!("{} {} {} {}", found.code, found.rule, found.about, found.because.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&first), [format!("notice_missing CLK-4 requested|la-care|ecm|authorization|{} 3", id("a"))]);
    let about = format!("ended|la-care|{}|1", id("e"));
    assert_eq!(
        told(&second),
        [
            format!("notice_late CLK-1 {about} 5"),
            format!("notice_missing CLK-1 {about} 5"),
            format!("same_day_notice_unsupported CLK-2 {about} 5"),
        ]
    );
}

#[test]
fn an_expiry_nobody_answered_misses_its_notice() {
    let open = Ledger::default().asked("2022-03-01T09:00:00-08:00", "a", "ecm", "member");
    found(&open, "notice_missing", &["2022-03-09 -"]);
    found(&open.decided("2022-03-03", "a", "ecm", "approved"), "notice_missing", &[]);
}

#[test]
fn a_notice_on_the_last_day_needs_a_ground() {
    let on = |reason, mailed: &str| ended(reason).mailed("n", "ecm", "discontinuation", mailed, Some("2024-03-01"));
    found(&on("goals_met", "2024-03-01"), "same_day_notice_unsupported", &["2024-03-01 -"]);
    found(&on("goals_met", "2024-03-02"), "same_day_notice_unsupported", &["2024-03-02 -"]);
    found(&on("goals_met", "2024-02-29"), "same_day_notice_unsupported", &[]);
    found(&on("moved_out_of_county", "2024-03-01"), "same_day_notice_unsupported", &[]);
    let none = ended("goals_met").mailed("n", "ecm", "discontinuation", "2024-03-01", None);
    found(&none, "same_day_notice_unsupported", &[]);
    let denied = Ledger::default().asked("2024-02-28T09:00:00-08:00", "a", "ecm", "member").decided(
        "2024-03-01",
        "a",
        "ecm",
        "denied",
    );
    found(&denied.mailed("n", "ecm", "denial", "2024-03-01", Some("2024-03-01")), "same_day_notice_unsupported", &[]);
}

const ALTERNATIVE: &str = "alternative_referral_expected";

#[test]
fn a_lower_level_of_care_and_the_end_of_a_community_support_ask_for_an_alternative() {
    found(&ended("lower_level_of_care"), ALTERNATIVE, &["2024-03-01 -"]);
    found(&ended("goals_met"), ALTERNATIVE, &[]);
    let support = |reason| {
        Ledger::default().enrolled("e", "respite", "2023-03-01").disenrolled("2024-02-16", "e", "2024-03-01", reason)
    };
    found(&support("goals_met"), ALTERNATIVE, &["2024-03-01 -"]);
    found(&support("lower_level_of_care"), ALTERNATIVE, &["2024-03-01 -"]);
    found(&support("died"), ALTERNATIVE, &[]);
    found(&support("goals_met").enrolled("f", "respite", "2024-03-01"), ALTERNATIVE, &[]);
    let data =
        json!({ "enrollment": id("e"), "until": "2024-03-01", "reason": "lower_level_of_care", "alternative": "chw" });
    found(&served().tell("2024-02-16", "disenrolled", data), ALTERNATIVE, &[]);
}

#[test]
fn a_member_whom_no_population_fits_is_referred_elsewhere() {
    let denied = |outcome: &str, reason: &str| {
        let data = json!({
            "authorization": id("a"), "program": "ecm", "outcome": outcome, "decided_at": "2024-03-01T10:00:00-08:00",
            "reasons": [reason],
        });
        Ledger::default().tell("2024-03-01", "authorization_decided", data)
    };
    let expected = denied("denied", "no_population_of_focus");
    found(&expected, ALTERNATIVE, &["2024-03-01 -"]);
    found(&denied("denied", "other"), ALTERNATIVE, &[]);
    found(&denied("deferred", "no_population_of_focus"), ALTERNATIVE, &[]);
    // Until somebody refers the member to something else.
    found(&expected.clone().referred("2024-03-09", "r", "respite", "nobody"), ALTERNATIVE, &["2024-03-01 2024-03-09"]);
    found(&expected.clone().referred("2024-03-01", "r", "respite", "nobody"), ALTERNATIVE, &[]);
    found(&expected.clone().referred("2024-02-29", "r", "respite", "nobody"), ALTERNATIVE, &["2024-03-01 -"]);
    found(&expected.clone().referred("2024-03-09", "r", "ecm", "member"), ALTERNATIVE, &["2024-03-01 -"]);
    let told = json!({ "referral": id("r"), "program": "respite", "pathway": "self", "requested_by": "member" });
    found(
        &expected.tell_of("molina", "2024-03-09", "2024-03-09", "referral_received", told),
        ALTERNATIVE,
        &["2024-03-01 -"],
    );
}

const PREMATURE: &str = "premature_discontinuation";

/// Enrolled under the plan's policy of three attempts and thirty days, and called on these days of 2022.
fn called(days: &[(&str, &str)]) -> Ledger {
    let enrolled = Ledger::under(with_policy()).enrolled("e", "ecm", "2022-03-01");
    days.iter().fold(enrolled, |ledger, (day, reached)| ledger.called(&format!("2022-{day}"), reached))
}

fn given_up(ledger: Ledger, on: &str) -> Ledger {
    ledger.disenrolled(on, "e", "2022-09-01", "unable_to_contact")
}

#[test]
fn who_is_given_up_was_tried_as_often_and_as_long_as_the_plan_wants() {
    let three = [("06-01", "nobody"), ("06-08", "nobody"), ("06-15", "nobody")];
    found(&given_up(called(&three), "2022-07-01"), PREMATURE, &[]);
    found(&given_up(called(&three), "2022-06-30"), PREMATURE, &["2022-09-01 -"]);
    found(&given_up(called(&three[..2]), "2022-08-01"), PREMATURE, &["2022-09-01 -"]);
    found(&given_up(called(&[]), "2022-08-01"), PREMATURE, &["2022-09-01 -"]);
    let resumed = [three[0], three[1], ("06-10", "member"), three[2], ("06-20", "nobody"), ("06-25", "nobody")];
    found(&given_up(called(&resumed), "2022-07-15"), PREMATURE, &[]);
    found(&given_up(called(&resumed), "2022-07-14"), PREMATURE, &["2022-09-01 -"]);
    found(&given_up(called(&resumed[..5]), "2022-08-01"), PREMATURE, &["2022-09-01 -"]);
    // Attempts before the enrollment, after the end was told, by letter, at another plan or for another program.
    let before = [("02-28", "nobody"), three[0], three[1]];
    found(&given_up(called(&before), "2022-08-01"), PREMATURE, &["2022-09-01 -"]);
    found(&given_up(called(&[("03-01", "nobody"), three[0], three[1]]), "2022-08-01"), PREMATURE, &[]);
    found(&given_up(called(&[three[0], three[1], ("07-02", "nobody")]), "2022-07-01"), PREMATURE, &["2022-09-01 -"]);
    found(&given_up(called(&[three[0], three[1], ("07-01", "nobody")]), "2022-07-01"), PREMATURE, &[]);
    let with = |channel: &str, program: &str, plan: &str| {
        let mut data = crate::facts::attempt(channel, &[], "nobody");
        data["program"] = program.into();
        given_up(
            called(&three[..2]).tell_of(plan, "2022-06-20", "2022-06-20", "outreach_attempted", data),
            "2022-08-01",
        )
    };
    found(&with("phone", "ecm", "la-care"), PREMATURE, &[]);
    for other in [with("mail", "ecm", "la-care"), with("phone", "respite", "la-care"), with("phone", "ecm", "molina")] {
        found(&other, PREMATURE, &["2022-09-01 -"]);
    }
}

#[test]
fn plan_and_provider_agree_and_only_where_the_member_is_given_up() {
    let ended = |reason: &str, agreed: &[&str]| {
        let data = json!({ "enrollment": id("e"), "until": "2022-09-01", "reason": reason, "agreed_by": agreed });
        Ledger::default().enrolled("e", "ecm", "2022-03-01").tell("2022-08-01", "disenrolled", data)
    };
    for reason in ["unable_to_contact", "unresponsive"] {
        found(&ended(reason, &["plan", "provider"]), PREMATURE, &[]);
        found(&ended(reason, &["plan"]), PREMATURE, &["2022-09-01 -"]);
        found(&ended(reason, &["provider"]), PREMATURE, &["2022-09-01 -"]);
    }
    found(&ended("goals_met", &["plan"]), PREMATURE, &[]);
}
