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
pub mod leaks;
pub mod ledger;
pub mod log_contract;
pub mod part;
pub mod ports;
pub mod postgres;
pub mod program;
pub mod server;
pub mod truth;

use std::path::PathBuf;

/// The program under test, beside this one or above it. Who starts it does so by [`program::Program`], which is why this is
/// nobody else's.
///
/// # Panics
/// Where it was not built: `cargo build -p rollbook` builds it.
pub(crate) fn rollbook() -> PathBuf {
    let own = std::env::current_exe().expect("a program knows its own path");
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join("rollbook")).find(|path| path.exists());
    found.expect("rollbook is not built beside this program; build it with: cargo build -p rollbook")
}
