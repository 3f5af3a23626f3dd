//! How long before an action its notice is mailed (CLK-1, CLK-2; domain/cases.md B2-25, B2-11, B2-16).

use rollbook_projections::rules::facts::Facts as Known;
use rollbook_projections::rules::notice_clock::{issued, same_day_allowed};
use serde_json::{Value, json};

use crate::facts::{Facts, built_in, id, laid};

const ADVANCE: &[&str] = &["clock", "rule", "due_on", "met_on", "late_by_days", "earliest_on"];

fn mailed(facts: Facts, kind: &str, on: &str, effective: Option<&str>) -> Facts {
    let mut data = json!({ "notice": id("n"), "program": "ecm", "kind": kind, "mailed_on": on });
    if let Some(effective) = effective {
        data["effective_on"] = effective.into();
    }
    facts.tell(on, "notice_issued", data)
}

fn advance(facts: &Facts) -> Vec<String> {
    facts.told("clock", ADVANCE).into_iter().filter(|row| row.starts_with("notice_advance")).collect()
}

#[test]
fn a_notice_is_mailed_ten_days_before() {
    let at = |on| advance(&mailed(Facts::default(), "discontinuation", on, Some("2024-03-01")));
    // B2-25: ten days exactly, in a leap year.
    assert_eq!(at("2024-02-20"), ["notice_advance CLK-1 2024-02-20 2024-02-20 0 2024-03-01"]);
    assert_eq!(at("2024-02-19"), ["notice_advance CLK-1 2024-02-20 2024-02-19 0 2024-02-29"]);
    assert_eq!(at("2024-02-22"), ["notice_advance CLK-1 2024-02-20 2024-02-22 2 2024-03-03"]);
    let unknown = mailed(Facts::default(), "discontinuation", "2024-02-20", None);
    assert_eq!(advance(&unknown), ["notice_advance CLK-1 - 2024-02-20 - 2024-03-01"]);
    // Only what is taken away is told before.
    for kind in ["denial", "deferral", "availability_change"] {
        assert_eq!(advance(&mailed(Facts::default(), kind, "2024-02-20", Some("2024-03-01"))), [""; 0], "{kind}");
    }
    let reduced = mailed(Facts::default(), "modification", "2024-02-20", Some("2024-03-01"));
    assert_eq!(advance(&reduced).len(), 1);
    assert_eq!(advance(&mailed(Facts::default(), "modification", "2024-02-20", None)), [""; 0]);
    // The number is the plan's to lengthen.
    let longer =
        laid("[notices.advance]\ndays = 14\nrule = \"CLK-1\"\nissuer = \"plan\"\ncite = \"policy\"\nverified = true\n");
    let told = mailed(Facts::default(), "discontinuation", "2024-02-20", Some("2024-03-01"));
    assert!(told.told_under(&longer, "clock", &["due_on", "late_by_days"]).contains(&"2024-02-16 4".to_owned()));
}

/// Enrolled in ECM, ended for a reason as of 2024-03-01, with a notice of that day; then what else is known.
fn ended(reason: &str, more: &[(&str, &str, Value)]) -> Facts {
    let facts = Facts::default().enrolled("e", "ecm", "2024-01-01");
    let end = json!({ "enrollment": id("e"), "until": "2024-03-01", "reason": reason });
    let facts = facts.tell("2024-02-28", "disenrolled", end);
    let facts = more.iter().fold(facts, |facts, (at, kind, data)| facts.tell(at, kind, data.clone()));
    mailed(facts, "discontinuation", "2024-03-01", Some("2024-03-01"))
}

#[track_caller]
fn is_allowed(facts: &Facts, expected: bool) {
    let same_day = ["notice_advance CLK-2 2024-03-01 2024-03-01 0 2024-03-01"];
    let ten_days = ["notice_advance CLK-1 2024-02-20 2024-03-01 10 2024-03-11"];
    assert_eq!(advance(facts), if expected { same_day } else { ten_days });
}

#[test]
fn a_death_known_by_then_allows_the_day_itself() {
    let died = |at, on| ended("died", &[(at, "member_died", json!({ "on": on }))]);
    is_allowed(&died("2024-03-01", "2024-03-01"), true);
    is_allowed(&died("2024-03-02", "2024-03-01"), true);
    is_allowed(&died("2024-03-01", "2024-03-02"), false);
    is_allowed(&ended("died", &[]), false);
}

