//! Starts real ledgers for tests: the program itself, its private nats-server, PostgreSQL, all on free loopback ports in
//! temporary folders, all ended by process id.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a harness that cannot start its servers has failed the test"
)]

#[path = "../chaos/mod.rs"]
pub mod chaos;
pub mod cluster;
pub mod examples;
pub mod identities;
pub mod installed;
pub mod issuer;
pub mod ledger;
pub mod log_contract;
pub mod part;
pub mod ports;
pub mod postgres;
pub mod server;
pub mod truth;

use std::path::PathBuf;

/// The program under test, which the build has put beside the tests.
///
/// # Panics
/// Where it was not built: `cargo build -p rollbook` builds it.
pub fn rollbook() -> PathBuf {
    let tests = std::env::current_exe().expect("a test knows its own path");
    let program = tests.parent().and_then(|deps| deps.parent()).expect("target/debug").join("rollbook");
    assert!(program.exists(), "{} is missing; build it with: cargo build -p rollbook", program.display());
    program
}
