//! The end of service: the first ground of NOA-1, and what is left to a plan's own staff.

use serde_json::json;

use crate::facts::id;
use crate::ledger::{Ledger, decided, leaked};

const REQUIRED: &str = "required discontinuation services_discontinued NOA-1";

fn served() -> Ledger {
    Ledger::default().enrolled("e", "ecm", "2022-03-01").started("e", "2022-03-08")
}

/// Enrolled under an authorization that was granted.
fn authorized() -> Ledger {
    let facts =
        Ledger::default().tell("2022-02-20", "authorization_decided", decided("2022-02-20", "a", "ecm", "approved"));
    facts.enrolled_by("opt_in", Some("a"), "e", "ecm", "2022-03-01")
}

#[track_caller]
fn stands(ledger: &Ledger, expected: &[&str]) {
    let stand = ledger.stand();
    let ended: Vec<&String> = stand.iter().filter(|row| !row.contains("granted")).collect();
    assert_eq!(ended, expected);
}

fn ended(ledger: Ledger) -> Ledger {
    ledger.disenrolled("2022-11-08", "e", "2022-12-01", "goals_met")
}

#[test]
fn services_in_place_that_end_need_a_notice() {
    stands(&served(), &[]);
    stands(&ended(served()), &[REQUIRED]);
    let rows = ended(served()).rows(&["trigger", "because", "knew", "from_on", "plan", "county", "program"]);
    let (enrolled, started, ended) = (id("1"), id("2"), id("3"));
    assert_eq!(rows, [format!("{ended} {enrolled},{started},{ended} 7 2022-12-01 la-care los-angeles ecm")]);
}

#[test]
fn a_recommendation_determines_nothing() {
    let data = json!({ "enrollment": id("e"), "reason": "goals_met", "by": "provider" });
    stands(&served().tell("2022-11-01", "discontinuation_recommended", data), &[]);
}

#[test]
fn the_rules_speak_of_ecm_and_community_supports_alone() {
    stands(&ended(Ledger::default().enrolled("e", "icms_hfh", "2022-03-01")), &[]);
    stands(&ended(Ledger::default().enrolled("e", "tailored_meals", "2022-03-01")), &[REQUIRED]);
}

#[test]
fn without_an_authorization_the_enrollment_itself_is_service_and_with_one_it_must_show() {
    stands(&ended(Ledger::default().enrolled("e", "ecm", "2022-03-01")), &[REQUIRED]);
    stands(&ended(authorized()), &["review discontinuation never_started NOA-7"]);
    // An authorization that is only named is on record too.
    let named = Ledger::default().enrolled_by("opt_in", Some("a"), "e", "ecm", "2022-03-01");
    stands(&ended(named), &["review discontinuation never_started NOA-7"]);
    // Of the same plan and program, it needs no name.
    let decision = decided("2022-02-20", "a", "ecm", "modified");
    let unnamed = Ledger::default().tell("2022-02-20", "authorization_decided", decision);
    let rows = ended(unnamed.enrolled("e", "ecm", "2022-03-01")).stand();
    assert!(rows.contains(&"review discontinuation never_started NOA-7".to_owned()), "{rows:?}");
    for (plan, program, on) in
        [("molina", "ecm", "2022-02-20"), ("la-care", "tailored_meals", "2022-02-20"), ("la-care", "ecm", "2022-12-01")]
    {
        let decision = decided(on, "a", program, "approved");
        let other = Ledger::default().tell_of(plan, "2022-02-20", on, "authorization_decided", decision);
        stands(&ended(other.enrolled("e", "ecm", "2022-03-01")), &[REQUIRED]);
    }
    let denied =
        Ledger::default().tell("2022-02-20", "authorization_decided", decided("2022-02-20", "a", "ecm", "denied"));
    assert!(ended(denied.enrolled("e", "ecm", "2022-03-01")).stand().contains(&REQUIRED.to_owned()));
}

