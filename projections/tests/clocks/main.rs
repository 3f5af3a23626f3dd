//! The clocks of authorizations, notices, appeals and reassessments, from facts alone: no store, no server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

mod appeals;
mod authorizations;
mod calendar;
#[allow(dead_code, reason = "the facts' words are shared with the tests of the other views")]
#[path = "../views/facts.rs"]
mod facts;
mod late_authorizations;
mod notices;
mod plans;
mod reassessments;
mod said;
