//! The contract of the log, once for each adapter, and what only a server can show.
#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use harness::log_contract;
use harness::server::Private;
use rollbook::log::{Log, MemoryLog, StreamSpec};

macro_rules! contract {
    ($($name:ident,)*) => {
        mod memory {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                log_contract::$name(&MemoryLog::new(StreamSpec::ENROLLMENT)).await;
            })*
        }

        mod nats {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let private = Private::start().await;
                let log = private.log(StreamSpec::ENROLLMENT).await;
                log.check().await.unwrap();
                log_contract::$name(&log).await;
                log.check().await.unwrap();
                private.server.stop().await;
            })*
        }
    };
}

contract! {
    an_empty_log_has_nothing,
    what_is_appended_is_read_back_to_the_byte,
    a_long_history_is_read_whole,
    a_wrong_expectation_is_a_conflict_that_tells_the_true_position,
    an_unguarded_message_goes_anywhere,
    a_batch_is_stored_as_one,
    a_conflict_anywhere_in_a_batch_stores_nothing_of_it,
    a_batch_has_at_most_a_thousand_messages,
    the_same_append_again_is_answered_with_its_positions,
    an_id_that_another_message_has_is_a_conflict,
    a_reader_starts_where_it_is_told_and_waits_for_more,
    a_reader_that_is_ahead_of_the_log_is_told,
    one_of_sixteen_writers_wins_each_round,
    what_the_stream_has_no_place_for_is_refused,
    a_message_is_as_large_as_the_limit_and_no_larger,
}
