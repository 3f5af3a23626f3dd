//! The answers as rows.

use rollbook_events::PlanCode;
use rollbook_projections::rules::eligibility::table::{TABLE, rows};
use rollbook_projections::rules::eligibility::{Outcome, Question};
use rollbook_projections::rules::facts::Facts;
use serde_json::json;

use crate::told::{Told, cell, id, member, nobody};

fn printed(told: &Told, program: &str) -> Vec<String> {
    let dossier = told.dossier();
    let facts = Facts::of(&dossier, &told.rulebook);
    let plan: PlanCode = told.plan.parse().unwrap();
    let county = told.county.parse().unwrap();
    let question = Question { program: program.parse().unwrap(), channel: None, plan: &plan, county };
    let rows = rows(&facts, &question);
    let mut keys: Vec<_> = rows.iter().map(|row| row.key.clone()).collect();
    keys.dedup();
    assert_eq!(keys.len(), rows.len());
    assert!(rows.iter().all(|row| row.cells.len() == TABLE.columns.len() && row.member.is_some()));
    rows.iter().map(|row| row.cells.iter().map(cell).collect::<Vec<_>>().join(" / ")).collect()
}

#[test]
fn a_row_says_what_it_rests_on() {
    let told = member().homeless("2022-05-01").takes_part("mssp", "2022-06-01", None);
    let event = |number: &str| id(number).to_string();
    assert_eq!(
        printed(&told, "ecm")[2..],
        [
            format!(
                "ecm / - / la-care / los-angeles / allow / - / EXC-1,POF-3 / 000_a2e4f2d354e0859d.txt Q5, Q6; \
                 002_469559f2f7962bd4.txt populations that have gone live, children and youth / {},{} / 2022-05-01 / 2022-06-01",
                event("1"),
                event("2")
            ),
            format!(
                "ecm / - / la-care / los-angeles / choose / must_choose / EXC-7,EXC-1,POF-3 / \
                 000_a2e4f2d354e0859d.txt Q6; 000_a2e4f2d354e0859d.txt Q5, Q6; 002_469559f2f7962bd4.txt populations \
                 that have gone live, children and youth / {},{},{} / 2022-06-01 / -",
                event("1"),
                event("2"),
                event("3")
            ),
        ]
    );
}

#[test]
fn a_channel_is_named_where_it_makes_a_difference() {
    let told = member().assessed("2022-04-20", "housing_navigation", [true, true, true]);
    let told = told.takes_part("icms_hfh", "2022-05-01", Some("2022-06-01"));
    let channels: Vec<_> = printed(&told, "housing_navigation")
        .iter()
        .map(|row| row.split(" / ").skip(1).take(1).chain(row.split(" / ").skip(9)).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        channels,
        [
            "- 2021-01-01 2022-01-01",
            "- 2022-01-01 2022-04-20",
            "- 2022-04-20 2022-05-01",
            "- 2022-06-01 -",
            "plan_direct 2022-05-01 2022-06-01",
            "dhs_subcontract 2022-05-01 2022-06-01",
        ]
    );
}

#[test]
fn reports_that_go_on_saying_the_same_are_one_row_that_rests_on_all_of_them() {
    let told = nobody("la-care", "los-angeles").homeless("2022-01-10");
    let told = ["2022-01-01", "2022-02-01", "2022-03-01"]
        .iter()
        .fold(told, |told, from| told.covered("managed_care", "none", from));
    let rows = printed(&told, "ecm");
    let last = rows.last().unwrap();
    assert!(last.ends_with("/ 2022-01-10 / -"), "{rows:#?}");
    let events = ["1", "2", "3", "4"].map(|number| id(number).to_string());
    assert!(events.iter().all(|event| last.contains(event.as_str())), "{last}");
}

#[test]
fn nobody_has_no_row_and_every_outcome_a_word() {
    assert_eq!(printed(&nobody("la-care", "los-angeles"), "ecm"), Vec::<String>::new());
    let mut words: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Outcome::ALL.len());
    // What is told of a person without any date of a rule is answered from its own first day on.
    let told = nobody("la-care", "los-angeles").tell(
        "2030-01-01",
        "member_identified",
        json!({ "program": "ecm", "pathway": "plan_data" }),
    );
    assert_eq!(printed(&told, "ecm").len(), 1);
}
