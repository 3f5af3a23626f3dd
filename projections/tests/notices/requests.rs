//! Requests: the second ground of NOA-1, and what needs no notice because nobody asked.

use rollbook_projections::rules::facts::Facts;
use rollbook_projections::rules::notices;
use serde_json::json;

use crate::facts::{built_in, id};
use crate::ledger::{Ledger, asked, decided, leaked, noon};

const DENIAL: &str = "required denial request_not_granted NOA-1";
const EXPIRED: &str = "required denial request_not_granted CLK-5";

#[track_caller]
fn stands(ledger: &Ledger, expected: &[&str]) {
    assert_eq!(ledger.stand(), expected);
}

fn requested(by: &str) -> Ledger {
    Ledger::default().asked("2022-03-01T09:00:00-08:00", "a", "ecm", by)
}

#[test]
fn a_request_that_is_not_granted_as_asked_needs_a_notice() {
    for by in ["member", "provider"] {
        for (outcome, notice) in [("denied", "denial"), ("modified", "modification"), ("deferred", "deferral")] {
            let decided = requested(by).decided("2022-03-04", "a", "ecm", outcome);
            let row = format!("required {notice} request_not_granted NOA-1");
            assert!(decided.stand().contains(&row), "{:?}", decided.stand());
        }
        stands(&requested(by).decided("2022-03-04", "a", "ecm", "approved"), &["not_required - granted NOA-1"]);
    }
}

#[test]
fn nobody_s_request_needs_none_and_an_unknown_one_is_a_review() {
    stands(&requested("nobody").decided("2022-03-04", "a", "ecm", "denied"), &["not_required - not_requested NOA-1"]);
    let unknown = |outcome| Ledger::default().decided("2022-03-04", "a", "ecm", outcome);
    stands(&unknown("denied"), &["review denial request_unknown NOA-7"]);
    stands(&unknown("approved"), &["not_required - granted NOA-1"]);
    stands(&Ledger::default().decided("2022-03-04", "a", "icms_hfh", "denied"), &[]);
}

#[test]
fn a_referral_s_word_on_who_asked_counts_by_name_or_by_place() {
    let referred = |by| Ledger::default().referred("2022-03-01", "r", "ecm", by);
    stands(&referred("member").decided("2022-03-04", "a", "ecm", "denied"), &[DENIAL]);
    stands(&referred("nobody").decided("2022-03-04", "a", "ecm", "denied"), &["not_required - not_requested NOA-1"]);
    // The authorization's request says nobody, the referral knows better.
    let both = referred("provider").asked("2022-03-02T09:00:00-08:00", "a", "ecm", "nobody");
    stands(&both.decided("2022-03-04", "a", "ecm", "denied"), &[DENIAL]);
    // Of another program, of another plan, or later: no word on this one.
    let other = Ledger::default().referred("2022-03-01", "r", "respite", "member");
    stands(&other.decided("2022-03-04", "a", "ecm", "denied"), &["review denial request_unknown NOA-7"]);
    let later = Ledger::default().referred("2022-03-05", "r", "ecm", "member");
    stands(&later.decided("2022-03-04", "a", "ecm", "denied"), &["review denial request_unknown NOA-7"]);
    let same_day = Ledger::default().referred("2022-03-04", "r", "ecm", "member");
    stands(&same_day.decided("2022-03-04", "a", "ecm", "denied"), &[DENIAL]);
    let mut named = decided("2022-03-04", "a", "ecm", "denied");
    named["referral"] = json!(id("r"));
    let told = json!({ "referral": id("r"), "program": "ecm", "pathway": "self", "requested_by": "member" });
    let by_name = Ledger::default().tell_of("molina", "2022-03-01", "2022-03-01", "referral_received", told);
    stands(&by_name.clone().tell("2022-03-04", "authorization_decided", named), &[DENIAL]);
    stands(&by_name.decided("2022-03-04", "a", "ecm", "denied"), &["review denial request_unknown NOA-7"]);
}

