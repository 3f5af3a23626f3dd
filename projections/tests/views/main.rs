//! The rulebook and the views of enrollment, duplication and outreach, from facts alone: no store, no server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

mod duplication;
mod enrollment;
#[allow(dead_code, reason = "each test crate uses some of it")]
mod facts;
mod order;
mod outreach;
mod reasoning;
mod rulebook;
