//! The rulebook: the built-in edition is sound, and a text that is none says where.

use rollbook_events::{County, Hash, Population};
use rollbook_projections::Rulebook;
use rollbook_projections::rulebook::Overlay;

use crate::facts::built_in;

#[test]
fn the_built_in_edition_knows_itself() {
    let rulebook = built_in();
    assert_eq!(rulebook.text(), Rulebook::built_in_text());
    assert_eq!(rulebook.hash(), Hash::of(Rulebook::built_in_text().as_bytes()));
    assert_eq!(rulebook.id(), "rollbook-2022-04");
    assert!(rulebook.pairs().iter().all(|pair| !pair.cite.is_empty()));
}

#[test]
fn a_plan_by_whatever_name_a_file_writes() {
    let rulebook = built_in();
    for (name, code) in [
        ("L.A. Care Health Plan", "la-care"),
        ("LA CARE", "la-care"),
        ("Anthem Blue Cross", "anthem"),
        ("Blue Shield Promise of California", "blue-shield-promise"),
        ("health net", "health-net"),
        ("Molina Healthcare", "molina"),
        ("IEHP", "iehp"),
        ("kaiser permanente ", "kaiser"),
        ("CalOptima", "caloptima"),
        ("la-county-dhs", "la-county-dhs"),
    ] {
        assert_eq!(rulebook.plan_by_name(name).map(|plan| plan.code.as_str()), Some(code), "{name}");
    }
    assert!(rulebook.plan_by_name("Health").is_none() && rulebook.plan_by_name("").is_none());
}

#[track_caller]
fn refused(find: &str, replace: &str, expected: &str) {
    let text = Rulebook::built_in_text();
    assert!(text.contains(find), "{find}");
    let error = Rulebook::parse(&text.replacen(find, replace, 1)).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
    assert!(error.starts_with("line ") && !error.starts_with("line 0"), "{error}");
}

#[test]
fn a_text_that_is_no_rulebook_says_where() {
    refused("mail_counts = false", "mail_count = false", "unknown field `mail_count`");
    refused("mail_counts = false", "mail_counts = 1", "(in `mail_counts = 1`)");
    refused("b = \"pace\"", "b = \"pase\"", "`pair` EXC-6: `b` is neither a program nor a class (in `b = \"pase\"`)");
    refused("outcome = \"exclude\"", "outcome = \"forbid\"", "forbid");
    refused("b = \"pace\"", "b = \"pace\"\nb_coverage = \"fide_snp\"", "`pair` EXC-6: needs either");
    refused("b = \"hospice\"", "b = \"pace\"", "`pair` EXC-6: `EXC-4` speaks of the same pair");
    refused("until = \"2023-01-01\"", "until = \"2023-13-01\"", "2023-13-01");
    refused("until = \"2023-01-01\"", "from = \"2024-01-01\"\nuntil = \"2023-01-01\"", "`until` does not lie after");
    refused("[\"IEHP\"]", "[\"IEHP\", \"Kaiser\"]", "`plan` kaiser: `Kaiser` names no plan, or another one too");
    refused("icms = [", "alw = [", "`class` alw: a program has that name");
    refused("id = \"rollbook-2022-04\"", "", "missing field `id`");
    refused("[same_program]", "[same_program", "");
}

