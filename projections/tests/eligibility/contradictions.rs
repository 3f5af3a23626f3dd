//! Where the sources contradict each other: a person decides, unless the plan has; and two plans at once.

use serde_json::json;

use crate::told::{Told, member, nobody};

fn advantage() -> Told {
    let told = nobody("la-care", "los-angeles").covered("managed_care", "other_medicare_advantage", "2022-01-01");
    told.homeless("2022-01-10").enrolled("e", "ecm", "2022-02-01", json!({}))
}

const BOTH: [&str; 2] =
    ["002_469559f2f7962bd4.txt Exclusionary Checklist", "002_469559f2f7962bd4.txt sentence after it"];

#[test]
fn the_ledgers_own_answer_is_a_question_that_shows_both_sides() {
    // CON-1
    let told = advantage();
    assert_eq!(told.on("ecm", "2022-05-01"), "review disputed");
    let cites = told.cites("ecm", "2022-05-01");
    assert!(BOTH.iter().all(|cite| cites.iter().any(|known| known == cite)), "{cites:?}");
    assert_eq!(told.conflicts(), ["review EXC-19 ecm other_medicare_advantage 2022-02-01 -"]);
}

#[test]
fn a_plans_own_word_takes_its_place_for_that_plan() {
    for (word, answer, conflict) in [
        ("not_eligible", "not_eligible excluded_program", Some("not_eligible")),
        ("exclude", "exclude excluded_program", Some("exclude")),
        ("choose", "choose must_choose", Some("choose")),
        ("allow_coordinated", "allow_coordinated", Some("allow_coordinated")),
        ("allow", "allow", None),
        ("review", "review disputed", Some("review")),
    ] {
        let file = format!("plan = \"la-care\"\n[disputed]\nCON-1 = \"{word}\"");
        let told = advantage().by(&file);
        assert_eq!(told.on("ecm", "2022-05-01"), answer);
        let cites = told.cites("ecm", "2022-05-01");
        assert!(BOTH.iter().all(|cite| cites.iter().any(|known| known == cite)), "{word}: {cites:?}");
        let row = conflict.map(|outcome| format!("{outcome} EXC-19 ecm other_medicare_advantage 2022-02-01 -"));
        assert_eq!(told.conflicts(), Vec::from_iter(row));
        let other = advantage().by(&file.replace("la-care", "molina"));
        assert_eq!(other.on("ecm", "2022-05-01"), "review disputed");
        assert_eq!(other.conflicts(), ["review EXC-19 ecm other_medicare_advantage 2022-02-01 -"]);
    }
}

#[test]
fn a_word_that_begins_later_leaves_what_was_before() {
    // CON-26, and CON-1 with an end.
    let d_snp = nobody("la-care", "los-angeles").covered("managed_care", "d_snp", "2022-01-01").homeless("2022-01-10");
    let file = "plan = \"la-care\"\nfrom = \"2023-01-01\"\n[disputed]\nCON-26 = \"exclude\"";
    let told = d_snp.enrolled("e", "ecm", "2022-02-01", json!({})).by(file);
    assert_eq!(told.on("ecm", "2022-12-31"), "allow");
    assert_eq!(told.on("ecm", "2023-01-01"), "exclude excluded_program");
    assert_eq!(told.conflicts(), ["exclude EXC-17 ecm d_snp 2023-01-01 -"]);
    // The sides of another dispute are not its own.
    assert_eq!(told.cites("ecm", "2023-01-01"), [BOTH[0]]);
    let ending = "plan = \"la-care\"\nfrom = \"2022-03-01\"\nuntil = \"2022-06-01\"\n[disputed]\nCON-1 = \"exclude\"";
    assert_eq!(
        advantage().by(ending).conflicts(),
        [
            "exclude EXC-19 ecm other_medicare_advantage 2022-03-01 2022-06-01",
            "review EXC-19 ecm other_medicare_advantage 2022-02-01 2022-03-01",
            "review EXC-19 ecm other_medicare_advantage 2022-06-01 -",
        ]
    );
    // A file on something else cuts nothing.
    let other = "plan = \"la-care\"\nfrom = \"2022-03-01\"\n[tenancy]\nlimit = 2";
    assert_eq!(advantage().by(other).conflicts(), ["review EXC-19 ecm other_medicare_advantage 2022-02-01 -"]);
}

#[test]
fn two_plans_at_once() {
    let elsewhere = |told: Told, program: &str, from: &str| {
        let data = json!({
            "enrollment": crate::told::id("elsewhere"), "program": program, "basis": "opt_in",
            "channel": "plan_direct", "provider": "other-clinic", "from": from,
        });
        told.tell_of("molina", from, "enrolled", data)
    };
    let ecm = elsewhere(member().enrolled("e", "ecm", "2022-02-01", json!({})), "ecm", "2022-05-01");
    assert_eq!(ecm.conflicts(), ["duplicate_enrollment ROLE-15 ecm ecm 2022-05-01 -"]);
    let meals =
        elsewhere(member().enrolled("c", "tailored_meals", "2022-02-01", json!({})), "tailored_meals", "2022-05-01");
    assert_eq!(meals.conflicts(), ["duplicate_enrollment ROLE-15 tailored_meals tailored_meals 2022-05-01 -"]);
    let pair = elsewhere(member().enrolled("e", "ecm", "2022-02-01", json!({})), "housing_navigation", "2022-05-01");
    assert_eq!(pair.conflicts(), ["allow_coordinated DUP-1 ecm housing_navigation 2022-05-01 -"]);
    let county = elsewhere(member().takes_part("icms_hfh", "2022-02-01", None), "housing_navigation", "2022-05-01");
    assert_eq!(county.conflicts(), ["conflict DUP-3 housing_navigation icms_hfh 2022-05-01 -"]);
}
