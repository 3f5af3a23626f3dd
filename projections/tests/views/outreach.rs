//! `outreach_conversion`: the cases of domain/cases.md B3, and the episodes.

use rollbook_events::families::outreach::OutreachAttempted;
use rollbook_projections::Rulebook;
use rollbook_projections::rules::outreach::judge;
use serde_json::json;

use crate::facts::{Facts, attempt, built_in};

const COUNTS: &[&str] = &["episode", "identified_on", "attempts", "contacts", "not_counted", "enrolled_on"];

#[track_caller]
fn episodes(facts: &Facts, expected: &[&str]) {
    assert_eq!(facts.told("outreach_conversion", COUNTS), expected);
}

fn listed() -> Facts {
    Facts::default().identified("2022-01-05")
}

#[test]
fn what_counts_as_an_attempt_and_what_as_a_contact() {
    let written: &[&str] = &["individualized", "response_invited"];
    let invited: &[&str] = &["response_invited"];
    let own: &[&str] = &["individualized"];
    for (case, channel, flags, reached, expected) in [
        ("B3-01", "email", written, "nobody", "counts"),
        ("B3-02", "email", &[], "nobody", "no_response_invited"),
        ("OUT-6", "email", own, "nobody", "no_response_invited"),
        ("OUT-1", "text", invited, "nobody", "not_individualized"),
        ("B3-03", "phone", &[], "member", "contact"),
        ("B3-04", "phone", &[], "guardian", "contact"),
        ("B3-05", "phone", &[], "nobody", "counts"),
        ("B3-06", "robocall", &[], "nobody", "robocall_without_staff"),
        ("B3-09", "robocall", own, "nobody", "robocall_without_staff"),
        ("OUT-10", "robocall", &["callback"], "member", "contact"),
        ("OUT-11", "robocall", &["live_staff"], "nobody", "counts"),
        ("OUT-13", "robocall", &["live_staff"], "member", "contact"),
        ("CON-22", "phone", &["callback"], "member", "contact"),
        ("B3-11", "in_person", &[], "nobody", "counts"),
        ("B3-12", "in_person", &[], "member", "contact"),
        ("B3-15", "text", written, "nobody", "counts"),
        ("OUT-2", "portal", written, "nobody", "counts"),
        ("OUT-2", "mail", written, "nobody", "mail_not_counted"),
        ("OUT-1", "email", written, "undeliverable", "undeliverable_not_counted"),
        ("B3-21", "phone", &[], "wrong_number", "counts"),
        ("B3-21", "phone", &[], "other_person", "counts"),
    ] {
        let told: OutreachAttempted = serde_json::from_value(attempt(channel, flags, reached)).unwrap();
        let judgement = judge(&told, &built_in().base().outreach);
        let word = if judgement.contact { "contact" } else { judgement.reason.unwrap_or("counts") };
        assert_eq!(word, expected, "{case} {channel} {flags:?} {reached}");
        assert_eq!(judgement.counts, judgement.reason.is_none());
    }
}

#[test]
fn a_plan_may_count_mail_and_what_did_not_arrive() {
    let text = Rulebook::built_in_text().replace("mail_counts = false", "mail_counts = true");
    let rulebook =
        Rulebook::parse(&text.replace("undeliverable_counts = false", "undeliverable_counts = true")).unwrap();
    let letter = attempt("mail", &["individualized", "response_invited"], "undeliverable");
    assert!(judge(&serde_json::from_value(letter).unwrap(), &rulebook.base().outreach).counts);
}

#[test]
fn an_episode_from_identification_to_enrollment() {
    let facts = listed().called("2022-01-10", "nobody").called("2022-01-12", "member");
    let facts = facts.tell("2022-01-13", "outreach_attempted", attempt("mail", &[], "nobody"));
    episodes(&facts, &["1 2022-01-05 2 1 1 -"]);
    let facts = facts.enrolled("e", "ecm", "2022-03-01");
    episodes(&facts, &["1 2022-01-05 2 1 1 2022-03-01"]);
    let first = ["provider", "pathway", "first_channel", "month", "first_attempt_on", "first_contact_on", "basis"];
    let expected = "sample-outreach assigned_list phone 2022-01 2022-01-10 2022-01-12 opt_in";
    assert_eq!(facts.told("outreach_conversion", &first), [expected]);
    // B3-17: after enrollment it is service. Monthly lists that name the enrolled again identify nobody.
    let facts = facts.called("2022-03-02", "member").identified("2022-04-05").called("2022-04-10", "member");
    episodes(&facts, &["1 2022-01-05 2 1 3 2022-03-01"]);
    // Another plan's outreach is another plan's.
    let facts = facts.tell_of("molina", "2022-04-01", "outreach_attempted", attempt("phone", &[], "nobody"));
    episodes(&facts, &["1 - 1 0 0 -", "1 2022-01-05 2 1 3 2022-03-01"]);
}

