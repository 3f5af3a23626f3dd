//! `duplication_conflict`: the cases of domain/cases.md B1.

use serde_json::json;

use crate::facts::{Facts, id};

const PAIR: &[&str] = &["outcome", "rule", "program_a", "program_b", "from_on", "until_on"];

#[track_caller]
fn overlaps(facts: &Facts, expected: &[&str]) {
    assert_eq!(facts.told("duplication_conflict", PAIR), expected);
}

fn ecm() -> Facts {
    Facts::default().enrolled("e", "ecm", "2022-02-01")
}

fn navigation() -> Facts {
    Facts::default().enrolled("h", "housing_navigation", "2022-02-01")
}

#[test]
fn ecm_with_what_it_may_run_beside() {
    for (case, program, rule) in [
        ("B1-03", "icms_hfh", "DUP-2"),
        ("B1-04", "icms_odr", "DUP-2"),
        ("B1-14", "smhs_tcm", "DUP-8"),
        ("CON-12", "transitional_care", "CON-12"),
    ] {
        let expected = format!("allow_coordinated {rule} ecm {program} 2022-05-01 -");
        let told = ecm().takes_part(program, "2022-05-01", None).told("duplication_conflict", PAIR);
        assert_eq!(told, [expected], "{case}");
    }
    for (case, program) in [("B1-01", "housing_navigation"), ("B1-02", "tenancy_sustaining")] {
        let expected = format!("allow_coordinated DUP-1 ecm {program} 2022-05-01 -");
        let told = ecm().enrolled("h", program, "2022-05-01").told("duplication_conflict", PAIR);
        assert_eq!(told, [expected], "{case}");
    }
}

#[test]
fn ecm_with_what_the_member_must_choose_against_or_what_excludes() {
    for (case, program, outcome, rule) in [
        ("B1-15", "mssp", "choose", "EXC-7"),
        ("B1-16", "alw", "choose", "EXC-8"),
        ("B1-17", "hcba", "choose", "EXC-9"),
        ("B1-18", "hiv_aids_waiver", "choose", "EXC-10"),
        ("B1-19", "hcbs_dd", "choose", "EXC-11"),
        ("EXC-12", "self_determination", "choose", "EXC-12"),
        ("B1-21", "other_1915c_waiver", "choose", "EXC-13"),
        ("B1-24", "complex_case_management", "choose", "EXC-15"),
        ("B1-25", "cct", "choose", "EXC-16"),
        ("B1-26", "pace", "exclude", "EXC-6"),
        ("EXC-4", "hospice", "exclude", "EXC-4"),
    ] {
        let expected = format!("{outcome} {rule} ecm {program} 2022-05-01 -");
        let told = ecm().takes_part(program, "2022-05-01", None).told("duplication_conflict", PAIR);
        assert_eq!(told, [expected], "{case}");
    }
}

#[test]
fn basic_case_management_is_a_choice_of_2022_alone() {
    // B1-22, CON-11
    let facts = ecm().takes_part("basic_case_management", "2022-05-01", None);
    overlaps(&facts, &["choose EXC-14 ecm basic_case_management 2022-05-01 2023-01-01"]);
    overlaps(&ecm().takes_part("basic_population_health", "2022-05-01", None), &[]);
}

#[test]
fn coverage_that_rules_out() {
    for (case, medi_cal, medicare, expected) in [
        ("EXC-1", "inactive", "none", Some("not_eligible EXC-1 ecm medi_cal_inactive 2022-05-01 -")),
        ("EXC-2", "fee_for_service", "none", Some("not_eligible EXC-2 ecm fee_for_service 2022-05-01 -")),
        ("B1-28", "managed_care", "fide_snp", Some("exclude EXC-5 ecm fide_snp 2022-05-01 -")),
        ("B1-29", "managed_care", "cal_mediconnect", Some("exclude EXC-3 ecm cal_mediconnect 2022-05-01 -")),
        (
            "CON-1",
            "managed_care",
            "other_medicare_advantage",
            Some("review EXC-19 ecm other_medicare_advantage 2022-05-01 -"),
        ),
        ("B1-32", "managed_care", "d_snp", None),
        ("B1-33", "managed_care", "d_snp_lookalike", None),
        ("B1-35", "managed_care", "ffs", None),
        ("ELIG-1", "managed_care", "none", None),
    ] {
        let told = ecm().covered(medi_cal, medicare, "2022-05-01").told("duplication_conflict", PAIR);
        assert_eq!(told, Vec::from_iter(expected), "{case}");
    }
    // B1-36: ICMS goes on without insurance; housing navigation does not.
    let facts = Facts::default().takes_part("icms_hfh", "2022-01-01", None).covered("inactive", "none", "2022-01-01");
    overlaps(&facts, &[]);
    let facts = navigation().covered("inactive", "none", "2022-05-01");
    overlaps(&facts, &["not_eligible ELIG-2 housing_navigation medi_cal_inactive 2022-05-01 -"]);
}

