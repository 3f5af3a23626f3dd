//! Subscribers of several plans, on the stream and over HTTP, killed, paused and started again at random, and the publishers
//! too: at the end every receipt is the log's, no event is missing and none came twice.

mod subscribers;

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use harness::part::Part;
use harness::server::Private;
use nix::sys::signal::Signal;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rollbook::feed::numbers::Numbers;
use rollbook::log::{Log, Message, NatsLog, StreamSpec};
use rollbook_events::{PlanCode, Position};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use subscribers::{By, Subscriber, Where};

const PLANS: [&str; 4] = ["la-care", "health-net", "molina", "la-county-dhs"];
const ROUNDS: u32 = 60;
const PATIENCE: Duration = Duration::from_secs(60);

/// The log, written to as a recorder writes.
struct Events {
    log: NatsLog,
    appended: u64,
}

impl Events {
    async fn append(&mut self, many: u64, random: &mut ChaCha8Rng) {
        let messages = (self.appended..self.appended + many).map(|n| {
            let plan = PLANS.choose(random).unwrap();
            let sensitivity = ["none", "none", "none", "part2"].choose(random).unwrap();
            let body = json!({ "specversion": "1.0", "id": format!("event-{n}"), "source": "/rollbook",
                "type": "rollbook.enrolled.v1", "plan": plan, "sensitivity": sensitivity, "data": { "n": n } });
            let body = Bytes::from(body.to_string());
            Message {
                subject: format!("enrollment.{}", n % 50),
                id: format!("event-{n}"),
                expected: None,
                headers: vec![],
                body,
            }
        });
        let messages: Vec<Message> = messages.collect();
        self.log.append(&messages).await.unwrap();
        self.appended += many;
    }

    /// Where each plan's feed must stand.
    async fn expected(&self) -> Numbers {
        let mut numbers = Numbers::none();
        let head = usize::try_from(self.log.head().await.unwrap().0).unwrap();
        let mut events = self.log.follow(Position(0)).await.unwrap().take(head);
        while let Some(event) = events.next().await {
            let event = event.unwrap();
            numbers.tell(event.position, &event.body).unwrap();
        }
        numbers
    }
}

/// The programs that are struck.
struct Programs<'p> {
    nats: &'p Private,
    data: &'p std::path::Path,
    publishers: Vec<Option<Part>>,
    query: Option<Part>,
    http: watch::Sender<(String, String)>,
}

