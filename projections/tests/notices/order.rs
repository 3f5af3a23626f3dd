//! Whatever is told, in whatever order: deciding again on what was decided gives nothing, and rows follow the facts alone.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use rollbook_projections::rules::facts::Facts;
use rollbook_projections::rules::notices::{concerns, decided, due};
use rollbook_projections::view::Touched;
use rollbook_projections::{Dossier, Recorded, Row, Rulebook, views};
use serde_json::{Value, json};

use crate::facts::{attempt, built_in, id, is_voiding, moved};
use crate::ledger::{Ledger, asked, decided as decision, mailed, noon};

fn day() -> impl Strategy<Value = String> {
    (1..=3_u32, 1..=4_u32).prop_map(|(month, day)| format!("2022-{month:02}-{:02}", day * 3))
}

#[derive(Debug, Clone)]
struct Told {
    plan: &'static str,
    at: String,
    kind: &'static str,
    data: Value,
}

type Said = (&'static str, Value);

fn program() -> impl Strategy<Value = &'static str> {
    select(&["ecm", "ecm", "ecm", "respite", "icms_hfh"][..])
}

fn name() -> impl Strategy<Value = &'static str> {
    select(&["e", "f"][..])
}

fn by() -> impl Strategy<Value = &'static str> {
    select(&["member", "provider", "nobody"][..])
}

fn enrollment() -> impl Strategy<Value = Said> {
    let reason = select(&["goals_met", "died", "offering_withdrawn", "unable_to_contact"][..]);
    let enrolled = (name(), program(), day(), select(&["opt_in", "grandfathered_wpc"][..]), any::<bool>());
    prop_oneof![
        enrolled.prop_map(|(enrollment, program, from, basis, authorized)| {
            let mut data = json!({
                "enrollment": id(enrollment), "program": program, "basis": basis, "channel": "plan_direct",
                "provider": "one-clinic", "from": from,
            });
            if authorized {
                data["authorization"] = json!(id("a"));
            }
            ("enrolled", data)
        }),
        (name(), day()).prop_map(|(of, on)| ("service_started", json!({ "enrollment": id(of), "on": on }))),
        (name(), day(), reason).prop_map(|(of, until, reason)| {
            ("disenrolled", json!({ "enrollment": id(of), "until": until, "reason": reason, "agreed_by": ["plan"] }))
        }),
        (name(), day())
            .prop_map(|(of, from)| ("reinstated", json!({ "enrollment": id(of), "from": from, "reason": "appeal" }))),
        (program(), any::<bool>())
            .prop_map(|(of, signed)| ("opted_out", json!({ "program": of, "by": "member", "signed": signed }))),
    ]
}

fn request() -> impl Strategy<Value = Said> {
    let outcome = select(&["approved", "denied", "modified", "deferred"][..]);
    let referral = proptest::option::of(select(&["r", "s"][..]));
    prop_oneof![
        (name(), program(), by(), day(), referral).prop_map(|(of, program, by, on, referral)| {
            let mut data = asked(&format!("{on}T09:00:00-08:00"), of, program, by);
            if let Some(referral) = referral {
                data["referral"] = json!(id(referral));
            }
            ("authorization_requested", data)
        }),
        (name(), program(), outcome, day())
            .prop_map(|(of, program, outcome, on)| ("authorization_decided", decision(&on, of, program, outcome))),
        (select(&["r", "s"][..]), program(), by()).prop_map(|(referral, program, by)| {
            let data = json!({ "referral": id(referral), "program": program, "pathway": "self", "requested_by": by });
            ("referral_received", data)
        }),
    ]
}

fn other() -> impl Strategy<Value = Said> {
    prop_oneof![
        program().prop_map(|of| ("outreach_closed", json!({ "program": of, "reason": "x" }))),
        program().prop_map(|of| ("member_identified", json!({ "program": of, "pathway": "plan_data" }))),
        Just(("outreach_attempted", attempt("phone", &[], "nobody"))),
        any::<bool>().prop_map(|met| ("population_assessed", json!({ "population": "ccs", "met": met }))),
        day().prop_map(|on| ("member_died", json!({ "on": on }))),
        (program(), select(&["denial", "discontinuation"][..]), day())
            .prop_map(|(of, kind, on)| ("notice_issued", mailed("n", of, kind, &on, None))),
        day().prop_map(|on| ("appeal_filed", json!({ "appeal": id("p"), "notice": id("n"), "on": on }))),
    ]
}

