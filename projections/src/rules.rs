//! The rules: pure functions from facts and a rulebook to a verdict. One file a concern; ids are the catalogue's.

pub mod agencies;
pub mod appeals;
pub mod authorizations;
pub mod business_days;
pub mod care_managers;
pub mod clocks;
pub mod duplication;
pub mod eligibility;
pub mod facts;
pub mod finding;
pub mod findings;
pub mod housing;
pub mod notice_clock;
pub mod notices;
pub mod outreach;
pub mod outreach_findings;
pub mod reassessment;
pub mod referrals;
pub mod services;
pub mod sources;
pub mod stays;
pub mod tenancy;
pub mod units;
