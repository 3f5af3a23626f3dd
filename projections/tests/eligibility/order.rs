//! The same facts give the same answers and findings, in whatever order they are told; and answers do not overlap.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::told::{Told, id, nobody, recorded};

fn day() -> impl Strategy<Value = String> {
    (2021..=2023_u32, 1..=3_u32, 1..=2_u32).prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}"))
}

fn yes() -> impl Strategy<Value = bool> {
    any::<bool>()
}

type Said = (&'static str, Value);

fn program() -> impl Strategy<Value = &'static str> {
    select(&["ecm", "ecm", "housing_navigation", "tenancy_sustaining", "sobering_center"][..])
}

fn other() -> impl Strategy<Value = &'static str> {
    select(&["icms_hfh", "mssp", "pace", "wpc", "hhp", "smhs_tcm"][..])
}

fn of_the_member() -> impl Strategy<Value = Said> {
    let population = select(&["homelessness", "avoidable_hospital_use", "ccs"][..]);
    let medicare = select(&["none", "fide_snp", "other_medicare_advantage"][..]);
    prop_oneof![
        (select(&["managed_care", "inactive"][..]), medicare, day())
            .prop_map(|(m, n, from)| ("coverage_reported", json!({ "medi_cal": m, "medicare": n, "from": from }))),
        (population, yes(), yes(), proptest::option::of(10..30_u8)).prop_map(|(of, met, discretionary, age)| {
            let mut data = json!({ "population": of, "met": met, "discretionary": discretionary });
            if let Some(age) = age {
                data["age_years"] = age.into();
            }
            ("population_assessed", data)
        }),
        (program(), yes(), yes()).prop_map(|(of, met, effective)| {
            let data = json!({
                "program": of, "definition_met": met, "medically_appropriate": true, "cost_effective": effective,
            });
            ("service_assessed", data)
        }),
        (yes(), day()).prop_map(|(housed, on)| ("housing_observed", json!({ "housed": housed, "on": on }))),
    ]
}

fn of_programs() -> impl Strategy<Value = Said> {
    let evidence = select(&["verified", "verified", "suspected", "ruled_out"][..]);
    let enrollment = || select(&["e", "f"][..]).prop_map(id);
    prop_oneof![
        (other(), day(), evidence).prop_map(|(of, from, evidence)| {
            ("participation_reported", json!({ "program": of, "from": from, "evidence": evidence }))
        }),
        (program(), other()).prop_map(|(of, suspected)| {
            let data = json!({
                "referral": id("r"), "program": of, "pathway": "provider", "requested_by": "provider",
                "suspected_programs": [suspected], "age_years": 17,
            });
            ("referral_received", data)
        }),
        (program(), other())
            .prop_map(|(of, given_up)| ("program_chosen", json!({ "chosen": of, "given_up": [given_up] }))),
        (enrollment(), program(), day()).prop_map(|(enrollment, of, from)| {
            let data = json!({
                "enrollment": enrollment, "program": of, "basis": "grandfathered_wpc", "channel": "plan_direct",
                "provider": "one-clinic", "from": from,
            });
            ("enrolled", data)
        }),
        (enrollment(), day()).prop_map(|(e, on)| ("service_started", json!({ "enrollment": e, "on": on }))),
        (enrollment(), day())
            .prop_map(|(e, until)| ("disenrolled", json!({ "enrollment": e, "until": until, "reason": "unknown" }))),
        program().prop_map(|of| ("member_identified", json!({ "program": of, "pathway": "transition_list" }))),
        (1..20_usize).prop_map(|number| {
            ("event_voided", json!({ "event": id(&number.to_string()), "reason": "x", "approved_by": "y" }))
        }),
    ]
}

fn told() -> impl Strategy<Value = Told> {
    let plan = select(&["la-care", "la-care", "molina"][..]);
    let said = prop_oneof![of_the_member(), of_programs()];
    proptest::collection::vec((plan, day(), said), 1..20).prop_map(|said| {
        said.into_iter().fold(nobody("la-care", "los-angeles"), |told, (plan, at, (kind, data))| {
            told.tell_of(plan, &at, kind, data)
        })
    })
}

fn shuffled() -> impl Strategy<Value = (Told, Told)> {
    told().prop_flat_map(|told| {
        let other = told.clone();
        let facts = Just(told.facts.clone()).prop_shuffle();
        let moved = facts.prop_map(move |facts| {
            let facts = facts.into_iter().enumerate().map(|(at, fact)| recorded(at + 1, fact.envelope)).collect();
            Told { facts, ..other.clone() }
        });
        (Just(told), moved)
    })
}

const PROGRAMS: [&str; 5] = ["ecm", "housing_navigation", "tenancy_sustaining", "sobering_center", "icms_hfh"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn answers_and_findings_do_not_depend_on_the_order_of_arrival((told, other) in shuffled()) {
        for program in PROGRAMS {
            prop_assert_eq!(told.spans(program), other.spans(program));
        }
        prop_assert_eq!(told.findings(), other.findings());
    }

    #[test]
    fn every_day_has_one_answer_for_each_channel(told in told()) {
        for program in PROGRAMS {
            told.answers(program, Some(rollbook_events::codes::Channel::PlanDirect), |answers| {
                for pair in answers.windows(2) {
                    prop_assert_eq!(pair[0].span.until, Some(pair[1].span.from), "{}", program);
                }
                prop_assert!(answers.last().is_none_or(|last| last.span.until.is_none()));
                Ok(())
            })?;
        }
    }
}