impl Programs<'_> {
    fn database(&self) -> String {
        format!("sqlite://{}", self.data.join("views.db").display())
    }

    fn publish(&mut self, which: usize, armed: Option<&str>) {
        let variables: Vec<(&str, &str)> = armed.iter().map(|point| ("ROLLBOOK_FAILPOINT", *point)).collect();
        let part = Part::tried("publisher", self.nats, &self.database(), self.data, &variables);
        // One that was to kill itself may have come to its point before it listened.
        let part =
            part.or_else(|| armed.and_then(|_| Part::tried("publisher", self.nats, &self.database(), self.data, &[])));
        self.publishers[which] = Some(part.unwrap());
    }

    fn give(&mut self) {
        let query = Part::serve("query", self.nats, &self.database(), self.data);
        self.http.send_replace((query.url().to_owned(), query.token().to_owned()));
        self.query = Some(query);
    }

    /// Kills one without a word, or takes away what has killed itself, and starts another in its place.
    fn strike(&mut self, random: &mut ChaCha8Rng) {
        const POINTS: [&str; 3] = ["feed.before_write", "log.between_records", "feed.after_write"];
        let which = random.random_range(0..self.publishers.len());
        if let Some(mut part) = self.publishers[which].take()
            && !part.has_ended()
        {
            part.end(Signal::SIGKILL);
        }
        let point = format!("{}=kill@{}", POINTS.choose(random).unwrap(), random.random_range(1..200));
        self.publish(which, random.random_bool(0.7).then_some(point.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heavy_whatever_is_killed_or_paused_every_receipt_is_the_logs_at_the_end() {
    let (nats, data) = (Private::start().await, tempfile::tempdir().unwrap());
    for spec in StreamSpec::ALL.into_iter().chain([StreamSpec::FEED, StreamSpec::IDENTITY_KEYS]) {
        nats.log(spec).await;
    }
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut events = Events { log: nats.log(StreamSpec::ENROLLMENT).await, appended: 0 };
    let (http, heard) = watch::channel(Default::default());
    let mut programs = Programs { nats: &nats, data: data.path(), publishers: vec![None, None], query: None, http };
    programs.give();
    for which in 0..2 {
        programs.publish(which, None);
    }
    let at = Where { access: nats.server.access().clone(), http: heard };
    let mut subscribers: Vec<Subscriber> =
        PLANS.iter().flat_map(|plan| [Subscriber::new(By::Nats, plan), Subscriber::new(By::Http, plan)]).collect();
    subscribers.iter_mut().for_each(|subscriber| subscriber.start(&at));
    let (mut kills, mut strikes) = (0, 0);
    for _ in 0..ROUNDS {
        let many = random.random_range(1..150);
        events.append(many, &mut random).await;
        let which = random.random_range(0..subscribers.len());
        match random.random_range(0..10) {
            0..4 => {
                subscribers[which].kill();
                subscribers[which].start(&at);
                kills += 1;
            }
            4..6 => {
                let paused = *subscribers[which].paused.borrow();
                subscribers[which].paused.send_replace(!paused);
            }
            6..8 => {
                programs.strike(&mut random);
                strikes += 1;
            }
            8 => {
                let publisher = programs.publishers.choose(&mut random).unwrap().as_ref().unwrap();
                // One that has killed itself at a point hears nothing.
                publisher.signal(Signal::SIGSTOP);
                sleep(Duration::from_millis(random.random_range(20..300))).await;
                publisher.signal(Signal::SIGCONT);
            }
            _ => {
                programs.query.take().unwrap().end(Signal::SIGKILL);
                programs.give();
            }
        }
    }
    assert!(kills > 10 && strikes > 5, "{kills} subscribers killed, {strikes} publishers");
    for which in 0..2 {
        if programs.publishers[which].as_mut().unwrap().has_ended() {
            programs.publish(which, None);
        }
    }
    for subscriber in &subscribers {
        subscriber.paused.send_replace(false);
    }
    judge(&events, &subscribers, &at).await;
    subscribers.iter_mut().for_each(Subscriber::kill);
}

/// Waits until every subscriber has come to the end, and compares what each holds with the log and with the service.
async fn judge(events: &Events, subscribers: &[Subscriber], at: &Where) {
    let expected = events.expected().await;
    assert_eq!(expected.all(), events.appended);
    let http = reqwest::Client::new();
    for subscriber in subscribers {
        let plan: PlanCode = subscriber.plan.parse().unwrap();
        let standing = expected.of(&plan);
        let who = format!("{:?} of {plan}", subscriber.by);
        let there = async {
            while subscriber.disk.lock().unwrap().last() < standing.number {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let until = Instant::now();
        let came = timeout(PATIENCE, there).await;
        let (numbers, receipt, wrong) = {
            let kept = subscriber.disk.lock().unwrap();
            (kept.numbers.clone(), kept.receipt.unwrap(), kept.wrong.clone())
        };
        assert!(came.is_ok(), "{who} is at {:?} of {} after {:?}", numbers.last(), standing.number, until.elapsed());
        assert_eq!(wrong, [""; 0], "{who}");
        assert_eq!(numbers, (1..=standing.number).collect::<Vec<_>>(), "{who}");
        assert_eq!(receipt, standing.receipt, "{who}");
        let (url, token) = at.http.borrow().clone();
        let number = standing.number;
        let asked = http.get(format!("{url}/v1/feed/receipt?plan={plan}&number={number}&receipt={receipt}"));
        let answer: Value = asked.bearer_auth(token).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["data"]["equal"], true, "{who}: {answer}");
    }
}