#[test]
fn two_authorizations_take_two_referrals() {
    let two =
        Ledger::default().referred("2022-03-01", "r", "ecm", "nobody").referred("2022-03-08", "s", "ecm", "member");
    let both = two.decided("2022-03-04", "a", "ecm", "denied").decided("2022-03-10", "b", "ecm", "denied");
    stands(&both, &["not_required - not_requested NOA-1", DENIAL]);
    // A referral that one authorization names is no longer there for another.
    let mut named = asked("2022-03-02T09:00:00-08:00", "a", "ecm", "nobody");
    named["referral"] = json!(id("r"));
    let one = Ledger::default().referred("2022-03-01", "r", "ecm", "member").tell(
        "2022-03-02",
        "authorization_requested",
        named,
    );
    let both = one.decided("2022-03-04", "a", "ecm", "denied").decided("2022-03-10", "b", "ecm", "denied");
    stands(&both, &[DENIAL, "review denial request_unknown NOA-7"]);
}

#[test]
fn the_decision_made_last_counts_whatever_order_they_are_told_in() {
    let facts = requested("member").decided("2022-03-04", "a", "ecm", "denied");
    stands(&facts.clone().decided("2022-03-05", "a", "ecm", "approved"), &["not_required - granted NOA-1"]);
    stands(
        &facts.clone().decided("2022-03-05", "a", "ecm", "approved").decided("2022-03-03", "a", "ecm", "deferred"),
        &["not_required - granted NOA-1"],
    );
    assert_eq!(
        facts.rows(&["obligation", "from_on"]),
        [format!("requested|la-care|ecm|authorization|{} 2022-03-04", id("a"))]
    );
}

#[test]
fn who_declines_before_any_enrollment_needs_no_notice() {
    let declined = "not_required - declined NOA-5";
    stands(&Ledger::default().opted_out("2022-03-05", "ecm", false), &[declined]);
    stands(&requested("member").opted_out("2022-03-05", "ecm", false), &[declined]);
    stands(
        &Ledger::default().referred("2022-03-01", "r", "ecm", "member").opted_out("2022-03-01", "ecm", false),
        &[declined],
    );
    // What is asked for afterwards is another request.
    let again = Ledger::default().opted_out("2022-03-05", "ecm", false).asked(
        "2022-03-08T09:00:00-08:00",
        "b",
        "ecm",
        "member",
    );
    stands(&again.decided("2022-03-09", "b", "ecm", "denied"), &[declined, DENIAL]);
    // A decision after all is an answer to the request.
    stands(
        &requested("member").opted_out("2022-03-02", "ecm", false).decided("2022-03-04", "a", "ecm", "denied"),
        &[DENIAL],
    );
    // An opt-out from another program ends no wait for this one, nor one at another plan.
    let other = requested("member").opted_out("2022-03-02", "respite", false);
    stands(&other, &[declined, EXPIRED]);
    stands(&Ledger::default().opted_out("2022-03-05", "icms_hfh", false), &[]);
}

#[test]
fn an_opt_out_of_an_enrolled_member_waits_for_the_disenrollment() {
    let enrolled = Ledger::default().enrolled("e", "ecm", "2022-03-01");
    stands(&enrolled.clone().opted_out("2022-03-01", "ecm", false), &[]);
    stands(&enrolled.clone().given_up("2022-05-01"), &[]);
    let ended = enrolled.clone().disenrolled("2022-06-01", "e", "2022-06-10", "no_longer_wishes");
    assert_eq!(ended.clone().opted_out("2022-06-10", "ecm", false).stand().len(), 1);
    assert_eq!(ended.opted_out("2022-06-11", "ecm", false).stand().len(), 2);
    stands(&enrolled.opted_out("2022-02-28", "ecm", false), &["not_required - declined NOA-5"]);
}

