//! What a reader must look at.

use rollbook_events::EventId;
use rollbook_projections::rules::facts::Facts;
use serde_json::json;

use crate::told::{Told, id, member, of};

fn ecm() -> Told {
    member().homeless("2022-01-10").enrolled("e", "ecm", "2022-02-01", json!({}))
}

/// The codes of the rules that these tests are about; other families find what is theirs beside them.
const OURS: [&str; 11] = [
    "choose_program",
    "class_rule",
    "coverage_gap",
    "discretionary_threshold",
    "exclusion_found",
    "narrowed_by_plan",
    "not_offered",
    "offering_withdrawn",
    "transition_list_deviation",
    "transition_not_offered",
    "unverified_program",
];

fn ours(told: &Told) -> Vec<String> {
    let mut found = told.findings();
    found.retain(|found| OURS.iter().any(|code| found.split(' ').next() == Some(code)));
    found
}

#[track_caller]
fn finds(told: &Told, expected: &[&str]) {
    assert_eq!(ours(told), expected);
}

#[test]
fn a_choice_to_be_made_an_exclusion_and_a_class() {
    finds(&ecm(), &[]);
    let mssp = ecm().takes_part("mssp", "2022-05-01", Some("2022-08-01"));
    finds(&mssp, &["choose_program EXC-7 ecm 2022-05-01 2022-08-01"]);
    let chosen = mssp.tell("2022-05-20", "program_chosen", json!({ "chosen": "mssp", "given_up": ["ecm"] }));
    finds(&chosen, &[]);
    finds(&ecm().takes_part("pace", "2022-05-01", None), &["exclusion_found EXC-6 ecm 2022-05-01 -"]);
    // B1-21, CON-24
    let other = ecm().takes_part("other_1915c_waiver", "2022-05-01", None);
    finds(&other, &["choose_program EXC-13 ecm 2022-05-01 -", "class_rule EXC-13 ecm 2022-05-01 -"]);
    finds(&ecm().takes_part("smhs_tcm", "2022-05-01", None), &[]);
    finds(&ecm().covered("managed_care", "other_medicare_advantage", "2022-05-01"), &[]);
    let navigation = member().enrolled("h", "housing_navigation", "2022-02-01", json!({}));
    let conflict = navigation.takes_part("icms_hfh", "2022-05-01", None).findings();
    assert!(
        !conflict.iter().any(|found| found.starts_with("choose") || found.starts_with("exclusion")),
        "{conflict:?}"
    );
}

/// What each of our findings is of and rests on, by the numbers of the events, and what it is about.
fn rests(told: &Told) -> Vec<String> {
    let dossier = told.dossier();
    let facts = Facts::of(&dossier, &told.rulebook);
    let number = |event: EventId| told.facts.iter().position(|fact| fact.envelope.id == event).unwrap() + 1;
    let ours = rollbook_projections::rules::findings::findings(&facts).into_iter();
    let ours = ours.filter(|found| OURS.contains(&found.code)).map(|found| {
        let because: Vec<usize> = found.because.iter().map(|event| number(*event)).collect();
        format!("{} of {} because {because:?} about {}", found.code, number(found.of.id), found.about)
    });
    ours.collect()
}

#[test]
fn a_finding_is_of_the_record_it_rests_on() {
    // The member's coverage is the first event, the assessment the second.
    let mssp = ecm().takes_part("mssp", "2022-05-01", None);
    let found = rests(&mssp);
    let about = format!("choose_program of 3 because [3, 4] about {}@la-care|", id("e"));
    assert!(found.len() == 1 && found[0].starts_with(&about), "{found:?}");
    let uncovered = crate::told::nobody("la-care", "los-angeles").covered_until("2021-01-01", "2022-05-01");
    let uncovered = uncovered.enrolled("e", "ecm", "2022-02-01", json!({}));
    assert_eq!(rests(&uncovered), [format!("coverage_gap of 2 because [1, 2] about {}", id("e"))]);
    let suspected = ecm().referred("2022-05-02", "ecm", json!({ "suspected_programs": ["pace"] }));
    assert_eq!(rests(&suspected), ["unverified_program of 4 because [4] about pace"]);
    let on_list = listed(member(), "2021-12-10", "recuperative_care", "transition_list");
    let expected = "transition_list_deviation of 2 because [2] about recuperative_care";
    assert_eq!(rests(&on_list), [expected]);
    // GF-10: listed by two plans is listed twice.
    let data = json!({ "program": "recuperative_care", "pathway": "transition_list" });
    let twice = on_list.tell_of("molina", "2021-12-10", "member_identified", data);
    assert_eq!(rests(&twice).len(), 2);
}

