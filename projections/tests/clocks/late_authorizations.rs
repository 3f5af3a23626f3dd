//! What is found in authorizations: late ones, and approvals that nobody was allowed to give.

use rollbook_projections::Rulebook;
use serde_json::json;

use crate::facts::{Facts, built_in, id, laid};
use crate::said::{decided, found, found_under, requested};

#[test]
fn a_day_clock_is_late_from_the_day_after() {
    let facts = requested("ecm", "standard", "2024-06-28T10:00:00-07:00");
    let at = |at: &str| found(&decided(facts.clone(), "approved", at, json!({})));
    assert_eq!(at("2024-07-08T23:59:59-07:00"), [""; 0]);
    assert_eq!(at("2024-07-09T00:00:00-07:00"), ["authorization_late CLK-8 2024-07-09 2024-07-10"]);
    assert_eq!(at("2024-07-10T00:00:00-07:00"), ["authorization_late CLK-8 2024-07-09 2024-07-10"]);
    assert_eq!(at("2024-07-11T00:00:00-07:00"), ["authorization_late CLK-8 2024-07-09 2024-07-11"]);
    assert_eq!(found(&facts), ["authorization_late CLK-8 2024-07-09 -"]);
}

#[test]
fn a_deferral_settles_nothing() {
    let facts = requested("ecm", "standard", "2024-06-28T10:00:00-07:00");
    let in_time = decided(facts.clone(), "deferred", "2024-07-08T10:00:00-07:00", json!({}));
    assert_eq!(found(&in_time), ["authorization_late CLK-6 2024-07-27 -"]);
    assert_eq!(found(&decided(in_time, "denied", "2024-07-26T10:00:00-07:00", json!({}))), [""; 0]);
    let late = decided(facts, "deferred", "2024-07-09T10:00:00-07:00", json!({}));
    assert_eq!(found(&late), ["authorization_late CLK-8 2024-07-09 -"]);
}

#[test]
fn an_hour_clock_is_late_by_the_instant() {
    let facts = requested("ecm", "expedited", "2024-05-10T22:30:00-07:00");
    let at = |at: &str| {
        let facts = decided(facts.clone(), "approved", at, json!({}));
        (found(&facts), facts.told("authorization", &["late_by_days", "turnaround_hours"])[0].clone())
    };
    assert_eq!(at("2024-05-13T22:30:00-07:00"), (vec![], "0 72".to_owned()));
    let late = vec!["authorization_late CLK-7 2024-05-13 2024-05-14".to_owned()];
    assert_eq!(at("2024-05-13T22:30:01-07:00"), (late.clone(), "1 72".to_owned()));
    assert_eq!(at("2024-05-14T22:30:00-07:00"), (late, "1 96".to_owned()));
    let later = vec!["authorization_late CLK-7 2024-05-13 2024-05-15".to_owned()];
    assert_eq!(at("2024-05-15T22:29:00-07:00"), (later, "2 119".to_owned()));
}

#[test]
fn an_example_warns_until_a_plan_adopts_it() {
    // CON-14
    let facts = requested("sobering_center", "expedited", "2024-05-10T22:30:00-07:00");
    let of = |at: &str| decided(facts.clone(), "approved", at, json!({ "program": "sobering_center" }));
    assert_eq!(found(&of("2024-05-11T10:30:00-07:00")), [""; 0]);
    let warned = of("2024-05-11T10:30:01-07:00");
    assert_eq!(found(&warned), ["clock_warning AUTH-5 2024-05-11 2024-05-12"]);
    assert_eq!(found(&facts), ["authorization_late CLK-7 2024-05-13 -", "clock_warning AUTH-5 2024-05-11 -"]);
    let adopted = laid("expedited.binding = true");
    assert_eq!(found_under(&adopted, &warned), ["authorization_late AUTH-5 2024-05-11 2024-05-12"]);
    assert_eq!(found_under(&adopted, &of("2024-05-11T10:30:00-07:00")), [""; 0]);
}

fn presumptive(program: &str, provider: Option<&str>) -> Facts {
    let mut more = json!({ "program": program, "presumptive": true, "from": "2024-05-10" });
    if let Some(provider) = provider {
        more["provider"] = provider.into();
    }
    decided(Facts::default(), "approved", "2024-05-10T02:00:00-07:00", more)
}

#[test]
fn a_listed_provider_may_approve_first() {
    // B7-10
    let list = laid("presumptive.providers = [\"listed-center\"]");
    let expected = ["unauthorized_presumptive AUTH-7 2024-05-10 -"];
    assert_eq!(found_under(&list, &presumptive("sobering_center", Some("listed-center"))), [""; 0]);
    assert_eq!(found_under(&list, &presumptive("recuperative_care", Some("listed-center"))), [""; 0]);
    // B7-11
    assert_eq!(found_under(&list, &presumptive("sobering_center", Some("other-center"))), expected);
    assert_eq!(found_under(&list, &presumptive("sobering_center", None)), expected);
    assert_eq!(found_under(&list, &presumptive("tailored_meals", Some("listed-center"))), expected);
    // A plan that states no list has approved nobody; an edition that says nothing decides nothing.
    assert_eq!(found(&presumptive("sobering_center", Some("listed-center"))), expected);
    assert_eq!(found_under(&silent(), &presumptive("sobering_center", None)), [""; 0]);
    // The plan's own decision ends the matter.
    let plan = json!({ "program": "sobering_center" });
    let confirmed = decided(presumptive("sobering_center", None), "approved", "2024-05-13T10:00:00-07:00", plan);
    assert_eq!(found(&confirmed), ["unauthorized_presumptive AUTH-7 2024-05-10 2024-05-13"]);
    let columns = &["outcome", "presumptive", "decided_on", "from_on"];
    assert_eq!(confirmed.told("authorization", columns), ["approved true 2024-05-13 -"]);
}

