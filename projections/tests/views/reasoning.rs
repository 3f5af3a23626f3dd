//! The reasoning of determinations in sentences, and determinations decided again.

use std::sync::Arc;

use rollbook_events::envelope::Sensitivity;
use rollbook_events::families::notice::Notice;
use rollbook_events::{Event, EventId, Position, encode};
use rollbook_projections::Recorded;
use rollbook_projections::notice_reasoning::{Adopted, Again, Reasoning, decided_again, reasoning};
use rollbook_projections::rules::{facts, notices};
use serde_json::json;

use crate::facts::{Facts, built_in, id, recorded};

const RECORDED: &str = "2024-03-05T18:00:00Z";

/// The member asks for ECM; the answer comes three days later.
fn asked(requested_by: &str, outcome: &str, reasons: &[&str]) -> Facts {
    let request = json!({
        "authorization": id("a"), "program": "ecm", "urgency": "standard",
        "received_at": "2024-03-01T09:30:00-08:00", "requested_by": requested_by,
    });
    let decision = json!({
        "authorization": id("a"), "program": "ecm", "outcome": outcome, "decided_at": "2024-03-04T10:00:00-08:00",
        "reasons": reasons,
    });
    Facts::default().tell("2024-03-01", "authorization_requested", request).tell(
        "2024-03-04",
        "authorization_decided",
        decision,
    )
}

/// Records what is to be determined now, as a recorder would.
fn determined(mut facts: Facts) -> Facts {
    let dossier = facts.dossier();
    let known = facts::Facts::of(&dossier, built_in());
    let now = RECORDED.parse().unwrap();
    for due in notices::due(&known, now) {
        let number = facts.0.len() + 1;
        let mut envelope = due.determined.trigger.clone();
        envelope.id = EventId(id(&number.to_string()));
        envelope.recorded_at = now;
        let told = due.event(built_in(), Position(dossier.recorded().len() as u64)).unwrap();
        envelope.event = Event::Notice(Notice::NoticeDetermined(told));
        let body = String::from_utf8(encode(&envelope).unwrap()).unwrap();
        facts.0.push(Recorded { body: body.into(), ..recorded(number, Arc::new(envelope)) });
    }
    facts
}

fn reasoned(facts: &Facts, number: usize) -> Option<Reasoning> {
    let dossier = facts.dossier();
    let adopted = Adopted { hash: built_in().hash(), position: Position(1), on: "2022-04-01".parse().unwrap() };
    let known = facts::Facts::of(&dossier, built_in());
    reasoning(&known, EventId(id(&number.to_string())), Some(&adopted), Beyond::Named)
}

fn sentences(facts: &Facts, number: usize) -> Vec<String> {
    reasoned(facts, number).unwrap().sentences
}

fn has(sentences: &[String], part: &str) {
    assert!(sentences.iter().any(|sentence| sentence.contains(part)), "no `{part}` in {sentences:#?}");
}

#[test]
fn a_denial_is_told_from_what_was_decided_to_what_became_of_the_notice() {
    let facts = determined(asked("member", "denied", &["no_population_of_focus"]));
    let told = reasoned(&facts, 3).unwrap();
    let [member, one, two] = [id("member"), id("1"), id("2")];
    let (rulebook, hash) = (built_in().id(), built_in().hash());
    let expected = [
        "On 2024-03-05, at position 3 of the log, the ledger determined that a Notice of Action (denial) is required."
            .to_owned(),
        format!("It is about the member {member} and ecm, in the records of la-care for los-angeles."),
        "The question was raised by this: on 2024-03-04 the request for ecm was denied (no population of focus)."
            .to_owned(),
        "The member or the provider asked outright, and was not granted what was asked. (NOA-1: ".to_owned(),
        "It was decided by NOA-1: ".to_owned(),
        format!(
            "It rests on authorization_decided of 2024-03-04 ({two}), authorization_requested of 2024-03-01 ({one})."
        ),
        format!(
            "It was decided under the rulebook {rulebook} ({hash}), adopted on 2022-04-01 at position 1, by what the log held up to position 2 and what was recorded together with it."
        ),
        "It stands: nothing has taken its place.".to_owned(),
        "No notice is on record for it; the last lawful day to mail it was 2024-03-06.".to_owned(),
    ];
    assert_eq!(told.sentences.len(), expected.len(), "{:#?}", told.sentences);
    for (sentence, expected) in told.sentences.iter().zip(&expected) {
        assert!(sentence.starts_with(expected.as_str()), "{sentence}\nis not\n{expected}");
    }
    assert_eq!((told.limbs[0].limb.as_str(), told.limbs[0].rule.as_str()), ("request_not_granted", "NOA-1"));
    assert!(told.limbs[0].cite.as_ref().unwrap().contains("Q13"));
    let evidence: Vec<_> = told.evidence.iter().map(|one| (one.event.0, one.position)).collect();
    assert_eq!(evidence, [(two, Some(Position(2))), (one, Some(Position(1)))]);
    assert_eq!((told.supersedes, told.superseded_by), (None, None));
}

