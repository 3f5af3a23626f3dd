//! Who may do what on the servers of the log, with the configuration that deploy/nats ships.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerError};
use harness::cluster::Cluster;
use rollbook::log::{Access, connect};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// In the order of the columns. The administrator comes last, because what it may do removes the streams.
const WHO: [&str; 8] = ["recorder", "projector", "query", "archiver", "publisher", "subscriber", "system", "admin"];

/// `+` may, `-` may not. What is not in deploy/nats/server.conf on purpose is here by hand.
const PUBLISH: &str = "
enrollment.probe                                        + - - - - - - +
identity.probe                                          + - - - - - - +
intake.probe                                            + - - - - - - +
access.probe                                            + + + + + - - +
key.probe                                               + - - - - - - +
assertion.probe                                         + + + + + - - -
enrollment.probe.deeper                                 - - - - - - - -
elsewhere                                               - - - - - - - -
$JS.API.INFO                                            - - - - - - - +
$JS.API.STREAM.LIST                                     - - - - - - - +
$JS.API.STREAM.NAMES                                    - - - - - - - +
$JS.API.STREAM.INFO.ENROLLMENT                          + + + + + - - +
$JS.API.STREAM.INFO.IDENTITY                            + + + + + - - +
$JS.API.STREAM.INFO.INTAKE                              + + + + + - - +
$JS.API.STREAM.INFO.ACCESS                              + + + + + - - +
$JS.API.STREAM.INFO.IDENTITY_KEYS                       + + + + + - - +
$JS.API.STREAM.MSG.GET.ENROLLMENT                       + + - + + - - +
$JS.API.STREAM.MSG.GET.IDENTITY                         + - - + - - - +
$JS.API.STREAM.MSG.GET.INTAKE                           + - - + - - - +
$JS.API.STREAM.MSG.GET.ACCESS                           + + + + + - - +
$JS.API.STREAM.MSG.GET.IDENTITY_KEYS                    + - - - - - - +
$JS.API.STREAM.INFO.ASSERTIONS                          + + + + + - - +
$JS.API.STREAM.MSG.GET.ASSERTIONS                       + + + + + - - +
$JS.API.CONSUMER.CREATE.ASSERTIONS                      - - - - - - - +
$JS.API.STREAM.MSG.DELETE.ASSERTIONS                    - - - - - - - +
$JS.API.DIRECT.GET.IDENTITY_KEYS                        + - - - - - - +
$JS.API.DIRECT.GET.IDENTITY_KEYS.key.probe              - - - - - - - +
$JS.API.DIRECT.GET.ENROLLMENT                           - - - - - - - +
$JS.API.DIRECT.GET.ENROLLMENT.enrollment.probe          - - - - - - - +
$JS.API.CONSUMER.CREATE.ENROLLMENT                      + + - + + - - +
$JS.API.CONSUMER.CREATE.IDENTITY                        + - - + - - - +
$JS.API.CONSUMER.CREATE.INTAKE                          + - - + - - - +
$JS.API.CONSUMER.CREATE.ACCESS                          + + + + + - - +
$JS.API.CONSUMER.CREATE.IDENTITY_KEYS                   + - - - - - - +
$JS.API.CONSUMER.CREATE.ENROLLMENT.durable              - - - - - - - +
$JS.API.CONSUMER.DURABLE.CREATE.ENROLLMENT.durable      - - - - - - - +
$JS.API.CONSUMER.MSG.NEXT.ENROLLMENT.any                + + - + + - - +
$JS.API.CONSUMER.MSG.NEXT.IDENTITY.any                  + - - + - - - +
$JS.API.CONSUMER.MSG.NEXT.INTAKE.any                    + - - + - - - +
$JS.API.CONSUMER.MSG.NEXT.ACCESS.any                    + + + + + - - +
$JS.API.CONSUMER.MSG.NEXT.IDENTITY_KEYS.any             + - - - - - - +
$JS.API.CONSUMER.DELETE.ENROLLMENT.any                  + + - + + - - +
$JS.API.CONSUMER.DELETE.IDENTITY.any                    + - - + - - - +
$JS.API.CONSUMER.DELETE.ACCESS.any                      + + + + + - - +
$JS.API.CONSUMER.DELETE.IDENTITY_KEYS.any               + - - - - - - +
$JS.API.CONSUMER.LIST.ENROLLMENT                        - - - - - - - +
$JS.API.CONSUMER.PAUSE.ENROLLMENT.any                   - - - - - - - +
$JS.API.STREAM.CREATE.OTHER                             - - - - - - - +
$JS.API.STREAM.UPDATE.ENROLLMENT                        - - - - - - - +
$JS.API.STREAM.MSG.DELETE.ENROLLMENT                    - - - - - - - +
$JS.API.STREAM.UPDATE.IDENTITY_KEYS                     - - - - - - - +
$JS.API.STREAM.MSG.DELETE.IDENTITY                      - - - - - - - +
$JS.API.STREAM.MSG.DELETE.IDENTITY_KEYS                 + - - - - - - +
$JS.API.STREAM.PURGE.IDENTITY_KEYS                      - - - - - - - +
$JS.API.STREAM.SNAPSHOT.ENROLLMENT                      - - - - - - - +
$JS.API.STREAM.RESTORE.ENROLLMENT                       - - - - - - - +
$JS.API.STREAM.PEER.REMOVE.ENROLLMENT                   - - - - - - - +
$JS.API.STREAM.LEADER.STEPDOWN.ENROLLMENT               - - - - - - - +
$JS.API.SERVER.REMOVE                                   - - - - - - - +
$JS.API.ACCOUNT.PURGE.LEDGER                            - - - - - - - +
$JS.ACK.ENROLLMENT.any.1.1.1.1.1                        - - - - - - - -
feed.probe.probe                                        - - - - + - - -
feed.la-care.enrolled                                   - - - - + - - -
$JS.API.STREAM.INFO.ENROLLMENT_FEED                     + + + + + - - +
attempt.probe                                           - - - - + - - -
$JS.API.STREAM.INFO.FEED_ATTEMPTS                       - - - - + - - +
$JS.API.STREAM.MSG.GET.FEED_ATTEMPTS                    - - - - + - - +
$JS.API.CONSUMER.CREATE.FEED_ATTEMPTS                   - - - - - - - +
$JS.API.STREAM.MSG.GET.ENROLLMENT_FEED                  + - + + + - - +
$JS.API.DIRECT.GET.ENROLLMENT_FEED                      - - - - - - - +
$JS.API.DIRECT.GET.ENROLLMENT_FEED.feed.la-care.enrolled - - - - - - - +
$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED                 + - + + + - - +
FEED.API.CONSUMER.CREATE.ENROLLMENT_FEED                - - - - - - - -
$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED.la-care         - - - - - - - +
FEED.API.CONSUMER.CREATE.ENROLLMENT_FEED.la-care        - - - - - - - -
$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED.la-care.feed.la-care.enrolled - - - - - - - +
FEED.API.CONSUMER.CREATE.ENROLLMENT_FEED.la-care.feed.la-care.enrolled - - - - - + - -
$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED.la-care.feed.molina.enrolled - - - - - - - +
FEED.API.CONSUMER.CREATE.ENROLLMENT_FEED.la-care.feed.molina.enrolled - - - - - - - -
$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED.molina.feed.la-care.enrolled - - - - - - - +
FEED.API.CONSUMER.CREATE.ENROLLMENT_FEED.molina.feed.la-care.enrolled - - - - - - - -
$JS.API.CONSUMER.CREATE.ENROLLMENT_FEED.molina.feed.molina.enrolled - - - - - - - +
FEED.API.CONSUMER.CREATE.ENROLLMENT_FEED.molina.feed.molina.enrolled - - - - - - - -
$JS.API.CONSUMER.DURABLE.CREATE.ENROLLMENT_FEED.la-care - - - - - - - +
FEED.API.CONSUMER.DURABLE.CREATE.ENROLLMENT_FEED.la-care - - - - - - - -
$JS.API.CONSUMER.INFO.ENROLLMENT_FEED.la-care           - - - - - - - +
FEED.API.CONSUMER.INFO.ENROLLMENT_FEED.la-care          - - - - - + - -
$JS.API.CONSUMER.INFO.ENROLLMENT_FEED.molina            - - - - - - - +
FEED.API.CONSUMER.INFO.ENROLLMENT_FEED.molina           - - - - - - - -
$JS.API.CONSUMER.MSG.NEXT.ENROLLMENT_FEED.la-care       + - + + + - - +
FEED.API.CONSUMER.MSG.NEXT.ENROLLMENT_FEED.la-care      - - - - - + - -
$JS.API.CONSUMER.MSG.NEXT.ENROLLMENT_FEED.molina        + - + + + - - +
FEED.API.CONSUMER.MSG.NEXT.ENROLLMENT_FEED.molina       - - - - - - - -
$JS.API.CONSUMER.DELETE.ENROLLMENT_FEED.la-care         + - + + + - - +
FEED.API.CONSUMER.DELETE.ENROLLMENT_FEED.la-care        - - - - - + - -
$JS.API.CONSUMER.DELETE.ENROLLMENT_FEED.molina          + - + + + - - +
FEED.API.CONSUMER.DELETE.ENROLLMENT_FEED.molina         - - - - - - - -
$JS.API.CONSUMER.LIST.ENROLLMENT_FEED                   - - - - - - - +
FEED.API.CONSUMER.LIST.ENROLLMENT_FEED                  - - - - - - - -
$JS.API.CONSUMER.NAMES.ENROLLMENT_FEED                  - - - - - - - +
FEED.API.CONSUMER.NAMES.ENROLLMENT_FEED                 - - - - - - - -
$JS.ACK.ENROLLMENT_FEED.la-care.1.1.1.1.1               - - - - - + - -
$JS.ACK.ENROLLMENT_FEED.molina.1.1.1.1.1                - - - - - - - -
$SYS.REQ.SERVER.PING                                    - - - - - - + -
$SYS.REQ.ACCOUNT.LEDGER.CONNZ                           - - - - - - + -
$SYS.REQ.SERVER.NXXX.RELOAD                             - - - - - - + -
_INBOX_recorder.forged                                  - - - - - - - -
$JS.API.STREAM.PURGE.ENROLLMENT                         - - - - - - - +
$JS.API.STREAM.DELETE.ENROLLMENT                        - - - - - - - +
";