#[test]
fn outreach_given_up_needs_a_notice_where_somebody_had_asked() {
    stands(&Ledger::default().given_up("2022-04-15"), &["not_required - not_requested NOA-1"]);
    let referred = |by| Ledger::default().referred("2022-02-01", "r", "ecm", by);
    stands(&referred("provider").given_up("2022-04-15"), &[DENIAL]);
    stands(&referred("nobody").given_up("2022-04-15"), &["not_required - not_requested NOA-1"]);
    assert_eq!(
        referred("provider").given_up("2022-04-15").rows(&["obligation"]),
        [format!("requested|la-care|ecm|referral|{}", id("r"))]
    );
    for (answer, row) in [("not_required", "not_required -"), ("review", "review denial")] {
        let own = Ledger::under(leaked(&format!("[notices.review]\nunanswered_request = \"{answer}\"\n")));
        let closed = own.referred("2022-02-01", "r", "ecm", "provider").given_up("2022-04-15");
        stands(&closed, &[&format!("{row} request_not_granted NOA-1")]);
    }
    // The member's own word outweighs that nobody reached them, told before or after.
    stands(
        &referred("provider").given_up("2022-04-15").opted_out("2022-04-20", "ecm", false),
        &["not_required - declined NOA-5"],
    );
    stands(
        &referred("provider").opted_out("2022-04-10", "ecm", false).given_up("2022-04-15"),
        &["not_required - declined NOA-5"],
    );
    stands(
        &Ledger::default().opted_out("2022-04-10", "ecm", false).given_up("2022-04-15"),
        &["not_required - declined NOA-5"],
    );
}

#[test]
fn of_outreach_nobody_asked_for_the_weightiest_end_counts_and_of_equal_ones_the_last_noa_5() {
    let given_up = Ledger::default().given_up("2022-04-15");
    stands(&given_up.clone().opted_out("2022-04-20", "ecm", false), &["not_required - declined NOA-5"]);
    stands(&given_up.clone().assessed("2022-04-20", false), &["not_required - not_requested NOA-1"]);
    let on = |ledger: &Ledger| ledger.rows(&["rule", "superseded_by", "from_on"]);
    assert_eq!(on(&given_up.clone().assessed("2022-04-20", false)), ["NOA-1 - 2022-04-15"]);
    assert_eq!(on(&given_up.given_up("2022-04-20")), ["NOA-1 - 2022-04-20"]);
}

#[test]
fn a_request_that_was_granted_by_enrollment_waits_for_nothing() {
    let enrolled = Ledger::default().referred("2022-02-01", "r", "ecm", "provider").enrolled("e", "ecm", "2022-03-01");
    let ended = enrolled.disenrolled("2022-06-01", "e", "2022-06-10", "goals_met");
    let closed = ended.given_up("2022-07-01");
    stands(&closed, &["not_required - not_requested NOA-1", "required discontinuation services_discontinued NOA-1"]);
    stands(&requested("member").enrolled("e", "ecm", "2022-03-02"), &[]);
    stands(&requested("member").enrolled("e", "respite", "2022-03-02"), &[EXPIRED]);
    // An earlier enrollment grants no later request, unless it names it.
    let earlier = |by| {
        Ledger::default().enrolled_by("opt_in", by, "e", "ecm", "2022-02-01").asked(
            "2022-03-01T09:00:00-08:00",
            "a",
            "ecm",
            "member",
        )
    };
    stands(&earlier(None), &[EXPIRED]);
    stands(&earlier(Some("a")), &[]);
}

#[test]
fn who_was_listed_and_does_not_qualify_needs_no_notice_where_nobody_asked() {
    let listed = Ledger::default().assessed("2022-02-20", false);
    stands(&listed, &["not_required - not_requested NOA-1"]);
    stands(&Ledger::default().assessed("2022-02-20", true), &[]);
    // One episode, one answer, whatever ends it.
    stands(&listed.clone().given_up("2022-03-01"), &["not_required - not_requested NOA-1"]);
    assert_eq!(
        listed.clone().called("2022-03-05", "nobody").given_up("2022-03-06").stand().len(),
        2,
        "the next episode"
    );
    stands(
        &Ledger::default().referred("2022-02-01", "r", "ecm", "nobody").assessed("2022-02-20", false),
        &["not_required - not_requested NOA-1"],
    );
    // Who asked gets an answer of their own.
    stands(&Ledger::default().referred("2022-02-01", "r", "ecm", "member").assessed("2022-02-20", false), &[]);
    stands(&Ledger::default().enrolled("e", "ecm", "2022-02-01").assessed("2022-02-20", false), &[]);
    let service = |flags: [bool; 3]| {
        let data = json!({
            "program": "respite", "definition_met": flags[0], "medically_appropriate": flags[1], "cost_effective": flags[2],
        });
        Ledger::default().tell("2022-02-20", "service_assessed", data).stand().len()
    };
    assert_eq!(service([true, true, true]), 0);
    for index in 0..3 {
        let mut flags = [true; 3];
        flags[index] = false;
        assert_eq!(service(flags), 1);
    }
}

