//! One projector of a database writes, the others stand by: killed, paused or ended, it is taken over from in seconds, and
//! no row is doubled or lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::part::Part;
use harness::postgres::Postgres;
use harness::server::Private;
use nix::sys::signal::Signal;
use rollbook::log::{Log, StreamSpec};
use rollbook_events::Position;
use rollbook_projections::changes::Changes;
use rollbook_projections::store::write::Step;
use rollbook_projections::store::{Db, StoreError, Views};
use serde_json::{Value, json};

use crate::views_on_both::{dump, lite, member, project};

/// How long a take-over may take, from the end of the one before.
const MOST: Duration = Duration::from_secs(6);

fn enrolled(n: u64) -> Value {
    json!({ "kind": "enrolled", "member": member(n % 7), "plan": "la-care", "county": "los-angeles", "occurred_at": "2025-01-06",
            "data": { "enrollment": crate::views_on_both::id(n), "program": "ecm", "basis": "opt_in", "channel": "plan_direct", "provider": "1234567893", "from": "2025-01-06" } })
}

async fn records(recorder: &Part, numbers: std::ops::Range<u64>) {
    for n in numbers {
        let (status, answer) = recorder.post("/v1/events", &enrolled(n)).await;
        assert_eq!(status, 201, "{answer}");
    }
}

fn leads(status: &Value) -> bool {
    status["phase"] == "following"
}

fn stands_by(status: &Value) -> bool {
    status["phase"] == "standby" && status["gap"] == 0
}

fn caught_up(status: &Value) -> bool {
    leads(status) && status["gap"] == 0
}

#[tokio::test]
async fn heavy_a_standby_takes_over_and_no_row_is_doubled_or_lost() {
    let Some(postgres) = Postgres::start() else { return };
    let (nats, data) = (Private::start().await, tempfile::tempdir().unwrap());
    for spec in StreamSpec::ALL.into_iter().chain([StreamSpec::IDENTITY_KEYS]) {
        nats.log(spec).await;
    }
    let serve = |role: &str| Part::serve(role, &nats, &postgres.url(), data.path());
    let (recorder, first) = (serve("recorder"), serve("projector"));
    first.becomes("the one that writes", leads).await;
    let second = serve("projector");
    second.becomes("a standby", stands_by).await;
    assert_eq!(second.get("/readyz").await.0, 200, "a standby that follows is well");
    let holder = first.get("/v1/status").await.1["data"]["projector"].clone();
    assert_eq!(second.get("/v1/status").await.1["data"]["projector"], holder, "it says who writes");

    // Killed while events come.
    records(&recorder, 0..20).await;
    let ((), took) = tokio::join!(records(&recorder, 20..120), async {
        first.end(Signal::SIGKILL);
        second.becomes("the one that writes", leads).await
    });
    assert!(took < MOST, "killed: {took:?}");
    second.becomes("caught up", caught_up).await;

    // Paused: it wakes in another's term.
    let third = serve("projector");
    third.becomes("a standby", stands_by).await;
    second.signal(Signal::SIGSTOP);
    let took = third.becomes("the one that writes", leads).await;
    assert!(took < MOST, "paused: {took:?}");
    let ((), ()) = tokio::join!(records(&recorder, 120..150), async { second.signal(Signal::SIGCONT) });
    second.becomes("a standby", stands_by).await;
    third.becomes("caught up", caught_up).await;

    // Ended as an operator does: the lease is given back.
    let begun = Instant::now();
    third.end(Signal::SIGTERM);
    second.becomes("the one that writes", leads).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "ended: {:?}", begun.elapsed());
    records(&recorder, 150..170).await;
    second.becomes("caught up", caught_up).await;

    let log = Arc::new(nats.log(StreamSpec::ENROLLMENT).await);
    let fresh = lite(data.path(), "fresh.db").await;
    project(&log, &fresh).await;
    let views = Views::open(&postgres.url()).await.unwrap();
    assert_eq!(dump(&views.live().db()).await, dump(&fresh).await);
    assert_eq!(views.live().db().checkpoint().await.unwrap().position, log.head().await.unwrap());
    assert!(log.head().await.unwrap() >= Position(171));
    views.close().await;
    second.end(Signal::SIGTERM);
    records(&recorder, 170..171).await;
    asked_for_what_no_view_holds(&recorder, log.head().await.unwrap().0, nats).await;
}