#[test]
fn a_signed_statement_allows_the_day_itself() {
    // B2-11
    let out = |at, program, signed| {
        let data = json!({ "program": program, "by": "member", "signed": signed });
        ended("no_longer_wishes", &[(at, "opted_out", data)])
    };
    is_allowed(&out("2024-03-01", "ecm", true), true);
    is_allowed(&out("2024-03-01", "ecm", false), false);
    is_allowed(&out("2024-03-01", "tailored_meals", true), false);
    is_allowed(&out("2024-03-02", "ecm", true), false);
    let data = json!({ "program": "ecm", "by": "member", "signed": true });
    // CLK-2: what was said in the span that ended counts, though the member came back on the very day.
    let said = Facts::default().enrolled("e", "ecm", "2024-01-01").tell("2024-02-20", "opted_out", data.clone());
    let end = json!({ "enrollment": id("e"), "until": "2024-03-01", "reason": "no_longer_wishes" });
    let back = json!({ "enrollment": id("e"), "from": "2024-03-01", "reason": "appeal" });
    let back = said.tell("2024-02-28", "disenrolled", end).tell("2024-03-05", "reinstated", back);
    is_allowed(&mailed(back, "discontinuation", "2024-03-01", Some("2024-03-01")), true);
    let elsewhere = Facts::default().tell_of("molina", "2024-02-01", "opted_out", data);
    is_allowed(&mailed(elsewhere, "discontinuation", "2024-03-01", Some("2024-03-01")), false);
}

#[test]
fn mail_that_came_back_allows_it_where_nobody_knows_where_the_member_is() {
    let mail = |reason: &str, at, on, forwarding: bool| {
        ended(reason, &[(at, "mail_returned", json!({ "on": on, "forwarding_address": forwarding }))])
    };
    is_allowed(&mail("unable_to_contact", "2024-03-01", "2024-03-01", false), true);
    is_allowed(&mail("unresponsive", "2024-02-20", "2024-02-20", false), true);
    is_allowed(&mail("unable_to_contact", "2024-02-20", "2024-02-20", true), false);
    is_allowed(&mail("goals_met", "2024-02-20", "2024-02-20", false), false);
    is_allowed(&mail("unable_to_contact", "2024-03-01", "2024-03-02", false), false);
    is_allowed(&mail("unable_to_contact", "2024-03-02", "2024-03-01", false), true);
    is_allowed(&ended("unable_to_contact", &[]), false);
}

#[test]
fn who_moved_away_may_be_told_on_the_day() {
    is_allowed(&ended("moved_out_of_county", &[]), true);
    is_allowed(&ended("moved_out_of_country", &[]), true);
    is_allowed(&ended("incarcerated", &[]), false);
}

#[test]
fn the_end_nearest_to_the_notice_is_the_one_it_is_about() {
    let again = |first: &str, second: &str| {
        let end = |enrollment: &str, until: &str, reason: &str| json!({ "enrollment": id(enrollment), "until": until, "reason": reason });
        let facts = Facts::default().enrolled("e", "ecm", "2023-01-01").enrolled("f", "ecm", "2024-01-01");
        let facts = facts.tell("2023-06-01", "disenrolled", end("e", "2023-06-01", first));
        let facts = facts.tell("2024-02-28", "disenrolled", end("f", "2024-03-02", second));
        mailed(facts, "discontinuation", "2024-03-01", Some("2024-03-01"))
    };
    is_allowed(&again("moved_out_of_county", "goals_met"), false);
    is_allowed(&again("goals_met", "moved_out_of_county"), true);
    // Another program's end, and another plan's, are none of this notice's.
    let end = json!({ "enrollment": id("e"), "until": "2024-03-01", "reason": "moved_out_of_county" });
    let meals = Facts::default().enrolled("e", "tailored_meals", "2024-01-01");
    let meals = meals.tell("2024-02-28", "disenrolled", end.clone());
    is_allowed(&mailed(meals, "discontinuation", "2024-03-01", Some("2024-03-01")), false);
    let data = json!({
        "enrollment": id("e"), "program": "ecm", "basis": "opt_in", "channel": "plan_direct",
        "provider": "sample-clinic", "from": "2024-01-01",
    });
    let molina = Facts::default().tell_of("molina", "2024-01-01", "enrolled", data);
    let molina = molina.tell_of("molina", "2024-02-28", "disenrolled", end);
    is_allowed(&mailed(molina, "discontinuation", "2024-03-01", Some("2024-03-01")), false);
    // Without an effective day, the day of mailing is where to look.
    let facts = Facts::default().enrolled("e", "ecm", "2024-01-01");
    let end = json!({ "enrollment": id("e"), "until": "2024-03-01", "reason": "moved_out_of_county" });
    let facts = mailed(facts.tell("2024-02-28", "disenrolled", end), "discontinuation", "2024-03-01", None);
    assert_eq!(advance(&facts), ["notice_advance CLK-2 - 2024-03-01 - 2024-03-01"]);
}

#[test]
fn the_first_ground_that_holds_is_the_one_named() {
    let facts = ended("moved_out_of_county", &[("2024-02-20", "member_died", json!({ "on": "2024-02-19" }))]);
    let allowed = |facts: &Facts| {
        let dossier = facts.dossier();
        let known = Known::of(&dossier, built_in());
        same_day_allowed(&known, issued(&known)[0]).map(|ground| ground.cite.clone())
    };
    assert_eq!(allowed(&facts), Some("42 CFR 431.213(a)".to_owned()));
    assert_eq!(allowed(&ended("moved_out_of_county", &[])), Some("42 CFR 431.213(e)".to_owned()));
    assert_eq!(allowed(&ended("goals_met", &[])), None);
}
