//! The publisher: each event once, whoever else publishes; a feed that is not the log's is told of and not written on.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use harness::server::Private;
use rollbook::feed::numbers::Numbers;
use rollbook::feed::status::{CHECK, Report};
use rollbook::feed::{Feed, Heard, Publisher, Receipt};
use rollbook::health::Health;
use rollbook::log::{Log, Message, NatsLog, Record, StreamSpec, connect};
use rollbook_events::{PlanCode, Position};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// Every message of a stream.
pub(crate) async fn every(log: &NatsLog) -> Vec<Record> {
    let head = log.head().await.unwrap();
    let records = log.follow_whole(Position(0)).await.unwrap().take(usize::try_from(head.0).unwrap());
    records.map(|record| record.unwrap()).collect().await
}

/// An event of one plan or another, as a recorder would write it in a log of its own.
pub(crate) fn event(n: u64) -> Message {
    let plan = ["la-care", "molina", "health-net"][usize::try_from(n * 7 % 3).unwrap()];
    let body = json!({ "specversion": "1.0", "id": format!("event-{n}"), "source": "/rollbook",
        "type": "rollbook.enrolled.v1", "plan": plan, "data": { "n": n } });
    let body = Bytes::from(body.to_string());
    Message {
        subject: format!("enrollment.{}", n % 5),
        id: format!("event-{n}"),
        expected: None,
        headers: vec![],
        body,
    }
}

/// What the feed must be: the fold of the log; and where each plan's feed then stands.
pub(crate) async fn folded(log: &NatsLog) -> (Vec<Record>, Numbers) {
    let mut numbers = Numbers::none();
    let told = |event: &Record| numbers.tell(event.position, &event.body).unwrap();
    let records = every(log).await.iter().map(told).collect();
    (records, numbers)
}

/// A log and a publisher in this process.
struct Bare {
    private: Private,
    log: NatsLog,
    feed: NatsLog,
    health: Health,
    appended: u64,
}

impl Bare {
    async fn start() -> Self {
        let private = Private::start().await;
        let (log, feed) = (private.log(StreamSpec::ENROLLMENT).await, private.log(StreamSpec::FEED).await);
        Self { private, log, feed, health: Health::default(), appended: 0 }
    }

    async fn append(&mut self, many: u64) {
        let messages: Vec<Message> = (self.appended..self.appended + many).map(event).collect();
        self.log.append(&messages).await.unwrap();
        self.appended += many;
    }

    fn publish(&self) -> (CancellationToken, tokio::task::JoinHandle<()>) {
        let stop = CancellationToken::new();
        let feed = Feed::new(self.feed.clone(), stop.clone());
        let publisher = Publisher::new(Arc::new(self.log.clone()), feed, Report::new(&self.health));
        (stop.clone(), tokio::spawn(publisher.run(stop)))
    }

    async fn published(&self) {
        let until = tokio::time::Instant::now() + Duration::from_secs(30);
        while self.feed.head().await.unwrap().0 < self.appended {
            assert!(tokio::time::Instant::now() < until, "{:?}", self.health.troubles());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn becomes_red(&self) -> String {
        let until = tokio::time::Instant::now() + Duration::from_secs(30);
        while !self.health.is_red(CHECK) {
            assert!(tokio::time::Instant::now() < until, "it stayed green");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.health.refusal(), None, "recording goes on");
        self.health.troubles()[0].cause.clone()
    }

    async fn is_the_log(&self) {
        let same = |records: Vec<Record>| {
            records.into_iter().map(|r| (r.position, r.subject, r.headers, r.body)).collect::<Vec<_>>()
        };
        assert_eq!(same(every(&self.feed).await), same(folded(&self.log).await.0));
    }
}

#[tokio::test]
async fn publishers_that_write_at_once_write_each_event_once() {
    let mut bare = Bare::start().await;
    bare.append(500).await;
    let running: Vec<_> = (0..3).map(|_| bare.publish()).collect();
    for _ in 0..10 {
        bare.append(60).await;
    }
    bare.published().await;
    for (stop, running) in running {
        stop.cancel();
        running.await.unwrap();
    }
    bare.is_the_log().await;
    // Every number is found by itself.
    let feed = Feed::new(bare.feed.clone(), CancellationToken::new());
    let plan: PlanCode = "molina".parse().unwrap();
    let last = feed.last(&plan).await.unwrap().unwrap().standing.number;
    for number in [1, 2, last / 2, last - 1, last] {
        let found: Heard = feed.numbered(&plan, number).await.unwrap().unwrap();
        assert_eq!((found.standing.number, found.plan), (number, plan.clone()));
    }
    assert!(
        feed.numbered(&plan, last + 1).await.unwrap().is_none() && feed.numbered(&plan, 0).await.unwrap().is_none()
    );
    drop(bare.private);
}

#[tokio::test]
async fn a_feed_that_is_not_the_logs_is_told_of_and_not_written_on() {
    let mut bare = Bare::start().await;
    bare.append(5).await;
    // Somebody else's message, where the first one belongs.
    let client = connect(bare.private.server.access(), "test").await.unwrap();
    let forged = json!({ "id": "forged", "plan": "molina", "logposition": 1, "feednumber": 1 }).to_string();
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Rollbook-Receipt", Receipt::beginning().then(forged.as_bytes()).to_string());
    let stored =
        client.send_request("feed.molina.enrolled", async_nats::Request::new().headers(headers).payload(forged.into()));
    stored.await.unwrap();
    let (stop, running) = bare.publish();
    assert!(bare.becomes_red().await.contains("is not the log's event there"));
    assert_eq!(bare.feed.head().await.unwrap(), Position(1));
    stop.cancel();
    running.await.unwrap();
    // Made anew, it is the log's.
    async_nats::jetstream::new(client).delete_stream(StreamSpec::FEED.name).await.unwrap();
    bare.feed = bare.private.log(StreamSpec::FEED).await;
    let (stop, running) = bare.publish();
    bare.published().await;
    bare.is_the_log().await;
    assert!(!bare.health.is_red(CHECK));
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn an_event_that_belongs_to_no_plan_stops_the_feed_and_nothing_is_passed_by() {
    let mut bare = Bare::start().await;
    bare.append(3).await;
    let body = Bytes::from_static(b"{\"id\":\"x\",\"type\":\"rollbook.enrolled.v1\"}");
    let message = Message { subject: "enrollment.x".into(), id: "x".into(), expected: None, headers: vec![], body };
    bare.log.append(&[message]).await.unwrap();
    let (stop, running) = bare.publish();
    assert!(bare.becomes_red().await.contains("the event at position 4 cannot be published: its attribute plan"));
    assert_eq!(bare.feed.head().await.unwrap(), Position(3), "what came before is told");
    stop.cancel();
    running.await.unwrap();
}