#[test]
fn what_became_of_the_notice_is_told_with_how_late_and_the_appeal() {
    let mailed = |on: &str| {
        let issued = json!({
            "notice": id("n"), "program": "ecm", "determination": id("3"), "kind": "denial", "mailed_on": on,
        });
        determined(asked("provider", "denied", &[])).tell(on, "notice_issued", issued)
    };
    has(&sentences(&mailed("2024-03-06"), 3), "(denial) was mailed on 2024-03-06, in time: the last lawful day");
    has(&sentences(&mailed("2024-03-07"), 3), "mailed on 2024-03-07, one day late: the last");
    let late = mailed("2024-03-08");
    has(&sentences(&late, 3), "mailed on 2024-03-08, 2 days late: the last lawful day to mail it was 2024-03-06.");
    let filed = late.tell(
        "2024-04-01",
        "appeal_filed",
        json!({ "appeal": id("p"), "notice": id("n"), "on": "2024-04-01", "expedited": false, "aid_paid_pending": false }),
    );
    has(&sentences(&filed, 3), "An appeal was filed on 2024-04-01 and is open.");
    let resolved = json!({ "appeal": id("p"), "on": "2024-04-20", "outcome": "overturned" });
    let resolved = filed.tell("2024-04-20", "appeal_resolved", resolved);
    has(&sentences(&resolved, 3), "filed on 2024-04-01 and was resolved on 2024-04-20: overturned.");
}

#[test]
fn where_none_is_required_it_says_why() {
    let told = sentences(&determined(asked("nobody", "denied", &[])), 3);
    has(&told, "determined that no Notice of Action is required.");
    has(&told, "Neither the member nor a provider had asked outright");
    has(&told, "None of the two grounds for a notice holds");
    has(&told, "No notice is on record for it.");
    let wish = json!({ "program": "ecm", "by": "guardian", "signed": true });
    let declined = sentences(&determined(Facts::default().tell("2024-03-01", "opted_out", wish)), 2);
    has(&declined, "on 2024-03-01 a guardian declined ecm, in a signed statement.");
    has(&declined, "declined before any enrollment, which takes back what was asked. (NOA-5: ");
}

#[test]
fn a_case_the_rule_does_not_settle_is_the_plans() {
    let ended = json!({
        "enrollment": id("e"), "until": "2024-06-01", "reason": "coverage_lost", "agreed_by": ["plan", "provider"],
    });
    let facts = Facts::default().enrolled("e", "ecm", "2024-01-01").tell("2024-03-04", "disenrolled", ended);
    let told = sentences(&determined(facts), 3);
    has(&told, "the plan's own staff must say whether a Notice of Action (discontinuation) is required.");
    has(
        &told,
        "the enrollment was ended with 2024-06-01 as the first day no longer covered (coverage lost; agreed by plan and provider).",
    );
    has(&told, "Services that were in place are being ended. (NOA-1: ");
    has(&told, "The member's Medi-Cal has ended. (NOA-7: ");
    has(&told, "the plan's compliance and legal staff decide (NOA-7).");
}

#[test]
fn what_took_its_place_is_told_on_both_sides() {
    let voided = determined(determined(asked("member", "denied", &[])).voided("2024-03-06", 2));
    let (before, after) = (sentences(&voided, 3), sentences(&voided, 5));
    has(
        &before,
        &format!("the determination {} took its place: no Notice of Action is required (trigger voided).", id("5")),
    );
    has(&before, ", since voided)");
    has(&after, "It took the place of the determination ");
    has(&after, " of 2024-03-05, by which a Notice of Action (denial) is required.");
    has(&after, "It stands");
    assert!(before.iter().all(|sentence| !sentence.starts_with("It stands")));
    assert_eq!(reasoned(&voided, 3).unwrap().superseded_by, Some(EventId(id("5"))));
    assert_eq!(reasoned(&voided, 5).unwrap().supersedes, Some(EventId(id("3"))));
}

#[test]
fn of_a_sensitive_event_no_more_than_the_kind_is_told() {
    let mut facts = asked("member", "denied", &["no_population_of_focus"]);
    let mut hidden = (*facts.0[1].envelope).clone();
    hidden.sensitivity = Sensitivity::Part2;
    facts.0[1] = recorded(2, Arc::new(hidden));
    let told = reasoned(&determined(facts), 3).unwrap();
    has(&told.sentences, "raised by this: an event of the kind authorization_decided, whose detail is withheld.");
    assert!(told.sentences.iter().all(|sentence| !sentence.contains("population of focus")), "{:#?}", told.sentences);
    let hidden = &told.evidence[0];
    assert_eq!((hidden.kind, hidden.occurred_on, hidden.position), (Some("authorization_decided"), None, None));
    assert!(told.evidence[1].occurred_on.is_some());
}

#[test]
fn only_a_determination_has_a_reasoning() {
    let facts = determined(asked("member", "denied", &[]));
    assert!(reasoned(&facts, 1).is_none() && reasoned(&facts, 9).is_none());
    assert!(decided_again(&facts.0, &facts.0[0], built_in()).is_none());
}

#[test]
fn decided_again_it_is_the_same_whatever_was_told_later() {
    let facts = determined(asked("member", "denied", &[]));
    let later = determined(facts.voided("2024-03-06", 2));
    for number in [2, 4] {
        assert_eq!(decided_again(&later.0, &later.0[number], built_in()), Some(Again::Equal), "{number}");
    }
}

#[test]
fn decided_again_otherwise_it_names_the_fields() {
    let facts = determined(asked("member", "denied", &[]));
    let mut stored = facts.0[2].clone();
    stored.body = stored.body.replace("request_not_granted", "services_discontinued").into();
    let Some(Again::Different { stored, again, differences }) = decided_again(&facts.0, &stored, built_in()) else {
        panic!("it is the same")
    };
    assert_eq!(differences, ["limbs"]);
    assert_eq!(
        (&stored["limbs"][0], &again.unwrap()["limbs"][0]),
        (&json!("services_discontinued"), &json!("request_not_granted"))
    );

    let nothing = decided_again(&facts.0[..1], &facts.0[2], built_in());
    let Some(Again::Different { again: None, differences, .. }) = nothing else { panic!("something came of nothing") };
    assert!(differences.contains(&"trigger".to_owned()) && differences.contains(&"outcome".to_owned()));
}
