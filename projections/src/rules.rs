//! The rules: pure functions from facts and a rulebook to a verdict. One file a concern; ids are the catalogue's.

pub mod appeals;
pub mod authorizations;
pub mod business_days;
pub mod clocks;
pub mod duplication;
pub mod facts;
pub mod finding;
pub mod findings;
pub mod notice_clock;
pub mod outreach;
pub mod reassessment;
