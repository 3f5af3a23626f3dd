//! Notices of Action: what is determined, when a notice is due, what is found about it; from facts alone.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

mod concern;
mod ended;
#[allow(dead_code, reason = "the facts' words are shared with the tests of the other views")]
#[path = "../views/facts.rs"]
mod facts;
mod found;
mod ledger;
mod mailed;
mod order;
mod requests;
mod superseded;