#[test]
fn an_attempt_on_the_day_of_enrollment() {
    let at = |enrolled: &str| {
        let data = json!({
            "enrollment": crate::facts::id("e"), "program": "ecm", "basis": "opt_in", "channel": "plan_direct",
            "provider": "sample-clinic", "from": "2022-03-01",
        });
        listed().tell(enrolled, "enrolled", data)
    };
    // Where either is a bare day, the same day precedes.
    episodes(&at("2022-03-01").called("2022-03-01", "member"), &["1 2022-01-05 1 1 0 2022-03-01"]);
    episodes(&at("2022-03-01").called("2022-03-01T09:00:00-08:00", "member"), &["1 2022-01-05 1 1 0 2022-03-01"]);
    episodes(&at("2022-03-01T08:00:00-08:00").called("2022-03-01", "member"), &["1 2022-01-05 1 1 0 2022-03-01"]);
    // Where both are instants, they decide; an event told on another day does not know the hour.
    let facts = at("2022-03-01T12:00:00-08:00").called("2022-03-01T09:00:00-08:00", "member");
    episodes(&facts.called("2022-03-01T12:00:00-08:00", "member"), &["1 2022-01-05 1 1 1 2022-03-01"]);
    let facts = at("2022-03-20T08:00:00-07:00").called("2022-03-01T23:00:00-08:00", "member");
    episodes(&facts.called("2022-03-02T00:00:00-08:00", "member"), &["1 2022-01-05 1 1 1 2022-03-01"]);
    // An identification on that day was before.
    let facts = Facts::default().identified("2022-03-01T15:00:00-08:00").enrolled("e", "ecm", "2022-03-01");
    episodes(&facts, &["1 2022-03-01 0 0 0 2022-03-01"]);
}

#[test]
fn outreach_to_somebody_nobody_identified() {
    // B3-19
    let facts = Facts::default().called("2022-01-10", "nobody");
    episodes(&facts, &["1 - 1 0 0 -"]);
    // An identification that comes later in the same episode is the episode's.
    let facts = facts.identified("2022-02-05");
    episodes(&facts, &["1 2022-02-05 1 0 0 -"]);
    assert_eq!(facts.told("outreach_conversion", &["month"]), ["2022-02"]);
    // B3-20: a look-up is no attempt.
    episodes(&Facts::default().tell("2022-01-10", "member_looked_up", json!({ "system": "hmis" })), &[]);
}

#[test]
fn a_new_episode_begins_after_the_former_ended() {
    let opted_out = json!({ "program": "ecm", "by": "member" });
    let closed = json!({ "program": "ecm", "reason": "no_response" });
    // B3-12: the attempt at which the member declines is of the episode it ends, by day or by instant.
    let facts = listed().called("2022-01-10T10:00:00-08:00", "member");
    for at in ["2022-01-10", "2022-01-10T10:00:00-08:00"] {
        let facts = facts.clone().tell(at, "opted_out", opted_out.clone());
        episodes(&facts, &["1 2022-01-05 1 1 0 -"]);
        assert_eq!(facts.told("outreach_conversion", &["opted_out_on"]), ["2022-01-10"]);
        episodes(&facts.called("2022-02-01", "nobody"), &["1 2022-01-05 1 1 0 -", "2 - 1 0 0 -"]);
    }
    let facts = facts.tell("2022-02-01", "outreach_closed", closed).identified("2022-06-05");
    episodes(&facts, &["1 2022-01-05 1 1 0 -", "2 2022-06-05 0 0 0 -"]);
    // Identified again within an episode adds populations only.
    let again = json!({ "program": "ecm", "pathway": "referral", "populations": ["ccs"], "provider": "late-clinic" });
    let facts = facts.tell("2022-07-05", "member_identified", again);
    let told = facts.told("outreach_conversion", &["episode", "identified_on", "pathway", "provider", "populations"]);
    let expected = "2 2022-06-05 assigned_list - homelessness,ccs";
    assert_eq!(told, ["1 2022-01-05 assigned_list sample-outreach homelessness", expected]);
    // Disenrolled, then identified.
    let facts = listed().enrolled("e", "ecm", "2022-03-01").disenrolled("2022-06-01", "e", "2022-06-01");
    episodes(&facts.clone().identified("2022-06-01"), &["1 2022-01-05 0 0 0 2022-03-01", "2 2022-06-01 0 0 0 -"]);
    episodes(&facts.identified("2022-05-31"), &["1 2022-01-05 0 0 0 2022-03-01"]);
}

#[test]
fn an_enrollment_that_no_outreach_led_to_makes_no_row() {
    // B3-25
    let facts = Facts::default().enrolled("e", "ecm", "2022-01-01");
    episodes(&facts, &[]);
    let facts = facts.called("2022-01-10", "member").identified("2022-02-05");
    episodes(&facts, &[]);
    let facts = facts.disenrolled("2022-06-01", "e", "2022-06-01").called("2022-07-01", "nobody");
    episodes(&facts, &["1 - 1 0 0 -"]);
}

#[test]
fn who_declined_and_then_enrolled_is_one_conversion() {
    let facts = listed().tell("2022-01-10", "opted_out", json!({ "program": "ecm", "by": "member" }));
    episodes(&facts.enrolled("e", "ecm", "2022-02-01"), &["1 2022-01-05 0 0 0 2022-02-01"]);
}