#[test]
fn an_undecided_request_is_a_denial_once_its_clock_has_run_out() {
    // Five business days from a Tuesday: the Tuesday after.
    let open = requested("member");
    stands(&open, &[EXPIRED]);
    assert_eq!(
        open.rows(&["determination", "from_on", "decided_on", "knew", "mail_by", "trigger"]),
        [format!("- 2022-03-08 - - 2022-03-08 {}", id("1"))]
    );
    stands(&requested("nobody"), &[]);
    stands(&Ledger::default().asked("2022-03-01T09:00:00-08:00", "a", "icms_hfh", "member"), &[]);
    // The last day is in time; with the next fact after it the expiry is an event.
    assert_eq!(open.clone().settled(noon("2022-03-08")).last(), 1);
    let expired = open.clone().tell("2022-03-09", "member_looked_up", json!({ "system": "hmis" }));
    stands(&expired, &[EXPIRED]);
    assert_eq!(
        expired.rows(&["determination", "from_on", "decided_on"]),
        [format!("{} 2022-03-08 2022-03-09", id("3"))]
    );
    assert_eq!(open.clone().decided("2022-03-08", "a", "ecm", "approved").stand(), ["not_required - granted NOA-1"]);
    let late = expired.clone().decided("2022-03-20", "a", "ecm", "approved");
    stands(&late, &["not_required - granted NOA-1"]);
    stands(&expired.clone().enrolled("e", "ecm", "2022-03-20"), &["not_required - granted NOA-1"]);
    // It was withdrawn late, and withdrawn all the same.
    stands(&expired.opted_out("2022-03-21", "ecm", false), &["not_required - declined NOA-5"]);
}

#[test]
fn what_is_decided_counts_a_clock_from_the_instant_it_has_run_out_clk_5() {
    // In California the last day ends at 8:00 UTC of the next.
    let (dossier, rulebook) = (requested("member").dossier(), built_in());
    let facts = Facts::of(&dossier, rulebook);
    let at = |instant: &str| -> Vec<String> {
        let decided = notices::decided(&facts, instant.parse().unwrap());
        decided.iter().map(|of| format!("{} {} {}", of.obligation, of.answer.rule, of.on)).collect()
    };
    let expected = format!("requested|la-care|ecm|authorization|{} CLK-5 2022-03-08", id("a"));
    assert_eq!(at("2022-03-09T07:59:59Z"), [""; 0]);
    assert_eq!(at("2022-03-09T08:00:00Z"), [expected]);
}

#[test]
fn the_expiry_of_one_request_on_record_tells_nothing_of_another_that_is_to_come() {
    // CLK-5: the first was due on the 8th, the second is due on the 14th.
    let both = requested("member").asked("2022-03-07T09:00:00-08:00", "b", "ecm", "member");
    let expired = both.settled(noon("2022-03-09"));
    stands(&expired, &[EXPIRED, EXPIRED]);
    let recorded = expired.last();
    assert_eq!(
        expired.rows(&["determination", "from_on"]),
        ["- 2022-03-14".to_owned(), format!("{} 2022-03-08", id(&recorded.to_string()))]
    );
}

#[test]
fn a_deferral_holds_as_long_as_it_may() {
    let deferred = requested("member").decided("2022-03-04", "a", "ecm", "deferred");
    let rows = deferred.rows(&["outcome", "notice", "rule", "from_on"]);
    assert_eq!(rows, ["required deferral NOA-1 2022-03-04", "required denial CLK-5 2022-03-29"]);
    stands(&deferred.clone().settled(noon("2022-03-29")), &["required deferral request_not_granted NOA-1", EXPIRED]);
    // That it was put off was to be told, whatever becomes of it; what an expired clock makes of it is told besides.
    let expired = deferred.settled(noon("2022-03-30"));
    stands(&expired, &["required deferral request_not_granted NOA-1", EXPIRED]);
    let granted = expired.decided("2022-03-31", "a", "ecm", "approved");
    assert_eq!(granted.stand().iter().filter(|told| told.starts_with("required")).count(), 0, "{:?}", granted.stand());
    assert_eq!(granted.rows(&["superseded_by"]).iter().filter(|by| *by == "-").count(), granted.stand().len());
}
