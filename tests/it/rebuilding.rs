//! Views are built beside the living ones, which go on answering; they are compared, switched to, gone back from, given up,
//! and a rebuild that was killed goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use harness::ledger::Ledger;
use harness::postgres::Postgres;
use rollbook_projections::changes::Changes;
use rollbook_projections::store::Views;
use rollbook_projections::store::write::Step;
use serde_json::{Value, json};

use crate::sample_county::{import, sample};

async fn generations(ledger: &Ledger) -> Vec<(i64, String, String)> {
    let found = ledger.get("/v1/views/rebuild").await;
    let text = |of: &Value, name: &str| of[name].as_str().unwrap().to_owned();
    let all = found["data"].as_array().unwrap().iter();
    all.map(|of| (of["number"].as_i64().unwrap(), text(of, "role"), text(of, "stage"))).collect()
}

fn roles(generations: &[(i64, String, String)]) -> Vec<(i64, &str)> {
    generations.iter().map(|(number, role, _)| (*number, role.as_str())).collect()
}

async fn until(ledger: &Ledger, what: &str, is: impl Fn(&[(i64, String, String)]) -> bool) {
    let begun = Instant::now();
    loop {
        let found = generations(ledger).await;
        if is(&found) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "not {what}: {found:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Asks on and on: every answer is whole, of one position, and no older than the one before.
async fn asks(ledger: &Ledger, over: &AtomicBool) -> u64 {
    let (mut last, mut asked) = (0, 0);
    while !over.load(Ordering::Relaxed) {
        let answer = ledger.get("/v1/enrollments?limit=20").await;
        let position = answer["position"].as_u64().unwrap();
        assert!(position >= last, "an answer of position {position} after one of {last}");
        assert_eq!(answer["data"].as_array().unwrap().len(), 20, "an answer lacks rows");
        (last, asked) = (position, asked + 1);
    }
    asked
}

async fn records(ledger: &Ledger, n: u64) -> u64 {
    let data = json!({ "enrollment": format!("018f3c1e-7a10-7c3d-9b4e-{n:012x}"), "program": "ecm", "basis": "opt_in", "channel": "plan_direct", "provider": "1234567893", "from": "2025-01-06" });
    let member = format!("0b0b0b0b-0b0b-8b0b-8b0b-{:012x}", 1 + n % 50);
    ledger.record("enrolled", &member, "la-care", "2025-01-06", data).await
}

/// Every row there ever was up to a position, whatever was recorded since.
async fn dumps_at(ledger: &Ledger, at: u64) -> Vec<String> {
    let mut dumps = Vec::new();
    for view in rollbook_projections::views::ALL {
        let path = format!("/v1/views/{}?known_at={at}", view.table().name);
        dumps.push(ledger.text(&path, "application/x-ndjson").await);
    }
    dumps
}

/// Runs a verb in a thread of its own, so that the test goes on asking.
async fn verb(ledger: &Arc<Ledger>, arguments: &'static [&'static str]) -> (Option<i32>, String) {
    let ledger = ledger.clone();
    let output = tokio::task::spawn_blocking(move || ledger.verb(arguments)).await.unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    (output.status.code(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_views_are_rebuilt_beside_the_living_ones() {
    let (county, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    sample(county.path(), 120);
    let ledger = Arc::new(Ledger::up(folder.path(), None));
    import(&ledger, county.path());
    ledger.caught_up().await;

    // While questions are asked and events recorded, a rebuild switches to views that are the same.
    let over = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn({
        let (ledger, over) = (ledger.clone(), over.clone());
        async move { asks(&ledger, &over).await }
    });
    let rebuild = tokio::spawn({
        let ledger = ledger.clone();
        async move { verb(&ledger, &["rebuild", "--yes"]).await }
    });
    let mut n = 0;
    while !rebuild.is_finished() {
        records(&ledger, n).await;
        n += 1;
    }
    let (code, said) = rebuild.await.unwrap();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("views are the same at position"), "{said}");
    assert_eq!(roles(&generations(&ledger).await), [(1, "previous"), (2, "live")]);
    let at = records(&ledger, n).await;
    let dumps = dumps_at(&ledger, at).await;

    // Back to the old ones, which catch up first; then they are dropped.
    let (code, said) = verb(&ledger, &["rebuild", "--back", "--yes"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(roles(&generations(&ledger).await), [(1, "live"), (2, "previous")]);
    assert!(dumps_at(&ledger, at).await == dumps, "after going back");
    over.store(true, Ordering::Relaxed);
    assert!(asking.await.unwrap() > 10, "questions were asked all the while");
    assert_eq!(verb(&ledger, &["rebuild", "--forget"]).await.0, Some(0));
    until(&ledger, "dropped", |all| roles(all) == [(1, "live")]).await;
    assert!(!folder.path().join("views.2.db").exists());
    assert_eq!(verb(&ledger, &["rebuild", "--back", "--yes"]).await.0, Some(1), "there is nothing to go back to");

    // Given up.
    assert_eq!(ledger.post("/v1/views/rebuild", &Value::Null).await.0, 202);
    assert_eq!(ledger.post("/v1/views/rebuild", &Value::Null).await.0, 409, "one at a time");
    assert_eq!(verb(&ledger, &["rebuild", "--cancel"]).await.0, Some(0));
    until(&ledger, "given up", |all| roles(all) == [(1, "live")]).await;
    assert!(!folder.path().join("views.3.db").exists());
    assert_eq!(verb(&ledger, &["rebuild", "--cancel"]).await.0, Some(1));
    killed_and_differing(ledger, folder.path(), at, &dumps).await;
}

/// A rebuild that was killed goes on where it was; one whose views differ waits to be accepted.
async fn killed_and_differing(ledger: Arc<Ledger>, folder: &std::path::Path, at: u64, dumps: &[String]) {
    assert_eq!(ledger.post("/v1/views/rebuild", &Value::Null).await.0, 202);
    until(&ledger, "begun", |_| folder.join("views.4.db").exists()).await;
    Arc::into_inner(ledger).unwrap().kill();
    let ledger = Arc::new(Ledger::up(folder, None));
    until(&ledger, "switched", |all| roles(all) == [(1, "previous"), (4, "live")]).await;
    assert!(dumps_at(&ledger, at).await == dumps, "after a rebuild that was killed");

    // A defect of the living views: somebody's rows are not there.
    let views = Views::open(&format!("sqlite://{}", folder.join("views.db").display())).await.unwrap();
    let db = views.live().db();
    let position = db.checkpoint().await.unwrap().position;
    let term = views.control().lease().await.unwrap().unwrap().term;
    let step = Step { from: position, to: position, recorded_at: None, term };
    let member = "0b0b0b0b-0b0b-8b0b-8b0b-000000000001".parse().unwrap();
    db.replace(&[member].into(), &Changes::default(), &[], step).await.unwrap();
    views.close().await;
    let (code, said) = verb(&ledger, &["rebuild", "--yes"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("current_enrollment differs") && said.contains("--accept-differences"), "{said}");
    assert!(generations(&ledger).await.iter().any(|of| *of == (5, "building".to_owned(), "differs".to_owned())));
    let (code, said) = verb(&ledger, &["rebuild", "--accept-differences"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(dumps_at(&ledger, at).await == dumps, "the defect is gone");
    let (code, said) = verb(&ledger, &["rebuild", "--member", "0b0b0b0b-0b0b-8b0b-8b0b-000000000001"]).await;
    assert_eq!((code, said.contains("rebuilt from")), (Some(0), true), "{said}");
    assert!(dumps_at(&ledger, at).await == dumps, "and stays so");
}

/// On PostgreSQL the reporting schema follows in the same transaction, and whoever may read it still may.
#[tokio::test(flavor = "multi_thread")]
async fn heavy_reports_follow_the_switch() {
    let Some(postgres) = Postgres::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let ledger = Arc::new(Ledger::up(folder.path(), Some(&postgres.url())));
    for n in 0..30 {
        records(&ledger, n).await;
    }
    let dumps = ledger.dumps().await;
    postgres.sql("CREATE ROLE analyst LOGIN; GRANT USAGE ON SCHEMA reporting TO analyst; GRANT SELECT ON reporting.current_enrollment TO analyst");
    let count = "SET ROLE analyst; SELECT count(*) FROM reporting.current_enrollment";
    let over = "SELECT n.nspname FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class \
        JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace n ON n.oid = t.relnamespace \
        WHERE v.oid = 'reporting.current_enrollment'::regclass AND t.relkind = 'r' GROUP BY 1";
    let rows = postgres.sql(count);
    assert_eq!(postgres.sql(over), "public");
    let (code, said) = verb(&ledger, &["rebuild", "--yes"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(postgres.sql(over), "rollbook_views_2");
    assert_eq!(postgres.sql(count), rows, "the analyst still reads the same");
    assert!(ledger.dumps().await == dumps);
    records(&ledger, 30).await;
    let dumps = ledger.dumps().await;
    Arc::into_inner(ledger).unwrap().stop();

    // A start lays the reports over what is live, not over what was first.
    let ledger = Arc::new(Ledger::up(folder.path(), Some(&postgres.url())));
    assert_eq!(postgres.sql(over), "rollbook_views_2");
    assert!(ledger.dumps().await == dumps);
    let (code, said) = verb(&ledger, &["rebuild", "--back", "--yes"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(postgres.sql(over), "public");
    assert!(ledger.dumps().await == dumps);
    assert_eq!(verb(&ledger, &["rebuild", "--forget"]).await.0, Some(0));
    until(&ledger, "dropped", |all| roles(all) == [(1, "live")]).await;
    assert_eq!(postgres.sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rollbook_views%'"), "0");
}