#[test]
fn a_plans_next_coverage_report_ends_the_one_before() {
    let lapsed = ecm().covered("inactive", "none", "2022-05-01");
    let back = lapsed.covered("inactive", "none", "2022-06-01").covered("managed_care", "none", "2022-07-01");
    overlaps(&back, &["not_eligible EXC-1 ecm medi_cal_inactive 2022-05-01 2022-07-01"]);
    let dual = ecm().covered("inactive", "fide_snp", "2022-05-01").covered("inactive", "d_snp", "2022-06-01");
    overlaps(
        &dual.covered("inactive", "fide_snp", "2022-07-01"),
        &[
            "exclude EXC-5 ecm fide_snp 2022-05-01 2022-06-01",
            "exclude EXC-5 ecm fide_snp 2022-07-01 -",
            "not_eligible EXC-1 ecm medi_cal_inactive 2022-05-01 -",
        ],
    );
}

#[test]
fn housing_support_and_county_case_management() {
    // B1-05, B1-07
    for (program, rule) in [("icms_hfh", "DUP-3"), ("icms_odr", "DUP-4")] {
        let expected = format!("conflict {rule} housing_navigation {program} 2022-05-01 -");
        overlaps(&navigation().takes_part(program, "2022-05-01", None), &[&expected]);
    }
    // B1-09, DUP-5: delivered and billed by DHS for its own client.
    let facts = Facts::default().takes_part("icms_hfh", "2022-01-01", None);
    overlaps(&facts.clone().enrolled_through("dhs_subcontract", "h", "housing_navigation", "2022-02-01"), &[]);
    // B1-11, B1-12, DUP-6
    overlaps(&facts.clone().enrolled("m", "tailored_meals", "2022-02-01"), &[]);
    overlaps(&facts.enrolled("m", "recuperative_care", "2022-02-01"), &[]);
    // B1-48: a finding, no conflict.
    overlaps(&navigation().enrolled("t", "tenancy_sustaining", "2022-02-01"), &[]);
}

#[test]
fn spans_that_touch_do_not_conflict() {
    // B1-39
    let facts = Facts::default().takes_part("icms_hfh", "2022-01-01", Some("2022-07-01"));
    overlaps(&facts.clone().enrolled("h", "housing_navigation", "2022-07-01"), &[]);
    overlaps(
        &facts.enrolled("h", "housing_navigation", "2022-06-01"),
        &["conflict DUP-3 housing_navigation icms_hfh 2022-06-01 2022-07-01"],
    );
}

#[test]
fn a_switch_of_channel_begins_or_ends_a_conflict_and_a_switch_of_provider_does_not() {
    let assigned = |facts: Facts, provider: &str, channel: &str, from: &str| {
        let data = json!({ "enrollment": id("h"), "provider": provider, "channel": channel, "from": from });
        facts.tell(from, "provider_assigned", data)
    };
    let facts = navigation().takes_part("icms_hfh", "2022-01-01", None);
    let facts = assigned(facts, "other-agency", "plan_direct", "2022-04-01");
    overlaps(&facts, &["conflict DUP-3 housing_navigation icms_hfh 2022-02-01 -"]);
    assert_eq!(facts.told("duplication_conflict", &["provider_a"]), ["other-agency"]);
    let facts = assigned(facts, "icms", "dhs_subcontract", "2022-06-01");
    overlaps(&facts, &["conflict DUP-3 housing_navigation icms_hfh 2022-02-01 2022-06-01"]);
    // A rule that names no channel sees one overlap.
    overlaps(
        &facts.enrolled("e", "ecm", "2022-02-01"),
        &[
            "allow_coordinated DUP-1 ecm housing_navigation 2022-02-01 -",
            "allow_coordinated DUP-2 ecm icms_hfh 2022-02-01 -",
            "conflict DUP-3 housing_navigation icms_hfh 2022-02-01 2022-06-01",
        ],
    );
}