#[test]
fn a_presumptive_approval_settles_a_request_where_it_is_allowed() {
    let facts = requested("sobering_center", "expedited", "2024-05-10T01:00:00-07:00");
    let more = json!({ "program": "sobering_center", "presumptive": true, "provider": "listed-center" });
    let facts = decided(facts, "approved", "2024-05-10T02:00:00-07:00", more);
    let list = laid("presumptive.providers = [\"listed-center\"]");
    assert_eq!(found_under(&list, &facts), [""; 0]);
    assert_eq!(facts.told_under(&list, "authorization", &["turnaround_hours"]), ["1"]);
    assert_eq!(facts.told("authorization", &["turnaround_hours"]), ["-"]);
    assert_eq!(
        found(&facts),
        [
            "authorization_late CLK-7 2024-05-13 -",
            "clock_warning AUTH-5 2024-05-10 -",
            "unauthorized_presumptive AUTH-7 2024-05-10 -",
        ]
    );
}

/// An edition that says nothing of what may be approved first or afterwards.
fn silent() -> Rulebook {
    let text = Rulebook::built_in_text();
    let (from, until) = (text.find("\n[presumptive]").unwrap(), text.find("\n[notices]").unwrap());
    Rulebook::parse(&format!("{}{}", &text[..from], &text[until..])).unwrap()
}

#[test]
fn what_may_be_approved_after_the_fact() {
    let of = |program: &str, urgency: &str, outcome: &str, from: &str| {
        let facts = requested(program, urgency, "2024-05-10T10:00:00-07:00");
        decided(facts, outcome, "2024-05-13T10:00:00-07:00", json!({ "program": program, "from": from }))
    };
    // B7-13: effective before it was decided.
    assert_eq!(found(&of("sobering_center", "retrospective", "approved", "2024-05-09")), [""; 0]);
    let meals = of("tailored_meals", "retrospective", "approved", "2024-05-10");
    assert_eq!(found(&meals), ["unauthorized_service CLK-11 2024-05-10 -"]);
    let modified = of("tailored_meals", "retrospective", "modified", "2024-05-10");
    assert_eq!(found(&modified), ["unauthorized_service CLK-11 2024-05-10 -"]);
    assert_eq!(found(&of("tailored_meals", "retrospective", "denied", "2024-05-09")), [""; 0]);
    // Of any urgency, days before the request are after the fact; from the day of the request on they are not.
    let before = of("tailored_meals", "standard", "approved", "2024-05-09");
    assert_eq!(found(&before), ["unauthorized_service CLK-11 2024-05-09 -"]);
    assert_eq!(found(&of("tailored_meals", "standard", "approved", "2024-05-10")), [""; 0]);
    let meals_too = laid("retrospective.services = [\"tailored_meals\"]");
    assert_eq!(found_under(&meals_too, &before), [""; 0]);
    assert_eq!(found_under(&silent(), &before), [""; 0]);
    // Without a request on record, days before the decision are; without days, a decision is of its own.
    let alone = |more| found(&decided(Facts::default(), "approved", "2024-05-13T10:00:00-07:00", more));
    assert_eq!(alone(json!({ "from": "2024-05-12" })), ["unauthorized_service CLK-11 2024-05-12 -"]);
    assert_eq!(alone(json!({ "from": "2024-05-13" })), [""; 0]);
    assert_eq!(alone(json!({})), [""; 0]);
    let asked = requested("ecm", "retrospective", "2024-05-10T10:00:00-07:00");
    let asked = decided(asked, "approved", "2024-05-13T10:00:00-07:00", json!({}));
    assert_eq!(found(&asked), ["unauthorized_service CLK-11 2024-05-13 -"]);
}

#[test]
fn a_finding_names_what_it_rests_on() {
    let facts = requested("ecm", "standard", "2024-06-28T10:00:00-07:00");
    let facts = decided(facts, "approved", "2024-07-10T00:00:00-07:00", json!({ "from": "2024-06-01" }));
    let dossier = facts.dossier();
    let known = rollbook_projections::rules::facts::Facts::of(&dossier, built_in());
    let all = rollbook_projections::rules::findings::findings(&known);
    for finding in &all {
        let because: Vec<_> = finding.because.iter().map(|event| event.0).collect();
        assert_eq!(because, [id("1"), id("2")], "{}", finding.code);
        assert_eq!(finding.about, id("a").to_string());
        assert_eq!(finding.program.unwrap().as_str(), "ecm");
    }
    assert_eq!(all.len(), 2);
}
