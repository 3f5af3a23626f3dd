//! A few cases of the corruption campaign, of which `chaos damage` runs hundreds; and the planted faults still fit the sources
//! that they are to be planted in.

use std::process::Command;

use harness::chaos::planted::list::ALL;
use harness::chaos::planted::workshop::applies;

/// Runs the suite, which must find nothing.
fn chaos(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_chaos")).args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "chaos {arguments:?}: {}\n{out}\n{err}", output.status);
    format!("{out}{err}")
}

#[test]
fn heavy_rotten_files_are_reported_never_built_upon_and_mended_by_the_runbook() {
    let said = chaos(&["damage", "--count", "4", "--seed", "4", "--members", "40", "--jobs", "2"]);
    eprintln!("{said}");
}

#[test]
fn every_planted_fault_still_fits_the_sources() {
    let stale: Vec<String> = (ALL.iter().filter(|plant| plant.patched))
        .filter_map(|plant| applies(plant.name).err().map(|error| format!("{error:#}")))
        .collect();
    assert!(stale.is_empty(), "{stale:#?}");
    assert!(ALL.len() >= 14, "{}", ALL.len());
}
