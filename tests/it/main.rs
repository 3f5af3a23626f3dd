//! The promises of the ledger, tried on real servers: one binary, one file a subject.

#![expect(clippy::unwrap_used, reason = "a test whose servers or answers are missing has failed")]

mod archive;
mod authorization;
mod back_dated;
mod bad_tokens;
mod bench;
mod chaos;
mod cluster;
mod contracts;
mod coverage;
mod damage;
mod destroyed_identity;
mod determining;
mod edge;
mod fault_tools;
mod feed;
mod feed_examples;
mod feed_permissions;
mod feed_proof;
mod feed_publisher;
mod first_release;
mod flights;
mod fuzzed;
mod guards;
mod healing;
mod killed_import;
mod leaks;
mod lists;
mod log_contract;
mod log_on_nats;
mod nats_server;
mod notice_reasoning;
mod permissions;
mod rebuilding;
mod recording;
mod rotten_history;
mod sample_county;
mod scenarios;
mod taking_over;
mod tidy;
mod told;
mod verified_feed;
mod views_on_both;
mod webhooks;
mod who_looked;