#[test]
fn a_suspicion_that_would_matter() {
    // B1-43
    let referred = |program: &str, suspected: &str| {
        member().homeless("2022-01-10").referred("2022-05-02", program, json!({ "suspected_programs": [suspected] }))
    };
    finds(&referred("ecm", "mssp"), &["unverified_program DUP-11 ecm 2022-05-02 -"]);
    finds(&referred("ecm", "pace"), &["unverified_program DUP-11 ecm 2022-05-02 -"]);
    finds(&referred("housing_navigation", "icms_odr"), &["unverified_program DUP-11 housing_navigation 2022-05-02 -"]);
    finds(&referred("ecm", "smhs_tcm"), &[]);
    finds(&referred("tailored_meals", "mssp"), &[]);
    let suspected = json!({ "program": "pace", "from": "2022-05-01", "until": "2022-06-01", "evidence": "suspected" });
    let report = |told: Told| told.tell("2022-05-10", "participation_reported", suspected.clone());
    finds(&report(ecm()), &["unverified_program DUP-11 ecm 2022-05-01 2022-06-01"]);
    finds(&report(ecm().disenrolled("e", "2022-05-01")), &[]);
}

#[test]
fn below_the_threshold() {
    // ELIG-8
    let assessed = |discretionary: bool| {
        let data = json!({ "population": "avoidable_hospital_use", "met": true, "discretionary": discretionary });
        member().tell("2022-05-01", "population_assessed", data)
    };
    finds(&assessed(true), &["discretionary_threshold ELIG-8 ecm 2022-05-01 -"]);
    finds(&assessed(false), &[]);
}

fn listed(told: Told, at: &str, program: &str, pathway: &str) -> Told {
    told.tell(at, "member_identified", json!({ "program": program, "pathway": pathway }))
}

#[test]
fn a_member_of_the_transition_list() {
    // B5-10, GF-10, CON-17
    let on_list = || listed(member(), "2021-12-10", "recuperative_care", "transition_list");
    let deviation = "transition_list_deviation GF-10 recuperative_care";
    finds(&on_list(), &[&format!("{deviation} 2022-01-01 -")]);
    let enrolled = |from: &str| on_list().enrolled("c", "recuperative_care", from, json!({}));
    finds(&enrolled("2022-01-01"), &[]);
    finds(
        &enrolled("2021-12-15").disenrolled("c", "2022-03-01").enrolled(
            "d",
            "recuperative_care",
            "2022-04-01",
            json!({}),
        ),
        &["not_offered ELIG-15 recuperative_care 2021-12-15 2022-01-01"],
    );
    finds(&enrolled("2022-02-01"), &[&format!("{deviation} 2022-01-01 2022-02-01")]);
    let elsewhere = json!({
        "enrollment": id("x"), "program": "recuperative_care", "basis": "opt_in", "channel": "plan_direct",
        "provider": "other-clinic", "from": "2022-01-01",
    });
    let elsewhere = on_list().tell_of("molina", "2022-01-01", "enrolled", elsewhere);
    finds(&elsewhere, &[&format!("{deviation} 2022-01-01 -")]);
    let declined =
        |program: &str| on_list().tell("2022-01-01", "opted_out", json!({ "program": program, "by": "member" }));
    finds(&declined("recuperative_care"), &[]);
    finds(&declined("ecm"), &[&format!("{deviation} 2022-01-01 -")]);
    finds(
        &listed(on_list(), "2022-01-10", "recuperative_care", "transition_list"),
        &[&format!("{deviation} 2022-01-01 -")],
    );
    finds(
        &listed(member(), "2022-03-10", "recuperative_care", "transition_list"),
        &[&format!("{deviation} 2022-03-10 -")],
    );
    finds(&listed(member(), "2021-12-10", "recuperative_care", "plan_data"), &[]);
    finds(&listed(member(), "2021-12-10", "ecm", "transition_list"), &[]);
    let caloptima = listed(of("caloptima", "orange"), "2021-12-10", "respite", "transition_list");
    finds(&caloptima, &["transition_not_offered GF-10 respite 2022-01-01 -"]);
    let two = listed(on_list(), "2021-12-11", "respite", "transition_list");
    finds(&two, &[&format!("{deviation} 2022-01-01 -"), "transition_list_deviation GF-10 respite 2022-01-01 -"]);
}

