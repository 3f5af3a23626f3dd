//! A subscriber of one plan reads its own feed through its own durable consumer, and no other plan's in any way.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use futures_util::StreamExt;
use harness::cluster::Cluster;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::permissions::{as_known, connected};

/// How long an answer takes that comes.
const SOON: Duration = Duration::from_millis(1_500);

/// A connection, and what the server has refused it.
struct Known {
    client: Client,
    refused: mpsc::UnboundedReceiver<String>,
}

impl Known {
    async fn connect(cluster: &Cluster, who: &str, inbox: &str) -> Self {
        let (client, refused) = connected(as_known(cluster, who), inbox).await;
        Self { client, refused }
    }

    /// What the server answers; nothing where it does not let the question pass.
    async fn asks(&mut self, subject: &str, question: &Value) -> Option<Value> {
        let asked = self.client.request(subject.to_owned(), question.to_string().into());
        tokio::select! {
            answer = timeout(SOON, asked) => {
                let answer = answer.ok()?.ok()?;
                Some(serde_json::from_slice(&answer.payload).unwrap())
            }
            refused = self.refused.recv() => {
                assert!(refused.unwrap().contains("Permissions Violation"), "{subject}");
                None
            }
        }
    }

    /// Whether a subscription is refused.
    async fn may_hear(&mut self, subject: &str) -> bool {
        let subscribed = self.client.subscribe(subject.to_owned()).await.unwrap();
        self.client.flush().await.unwrap();
        let refused = timeout(SOON, self.refused.recv()).await.is_ok();
        drop(subscribed);
        !refused
    }
}

const CREATE: &str = "FEED.API.CONSUMER.CREATE.ENROLLMENT_FEED.la-care.feed.la-care.>";

fn consumer(more: &Value) -> Value {
    let mut config = json!({ "name": "la-care", "durable_name": "la-care", "filter_subject": "feed.la-care.>", "ack_policy": "explicit" });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    json!({ "stream_name": "ENROLLMENT_FEED", "config": config })
}

async fn messages(admin: &mut Known) -> u64 {
    let info = admin.asks("$JS.API.STREAM.INFO.ENROLLMENT_FEED", &json!({})).await.unwrap();
    info["state"]["messages"].as_u64().unwrap()
}

