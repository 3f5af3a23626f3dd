//! The rulebook: the built-in edition is sound, and a text that is none says where.

use rollbook_events::Hash;
use rollbook_projections::Rulebook;

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
