//! The same facts give the same rows, in whatever order they are told; and a view that says an event touches nothing is
//! right.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use rollbook_events::Event;
use rollbook_projections::view::Touched;
use rollbook_projections::{Dossier, Recorded, Row, rules};
use serde_json::json;

use crate::facts::{Facts, attempt, built_in, id, is_voiding, moved, ours};

fn day() -> impl Strategy<Value = String> {
    (1..=3_u32, 1..=2_u32).prop_map(|(month, day)| format!("2022-{month:02}-{day:02}"))
}

/// A few days and a few hours, so that ties and near misses are common.
fn moment() -> impl Strategy<Value = String> {
    let hour = select(&["", "", "T00:00:00-08:00", "T09:00:00-08:00"][..]);
    (day(), hour).prop_map(|(day, hour)| format!("{day}{hour}"))
}

#[derive(Debug, Clone)]
struct Told {
    plan: &'static str,
    at: String,
    kind: &'static str,
    data: serde_json::Value,
}

/// What is told: its kind and its data.
type Said = (&'static str, serde_json::Value);

fn program() -> impl Strategy<Value = &'static str> {
    select(&["ecm", "ecm", "housing_navigation", "tenancy_sustaining", "housing_deposit"][..])
}

fn other_program() -> impl Strategy<Value = &'static str> {
    select(&["icms_hfh", "icms_hfh", "mssp", "pace", "basic_case_management", "chw", "ecm"][..])
}

fn enrollment() -> impl Strategy<Value = uuid::Uuid> {
    select(&["e", "f", "g"][..]).prop_map(id)
}

fn channel() -> impl Strategy<Value = &'static str> {
    select(&["plan_direct", "dhs_subcontract"][..])
}

fn enrolled() -> impl Strategy<Value = Said> {
    let basis = select(&["opt_in", "grandfathered_wpc"][..]);
    (enrollment(), program(), basis, channel(), day()).prop_map(|(enrollment, program, basis, channel, from)| {
        let data = json!({
            "enrollment": enrollment, "program": program, "basis": basis, "channel": channel,
            "provider": "one-clinic", "from": from,
        });
        ("enrolled", data)
    })
}

fn provider_assigned() -> impl Strategy<Value = Said> {
    let provider = select(&["one-clinic", "two-clinic"][..]);
    (enrollment(), provider, day(), proptest::option::of(channel())).prop_map(
        |(enrollment, provider, from, channel)| {
            let mut data = json!({ "enrollment": enrollment, "provider": provider, "from": from });
            if let Some(channel) = channel {
                data["channel"] = channel.into();
            }
            ("provider_assigned", data)
        },
    )
}

fn participation_reported() -> impl Strategy<Value = Said> {
    let evidence = select(&["verified", "verified", "suspected", "ruled_out"][..]);
    let days = (proptest::option::of(day()), proptest::option::of(day()));
    (other_program(), days, evidence).prop_map(|(program, (from, until), evidence)| {
        let mut data = json!({ "program": program, "evidence": evidence });
        if let Some(until) = until.filter(|until| from.as_ref().is_none_or(|from| until > from)) {
            data["until"] = until.into();
        }
        if let Some(from) = from {
            data["from"] = from.into();
        }
        ("participation_reported", data)
    })
}

fn coverage_reported() -> impl Strategy<Value = Said> {
    let medicare = select(&["none", "fide_snp", "d_snp"][..]);
    (select(&["managed_care", "inactive"][..]), medicare, day()).prop_map(|(medi_cal, medicare, from)| {
        ("coverage_reported", json!({ "medi_cal": medi_cal, "medicare": medicare, "from": from }))
    })
}

fn outreach_attempted() -> impl Strategy<Value = Said> {
    (select(&["phone", "mail", "in_person"][..]), select(&["member", "nobody"][..]))
        .prop_map(|(channel, reached)| ("outreach_attempted", attempt(channel, &[], reached)))
}

fn authorization() -> impl Strategy<Value = Said> {
    let urgency = select(&["standard", "expedited", "retrospective"][..]);
    let outcome = select(&["approved", "denied", "deferred"][..]);
    let what = (select(&["a", "b"][..]).prop_map(id), program(), day(), any::<bool>());
    (what, urgency, outcome, any::<bool>()).prop_map(|((id, program, day, asked), urgency, outcome, presumptive)| {
        let at = format!("{day}T17:30:00-08:00");
        if asked {
            let data = json!({
                "authorization": id, "program": program, "urgency": urgency, "received_at": at,
                "requested_by": "provider",
            });
            return ("authorization_requested", data);
        }
        let data = json!({
            "authorization": id, "program": program, "outcome": outcome, "decided_at": at,
            "presumptive": presumptive,
        });
        ("authorization_decided", data)
    })
}