#[tokio::test]
async fn a_subscriber_of_one_plan_cannot_read_anothers_feed_in_any_way() {
    let cluster = Cluster::up(&["--nats-only", "--streams"]);
    let mut publisher = Known::connect(&cluster, "publisher", "_INBOX_publisher").await;
    let mut admin = Known::connect(&cluster, "admin", "_INBOX_admin").await;
    for (n, subject) in ["feed.la-care.enrolled", "feed.molina.enrolled", "feed.la-care.opted_out"].iter().enumerate() {
        let stored = publisher.asks(subject, &json!({ "secret": n })).await.unwrap();
        assert_eq!(stored["seq"], n + 1, "{stored}");
    }
    let others = json!({ "stream_name": "ENROLLMENT_FEED", "config": { "durable_name": "molina", "name": "molina",
        "filter_subject": "feed.molina.>", "ack_policy": "explicit" } });
    let made = admin.asks("$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED.molina.feed.molina.>", &others).await.unwrap();
    assert!(made["error"].is_null(), "{made}");

    let mut mine = Known::connect(&cluster, "subscriber", "_INBOX_feed_la-care").await;
    // What it may not even ask.
    for (subject, question) in [
        ("$JS.API.STREAM.INFO.ENROLLMENT_FEED", json!({ "subjects_filter": ">" })),
        ("$JS.API.STREAM.MSG.GET.ENROLLMENT_FEED", json!({ "seq": 2 })),
        ("$JS.API.STREAM.MSG.GET.ENROLLMENT_FEED", json!({ "last_by_subj": "feed.la-care.enrolled" })),
        ("$JS.API.DIRECT.GET.ENROLLMENT_FEED", json!({ "seq": 2 })),
        ("$JS.API.DIRECT.GET.ENROLLMENT_FEED.feed.molina.enrolled", json!({})),
        ("$JS.API.STREAM.LIST", json!({})),
        ("$JS.API.STREAM.NAMES", json!({ "subject": "feed.molina.>" })),
        ("$JS.API.CONSUMER.LIST.ENROLLMENT_FEED", json!({})),
        ("$JS.API.CONSUMER.NAMES.ENROLLMENT_FEED", json!({})),
        ("$JS.API.CONSUMER.INFO.ENROLLMENT_FEED.molina", json!({})),
        ("$JS.API.CONSUMER.DELETE.ENROLLMENT_FEED.molina", json!({})),
        ("$JS.API.CONSUMER.MSG.NEXT.ENROLLMENT_FEED.molina", json!({ "batch": 1 })),
        ("$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED", consumer(&json!({ "filter_subject": "feed.molina.>" }))),
        ("$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED.la-care", consumer(&json!({ "filter_subject": "feed.molina.>" }))),
        (
            "$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED.la-care.feed.molina.>",
            consumer(&json!({ "filter_subject": "feed.molina.>" })),
        ),
        (
            "$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED.la-care.feed.*.>",
            consumer(&json!({ "filter_subject": "feed.*.>" })),
        ),
        ("$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED.la-care.>", consumer(&json!({ "filter_subject": ">" }))),
        (
            "$JS.API.CONSUMER.DURABLE.CREATE.ENROLLMENT_FEED.la-care",
            consumer(&json!({ "filter_subject": "feed.molina.>" })),
        ),
        ("$JS.API.CONSUMER.CREATE.ENROLLMENT.la-care.feed.la-care.>", consumer(&json!({}))),
        ("$JS.API.STREAM.CREATE.MINE", json!({ "name": "MINE", "sources": [{ "name": "ENROLLMENT_FEED" }] })),
        ("feed.la-care.enrolled", json!({ "forged": true })),
    ] {
        assert_eq!(mine.asks(subject, &question).await, None, "{subject} {question}");
        let mapped = subject.replace("$JS.API", "FEED.API");
        assert_eq!(mine.asks(&mapped, &question).await, None, "{mapped} {question}");
    }
    for subject in ["feed.>", "feed.molina.*", "feed.la-care.*", "_INBOX_feed_molina.>", "_INBOX.>", "$JS.EVENT.>", ">"]
    {
        assert!(!mine.may_hear(subject).await, "{subject}");
    }

    // What it may ask, and the server refuses: settings that are not those of the subject.
    for more in [
        json!({ "filter_subject": "feed.molina.>" }),
        json!({ "filter_subject": "" }),
        json!({ "filter_subject": ">" }),
        json!({ "filter_subjects": ["feed.la-care.>", "feed.molina.>"], "filter_subject": null }),
        json!({ "filter_subjects": ["feed.molina.>"] }),
        json!({ "name": "molina", "durable_name": "molina" }),
    ] {
        let answer = mine.asks(CREATE, &consumer(&more)).await.unwrap();
        assert!(answer["error"].is_object(), "{more}: {answer}");
    }
    // Where its messages would go is its own choice; into the stream they do not get that way.
    for into in ["feed.molina.enrolled", "feed.la-care.forged", "enrollment.forged", "identity.forged"] {
        _ = mine.asks(CREATE, &consumer(&json!({ "deliver_subject": into }))).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(messages(&mut admin).await, 3, "{into}");
        _ = mine.asks("FEED.API.CONSUMER.DELETE.ENROLLMENT_FEED.la-care", &json!({})).await;
    }

    // And what it is there for.
    let jetstream = async_nats::jetstream::with_prefix(mine.client.clone(), "FEED.API");
    let config = pull::Config {
        durable_name: Some("la-care".to_owned()),
        filter_subject: "feed.la-care.>".to_owned(),
        ack_policy: AckPolicy::Explicit,
        ..pull::Config::default()
    };
    let own: async_nats::jetstream::consumer::PullConsumer =
        jetstream.create_consumer_on_stream(config, "ENROLLMENT_FEED").await.unwrap();
    let mut read = Vec::new();
    let mut fetched = own.fetch().max_messages(10).messages().await.unwrap();
    while let Some(message) = fetched.next().await {
        let message = message.unwrap();
        message.double_ack().await.unwrap();
        read.push(message.subject.to_string());
    }
    assert_eq!(read, ["feed.la-care.enrolled", "feed.la-care.opted_out"]);
    // Whoever asks for messages names where they are to go: a subject of the log would make it a writer.
    let more = publisher.asks("feed.la-care.enrolled", &json!({})).await.unwrap();
    assert_eq!(more["seq"], 4, "{more}");
    _ = mine.asks("FEED.API.CONSUMER.DELETE.ENROLLMENT_FEED.la-care", &json!({})).await;
    assert!(mine.asks(CREATE, &consumer(&json!({}))).await.unwrap()["error"].is_null());
    for into in
        ["feed.molina.enrolled", "feed.la-care.forged", "enrollment.forged", "identity.forged", "attempt.forged"]
    {
        let next = "FEED.API.CONSUMER.MSG.NEXT.ENROLLMENT_FEED.la-care";
        let question = json!({ "batch": 1, "no_wait": true }).to_string();
        mine.client.publish_with_reply(next, into, question.into()).await.unwrap();
        mine.client.flush().await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(messages(&mut admin).await, 4, "a reader became a writer by way of where its messages go");
    for stream in ["ENROLLMENT", "IDENTITY", "FEED_ATTEMPTS"] {
        let info = admin.asks(&format!("$JS.API.STREAM.INFO.{stream}"), &json!({})).await.unwrap();
        assert_eq!(info["state"]["messages"], 0, "{stream}");
    }
}