#[test]
fn enrolled_without_coverage() {
    // AUTH-15
    let told = |from: &str, until: &str| {
        let told = crate::told::nobody("la-care", "los-angeles").covered_until(from, until).homeless("2022-01-10");
        told.enrolled("e", "ecm", "2022-02-01", json!({})).disenrolled("e", "2022-09-01")
    };
    let gap = "coverage_gap AUTH-15 ecm";
    let lapsed = told("2021-01-01", "2022-05-01");
    finds(&lapsed, &[&format!("{gap} 2022-05-01 2022-09-01")]);
    finds(&told("2021-01-01", "2022-09-01"), &[]);
    let back = lapsed.clone().covered("managed_care", "none", "2022-06-01");
    finds(&back, &[&format!("{gap} 2022-05-01 2022-06-01")]);
    let through = lapsed.covered("inactive", "none", "2022-06-01").covered("fee_for_service", "none", "2022-07-01");
    finds(&through.covered("managed_care", "none", "2022-08-01"), &[&format!("{gap} 2022-05-01 2022-08-01")]);
    finds(&told("2022-03-01", "2022-10-01"), &[]);
    let county = crate::told::nobody("la-care", "los-angeles").covered("inactive", "none", "2021-01-01");
    finds(&county.enrolled("i", "icms_hfh", "2022-02-01", json!({})), &[]);
}

#[test]
fn enrolled_in_what_is_not_offered() {
    // ELIG-17
    let file = "plan = \"la-care\"\n[[offered]]\nprogram = \"respite\"\nfrom = \"2022-03-01\"\nuntil = \"2024-07-01\"";
    let enrolled =
        |from: &str, until: &str| member().enrolled("r", "respite", from, json!({})).disenrolled("r", until).by(file);
    finds(&enrolled("2022-03-01", "2024-07-01"), &[]);
    finds(&enrolled("2022-03-01", "2024-08-01"), &["offering_withdrawn ELIG-17 respite 2024-07-01 2024-08-01"]);
    finds(&enrolled("2022-02-01", "2024-07-01"), &["not_offered ELIG-15 respite 2022-02-01 2022-03-01"]);
    let sobering = |county| {
        let told = of("iehp", county).enrolled("s", "sobering_center", "2024-05-01", json!({}));
        ours(&told.disenrolled("s", "2024-05-03"))
    };
    assert_eq!(sobering("san-bernardino"), ["not_offered ELIG-15 sobering_center 2024-05-01 2024-05-03"]);
    assert_eq!(sobering("riverside"), Vec::<String>::new());
    let later = "plan = \"la-care\"\nfrom = \"2023-01-01\"\n[[offered]]\nprogram = \"respite\"\nuntil = \"2023-01-01\"";
    let told = member().enrolled("r", "respite", "2022-03-01", json!({})).by(later);
    finds(&told, &["offering_withdrawn ELIG-17 respite 2023-01-01 -"]);
}

#[test]
fn ecm_denied_against_a_population_that_is_met() {
    // ELIG-7
    let denied = |told: Told, program: &str, reason: &str| {
        let data = json!({
            "authorization": id("a"), "program": program, "outcome": "denied", "reasons": [reason],
            "decided_at": "2022-05-04T09:00:00-07:00",
        });
        let found = told.tell("2022-05-04", "authorization_decided", data).findings();
        found.into_iter().filter(|found| found.starts_with("narrowed")).collect::<Vec<_>>()
    };
    let met = || member().homeless("2022-05-04");
    let narrowed = ["narrowed_by_plan ELIG-7 ecm 2022-05-04 -"];
    assert_eq!(denied(met(), "ecm", "no_population_of_focus"), narrowed);
    let none: [&str; 0] = [];
    assert_eq!(denied(met(), "ecm", "coverage"), none);
    assert_eq!(denied(met(), "respite", "no_population_of_focus"), none);
    assert_eq!(denied(member().homeless("2022-05-05"), "ecm", "no_population_of_focus"), none);
    let not_met = member().population("2022-05-01", "homelessness", Some(45), false);
    assert_eq!(denied(not_met, "ecm", "no_population_of_focus"), none);
    let not_open = member().population("2022-05-01", "birth_equity", Some(30), true);
    assert_eq!(denied(not_open, "ecm", "no_population_of_focus"), none);
    let child = member().population("2022-05-01", "serious_mental_health_or_sud", Some(12), true);
    assert_eq!(denied(child, "ecm", "no_population_of_focus"), none);
}
