//! What every log keeps, tried through the port alone. Each function wants an empty log of `enrollment.*`.
#![allow(clippy::unwrap_used, reason = "a contract that is not kept has to panic")]

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::BoxStream;
use rollbook::log::{AppendError, Log, MOST_BYTES, MOST_IN_A_BATCH, Message, ReadError, Stored};
use rollbook_events::ids::Position;
use tokio::time::timeout;

const A: &str = "enrollment.a";
const B: &str = "enrollment.b";
const C: &str = "enrollment.c";

/// A message whose id is its body.
pub fn message(subject: &str, expected: Option<u64>, body: &str) -> Message {
    let headers = vec![("ce-type", "test".to_owned())];
    let body = body.to_owned();
    Message { subject: subject.into(), id: body.clone(), expected: expected.map(Position), headers, body: body.into() }
}

async fn stored(log: &dyn Log, messages: &[Message]) -> Vec<u64> {
    log.append(messages).await.unwrap().into_iter().map(|position| position.0).collect()
}

async fn conflict(log: &dyn Log, messages: &[Message]) -> (Option<String>, Option<u64>) {
    match log.append(messages).await {
        Err(AppendError::Conflict { subject, last }) => (subject, last.map(|last| last.0)),
        other => panic!("expected a conflict, got {other:?}"),
    }
}

async fn head(log: &dyn Log) -> u64 {
    log.head().await.unwrap().0
}

async fn bodies(log: &dyn Log, subject: &str) -> Vec<Bytes> {
    log.read(subject).await.unwrap().into_iter().map(|stored| stored.body).collect()
}

/// The next message of a reader, which may have to be waited for but not for ever.
pub async fn next(reader: &mut BoxStream<'static, Result<Stored, ReadError>>) -> Result<Stored, ReadError> {
    timeout(Duration::from_secs(60), reader.next()).await.unwrap().unwrap()
}

pub async fn an_empty_log_has_nothing(log: &dyn Log) {
    assert_eq!(head(log).await, 0);
    assert!(log.last(A).await.unwrap().is_none());
    assert!(log.read(A).await.unwrap().is_empty());
    assert!(log.get(Position(0)).await.unwrap().is_none() && log.get(Position(1)).await.unwrap().is_none());
    assert!(log.append(&[]).await.unwrap().is_empty());
}

pub async fn what_is_appended_is_read_back_to_the_byte(log: &dyn Log) {
    let odd = "{ \"spaced\" : \"\u{e9}\\u00e9\" }\n";
    assert_eq!(stored(log, &[message(A, Some(0), "1")]).await, [1]);
    assert_eq!(stored(log, &[message(B, Some(0), "2")]).await, [2]);
    let odd = Message { body: odd.into(), ..message(A, Some(1), "3") };
    assert_eq!(stored(log, std::slice::from_ref(&odd)).await, [3]);
    let expected = Stored { position: Position(3), subject: A.into(), body: odd.body.clone() };
    assert_eq!(log.last(A).await.unwrap().unwrap(), expected);
    assert_eq!(log.get(Position(3)).await.unwrap().unwrap(), expected);
    assert_eq!(bodies(log, A).await, ["1".into(), odd.body]);
    assert_eq!(log.last(B).await.unwrap().unwrap().position, Position(2));
    assert!(log.get(Position(4)).await.unwrap().is_none());
    assert_eq!(head(log).await, 3);
}

pub async fn a_long_history_is_read_whole(log: &dyn Log) {
    for (length, subject) in [(1, A), (3, B), (4, C), (250, "enrollment.d")] {
        let of = |i: usize| format!("{subject}-{i}");
        // Between its messages lie another subject's.
        let batch: Vec<_> = (0..length)
            .flat_map(|i| [message(subject, None, &of(i)), message("enrollment.e", None, &format!("e-{}", of(i)))])
            .collect();
        stored(log, &batch).await;
        let read = bodies(log, subject).await;
        assert!(read.iter().eq((0..length).map(of).collect::<Vec<_>>().iter()), "{length}");
        // A few at a time it is the same.
        let (mut after, mut some) = (Position(0), Vec::new());
        loop {
            let next = log.some_of(subject, after, 100).await.unwrap();
            assert!(next.len() <= 100);
            let Some(last) = next.last() else { break };
            after = last.position;
            some.extend(next.into_iter().map(|stored| stored.body));
        }
        assert_eq!(some, read, "{length}");
    }
    assert_eq!(bodies(log, "enrollment.e").await.len(), 258);
}

