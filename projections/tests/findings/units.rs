//! PAY-1: units of a month.

use serde_json::json;

use crate::facts::Facts;
use crate::finds;

fn units(facts: Facts, plan: &str, month: &str, units: u32, outreach: u32, provider: &str) -> Facts {
    let data = json!({
        "program": "ecm", "month": month, "units": units, "outreach_units": outreach, "provider": provider,
    });
    facts.tell_of(plan, "2022-08-01", "units_recorded", data)
}

fn enrolled(plan: &str, from: &str) -> Facts {
    let data = json!({
        "enrollment": crate::facts::id("e"), "program": "ecm", "basis": "opt_in", "channel": "plan_direct",
        "provider": "x1", "from": from,
    });
    Facts::default().tell_of(plan, from, "enrolled", data)
}

fn ecm() -> Facts {
    enrolled("caloptima", "2022-03-01")
}

const MONTH: &str = "PAY-1 ecm 2022-04-01 2022-05-01";

#[test]
fn a_month_is_paid_from_twelve_units() {
    let of = |count, outreach| units(ecm(), "caloptima", "2022-04", count, outreach, "x1");
    // B6-20, B6-21
    finds(&of(12, 3), "units_below_minimum", &[]);
    finds(&of(11, 3), "units_below_minimum", &[MONTH]);
    // Several records of a month add up; those of another month or program do not.
    finds(&units(of(11, 3), "caloptima", "2022-04", 1, 0, "x1"), "units_below_minimum", &[]);
    finds(&units(of(11, 3), "caloptima", "2022-05", 12, 0, "x1"), "units_below_minimum", &[MONTH]);
    let other =
        json!({ "program": "personal_care", "month": "2022-04", "units": 1, "outreach_units": 0, "provider": "x1" });
    finds(&of(11, 0).tell_of("caloptima", "2022-08-01", "units_recorded", other), "units_below_minimum", &[MONTH]);
    // Other plans set no minimum, and this one none before it began.
    finds(&units(Facts::default(), "la-care", "2022-04", 5, 0, "x1"), "units_below_minimum", &[]);
    finds(&units(Facts::default(), "caloptima", "2021-12", 5, 0, "x1"), "units_below_minimum", &[]);
    let first = units(Facts::default(), "caloptima", "2022-01", 5, 0, "x1");
    finds(&first, "units_below_minimum", &["PAY-1 ecm 2022-01-01 2022-02-01"]);
}

#[test]
fn another_plans_minimum_is_its_own_file() {
    let overlay = "[[units.minimum]]\nrule = \"PAY-1\"\nprogram = \"ecm\"\nunits = 4\nuntil = \"2022-05-01\"\ncite = \"x\"\nverified = true\n";
    let told = |month, count| {
        units(Facts::default(), "la-care", month, count, 0, "x1").told_laid(overlay, "finding", &["code"])
    };
    assert_eq!(told("2022-04", 3), ["units_below_minimum"]);
    assert!(told("2022-04", 4).is_empty());
    assert!(told("2022-05", 3).is_empty());
}

#[test]
fn twelve_units_of_two_providers_are_paid_once_to_one_of_them() {
    // B6-23
    let facts = units(ecm(), "caloptima", "2022-04", 7, 0, "x1");
    finds(&units(facts.clone(), "caloptima", "2022-04", 5, 0, "x2"), "attribution_review", &[MONTH]);
    finds(&units(facts.clone(), "caloptima", "2022-04", 5, 0, "x1"), "attribution_review", &[]);
    // Not enough to pay anybody, or nothing from the second.
    let few = units(facts.clone(), "caloptima", "2022-04", 4, 0, "x2");
    finds(&few, "attribution_review", &[]);
    finds(&few, "units_below_minimum", &[MONTH]);
    let nothing = units(units(facts, "caloptima", "2022-04", 5, 0, "x1"), "caloptima", "2022-04", 0, 0, "x2");
    finds(&nothing, "attribution_review", &[]);
}

#[test]
fn outreach_alone_to_somebody_who_is_not_enrolled() {
    // B6-22
    let outreach = |facts, count, outreach| units(facts, "caloptima", "2022-04", count, outreach, "x1");
    let review = "units_without_enrollment";
    finds(&outreach(Facts::default(), 12, 12), review, &[MONTH]);
    finds(&outreach(Facts::default(), 12, 11), review, &[]);
    finds(&outreach(ecm(), 12, 12), review, &[]);
    finds(&outreach(Facts::default(), 11, 11), review, &[]);
    // Enrolled after the month, at another plan, or in another program.
    finds(&outreach(enrolled("caloptima", "2022-05-01"), 12, 12), review, &[MONTH]);
    finds(&outreach(enrolled("caloptima", "2022-04-30"), 12, 12), review, &[]);
    finds(&outreach(enrolled("la-care", "2022-03-01"), 12, 12), review, &[MONTH]);
    let navigation = Facts::default().enrolled("h", "housing_navigation", "2022-03-01");
    finds(&outreach(navigation, 12, 12), review, &[MONTH]);
}

#[test]
fn a_month_with_no_unit_in_it() {
    let nothing = units(Facts::default(), "la-care", "2022-04", 0, 0, "x1");
    finds(&nothing, "billed_without_units", &["PAY-2 ecm 2022-04-01 2022-05-01"]);
    finds(&units(nothing, "la-care", "2022-04", 1, 0, "x1"), "billed_without_units", &[]);
    finds(
        &units(Facts::default(), "la-care", "2022-12", 0, 0, "x1"),
        "billed_without_units",
        &["PAY-2 ecm 2022-12-01 2023-01-01"],
    );
}