const SUBSCRIBE: &str = "
_INBOX_recorder.>                                       + - - - - - - -
_INBOX_projector.>                                      - + - - - - - -
_INBOX_query.>                                          - - + - - - - -
_INBOX_archiver.>                                       - - - + - - - -
_INBOX_publisher.>                                      - - - - + - - -
_INBOX_feed_la-care.>                                   - - - - - + - -
_INBOX_system.>                                         - - - - - - + -
_INBOX_admin.>                                          - - - - - - - +
_INBOX.>                                                - - - - - - - -
>                                                       - - - - - - - -
enrollment.*                                            - - - - - - - -
feed.>                                                  - - - - - - - -
feed.la-care.*                                          - - - - - - - -
identity.>                                              - - - - - - - -
key.>                                                   - - - - - - - -
assertion.>                                             - - - - - - - -
$JS.API.>                                               - - - - - - - -
$JS.EVENT.ADVISORY.>                                    - - - - - - - -
$SYS.ACCOUNT.LEDGER.CONNECT                             - - - - - - + -
";

/// A connection, and the subjects that the server has refused it.
struct Known {
    client: Client,
    refused: mpsc::UnboundedReceiver<String>,
    probes: u64,
}

pub(crate) fn as_known(cluster: &Cluster, who: &str) -> Access {
    let path = |value: &Value| value.as_str().unwrap().into();
    let access = &cluster.told["access"][who];
    Access {
        url: cluster.told["nats"].as_str().unwrap().to_owned(),
        nkey: Some(path(&access["nkey"])),
        authority: Some(path(&cluster.told["ca"])),
        certificate: Some((path(&access["cert"]), path(&access["key"]))),
        inbox: Some(format!("_INBOX_{who}")),
        ..Access::default()
    }
}