pub async fn a_wrong_expectation_is_a_conflict_that_tells_the_true_position(log: &dyn Log) {
    stored(log, &[message(A, Some(0), "1")]).await;
    stored(log, &[message(B, Some(0), "2")]).await;
    stored(log, &[message(A, Some(1), "3")]).await;
    assert_eq!(conflict(log, &[message(A, Some(0), "late")]).await, (Some(A.into()), Some(3)));
    assert_eq!(conflict(log, &[message(A, Some(1), "late")]).await, (Some(A.into()), Some(3)));
    assert_eq!(conflict(log, &[message(A, Some(9), "early")]).await, (Some(A.into()), Some(3)));
    assert_eq!(conflict(log, &[message(C, Some(1), "early")]).await, (Some(C.into()), Some(0)));
    assert_eq!(head(log).await, 3);
}

pub async fn an_unguarded_message_goes_anywhere(log: &dyn Log) {
    stored(log, &[message(A, Some(0), "1")]).await;
    assert_eq!(stored(log, &[message(A, None, "2")]).await, [2]);
    assert_eq!(stored(log, &[message(A, None, "3"), message(B, None, "4"), message(A, Some(2), "5")]).await, [3, 4, 5]);
    assert_eq!(bodies(log, A).await, ["1", "2", "3", "5"]);
}

pub async fn a_batch_is_stored_as_one(log: &dyn Log) {
    stored(log, &[message(A, Some(0), "1")]).await;
    let batch = [
        message(B, Some(0), "2"),
        message(A, Some(1), "3"),
        // The first of a subject speaks for it, whatever the later ones say.
        message(A, Some(1), "4"),
        message(A, Some(3), "5"),
        message(C, None, "6"),
    ];
    assert_eq!(stored(log, &batch).await, [2, 3, 4, 5, 6]);
    assert_eq!(bodies(log, A).await, ["1", "3", "4", "5"]);
}

pub async fn a_conflict_anywhere_in_a_batch_stores_nothing_of_it(log: &dyn Log) {
    stored(log, &[message(B, Some(0), "1")]).await;
    for conflicting in 0..3 {
        let mut batch = [message(A, Some(0), "2"), message(C, Some(0), "3"), message("enrollment.d", Some(0), "4")];
        batch[conflicting] = message(B, Some(0), "5");
        assert_eq!(conflict(log, &batch).await, (Some(B.into()), Some(1)), "at {conflicting}");
        assert_eq!(head(log).await, 1);
    }
    assert_eq!(stored(log, &[message(A, Some(0), "2"), message(B, Some(1), "5")]).await, [2, 3]);
}

pub async fn a_batch_has_at_most_a_thousand_messages(log: &dyn Log) {
    let batch: Vec<_> =
        (0..=MOST_IN_A_BATCH).map(|i| message(&format!("enrollment.{i}"), Some(0), &format!("m{i}"))).collect();
    let refused = log.append(&batch).await;
    assert!(matches!(refused, Err(AppendError::TooMany { messages: 1_001 })), "{refused:?}");
    assert_eq!(head(log).await, 0);
    let positions = stored(log, &batch[1..]).await;
    assert!(positions.into_iter().eq(1..=1_000));
}

pub async fn the_same_append_again_is_answered_with_its_positions(log: &dyn Log) {
    let one = [message(A, Some(0), "1")];
    let batch = [message(B, Some(0), "2"), message(A, Some(1), "3"), message(A, None, "4")];
    let free = [message(A, None, "5")];
    let free_batch = [message(B, None, "6"), message(A, None, "7")];
    for _ in 0..2 {
        assert_eq!(stored(log, &one).await, [1]);
        assert_eq!(stored(log, &batch).await, [2, 3, 4]);
        assert_eq!(stored(log, &free).await, [5]);
        assert_eq!(stored(log, &free_batch).await, [6, 7]);
    }
    assert_eq!(head(log).await, 7);
}

pub async fn an_id_that_another_message_has_is_a_conflict(log: &dyn Log) {
    stored(log, &[message(A, Some(0), "1")]).await;
    assert_eq!(conflict(log, &[message(B, Some(0), "1")]).await.0, Some(B.into()));
    let other_words = Message { body: "other".into(), ..message(A, Some(1), "1") };
    assert_eq!(conflict(log, &[other_words]).await.0, Some(A.into()));
    conflict(log, &[message(C, Some(0), "2"), message(B, Some(0), "1")]).await;
    conflict(log, &[message(B, None, "1"), message(C, Some(0), "2")]).await;
    let twice = log.append(&[message(B, Some(0), "3"), message(C, Some(0), "3")]).await;
    assert!(matches!(twice, Err(AppendError::Malformed { .. })), "{twice:?}");
    assert_eq!(head(log).await, 1);
}