/// With nobody to project: what the log holds is not there yet, what it does not hold will never be.
async fn asked_for_what_no_view_holds(recorder: &Part, head: u64, nats: Private) {
    let asked = async |question: String| {
        let (status, problem) = recorder.get(&format!("/v1/events?limit=1&wait_ms=100&{question}")).await;
        (status, problem["type"].as_str().unwrap().to_owned(), problem["position"].as_u64().unwrap())
    };
    let behind = (503, "/problems/behind".to_owned(), head - 1);
    let beyond = (409, "/problems/log-ends-before".to_owned(), head);
    for name in ["at_least", "known_at"] {
        assert_eq!(asked(format!("{name}={head}")).await, behind);
        assert_eq!(asked(format!("{name}={}", head + 1)).await, beyond);
    }
    // Where the log cannot be asked, nobody knows that it does not hold it.
    drop(nats);
    assert_eq!(asked(format!("at_least={}", head + 1)).await, behind);
}

/// A holder that wakes in another's term must not write, whatever the checkpoint is.
#[tokio::test]
async fn a_term_that_is_over_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = vec![format!("sqlite://{}", folder.path().join("views.db").display())];
    let postgres = Postgres::start();
    all.extend(postgres.as_ref().map(Postgres::url));
    for address in all {
        let views = Views::open(&address).await.unwrap();
        let (control, db) = (views.control(), views.live().db());
        let one = control.take_lease("one", 1_000, 4_000).await.unwrap().unwrap();
        assert_eq!(control.take_lease("other", 4_999, 4_000).await.unwrap(), None, "it is held");
        db.fence(one.term).await.unwrap();
        let own = control.take_lease("one", 2_000, 4_000).await.unwrap().unwrap();
        assert_eq!(own.term, one.term + 1, "one's own lease is taken up in a new term");
        assert!(!control.renew_lease(&one, 2_000, 4_000).await.unwrap());
        control.give_lease_back(&own).await.unwrap();
        let other = control.take_lease("other", 2_000, 4_000).await.unwrap().unwrap();
        assert!(control.renew_lease(&other, 3_000, 4_000).await.unwrap());
        assert_eq!(control.lease().await.unwrap().unwrap(), other);
        db.fence(other.term).await.unwrap();
        let step = |term| Step { from: Position(0), to: Position(1), recorded_at: None, term };
        let late = db.write(&Changes::default(), &[], step(one.term)).await;
        assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
        assert!(matches!(db.fence(one.term).await, Err(StoreError::Fenced { .. })));
        assert!(!views.switch(1, &one).await.unwrap(), "nor does it switch");
        db.write(&Changes::default(), &[], step(other.term)).await.unwrap();
        views.close().await;
    }
}

/// On SQLite the clock is the machine's: what it says after it was set back must not keep a lease for ever.
#[tokio::test]
async fn a_lease_runs_out_by_the_machines_clock_and_survives_its_being_set() {
    let folder = tempfile::tempdir().unwrap();
    let views = Views::open(&format!("sqlite://{}", folder.path().join("views.db").display())).await.unwrap();
    let control = views.control();
    control.take_lease("one", 1_000_000, 4_000).await.unwrap().unwrap();
    assert_eq!(control.take_lease("other", 1_003_999, 4_000).await.unwrap(), None);
    assert!(control.take_lease("other", 1_004_000, 4_000).await.unwrap().is_some(), "it has run out");
    assert!(control.take_lease("third", 5_000, 4_000).await.unwrap().is_some(), "the clock was set back");
    views.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parts_that_start_at_once_on_a_new_file_all_find_their_tables() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..40 {
        let address = format!("sqlite://{}", folder.path().join(format!("{round}.db")).display());
        let opening = (0..6).map(|_| {
            tokio::spawn({
                let address = address.clone();
                async move { Db::open(&address).await.map(drop).map_err(|error| format!("{error:?}")) }
            })
        });
        for opened in futures_util::future::join_all(opening.collect::<Vec<_>>()).await {
            opened.unwrap().unwrap();
        }
    }
}