#[test]
fn what_is_suspected_ruled_out_or_without_a_first_day_overlaps_nothing() {
    let report = |facts: Facts, at: &str, data| facts.tell_of("la-county-dhs", at, "participation_reported", data);
    let from = "2022-05-01";
    // B1-43
    let suspected = report(ecm(), from, json!({ "program": "mssp", "from": from, "evidence": "suspected" }));
    overlaps(&suspected, &[]);
    let verified = report(suspected, "2022-05-09", json!({ "program": "mssp", "from": from, "evidence": "verified" }));
    overlaps(&verified, &["choose EXC-7 ecm mssp 2022-05-01 -"]);
    let data = json!({ "program": "mssp", "from": from, "until": "2022-06-01", "evidence": "verified" });
    overlaps(&report(verified.clone(), "2022-06-02", data), &["choose EXC-7 ecm mssp 2022-05-01 2022-06-01"]);
    let ruled_out = json!({ "program": "mssp", "from": from, "evidence": "ruled_out" });
    overlaps(&report(verified.clone(), "2022-06-02", ruled_out), &[]);
    overlaps(&report(verified, "2022-06-02", json!({ "program": "mssp", "evidence": "ruled_out" })), &[]);
    overlaps(&report(ecm(), from, json!({ "program": "mssp", "evidence": "verified" })), &[]);
}

#[test]
fn two_enrollments_in_one_program() {
    let facts = ecm().disenrolled("2022-08-01", "e", "2022-08-01").enrolled("f", "ecm", "2022-06-01");
    overlaps(&facts, &["duplicate_enrollment ROLE-15 ecm ecm 2022-06-01 2022-08-01"]);
    overlaps(&ecm().takes_part("ecm", "2022-05-01", None), &[]);
    // ROLE-15: the side whose id sorts first is named first, whichever began or was told first.
    let (first, second) = if id("e") < id("f") { ("e", "f") } else { ("f", "e") };
    for (first_from, second_from) in [("2022-02-01", "2022-06-01"), ("2022-06-01", "2022-02-01")] {
        let expected = [format!("{} {}", id("1"), id("2"))];
        let told = Facts::default().enrolled(first, "ecm", first_from).enrolled(second, "ecm", second_from);
        assert_eq!(told.told("duplication_conflict", &["evidence_a", "evidence_b"]), expected);
        let expected = [format!("{} {}", id("2"), id("1"))];
        let told = Facts::default().enrolled(second, "ecm", second_from).enrolled(first, "ecm", first_from);
        assert_eq!(told.told("duplication_conflict", &["evidence_a", "evidence_b"]), expected);
    }
}

#[test]
fn a_choice_is_written_into_the_row_which_stays_until_a_span_ends() {
    let choice = &["until_on", "resolution", "resolved_on"];
    let chosen = |facts: Facts, at: &str, chosen: &str, given_up: &str| {
        facts.tell(at, "program_chosen", json!({ "chosen": chosen, "given_up": [given_up] }))
    };
    let facts = ecm().takes_part("mssp", "2022-05-01", None);
    // B1-44
    let mssp = chosen(facts.clone(), "2022-05-20", "mssp", "ecm");
    assert_eq!(mssp.told("duplication_conflict", choice), ["- mssp 2022-05-20"]);
    let mssp = mssp.disenrolled("2022-06-01", "e", "2022-06-01");
    assert_eq!(mssp.told("duplication_conflict", choice), ["2022-06-01 mssp 2022-05-20"]);
    // B1-45
    let ended = json!({ "program": "mssp", "from": "2022-05-01", "until": "2022-06-01", "evidence": "verified" });
    let ecm_chosen = chosen(facts.clone(), "2022-05-20", "ecm", "mssp");
    let ecm_chosen = ecm_chosen.tell_of("la-county-dhs", "2022-06-03", "participation_reported", ended);
    assert_eq!(ecm_chosen.told("duplication_conflict", choice), ["2022-06-01 ecm 2022-05-20"]);
    // A choice between others, or after the overlap, settles nothing.
    let other = chosen(facts, "2022-05-20", "ecm", "alw");
    assert_eq!(other.told("duplication_conflict", choice), ["- - -"]);
    let late = ecm().takes_part("mssp", "2022-05-01", Some("2022-06-01"));
    for (at, expected) in [
        ("2022-05-31", "2022-06-01 ecm 2022-05-31"),
        ("2022-06-01", "2022-06-01 - -"),
        ("2022-07-01", "2022-06-01 - -"),
    ] {
        let told = chosen(late.clone(), at, "ecm", "mssp").told("duplication_conflict", choice);
        assert_eq!(told, [expected], "{at}");
    }
    // From what excludes there is nothing to choose.
    let pace = chosen(ecm().takes_part("pace", "2022-05-01", None), "2022-05-20", "ecm", "pace");
    assert_eq!(pace.told("duplication_conflict", choice), ["- - -"]);
}