#[test]
fn service_shows_in_its_start_units_stays_reassessments_and_managers() {
    let month = |month: &str, units: u32, outreach: u32| {
        let units = json!({ "program": "ecm", "month": month, "units": units, "outreach_units": outreach, "provider": "clinic" });
        ("units_recorded", units)
    };
    let stay = |day: &str, program: &str| {
        let (admitted, left) = (format!("{day}T08:00:00-08:00"), format!("{day}T20:00:00-08:00"));
        let stay = json!({ "program": program, "provider": "clinic", "admitted_at": admitted, "discharged_at": left });
        ("stay_recorded", stay)
    };
    let of = |enrollment: &str, kind, key: &str, day: &str, more: serde_json::Value| {
        let mut data = more;
        data["enrollment"] = json!(id(enrollment));
        data[key] = day.into();
        (kind, data)
    };
    let start = |enrollment, day| of(enrollment, "service_started", "on", day, json!({}));
    let manager =
        |enrollment, day| of(enrollment, "lead_care_manager_assigned", "from", day, json!({ "manager": "m" }));
    let reassessed = |enrollment, day| of(enrollment, "reassessed", "on", day, json!({ "outcome": "continue" }));
    let shows = |(kind, data): (&str, serde_json::Value)| {
        let ended = ended(authorized().tell("2022-11-01", kind, data));
        ended.stand().contains(&REQUIRED.to_owned())
    };
    assert!(shows(start("e", "2022-11-30")) && !shows(start("e", "2022-12-01")) && !shows(start("f", "2022-11-30")));
    assert!(
        shows(manager("e", "2022-11-30")) && !shows(manager("e", "2022-12-01")) && !shows(manager("f", "2022-05-01"))
    );
    assert!(
        shows(reassessed("e", "2022-11-30"))
            && !shows(reassessed("e", "2022-12-01"))
            && !shows(reassessed("f", "2022-05-01"))
    );
    assert!(shows(month("2022-03", 1, 0)) && shows(month("2022-11", 1, 0)));
    assert!(!shows(month("2022-02", 1, 0)) && !shows(month("2022-12", 1, 0)));
    assert!(shows(month("2022-05", 2, 1)) && !shows(month("2022-05", 1, 1)), "outreach units are no service");
    assert!(shows(stay("2022-03-01", "ecm")) && shows(stay("2022-11-30", "ecm")));
    assert!(
        !shows(stay("2022-02-28", "ecm")) && !shows(stay("2022-12-01", "ecm")) && !shows(stay("2022-05-01", "respite"))
    );
    let elsewhere = |(kind, data)| authorized().tell_of("molina", "2022-11-01", "2022-11-01", kind, data);
    for told in [elsewhere(month("2022-05", 1, 0)), elsewhere(stay("2022-05-01", "ecm"))] {
        stands(&ended(told), &["review discontinuation never_started NOA-7"]);
    }
    let other = month("2022-05", 1, 0).1.to_string().replace("ecm", "respite");
    assert!(!shows(("units_recorded", serde_json::from_str(&other).unwrap())));
}

#[test]
fn a_grandfathered_member_had_service_before() {
    for basis in ["grandfathered_wpc", "grandfathered_hhp"] {
        let facts = Ledger::default().enrolled_by(basis, Some("a"), "e", "ecm", "2022-01-01");
        stands(&ended(facts), &[REQUIRED]);
    }
}

#[test]
fn what_compliance_staff_judges_is_a_review_until_the_plan_has_an_answer_of_its_own() {
    for reason in ["died", "coverage_lost", "plan_changed"] {
        let ended = |ledger: Ledger| ledger.disenrolled("2022-11-08", "e", "2022-12-01", reason);
        stands(&ended(served()), &[&format!("review discontinuation services_discontinued,{reason} NOA-7")]);
        for (answer, row) in [("not_required", "not_required -"), ("required", "required discontinuation")] {
            let rulebook = leaked(&format!("[notices.review]\n{reason} = \"{answer}\"\n"));
            let own = Ledger::under(rulebook).enrolled("e", "ecm", "2022-03-01");
            stands(&ended(own), &[&format!("{row} services_discontinued,{reason} NOA-7")]);
        }
    }
    let rulebook = leaked("[notices.review]\nnever_started = \"not_required\"\n");
    let own = Ledger::under(rulebook).enrolled_by("opt_in", Some("a"), "e", "ecm", "2022-03-01");
    stands(&ended(own), &["not_required - never_started NOA-7"]);
}

#[test]
fn a_death_on_record_is_the_cause_whatever_the_disenrollment_says() {
    let died = |on: &str| ended(served().tell(on, "member_died", json!({ "on": on })));
    stands(&died("2022-11-30"), &["review discontinuation services_discontinued,died NOA-7"]);
    stands(&died("2022-12-01"), &["review discontinuation services_discontinued,died NOA-7"]);
    stands(&died("2022-12-02"), &[REQUIRED]);
    let late = ended(served()).tell("2023-02-01", "member_died", json!({ "on": "2022-11-20" }));
    stands(&late, &["review discontinuation services_discontinued,died NOA-7"]);
    assert_eq!(late.found("determination_superseded"), ["2023-02-01 -"]);
}

