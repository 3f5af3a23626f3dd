//! Every rule of the sources is held somewhere and exercised by a scenario; the index of both is generated and committed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rollbook_projections::catalogue::{self, HeldAs};

/// The scenario files of this project.
pub fn scenario_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios")), &mut files);
    files.sort();
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("rulebooks") {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
}

fn told(path: &Path) -> (String, Vec<String>) {
    let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let words = |key: &str| {
        let list = table.get(key).and_then(toml::Value::as_array).unwrap_or_else(|| panic!("{path:?} has no {key}"));
        list.iter().map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(!words("cites").is_empty(), "{path:?} cites nothing");
    (table["id"].as_str().unwrap().to_owned(), words("rules"))
}

#[test]
fn the_committed_index_of_scenarios_is_the_generated_one() {
    let mut index: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for path in scenario_files() {
        let (id, rules) = told(&path);
        assert!(ids.insert(id.clone()), "{id} is there twice");
        assert!(!rules.is_empty(), "{path:?} exercises no rule");
        for rule in rules {
            assert!(catalogue::find(&rule).is_some(), "{path:?}: {rule} is not in the catalogue");
            index.entry(rule).or_default().insert(id.clone());
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../projections/rulebook/scenarios.json");
    let text = serde_json::to_string_pretty(&index).unwrap() + "\n";
    if option_env!("ROLLBOOK_UPDATE").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == text,
        "scenarios.json is not the generated index; run with ROLLBOOK_UPDATE=1 and read the diff"
    );
}

#[test]
fn what_has_an_effect_is_exercised() {
    let effective = catalogue::rules().iter().filter(|rule| matches!(rule.held_as, HeldAs::Rule | HeldAs::Parameter));
    let silent: Vec<&str> =
        effective.map(|rule| rule.id.as_str()).filter(|id| catalogue::scenarios(id).next().is_none()).collect();
    assert!(silent.is_empty(), "no scenario exercises {}", silent.join(", "));
}