const MEASURES: &[&str] =
    &["episode", "attempts", "contacts", "exported", "over_cap", "marketing", "not_counted", "not_counted_reasons"];

#[track_caller]
fn measures(facts: &Facts, expected: &[&str]) {
    assert_eq!(facts.told("outreach_conversion", MEASURES), expected);
}

#[test]
fn the_tracker_file_holds_what_counts_and_came_after_the_identification() {
    let tries = ["2022-01-04", "2022-01-05", "2022-01-10"];
    let facts = tries.iter().fold(listed(), |facts, at| facts.called(at, "nobody"));
    // The day of the identification is after it.
    measures(&facts, &["1 3 0 2 0 0 0 -"]);
    // B3-19: nobody identified the member: an attempt, but of no tracker file.
    measures(&Facts::default().called("2022-01-10", "member"), &["1 1 1 0 0 0 0 -"]);
    // Whoever was identified stays so when outreach begins again.
    let closed = facts.tell("2022-02-01", "outreach_closed", json!({ "program": "ecm", "reason": "no_response" }));
    measures(&closed.called("2022-03-01", "nobody"), &["1 3 0 2 0 0 0 -", "2 1 0 1 0 0 0 -"]);
    // Another plan's list is another plan's.
    let data = json!({ "program": "ecm", "pathway": "plan_data" });
    let other = Facts::default().tell_of("molina", "2022-01-01", "member_identified", data);
    measures(&other.called("2022-01-10", "nobody"), &["1 0 0 0 0 0 0 -", "1 1 0 0 0 0 0 -"]);
}

#[test]
fn what_does_not_count_says_why() {
    // B3-02, OUT-6: a message to everybody that asks for no answer is marketing.
    let message = |facts: Facts, channel: &str, flags: &[&str]| {
        facts.tell("2022-01-10", "outreach_attempted", attempt(channel, flags, "nobody"))
    };
    let facts = message(message(listed(), "email", &[]), "text", &["individualized"]);
    measures(&facts, &["1 0 0 0 0 2 2 no_response_invited"]);
    // B3-06: a robocall without a connection is neither an attempt nor marketing.
    let facts = message(message(facts, "robocall", &[]), "mail", &["individualized", "response_invited"]);
    measures(&facts, &["1 0 0 0 0 2 4 mail_not_counted,no_response_invited,robocall_without_staff"]);
    // B3-17, B3-25: while enrolled it is service, whatever it would have been before.
    let facts = facts.enrolled("e", "ecm", "2022-03-01").called("2022-03-02", "member");
    let told = facts.told("outreach_conversion", &["attempts", "exported", "not_counted_reasons"]);
    assert_eq!(told, ["0 0 enrolled,mail_not_counted,no_response_invited,robocall_without_staff"]);
    assert_eq!(facts.told("outreach_conversion", &["provider"]), ["sample-outreach"]);
    let auto = listed().enrolled("e", "ecm", "2022-01-06").called("2022-01-10", "member");
    measures(&auto, &["1 0 0 0 0 0 1 enrolled"]);
    // Who served while enrolled is not who tried first.
    assert_eq!(auto.told("outreach_conversion", &["provider"]), ["-"]);
}

#[test]
fn a_call_told_twice_is_one_call() {
    // B3-14: the record that a corrected file repeats.
    let at = "2022-01-10T10:00:00-08:00";
    let facts = listed().called(at, "member").called("2022-01-10T18:00:00Z", "member");
    measures(&facts, &["1 1 1 1 0 0 1 repeated"]);
    measures(&facts.called(at, "member"), &["1 1 1 1 0 0 2 repeated"]);
    // Another hour, another person reached, or only the day: another call.
    measures(&listed().called(at, "member").called("2022-01-10T10:00:01-08:00", "member"), &["1 2 2 2 0 0 0 -"]);
    measures(&listed().called(at, "member").called(at, "nobody"), &["1 2 1 2 0 0 0 -"]);
    measures(&listed().called("2022-01-10", "member").called("2022-01-10", "member"), &["1 2 2 2 0 0 0 -"]);
}

#[test]
fn attempts_past_a_plans_cap_are_recorded_and_marked() {
    // B3-27
    let capped = |facts: &Facts| facts.told_laid("[outreach]\ncap = 2\n", "outreach_conversion", MEASURES);
    let facts = listed().called("2022-01-10", "nobody").called("2022-01-11", "nobody");
    let facts = facts.tell("2022-01-12", "outreach_attempted", attempt("mail", &[], "nobody"));
    assert_eq!(capped(&facts), ["1 2 0 2 0 0 1 mail_not_counted"]);
    let facts = facts.called("2022-01-13", "member").called("2022-01-14", "member");
    assert_eq!(capped(&facts), ["1 4 2 4 2 0 1 mail_not_counted"]);
    measures(&facts, &["1 4 2 4 0 0 1 mail_not_counted"]);
}
