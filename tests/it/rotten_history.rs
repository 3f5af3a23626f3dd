//! A recorder decides on what the log holds, also where the audit view that it usually reads has rotted on its disk.

use std::sync::Arc;

use rollbook::health::Health;
use rollbook::log::{Log, MemoryLog, StreamSpec};
use rollbook::recorder::{Committer, Histories, Receipt, Recorder, Work};
use rollbook_events::{MemberId, Position, Subject, Submission};
use rollbook_projections::Rulebook;
use rollbook_projections::store::Db;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::views_on_both::{actor, id, lite, member, project, record, rulebook};

/// What becomes of the third event, the second of its member, in the view.
const ROT: [&str; 4] = [
    "DELETE FROM event_history WHERE position = 3",
    "UPDATE event_history SET event = replace(event, '\"nobody\"', '\"member\"') WHERE position = 3",
    "UPDATE event_history SET event = substr(event, 1, 60) WHERE position = 3",
    "UPDATE event_history SET hash = replace(hash, substr(hash, 9, 1), 'z') WHERE position = 3",
];

fn recorder(log: &Arc<MemoryLog>, db: &Db) -> Recorder {
    let (recorder, queue) = Recorder::new();
    let histories = Histories::new(log.clone(), db.clone());
    tokio::spawn(Committer::new(log.clone(), histories, Health::default()).run(queue, CancellationToken::new()));
    recorder
}

fn attempt(n: u64) -> Value {
    json!({
        "id": id(n), "kind": "outreach_attempted", "member": member(1), "plan": "la-care", "county": "los-angeles",
        "occurred_at": format!("2024-02-0{n}T10:00:00-08:00"),
        "data": { "program": "ecm", "channel": "phone", "individualized": true, "response_invited": true,
            "reached": "nobody", "staff": "clinical", "provider": "1234567893" }
    })
}

async fn sent_again(recorder: &Recorder, n: u64) -> Receipt {
    let member: MemberId = member(1).parse().unwrap();
    let work = Work::Given(vec![(Subject::Member(member), Submission::from_value(attempt(n)).unwrap())]);
    recorder.record(work, actor()).await.unwrap().receipts.remove(0)
}

#[tokio::test]
async fn what_is_sent_again_is_known_whatever_has_rotted() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(MemoryLog::new(StreamSpec::ENROLLMENT));
    let first = recorder(&log, &lite(folder.path(), "first.db").await);
    record(&first, rulebook(Rulebook::built_in_text(), 9_000)).await;
    for n in 1..=3 {
        record(&first, attempt(n)).await;
    }
    let head = log.head().await.unwrap();
    for (number, rot) in ROT.into_iter().enumerate() {
        let name = format!("{number}.db");
        let db = lite(folder.path(), &name).await;
        project(&log, &db).await;
        let hurt = rusqlite::Connection::open(folder.path().join(&name)).unwrap().execute(rot, ()).unwrap();
        assert_eq!(hurt, 1, "{rot}");
        let again = sent_again(&recorder(&log, &db), 2).await;
        assert!(again.known && again.position == Position(3), "{rot}: {again:?}");
        assert_eq!(log.head().await.unwrap(), head, "{rot}");
    }
}