/// A connection whose answers come under an inbox, and the subjects that the server refuses it.
pub(crate) async fn connected(access: Access, inbox: &str) -> (Client, mpsc::UnboundedReceiver<String>) {
    let (told, refused) = mpsc::unbounded_channel();
    let (certificate, key) = access.certificate.unwrap();
    let seed = std::fs::read_to_string(access.nkey.unwrap()).unwrap();
    let options = ConnectOptions::with_nkey(seed.trim().to_owned())
        .add_root_certificates(access.authority.unwrap())
        .add_client_certificate(certificate, key)
        .custom_inbox_prefix(inbox)
        .event_callback(move |event| {
            let told = told.clone();
            async move {
                if let Event::ServerError(ServerError::Other(said)) = event {
                    _ = told.send(said);
                }
            }
        });
    let servers: Vec<&str> = access.url.split(',').collect();
    (options.connect(servers).await.unwrap(), refused)
}

impl Known {
    async fn connect(cluster: &Cluster, who: &str) -> Self {
        let (client, refused) = connected(as_known(cluster, who), &format!("_INBOX_{who}")).await;
        Self { client, refused, probes: 0 }
    }

    /// Whether the server lets something pass. What is surely refused is tried right after, so that nothing said before
    /// it is still on its way.
    async fn passes(&mut self, subject: &str) -> bool {
        self.probes += 1;
        let last = format!("surely.refused.{}", self.probes);
        self.client.publish(last.clone(), "".into()).await.unwrap();
        let mut passed = true;
        loop {
            let said = timeout(Duration::from_secs(10), self.refused.recv()).await.unwrap().unwrap();
            // As in: Permissions Violation for Publish to "elsewhere"
            let about = said.split('"').nth(1).unwrap_or_default();
            if about == last {
                return passed;
            }
            passed &= about != subject;
        }
    }