#[test]
fn a_withdrawn_offering_is_told_as_such_and_the_notice_of_action_is_a_review() {
    let withdrawn = served().disenrolled("2022-11-08", "e", "2022-12-01", "offering_withdrawn");
    let (told, noa) = (
        "required availability_change offering_withdrawn NOA-10",
        "review discontinuation services_discontinued,offering_withdrawn NOA-7",
    );
    stands(&withdrawn, &[told, noa]);
    let keys = withdrawn.rows(&["obligation"]);
    assert_eq!(
        keys,
        [format!("ended|la-care|{}|1", id("e")), format!("ended|la-care|{}|1", id("e"))],
        "both are about one ended span"
    );
    // Each of the two is superseded by its own successor.
    let voided = withdrawn.voided("2022-11-09", 3);
    stands(&voided, &["not_required - trigger_voided NOA-1", "not_required - trigger_voided NOA-1"]);
    let again = voided.disenrolled("2022-11-10", "e", "2022-12-01", "offering_withdrawn");
    stands(&again, &[told, noa]);
    stands(
        &again.disenrolled("2022-11-11", "e", "2022-12-01", "goals_met"),
        &["not_required - overtaken NOA-1", REQUIRED],
    );
}

#[test]
fn service_that_goes_on_at_the_same_plan_needs_no_notice() {
    let goes_on = "not_required - service_continues NOA-1";
    let next = |plan: &str, program: &str, from: &str| {
        let data = json!({
            "enrollment": id("f"), "program": program, "basis": "opt_in", "channel": "plan_direct",
            "provider": "other-clinic", "from": from,
        });
        ended(served()).tell_of(plan, "2022-12-20", from, "enrolled", data)
    };
    stands(&next("la-care", "ecm", "2022-12-01"), &[goes_on]);
    stands(&next("la-care", "ecm", "2022-11-20"), &[goes_on]);
    stands(&next("la-care", "ecm", "2022-12-02"), &[REQUIRED]);
    stands(&next("molina", "ecm", "2022-12-01"), &[REQUIRED]);
    stands(&next("la-care", "respite", "2022-12-01"), &[REQUIRED]);
    let again = |from: &str| {
        let data = json!({ "enrollment": id("e"), "from": from, "reason": "appeal" });
        ended(served()).tell("2022-11-20", "reinstated", data)
    };
    stands(&again("2022-12-01"), &[goes_on]);
    stands(&again("2022-12-02"), &[REQUIRED]);
    // A reinstatement before the end withdraws it.
    stands(&again("2022-11-20"), &[goes_on]);
}

#[test]
fn every_span_that_ends_is_an_obligation_of_its_own() {
    let again = json!({ "enrollment": id("e"), "from": "2023-02-01", "reason": "appeal" });
    let twice = ended(served()).tell("2023-02-01", "reinstated", again).disenrolled(
        "2023-06-01",
        "e",
        "2023-07-01",
        "goals_met",
    );
    stands(&twice, &[REQUIRED, REQUIRED]);
    assert_eq!(
        twice.rows(&["obligation", "from_on"]),
        [format!("ended|la-care|{}|1 2022-12-01", id("e")), format!("ended|la-care|{}|2 2023-07-01", id("e")),]
    );
}

#[test]
fn an_enrollment_taken_back_as_of_its_first_day_never_started() {
    let back =
        Ledger::default().enrolled("e", "ecm", "2022-03-01").disenrolled("2022-03-05", "e", "2022-03-01", "other");
    stands(&back, &["review discontinuation never_started NOA-7"]);
    assert_eq!(back.rows(&["from_on"]), ["2022-03-01"]);
    stands(&Ledger::default().disenrolled("2022-03-05", "e", "2022-03-01", "other"), &[]);
    let county =
        Ledger::default().enrolled("e", "icms_hfh", "2022-03-01").disenrolled("2022-03-05", "e", "2022-03-01", "other");
    stands(&county, &[]);
}

#[test]
fn an_end_told_before_its_enrollment_is_determined_once_the_enrollment_is_told() {
    let before = Ledger::default().disenrolled("2022-11-08", "e", "2022-12-01", "goals_met");
    stands(&before, &[]);
    let data = json!({
        "enrollment": id("e"), "program": "ecm", "basis": "opt_in", "channel": "plan_direct", "provider": "clinic",
        "from": "2022-03-01",
    });
    stands(&before.tell_of("la-care", "2022-12-20", "2022-03-01", "enrolled", data), &[REQUIRED]);
}
