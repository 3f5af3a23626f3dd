//! What the recorder may pass over: events that cannot change what is determined.

use rollbook_projections::rules::notices::concerns;
use serde_json::{Value, json};

use crate::facts::{Facts, attempt, id};
use crate::ledger::{asked, decided, mailed};

/// Whether one more event can change anything that follows from these facts.
fn matters(before: &Facts, kind: &str, data: Value) -> bool {
    let facts = before.clone().tell("2022-12-01", kind, data);
    concerns(&facts.dossier(), facts.0.last().map(|fact| &fact.envelope.event))
}

/// An enrollment that ended: something to determine, and no clock that runs.
fn ended() -> Facts {
    let data = json!({ "enrollment": id("e"), "until": "2022-11-01", "reason": "goals_met", "agreed_by": ["plan"] });
    Facts::default().enrolled("e", "ecm", "2022-03-01").tell("2022-10-01", "disenrolled", data)
}

fn evidence() -> Vec<(&'static str, Value)> {
    let enrollment = id("e");
    let enrolled = json!({
        "enrollment": enrollment, "program": "ecm", "basis": "opt_in", "channel": "plan_direct",
        "provider": "one-clinic", "from": "2022-03-01",
    });
    let stay = json!({
        "program": "ecm", "provider": "clinic", "admitted_at": "2022-05-01T08:00:00-08:00",
        "discharged_at": "2022-05-01T20:00:00-08:00",
    });
    let units = json!({ "program": "ecm", "month": "2022-05", "units": 1, "outreach_units": 0, "provider": "clinic" });
    let referral = json!({ "referral": id("r"), "program": "ecm", "pathway": "self", "requested_by": "member" });
    vec![
        ("enrolled", enrolled),
        ("service_started", json!({ "enrollment": enrollment, "on": "2022-04-01" })),
        ("lead_care_manager_assigned", json!({ "enrollment": enrollment, "manager": "m", "from": "2022-04-01" })),
        ("stay_recorded", stay),
        ("units_recorded", units),
        ("reinstated", json!({ "enrollment": enrollment, "from": "2022-11-01", "reason": "appeal" })),
        ("reassessed", json!({ "enrollment": enrollment, "on": "2022-06-01", "outcome": "continue" })),
        ("referral_received", referral),
        ("member_identified", json!({ "program": "ecm", "pathway": "plan_data" })),
        ("outreach_attempted", attempt("phone", &[], "nobody")),
        ("member_died", json!({ "on": "2022-10-15" })),
        ("event_voided", json!({ "event": id("1"), "reason": "mistake", "approved_by": "somebody" })),
    ]
}

fn triggers() -> Vec<(&'static str, Value)> {
    let service = json!({
        "program": "respite", "definition_met": true, "medically_appropriate": true, "cost_effective": true,
    });
    vec![
        (
            "disenrolled",
            json!({ "enrollment": id("e"), "until": "2022-11-01", "reason": "died", "agreed_by": ["plan"] }),
        ),
        ("opted_out", json!({ "program": "ecm", "by": "member", "signed": false })),
        ("authorization_requested", asked("2022-11-01T09:00:00-08:00", "a", "ecm", "member")),
        ("authorization_decided", decided("2022-11-01", "a", "ecm", "denied")),
        ("outreach_closed", json!({ "program": "ecm", "reason": "unable_to_contact" })),
        ("population_assessed", json!({ "population": "homelessness", "met": false })),
        ("service_assessed", service),
    ]
}

fn neither() -> Vec<(&'static str, Value)> {
    let enrollment = id("e");
    vec![
        ("provider_assigned", json!({ "enrollment": enrollment, "provider": "other-clinic", "from": "2022-05-01" })),
        ("discontinuation_recommended", json!({ "enrollment": enrollment, "reason": "goals_met", "by": "provider" })),
        ("member_looked_up", json!({ "system": "hmis" })),
        ("housing_observed", json!({ "housed": true, "on": "2022-05-01" })),
        ("coverage_reported", json!({ "medi_cal": "managed_care", "medicare": "none", "from": "2022-01-01" })),
        ("participation_reported", json!({ "program": "icms_hfh", "from": "2022-05-01", "evidence": "verified" })),
        ("notice_issued", mailed("n", "ecm", "discontinuation", "2022-10-01", None)),
    ]
}

#[test]
fn what_is_determined_on_and_what_it_rests_on_matters_and_nothing_else_noa_1() {
    for (kind, data) in triggers().into_iter().chain(evidence()) {
        assert!(matters(&ended(), kind, data), "{kind}");
    }
    for (kind, data) in neither() {
        assert!(!matters(&ended(), kind, data), "{kind}");
    }
}

#[test]
fn evidence_alone_matters_only_once_there_is_something_to_determine_noa_1() {
    for (kind, data) in evidence() {
        assert!(!matters(&Facts::default().enrolled("f", "ecm", "2022-03-01"), kind, data), "{kind}");
    }
    for (kind, data) in triggers() {
        assert!(matters(&Facts::default(), kind, data), "{kind}");
    }
}

#[test]
fn where_a_request_waits_its_clock_runs_out_whatever_is_told_clk_5() {
    let waits = Facts::default().tell(
        "2022-11-01",
        "authorization_requested",
        asked("2022-11-01T09:00:00-08:00", "a", "ecm", "member"),
    );
    for (kind, data) in neither() {
        assert!(matters(&waits, kind, data), "{kind}");
    }
    assert!(!concerns(&waits.dossier(), None), "nothing new");
}