/// A notice, a letter that came back, an appeal or its resolution.
fn notice() -> impl Strategy<Value = Said> {
    let which = select(&["notice_issued", "mail_returned", "appeal_filed", "appeal_resolved"][..]);
    (which, select(&["n", "m"][..]).prop_map(id), program(), day(), any::<bool>()).prop_map(
        |(kind, id, program, on, flag)| {
            let data = match kind {
                "notice_issued" => json!({
                    "notice": id, "program": program, "kind": if flag { "discontinuation" } else { "denial" },
                    "mailed_on": on, "effective_on": "2022-02-02",
                }),
                "mail_returned" => json!({ "notice": id, "on": on, "forwarding_address": flag }),
                "appeal_filed" => json!({ "appeal": id, "notice": id, "on": on, "expedited": flag }),
                _ => json!({ "appeal": id, "on": on, "outcome": if flag { "upheld" } else { "withdrawn" } }),
            };
            (kind, data)
        },
    )
}

/// A kind about an enrollment and a day.
fn about_enrollment(kind: &'static str, day_key: &'static str, more: serde_json::Value) -> impl Strategy<Value = Said> {
    (enrollment(), day()).prop_map(move |(enrollment, day)| {
        let mut data = more.clone();
        data["enrollment"] = json!(enrollment);
        data[day_key] = day.into();
        (kind, data)
    })
}

/// A kind about a program.
fn about_program(kind: &'static str, more: serde_json::Value) -> impl Strategy<Value = Said> {
    program().prop_map(move |program| {
        let mut data = more.clone();
        data["program"] = program.into();
        (kind, data)
    })
}

fn units_recorded() -> impl Strategy<Value = Said> {
    (program(), select(&["one-clinic", "two-clinic"][..]), 0..13_u32).prop_map(|(program, provider, units)| {
        let data = json!({
            "program": program, "month": "2022-02", "units": units, "outreach_units": units, "provider": provider,
        });
        ("units_recorded", data)
    })
}

fn stay_recorded() -> impl Strategy<Value = Said> {
    (day(), 17..19_u8, select(&["22", "23"][..])).prop_map(|(day, age, hour)| {
        let (from, until) = (format!("{day}T00:00:00-08:00"), format!("{day}T{hour}:00:00-09:00"));
        let data = json!({
            "program": "sobering_center", "provider": "one-clinic", "age_years": age,
            "admitted_at": from, "discharged_at": until,
        });
        ("stay_recorded", data)
    })
}

fn lead_care_manager_assigned() -> impl Strategy<Value = Said> {
    (enrollment(), select(&["m", "n"][..]), day()).prop_map(|(enrollment, manager, from)| {
        ("lead_care_manager_assigned", json!({ "enrollment": enrollment, "manager": manager, "from": from }))
    })
}

fn referral() -> impl Strategy<Value = Said> {
    let (received, updated) = ("referral_received", "referral_updated");
    prop_oneof![
        Just((received, json!({ "referral": id("r"), "program": "ecm", "pathway": "self", "requested_by": "member" }))),
        Just((updated, json!({ "referral": id("r"), "status": "closed" }))),
        Just((updated, json!({ "referral": id("r"), "status": "closed", "closure": "other" }))),
        Just((updated, json!({ "referral": id("r"), "status": "pending" }))),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        1 => units_recorded(),
        1 => stay_recorded(),
        2 => referral(),
        3 => enrolled(),
        2 => about_enrollment("disenrolled", "until", json!({ "reason": "unresponsive" })),
        1 => about_enrollment("disenrolled", "until", json!({ "reason": "unknown" })),
        1 => about_enrollment("reinstated", "from", json!({ "reason": "x" })),
        2 => provider_assigned(),
        2 => lead_care_manager_assigned(),
        1 => about_enrollment("service_started", "on", json!({})),
        2 => participation_reported(),
        1 => coverage_reported(),
        1 => (program(), other_program())
            .prop_map(|(chosen, other)| ("program_chosen", json!({ "chosen": chosen, "given_up": [other] }))),
        2 => about_program("member_identified", json!({ "pathway": "plan_data", "populations": ["ccs"] })),
        3 => outreach_attempted(),
        1 => about_program("opted_out", json!({ "by": "member", "signed": true })),
        1 => about_program("outreach_closed", json!({ "reason": "x" })),
        3 => authorization(),
        1 => about_enrollment("reassessed", "on", json!({ "outcome": "continue" })),
        3 => notice(),
        1 => day().prop_map(|on| ("member_died", json!({ "on": on }))),
        2 => (1..24_usize).prop_map(|number| {
            ("event_voided", json!({ "event": id(&number.to_string()), "reason": "x", "approved_by": "y" }))
        }),
    ]
}

