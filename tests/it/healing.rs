//! An event that a program cannot read stops one member's views; a program that can read it makes them whole again, to the
//! byte as if nothing had been.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use harness::postgres::Postgres;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rollbook::health::Health;
use rollbook::log::{Log, MemoryLog, Message, Stored, StreamSpec};
use rollbook::projector::{Lead, Status};
use rollbook::recorder::{Committer, Histories, Recorder};
use rollbook_events::{MemberId, Position};
use rollbook_projections::Rulebook;
use rollbook_projections::links::Pair;
use rollbook_projections::store::read::Known;
use rollbook_projections::store::{Db, Views};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::views_on_both::{MEMBERS, dump, event, lite, member, project, record, rulebook};

/// Events of the log.
const EVENTS: u64 = 120;

/// A log of random events about a dozen members, with links, voidings and a second rulebook among them.
async fn told(folder: &std::path::Path) -> Vec<Stored> {
    let log = Arc::new(MemoryLog::new(StreamSpec::ENROLLMENT));
    let (recorder, queue) = Recorder::new();
    let histories = Histories::new(log.clone(), lite(folder, "told.db").await);
    tokio::spawn(Committer::new(log.clone(), histories, Health::default()).run(queue, CancellationToken::new()));
    let mut random = ChaCha8Rng::seed_from_u64(23);
    let first = Rulebook::built_in_text();
    record(&recorder, rulebook(first, 9_000)).await;
    let mut earlier = Vec::new();
    for n in 0..EVENTS {
        if n == EVENTS / 2 {
            record(&recorder, rulebook(&first.replace("mail_counts = false", "mail_counts = true"), 9_001)).await;
        }
        let value = event(&mut random, n, &earlier);
        let of = (0..MEMBERS).find(|of| value["member"] == json!(member(*of))).unwrap();
        earlier.push((n, of));
        record(&recorder, value).await;
    }
    let mut stored = Vec::new();
    while let Some(next) = log.get(Position(stored.len() as u64 + 1)).await.unwrap() {
        stored.push(next);
    }
    stored
}

/// The same log, with other bytes at one position.
async fn with(stored: &[Stored], at: usize, body: Option<&str>) -> Arc<MemoryLog> {
    let log = Arc::new(MemoryLog::new(StreamSpec::ENROLLMENT));
    for (index, of) in stored.iter().enumerate() {
        let body = body.filter(|_| index == at).map_or_else(|| of.body.clone(), |body| body.to_owned().into());
        let (subject, id) = (of.subject.clone(), index.to_string());
        log.append(&[Message { subject, id, expected: None, headers: Vec::new(), body }]).await.unwrap();
    }
    log
}