    async fn may_publish(&mut self, subject: &str) -> bool {
        self.client.publish(subject.to_owned(), "".into()).await.unwrap();
        self.passes(subject).await
    }

    async fn may_subscribe(&mut self, subject: &str) -> bool {
        let subscribed = self.client.subscribe(subject.to_owned()).await.unwrap();
        let passes = self.passes(subject).await;
        drop(subscribed);
        passes
    }
}

fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, Vec<bool>)> {
    table.lines().filter(|line| !line.is_empty()).map(|line| {
        let mut words = line.split_whitespace();
        (words.next().unwrap(), words.map(|word| word == "+").collect())
    })
}

#[tokio::test]
async fn each_service_may_do_what_the_table_says_and_nothing_else() {
    let cluster = Cluster::up(&["--nats-only", "--streams"]);
    let (mut wrong, mut probes) = (Vec::new(), 0);
    for (column, who) in WHO.iter().enumerate() {
        let mut known = Known::connect(&cluster, who).await;
        for (subject, expected) in rows(SUBSCRIBE) {
            let may = known.may_subscribe(subject).await;
            probes += 1;
            if may != expected[column] {
                wrong.push(format!("{who} subscribe {subject}: {may}"));
            }
        }
        for (subject, expected) in rows(PUBLISH) {
            let may = known.may_publish(subject).await;
            probes += 1;
            if may != expected[column] {
                wrong.push(format!("{who} publish {subject}: {may}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(probes, WHO.len() * (rows(PUBLISH).count() + rows(SUBSCRIBE).count()));
}

#[tokio::test]
async fn whoever_lacks_a_key_or_a_certificate_is_not_let_in() {
    let cluster = Cluster::up(&["--nats-only"]);
    let whole = as_known(&cluster, "recorder");
    assert!(connect(&whole, "whole").await.is_ok());
    let none = |access: Access| async move { connect(&access, "less").await.is_err() };
    assert!(none(Access { certificate: None, ..whole.clone() }).await, "without a certificate");
    assert!(none(Access { nkey: None, ..whole.clone() }).await, "without a key");
    assert!(none(Access { authority: None, ..whole.clone() }).await, "a server of an unknown authority was believed");
    // A key that no server knows.
    let stranger = tempfile::tempdir().unwrap();
    let path = stranger.path().join("stranger.nk");
    let seed = "SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4";
    std::fs::write(&path, seed).unwrap();
    assert!(none(Access { nkey: Some(path), ..whole.clone() }).await, "with a strange key");
    // The routes are of another authority: a service's certificate does not speak for a server there.
    let route = cluster.process("n1")["route_port"].as_u64().unwrap();
    assert!(none(Access { url: format!("tls://127.0.0.1:{route}"), ..whole }).await, "at the route port");
}

/// A reader names where its messages are to go; a subject of another stream there would make it a writer.
#[tokio::test]
async fn a_reader_is_no_writer_by_way_of_a_consumer() {
    let cluster = Cluster::up(&["--nats-only", "--streams"]);
    let recorder = connect(&as_known(&cluster, "recorder"), "recorder").await.unwrap();
    let projector = connect(&as_known(&cluster, "projector"), "projector").await.unwrap();
    recorder.request("enrollment.probe", "{}".into()).await.unwrap();
    let consumer = serde_json::json!({ "stream_name": "ENROLLMENT", "config": {
        "deliver_policy": "all", "ack_policy": "none", "deliver_subject": "identity.forged", "mem_storage": true, "num_replicas": 1,
    } });
    let asked = projector.request("$JS.API.CONSUMER.CREATE.ENROLLMENT", consumer.to_string().into()).await.unwrap();
    println!("{}", String::from_utf8_lossy(&asked.payload));
    recorder.request("enrollment.probe", "{}".into()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let info = projector.request("$JS.API.STREAM.INFO.IDENTITY", "".into()).await.unwrap();
    let info: Value = serde_json::from_slice(&info.payload).unwrap();
    assert_eq!(info["state"]["messages"], 0, "{info}");
}