pub async fn a_reader_starts_where_it_is_told_and_waits_for_more(log: &dyn Log) {
    let batch: Vec<_> = (1..=20).map(|i| message(A, Some(0), &i.to_string())).collect();
    stored(log, &batch).await;
    let mut reader = log.follow(Position(7)).await.unwrap();
    for position in 8..=20 {
        let stored = next(&mut reader).await.unwrap();
        assert_eq!((stored.position.0, &stored.body[..]), (position, position.to_string().as_bytes()));
        assert_eq!(stored.subject, A);
    }
    let more = async { stored(log, &[message(B, Some(0), "21")]).await };
    let (stored, _) = tokio::join!(next(&mut reader), more);
    assert_eq!(stored.unwrap().position, Position(21));

    let mut late = log.follow(Position(21)).await.unwrap();
    let more = async { log.append(&[message(C, Some(0), "22"), message(C, Some(0), "23")]).await.unwrap() };
    let (stored, _) = tokio::join!(next(&mut late), more);
    assert_eq!(stored.unwrap().position, Position(22));
    assert_eq!(next(&mut late).await.unwrap().position, Position(23));
}

pub async fn a_reader_that_is_ahead_of_the_log_is_told(log: &dyn Log) {
    stored(log, &[message(A, Some(0), "1")]).await;
    let ahead = log.follow(Position(2)).await.err().unwrap();
    assert!(matches!(ahead, ReadError::Behind { after: Position(2), head: Position(1) }), "{ahead:?}");
}

pub async fn one_of_sixteen_writers_wins_each_round(log: &dyn Log) {
    let mut last = 0;
    for round in 0..25 {
        let writers = (0..16).map(|writer| async move {
            log.append(&[message(A, Some(last), &format!("round {round} writer {writer}").replace(' ', "-"))]).await
        });
        let mut won = BTreeSet::new();
        for outcome in join_all(writers).await {
            match outcome {
                Ok(positions) => assert!(won.insert(positions[0].0)),
                Err(AppendError::Conflict { .. }) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(won.len(), 1, "round {round}");
        last = won.pop_first().unwrap();
    }
    assert_eq!((last, head(log).await), (25, 25));
}

pub async fn what_the_stream_has_no_place_for_is_refused(log: &dyn Log) {
    let foreign = [
        "identity.a",
        "enrollment",
        "enrollment.",
        "enrollment.a.b",
        "enrollment.*",
        "enrollment.>",
        "enrollment.a b",
        "enrollment.a\r\nPUB",
        "Enrollment.a",
        ">",
        "",
        "$JS.API.INFO",
        "enrollment.\u{e9}",
    ];
    for subject in foreign {
        let refused = log.append(&[message(subject, None, "1")]).await;
        assert!(matches!(refused, Err(AppendError::Malformed { what: "subject" })), "{subject}: {refused:?}");
        assert!(matches!(log.read(subject).await, Err(ReadError::Subject)), "{subject}");
        assert!(matches!(log.last(subject).await, Err(ReadError::Subject)), "{subject}");
    }
    for id in ["", "a b", "\u{e9}", &"x".repeat(200)] {
        let refused = log.append(&[Message { id: id.into(), ..message(A, None, "1") }]).await;
        assert!(matches!(refused, Err(AppendError::Malformed { what: "id" })), "{refused:?}");
    }
    for header in [("Nats-Rollup", "all"), ("nats-ttl", "1s"), ("a b", "c"), ("a", "b\r\nc: d"), ("", "")] {
        let headers = vec![(header.0, header.1.to_owned())];
        let refused = log.append(&[Message { headers, ..message(A, None, "1") }]).await;
        assert!(matches!(refused, Err(AppendError::Malformed { what: "header" })), "{refused:?}");
    }
    assert_eq!(head(log).await, 0);
}

pub async fn a_message_is_as_large_as_the_limit_and_no_larger(log: &dyn Log) {
    let large = |bytes| Message { body: vec![b'x'; bytes].into(), ..message(A, Some(0), "1") };
    for batch in [vec![large(MOST_BYTES + 1)], vec![message(B, Some(0), "2"), large(MOST_BYTES + 1)]] {
        let refused = log.append(&batch).await;
        assert!(matches!(refused, Err(AppendError::TooLarge { most: MOST_BYTES, .. })), "{refused:?}");
    }
    let headers = vec![("ce-long", "x".repeat(9_000))];
    let refused = log.append(&[Message { headers, ..message(A, Some(0), "1") }]).await;
    assert!(matches!(refused, Err(AppendError::TooLarge { .. })), "{refused:?}");
    let headers = vec![("ce-long", "x".repeat(8_000))];
    assert_eq!(stored(log, &[Message { headers, ..large(MOST_BYTES) }]).await, [1]);
    assert_eq!(log.last(A).await.unwrap().unwrap().body.len(), MOST_BYTES);
}