type All = (Vec<(&'static str, Vec<Known>)>, Vec<BTreeSet<Pair>>);

async fn all(db: &Db, head: Position) -> All {
    let mut links = Vec::new();
    for at in 0..=head.0 {
        links.push(db.links(Position(at)).await.unwrap().pairs());
    }
    (dump(db).await, links)
}

/// A projector that holds the lease of some views.
struct Leading {
    cancelled: CancellationToken,
    run: tokio::task::JoinHandle<()>,
    status: watch::Receiver<Status>,
}

impl Leading {
    fn start(log: Arc<MemoryLog>, views: &Views) -> Self {
        let (lead, status) = Lead::new(log, views.clone(), "test".to_owned());
        let cancelled = CancellationToken::new();
        Self { run: tokio::spawn(lead.run(cancelled.clone())), cancelled, status }
    }

    async fn reaches(&mut self, what: &str, is: impl Fn(&Status) -> bool) {
        let waited = tokio::time::timeout(Duration::from_secs(30), self.status.wait_for(|status| is(status)));
        let there = waited.await.is_ok_and(|seen| seen.is_ok());
        assert!(there, "it is not {what}: {:?}", *self.status.borrow());
    }

    async fn end(self) {
        self.cancelled.cancel();
        self.run.await.unwrap();
    }
}

async fn heals(address: &str, stored: &[Stored], at: usize, poison: &str, expected: &All) {
    let whole = with(stored, at, None).await;
    let head = whole.head().await.unwrap();
    let views = Views::open(address).await.unwrap();
    let db = views.live().db();
    db.reset().await.unwrap();
    let mut stuck = Leading::start(with(stored, at, Some(poison)).await, &views);
    stuck.reaches("stuck", |status| status.position == head && status.stuck > 0).await;
    let standing = db.stuck().await.unwrap();
    assert_eq!(standing.len(), 1, "{standing:?}");
    assert!(standing[0].position >= Position(at as u64 + 1) && !standing[0].cause.contains(&member(0)[..8]));
    // Others go on, and so does what was known before: nothing of the member is lost.
    let rows = dump(&db).await;
    let before = |row: &&Known| row.known_from < standing[0].position && row.row.member == Some(standing[0].member);
    let kept = |rows: &[(&'static str, Vec<Known>)]| rows[0].1.iter().filter(before).count();
    assert_eq!(kept(&rows), kept(&expected.0));
    stuck.end().await;

    // The next version of the program reads it: the member is tried again at its start.
    let mut healed = Leading::start(whole, &views);
    healed.reaches("healed", |status| status.position == head && status.stuck == 0 && status.trouble().is_none()).await;
    assert!(all(&db, head).await == *expected, "position {} on {}: not as a rebuild would have it", at + 1, db.name());
    healed.end().await;
    views.close().await;
}

#[tokio::test]
async fn a_member_is_replayed_as_a_rebuild_would_have_made_it() {
    let folder = tempfile::tempdir().unwrap();
    let stored = told(folder.path()).await;
    let fresh = lite(folder.path(), "fresh.db").await;
    let whole = with(&stored, 0, None).await;
    let head = whole.head().await.unwrap();
    project(&whole, &fresh).await;
    let expected = all(&fresh, head).await;
    assert!(expected.1.iter().any(|pairs| pairs.len() > 1), "members are linked");
    let texts: Vec<String> = stored.iter().map(|of| String::from_utf8(of.body.to_vec()).unwrap()).collect();
    let find = |what: &str, after: usize| (after..texts.len()).find(|at| texts[*at].contains(what)).unwrap();
    let places = [
        find("member_linked", 10),
        find("member_unlinked", 10),
        find("enrolled", EVENTS as usize / 2 - 20),
        find("outreach_attempted", EVENTS as usize / 2 + 10),
    ];
    let address = format!("sqlite://{}", folder.path().join("views.db").display());
    for at in places {
        heals(&address, &stored, at, r#"{"specversion":"9"}"#, &expected).await;
    }
    // Readable and changed: the chain is broken at the member's next event.
    let next = |at: usize| stored[at + 1..].iter().any(|of| of.subject == stored[at].subject);
    let at = (20..stored.len()).find(|at| texts[*at].contains("\"actorid\":\"test\"") && next(*at)).unwrap();
    heals(&address, &stored, at, &texts[at].replace("\"actorid\":\"test\"", "\"actorid\":\"mallory\""), &expected)
        .await;
    if let Some(postgres) = Postgres::start() {
        heals(&postgres.url(), &stored, places[0], "{}", &expected).await;
        an_older_database_is_read_again(&postgres, &stored, &expected).await;
    }

    // On demand, for a member with whom nothing is wrong: not a row becomes another.
    let views = Views::open(&address).await.unwrap();
    let mut leading = Leading::start(whole, &views);
    for n in 0..MEMBERS {
        assert!(views.control().ask_member(member(n).parse().unwrap()).await.unwrap());
    }
    for n in 0..MEMBERS {
        let of: MemberId = member(n).parse().unwrap();
        let told = async {
            loop {
                match views.control().member_answer(of).await.unwrap().unwrap() {
                    Some(told) => return told,
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(30), told).await.unwrap();
        assert!(told.starts_with("rebuilt from"), "{told}");
    }
    leading.reaches("well", |status| status.position == head && status.trouble().is_none()).await;
    assert!(all(&views.live().db(), head).await == expected);
    leading.end().await;
    views.close().await;
}

/// A program with a newer migration than the database empties the views and reads them again from the log.
async fn an_older_database_is_read_again(postgres: &Postgres, stored: &[Stored], expected: &All) {
    let last = postgres.sql("SELECT description FROM _sqlx_migrations ORDER BY version DESC LIMIT 1");
    assert_eq!(last, "assignment", "this test undoes the newest migration: undo the one that is the newest now");
    postgres.sql("DROP TABLE assignment CASCADE; DELETE FROM _sqlx_migrations WHERE description = 'assignment'");
    postgres.sql("DELETE FROM current_enrollment");
    let views = Views::open(&postgres.url()).await.unwrap();
    assert_eq!(views.live().db().checkpoint().await.unwrap().position, Position(0));
    let log = with(stored, 0, None).await;
    let head = log.head().await.unwrap();
    let mut leading = Leading::start(log, &views);
    leading.reaches("caught up", |status| status.position == head && status.trouble().is_none()).await;
    assert!(all(&views.live().db(), head).await == *expected, "after a newer migration");
    leading.end().await;
    views.close().await;
}
