//! Eligibility, populations, offerings, grandfathering and what rests on them, from facts alone: no store, no server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

mod community_supports;
mod contradictions;
mod coverage;
mod findings;
mod grandfathering;
mod offerings;
mod order;
mod populations;
mod programs;
mod table;
mod told;
