//! `rollbook verify` and the feed: a message that is not the log's, and one that is gone, are named by number and position.

use async_nats::jetstream;
use harness::server::Private;
use rollbook::log::{Log, NatsLog, StreamSpec, connect};
use rollbook::verify::finding::Report;
use rollbook::verify::{Wanted, verify};
use rollbook_events::Position;

use crate::feed_publisher::{event, folded};

/// What a verification says of the feed.
async fn said(log: &NatsLog, feed: &NatsLog) -> (Report, Vec<String>) {
    let streams = vec![(StreamSpec::ENROLLMENT, log.clone())];
    let wanted = Wanted { streams, feed: Some(feed.clone()), keys: None, archive: None, views: None, fold_in: None };
    let report = verify(&wanted, &mut |_, _, _| {}).await.unwrap();
    let of_feed = report.findings.iter().filter(|finding| finding.place == "ENROLLMENT_FEED");
    let what = of_feed.map(|finding| finding.what.clone()).collect();
    (report, what)
}

#[tokio::test]
async fn verify_compares_the_feed_with_the_log() {
    let private = Private::start().await;
    let log = private.log(StreamSpec::ENROLLMENT).await;
    log.append(&(1..=60).map(event).collect::<Vec<_>>()).await.unwrap();
    let client = connect(private.server.access(), "administrator").await.unwrap();
    let context = jetstream::new(client.clone());
    let none = NatsLog::open(client, private.server.access(), StreamSpec::FEED, 1);
    let (report, found) = said(&log, &none).await;
    assert!(found.is_empty() && report.notes.iter().any(|note| note.contains("nothing is published")), "{report:?}");

    let feed = private.log(StreamSpec::FEED).await;
    let (mut records, numbers) = folded(&log).await;
    feed.append_after(Position(0), &records[..40]).await.unwrap();
    let (report, found) = said(&log, &feed).await;
    assert!(found.is_empty(), "{found:?}");
    assert!(report.notes.contains(&"the feed stands at position 40 of 60".to_owned()), "{:?}", report.notes);
    feed.append_after(Position(40), &records[40..]).await.unwrap();
    let (report, found) = said(&log, &feed).await;
    assert!(found.is_empty(), "{found:?}");
    let standing = numbers.of(&"la-care".parse().unwrap());
    let last = records.iter().rfind(|record| record.subject.starts_with("feed.la-care.")).unwrap().position;
    let place = format!("feed of la-care up to position {last}, receipt {}", standing.receipt);
    let checked = report.checked.iter().find(|checked| checked.place == place);
    assert_eq!(checked.map(|checked| checked.count), Some(standing.number), "{:?}", report.checked);

    // The same feed, with one message that says something else, and one that somebody took away.
    let plan_and_number = |index: usize| {
        let body: serde_json::Value = serde_json::from_slice(&records[index].body).unwrap();
        (body["plan"].as_str().unwrap().to_owned(), body["feednumber"].as_u64().unwrap())
    };
    let (flipped, gone) = (plan_and_number(24), plan_and_number(49));
    let mut body = records[24].body.to_vec();
    *body.iter_mut().find(|byte| **byte == b'"').unwrap() = b'\'';
    records[24].body = body.into();
    let mut config = context.get_stream("ENROLLMENT_FEED").await.unwrap().cached_info().config.clone();
    context.delete_stream("ENROLLMENT_FEED").await.unwrap();
    config.deny_delete = false;
    let stream = context.create_stream(config).await.unwrap();
    feed.append_after(Position(0), &records).await.unwrap();
    stream.delete_message(50).await.unwrap();
    let (_, found) = said(&log, &feed).await;
    let named = |(plan, number): (String, u64), position: u64, what: &str| {
        format!("message {number} of {plan}, at position {position}, {what}")
    };
    let expected =
        [named(flipped, 25, "is not what the log's event says"), named(gone, 50, "is missing: gone, or damaged")];
    let messages: Vec<_> = found.iter().filter(|what| what.starts_with("message ")).cloned().collect();
    assert_eq!(messages, expected, "{found:?}");
    private.server.stop().await;
}
