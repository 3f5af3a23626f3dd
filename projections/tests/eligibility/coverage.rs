//! Active Medi-Cal managed care, and Medicare beside it: domain/cases.md B1-28 to B1-38.

use serde_json::json;

use crate::told::{member, nobody};

fn la() -> crate::told::Told {
    nobody("la-care", "los-angeles")
}

#[test]
fn coverage_that_rules_out_and_coverage_that_does_not() {
    for (case, medi_cal, medicare, expected) in [
        ("B1-30", "fee_for_service", "none", "not_eligible fee_for_service"),
        ("B1-36", "inactive", "none", "not_eligible medi_cal_inactive"),
        ("CON-20", "inactive", "other_medicare_advantage", "not_eligible medi_cal_inactive"),
        ("B1-28", "managed_care", "fide_snp", "exclude excluded_program"),
        ("B1-29", "managed_care", "cal_mediconnect", "exclude excluded_program"),
        ("CON-1", "managed_care", "other_medicare_advantage", "review disputed"),
        ("B1-32", "managed_care", "d_snp", "allow"),
        ("B1-33", "managed_care", "d_snp_lookalike", "allow"),
        ("B1-35", "managed_care", "ffs", "allow"),
        ("ELIG-1", "managed_care", "none", "allow"),
    ] {
        let told = la().covered(medi_cal, medicare, "2021-01-01").homeless("2022-05-01");
        assert_eq!(told.on("ecm", "2022-05-02"), expected, "{case}");
    }
}

#[test]
fn a_referral_alone_is_open_until_somebody_assesses_it() {
    // B1-32, from the coverage and a referral alone.
    let told = la().covered("managed_care", "d_snp", "2021-01-01").referred("2022-05-02", "ecm", json!({}));
    assert_eq!(told.on("ecm", "2022-05-02"), "allow needs_assessment");
    assert_eq!(told.on("ecm", "2022-05-01"), "review needs_assessment");
}

#[test]
fn community_supports_need_managed_care_and_no_medicare_product_bars_them() {
    let yes = [true, true, true];
    for (case, medi_cal, medicare, expected) in [
        ("ELIG-2", "fee_for_service", "none", "not_eligible fee_for_service"),
        ("B1-37", "inactive", "none", "not_eligible medi_cal_inactive"),
        ("B1-38", "managed_care", "ffs", "allow"),
        ("ELIG-12", "managed_care", "fide_snp", "allow"),
        ("CON-20", "managed_care", "d_snp", "allow"),
    ] {
        let told = la().covered(medi_cal, medicare, "2021-01-01").assessed("2022-05-01", "recuperative_care", yes);
        assert_eq!(told.on("recuperative_care", "2022-05-02"), expected, "{case}");
    }
}

#[test]
fn the_county_serves_its_clients_whatever_the_insurance() {
    // ELIG-3, B1-36
    let told = la().covered("inactive", "none", "2021-01-01").takes_part("icms_hfh", "2022-05-01", None);
    assert_eq!(told.on("icms_hfh", "2022-05-01"), "allow");
    assert_eq!(told.on("housing_navigation", "2022-05-01"), "not_eligible medi_cal_inactive");
    assert_eq!(told.on("tenancy_sustaining", "2022-05-01"), "not_eligible medi_cal_inactive");
}

#[test]
fn what_ends_without_a_successor_is_no_coverage_any_more() {
    // B1-31: whether the end is reported as such or nothing follows.
    let ended = la().covered_until("2021-01-01", "2022-05-01").homeless("2022-04-10");
    assert_eq!(ended.on("ecm", "2022-04-30"), "allow");
    assert_eq!(ended.on("ecm", "2022-05-01"), "not_eligible medi_cal_inactive");
    let reported = ended.covered("inactive", "none", "2022-05-01");
    assert_eq!(reported.on("ecm", "2022-04-30"), "allow");
    assert_eq!(reported.on("ecm", "2022-05-01"), "not_eligible medi_cal_inactive");
}

#[test]
fn nobody_is_guessed_to_be_covered_or_not() {
    let told = la().homeless("2022-05-01");
    assert_eq!(told.on("ecm", "2022-05-01"), "review coverage_unknown");
    let later = told.covered("managed_care", "none", "2022-06-01");
    assert_eq!(later.on("ecm", "2022-05-31"), "review coverage_unknown");
    assert_eq!(later.on("ecm", "2022-06-01"), "allow");
}

#[test]
fn a_plan_goes_by_its_own_word_and_else_by_that_of_the_others() {
    let elsewhere = |told: crate::told::Told, medi_cal: &str, from: &str| {
        told.tell_of(
            "molina",
            from,
            "coverage_reported",
            json!({ "medi_cal": medi_cal, "medicare": "none", "from": from }),
        )
    };
    let own = elsewhere(member().homeless("2022-05-01"), "inactive", "2022-01-01");
    assert_eq!(own.on("ecm", "2022-05-01"), "allow");
    let other = elsewhere(la().homeless("2022-05-01"), "fee_for_service", "2022-01-01");
    assert_eq!(other.on("ecm", "2022-05-01"), "not_eligible fee_for_service");
    let moved =
        elsewhere(la().covered_until("2021-01-01", "2022-05-01").homeless("2022-04-10"), "managed_care", "2022-05-01");
    assert_eq!(moved.on("ecm", "2022-05-01"), "not_eligible plan_changed");
    assert_eq!(moved.on("ecm", "2022-04-30"), "allow");
}

#[test]
fn a_medicare_product_counts_whoever_reports_it() {
    let data = json!({ "medi_cal": "managed_care", "medicare": "fide_snp", "from": "2022-05-01" });
    let told = member().homeless("2022-04-01").tell_of("molina", "2022-05-01", "coverage_reported", data);
    assert_eq!(told.on("ecm", "2022-04-30"), "allow");
    assert_eq!(told.on("ecm", "2022-05-01"), "exclude excluded_program");
}

#[test]
fn coverage_weighs_more_than_a_program_and_that_more_than_the_criteria() {
    let told = la().covered("fee_for_service", "none", "2021-01-01").takes_part("pace", "2022-05-01", None);
    assert_eq!(told.on("ecm", "2022-05-01"), "not_eligible fee_for_service");
    let told =
        member().population("2022-04-01", "homelessness", Some(45), false).takes_part("pace", "2022-05-01", None);
    assert_eq!(told.on("ecm", "2022-04-30"), "not_eligible no_population_of_focus");
    assert_eq!(told.on("ecm", "2022-05-01"), "exclude excluded_program");
}