fn overlay(file: &str, text: &str) -> Overlay {
    Overlay::parse(file, text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_plans_file_is_laid_over_for_its_plan_and_its_time() {
    let file = overlay("la.toml", "plan = \"la-care\"\nfrom = \"2024-01-01\"\n[outreach]\nmail_counts = true\n");
    let rulebook = Rulebook::parse(&built_in().text_with(&file)).unwrap();
    let mail = |plan: &str, day: &str| {
        let of = rulebook.parameters(&plan.parse().unwrap(), County::LosAngeles, day.parse().unwrap());
        of.outreach.mail_counts
    };
    assert!(mail("la-care", "2024-01-01"));
    assert!(!mail("la-care", "2023-12-31"), "not yet in force");
    assert!(!mail("anthem", "2024-01-01"), "another plan's");
    let channels = rulebook.parameters(&"la-care".parse().unwrap(), County::LosAngeles, "2024-01-01".parse().unwrap());
    assert_eq!(channels.outreach.channels, rulebook.base().outreach.channels, "what it does not say stays");
}

#[test]
fn a_file_takes_the_place_of_the_one_of_its_name() {
    let of = |text: &str| overlay("la.toml", &format!("plan = \"la-care\"\n{text}"));
    let once = Rulebook::parse(&built_in().text_with(&of("[outreach]\ncap = 5\n"))).unwrap();
    let other = Rulebook::parse(&once.text_with(&overlay("anthem.toml", "plan = \"anthem\"\n"))).unwrap();
    let twice = Rulebook::parse(&other.text_with(&of("# it's '''quoted'''\n[outreach]\ncap = 6\n"))).unwrap();
    assert_eq!(twice.overlays().len(), built_in().overlays().len() + 2);
    let day = "2024-01-01".parse().unwrap();
    assert_eq!(twice.parameters(&"la-care".parse().unwrap(), County::Kern, day).outreach.cap, Some(6));
}

#[test]
fn what_an_overlay_says_wrong_is_told_with_its_line() {
    let error = Overlay::parse("la.toml", "plan = \"la-care\"\n\n[outreach.closing]\nattemps = 5\n").unwrap_err();
    assert_eq!(error.line, 4, "{error}");
    assert!(error.to_string().contains("attemps"), "{error}");
    let error = Overlay::parse("la.toml", "from = \"2024-01-01\"\nuntil = \"2024-01-01\"\n").unwrap_err();
    assert!(error.to_string().contains("does not lie after"), "{error}");
}

#[track_caller]
fn linted(text: &str) -> Vec<(usize, Option<&'static str>)> {
    built_in().refusals(&overlay("x.toml", text)).iter().map(|refusal| (refusal.at.line, refusal.rule)).collect()
}

#[test]
fn a_support_is_not_kept_for_those_in_another_program_nor_offered_in_part() {
    let offer = |more: &str| format!("plan = \"la-care\"\n[[offered]]\nprogram = \"respite\"\n{more}\n");
    assert_eq!(linted(&offer("requires_any = [\"ecm\"]")), [(4, Some("ELIG-14"))]);
    assert_eq!(linted(&offer("requires_any = [\"ecm\", \"chronic_condition\"]")), []);
    assert_eq!(linted(&offer("without = [\"day care\"]")), [(4, Some("ELIG-16"))]);
    assert_eq!(linted(&offer("")), []);
}

#[test]
fn one_service_is_not_spoken_of_twice_on_a_day() {
    let twice = |from: &str, plan: &str| {
        format!(
            "[[offered]]\nprogram = \"respite\"\nuntil = \"2024-01-01\"\n[[offered]]\nprogram = \"respite\"\n{plan}from = \"{from}\"\n"
        )
    };
    assert_eq!(linted(&twice("2023-12-31", "")), [(4, None)]);
    assert_eq!(linted(&twice("2024-01-01", "")), [], "they only touch");
    assert_eq!(linted(&twice("2023-12-31", "plan = \"iehp\"\n")), [], "another plan");
}

#[test]
fn two_files_of_one_plan_are_not_in_force_on_one_day() {
    let of = |file: &str, until: &str| overlay(file, &format!("plan = \"kern\"\n{until}"));
    let with = Rulebook::parse(&built_in().text_with(&of("a.toml", "until = \"2024-01-01\"\n"))).unwrap();
    assert_eq!(with.refusals(&of("b.toml", "")).len(), 1);
    assert_eq!(with.refusals(&of("b.toml", "from = \"2024-01-01\"\n")).len(), 0, "the one ends where the other begins");
    assert_eq!(with.refusals(&of("a.toml", "")).len(), 0, "it takes the place of its former self");
}

#[test]
fn a_population_is_not_narrowed_and_may_be_widened() {
    let of = |county: &str, age: &str, from: &str| {
        format!(
            "plan = \"la-care\"\ncounty = \"los-angeles\"\n[[population]]\nrule = \"POF-3\"\npopulation = \"homelessness\"\n\
             counties = [{county}]\nage_group = \"{age}\"\nfrom = \"{from}\"\ncite = \"ours\"\nverified = true\n"
        )
    };
    assert_eq!(linted(&of("", "any", "2021-01-01")), [], "earlier and for everyone");
    assert_eq!(linted(&of("", "any", "2022-01-02")), [(3, Some("ELIG-7"))], "a day later");
    assert_eq!(linted(&of("", "adult", "2021-01-01")), [(3, Some("ELIG-7"))], "children left out");
    assert_eq!(linted(&of("\"kern\"", "any", "2021-01-01")), [(3, Some("ELIG-7"))], "another county alone");
    assert_eq!(linted(&of("\"los-angeles\"", "any", "2021-01-01")), []);
}

#[test]
fn a_file_that_speaks_of_one_population_leaves_the_others() {
    let text = "[[population]]\nrule = \"POF-3\"\npopulation = \"homelessness\"\nage_group = \"any\"\nfrom = \"2021-01-01\"\ncite = \"ours\"\nverified = true\n";
    let rulebook = Rulebook::parse(&built_in().text_with(&overlay("x.toml", text))).unwrap();
    let of = |rulebook: &Rulebook, population: Population| {
        let day = "2024-01-01".parse().unwrap();
        let parameters = rulebook.parameters(&"la-care".parse().unwrap(), County::LosAngeles, day);
        parameters.population.iter().filter(|rule| rule.population == population).count()
    };
    assert_eq!(of(&rulebook, Population::Homelessness), 1);
    assert_eq!(of(&rulebook, Population::Ccs), of(built_in(), Population::Ccs));
}