fn told() -> impl Strategy<Value = Told> {
    let voided =
        (0..30_u32).prop_map(|number| ("event_voided", json!({ "event": number, "reason": "x", "approved_by": "y" })));
    let said = prop_oneof![5 => enrollment(), 4 => request(), 3 => other(), 2 => voided];
    let plan = select(&["la-care", "la-care", "la-care", "molina"][..]);
    (plan, day(), said).prop_map(|(plan, at, (kind, data))| Told { plan, at, kind, data })
}

/// Tells one more fact, and what follows. Nobody voids what is not on record.
fn and(ledger: Ledger, mut told: Told) -> Ledger {
    if told.kind == "event_voided" {
        if ledger.last() == 0 {
            return ledger;
        }
        let number = told.data["event"].as_u64().unwrap() % (ledger.last() as u64) + 1;
        told.data["event"] = json!(id(&number.to_string()));
    }
    ledger.tell_of(told.plan, "2022-02-20", &told.at, told.kind, told.data)
}

/// Facts with the determinations that followed from them, as they were told, and the same facts shuffled.
fn determined() -> impl Strategy<Value = (Ledger, Vec<Recorded>)> {
    proptest::collection::vec(told(), 1..20).prop_flat_map(|told| {
        let ledger = told.into_iter().fold(Ledger::default(), and);
        let facts = ledger.facts.0.clone();
        (Just(ledger), Just(facts).prop_shuffle())
    })
}

fn folded(facts: &[Recorded]) -> Dossier {
    let mut dossier = Dossier::default();
    facts.iter().enumerate().for_each(|(index, fact)| dossier.apply(moved(fact, index + 1)));
    dossier
}

fn rows(dossier: &Dossier, rulebook: &Rulebook) -> Vec<Row> {
    let view = views::find("notice_determination").unwrap();
    let mut rows = view.rows(&Facts::of(dossier, rulebook));
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn after_every_fact_there_is_nothing_left_to_determine(told in proptest::collection::vec(told(), 1..20)) {
        let mut ledger = Ledger::default();
        for told in told {
            ledger = and(ledger, told);
            prop_assert_eq!(ledger.clone().settled(noon("2022-02-20")).last(), ledger.last());
        }
    }

    #[test]
    fn deciding_again_on_what_was_decided_gives_nothing_in_whatever_order((ledger, shuffled) in determined()) {
        let rulebook = built_in();
        let (told, other) = (ledger.dossier(), folded(&shuffled));
        let (told, other) = (Facts::of(&told, rulebook), Facts::of(&other, rulebook));
        let now = noon("2022-02-20");
        prop_assert!(due(&told, now).is_empty() && due(&other, now).is_empty());
        prop_assert_eq!(rows(told.dossier, rulebook), rows(other.dossier, rulebook));
        let keys: Vec<_> = decided(&told, now).into_iter().map(|determined| determined.obligation).collect();
        prop_assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
        // Once more, when every clock has run out.
        let late = ledger.clone().settled(noon("2023-01-01"));
        prop_assert_eq!(late.clone().settled(noon("2023-01-01")).last(), late.last());
    }

    #[test]
    fn what_is_said_to_change_nothing_changes_nothing((ledger, _) in determined()) {
        let rulebook = built_in();
        let view = views::find("notice_determination").unwrap();
        let mut dossier = Dossier::default();
        let mut before = Vec::new();
        for fact in &ledger.facts.0 {
            let was_due = due(&Facts::of(&dossier, rulebook), noon("2022-02-20")).len();
            dossier.apply(fact.clone());
            let after = rows(&dossier, rulebook);
            let untouched = matches!(view.touched(&dossier, rulebook, fact), Touched::Nothing);
            prop_assert!(!untouched || before == after, "{}", fact.envelope.event.name());
            prop_assert!(!untouched || !is_voiding(fact));
            let keys: BTreeSet<_> = after.iter().map(|row| &row.key).collect();
            prop_assert_eq!(keys.len(), after.len());
            prop_assert!(after.iter().all(|row| row.cells.len() == view.table().columns.len()));
            let is_due = due(&Facts::of(&dossier, rulebook), noon("2022-02-20")).len();
            let concerned = concerns(&dossier, [&fact.envelope.event]);
            prop_assert!(concerned || is_due <= was_due, "{}", fact.envelope.event.name());
            before = after;
        }
    }
}
