use super::*;
use crate::sample;
use std::collections::BTreeMap;

/// Every file of a sample county, in the order of their names, against what its truth says of quarantines and ECM.
#[test]
fn the_sample_county_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let settings = sample::Settings { members: 400, seed: 7, out: folder.path().to_owned() };
    let written = sample::write_county(&settings, &mut |_| {}).unwrap();
    let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(&written.truth).unwrap()).unwrap();
    let mut dossiers: BTreeMap<String, Dossier> = BTreeMap::new();
    let mut quarantined: BTreeMap<String, u64> = BTreeMap::new();
    let mut reasons = Vec::new();
    for (kind, path, rows) in &written.files {
        let kind: FileKind = kind.name().parse().unwrap();
        if kind == FileKind::Events {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut reader = open(path, &name, kind).unwrap();
        let mut seen = 0;
        while let Some(row) = reader.next_row() {
            seen += 1;
            let outcome =
                read_row(reader.profile(), &row.unwrap(), &Defaults::default(), &plans).and_then(|statement| {
                    let dossier = dossiers.entry(statement.cin.expose().to_owned()).or_default();
                    let submissions = told(&statement, dossier)?;
                    record(dossier, &submissions);
                    Ok(())
                });
            if let Err(quarantine) = outcome {
                *quarantined.entry(name.clone()).or_default() += 1;
                reasons.push((name.clone(), quarantine));
            }
        }
        assert_eq!(seen, *rows, "{name}");
    }
    let expected: BTreeMap<String, u64> = truth["quarantined"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["file"].as_str().unwrap().to_owned(), entry["rows"].as_u64().unwrap()))
        .collect();
    assert_eq!(quarantined, expected, "{reasons:#?}");
    for entry in truth["enrolled"].as_array().unwrap().iter().filter(|entry| entry["program"] == "ecm") {
        let on = entry["on"].as_str().unwrap().parse().unwrap();
        let plan: PlanCode = entry["plan"].as_str().unwrap().parse().unwrap();
        let covers = |dossier: &&Dossier| {
            let held = crate::files::held::of(dossier, &plan, rollbook_events::Program::Ecm);
            held.iter().any(|held| held.overlaps(on, on.succ_opt()))
        };
        let members = u64::try_from(dossiers.values().filter(covers).count()).unwrap();
        assert_eq!(Some(members), entry["members"].as_u64(), "{plan} on {on}");
    }
}