fn told() -> impl Strategy<Value = Told> {
    let plan = select(&["la-care", "la-care", "molina", "caloptima", "cencal"][..]);
    (plan, moment(), said()).prop_map(|(plan, at, (kind, data))| Told { plan, at, kind, data })
}

/// Facts, and the same facts shuffled.
fn shuffled() -> impl Strategy<Value = (Vec<Recorded>, Vec<Recorded>)> {
    proptest::collection::vec(told(), 1..24).prop_flat_map(|told| {
        let facts = told
            .into_iter()
            .fold(Facts::default(), |facts, fact| facts.tell_of(fact.plan, &fact.at, fact.kind, fact.data));
        (Just(facts.0.clone()), Just(facts.0).prop_shuffle())
    })
}

fn rows(dossier: &Dossier) -> Vec<Vec<Row>> {
    let rulebook = built_in();
    let sorted = |mut rows: Vec<Row>| {
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows
    };
    ours().map(|view| sorted(view.rows(&rules::facts::Facts::of(dossier, rulebook)))).collect()
}

/// Findings about two records at once.
const OF_TWO: &[&str] =
    &["hn_tss_simultaneous", "agency_overlap", "double_billing", "duplicate_lcm", "duplicate_service"];

/// The rows of an organization's record, of every view that is not about two records at once.
fn rows_of(plan: &str, facts: &[Recorded]) -> Vec<Row> {
    let dossier = folded(facts);
    let facts = rules::facts::Facts::of(&dossier, built_in());
    let views = ours().filter(|view| view.table().name != "duplication_conflict");
    let rows = views.flat_map(|view| {
        let place = |name| view.table().columns.iter().position(|column| column.name == name);
        let (of, code) = (place("plan").unwrap(), place("code"));
        let text = |row: &Row, place: usize| row.cells[place].json().as_str().unwrap_or_default().to_owned();
        let is_own = move |row: &Row| {
            text(row, of) == plan && !code.is_some_and(|code| OF_TWO.contains(&text(row, code).as_str()))
        };
        view.rows(&facts).into_iter().filter(is_own).collect::<Vec<_>>()
    });
    let mut rows: Vec<Row> = rows.collect();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}

fn folded(facts: &[Recorded]) -> Dossier {
    let mut dossier = Dossier::default();
    facts.iter().enumerate().for_each(|(index, fact)| dossier.apply(moved(fact, index + 1)));
    dossier
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn rows_do_not_depend_on_the_order_of_arrival((facts, shuffled) in shuffled()) {
        prop_assert_eq!(rows(&folded(&facts)), rows(&folded(&shuffled)));
    }

    /// Whoever knows another organization's ids says nothing of what they name by using them, and hears nothing of it.
    #[test]
    fn what_an_organization_says_of_anothers_ids_it_says_of_nothing((facts, _) in shuffled()) {
        let says_it_of_its_own = |fact: &&Recorded| matches!(
            fact.envelope.event,
            Event::Enrollment(_) | Event::Authorization(_) | Event::Referral(_) | Event::Notice(_) | Event::Outreach(_)
        );
        let facts: Vec<Recorded> = facts.iter().filter(says_it_of_its_own).cloned().collect();
        for plan in ["la-care", "molina"] {
            let own: Vec<Recorded> = facts.iter().filter(|fact| fact.envelope.plan.as_str() == plan).cloned().collect();
            prop_assert_eq!(rows_of(plan, &own), rows_of(plan, &facts));
        }
    }

    #[test]
    fn after_every_event_rows_are_those_of_a_fresh_fold_and_untouched_ones_stay((facts, _) in shuffled()) {
        let rulebook = built_in();
        let mut dossier = Dossier::default();
        let mut before = rows(&dossier);
        for (index, fact) in facts.iter().enumerate() {
            dossier.apply(fact.clone());
            let after = rows(&dossier);
            prop_assert_eq!(&after, &rows(&folded(&facts[..=index])));
            for (view, (before, after)) in ours().zip(before.iter().zip(&after)) {
                let untouched = matches!(view.touched(&dossier, rulebook, fact), Touched::Nothing);
                prop_assert!(!untouched || before == after, "{}", view.table().name);
                prop_assert!(!untouched || !is_voiding(fact));
                let keys: BTreeSet<_> = after.iter().map(|row| &row.key).collect();
                prop_assert_eq!(keys.len(), after.len(), "keys of {}", view.table().name);
                prop_assert!(after.iter().all(|row| row.cells.len() == view.table().columns.len()));
            }
            before = after;
        }
    }
}
