//! While one flight is on its way to the log the next is decided; whom the first is about waits for it, and nobody is
//! answered before the log has what it asked for. A few strangers fly each by himself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use rollbook::health::Health;
use rollbook::log::{AppendError, Log, MemoryLog, Message, ReadError, SettingsError, Stored, StreamSpec};
use rollbook::projector::recorded;
use rollbook::recorder::{Committer, Histories, RecordError, Recorder, Recording, Work};
use rollbook_events::{Actor, Hash, MemberId, Position, Subject, Submission, Whom};
use rollbook_projections::Rulebook;
use rollbook_projections::store::Db;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A log that stores when it is let, and may be told to lose a batch without storing it; or to say of two that another
/// writer was first, and then to be gone for whoever reads.
struct Gated {
    inner: MemoryLog,
    gate: Semaphore,
    asked: watch::Sender<usize>,
    sizes: std::sync::Mutex<Vec<usize>>,
    lose: AtomicUsize,
    contest: AtomicUsize,
}

impl Gated {
    fn asked(&self) -> usize {
        *self.asked.borrow()
    }
}

#[async_trait]
impl Log for Gated {
    async fn append(&self, batch: &[Message]) -> Result<Vec<Position>, AppendError> {
        self.sizes.lock().unwrap().push(batch.len());
        self.asked.send_modify(|asked| *asked += 1);
        self.gate.acquire().await.unwrap().forget();
        if self.lose.load(Ordering::SeqCst) == self.asked() {
            return Err(AppendError::Unavailable { source: "lost".into() });
        }
        let contested = self.contest.load(Ordering::SeqCst);
        if (contested..contested + 2).contains(&self.asked()) {
            return Err(AppendError::Conflict { subject: None, last: None });
        }
        self.inner.append(batch).await
    }
    async fn last(&self, subject: &str) -> Result<Option<Stored>, ReadError> {
        self.inner.last(subject).await
    }
    async fn read(&self, subject: &str) -> Result<Vec<Stored>, ReadError> {
        if self.contest.load(Ordering::SeqCst) + 1 == self.asked() {
            return Err(ReadError::Unavailable { source: "gone".into() });
        }
        self.inner.read(subject).await
    }
    async fn some_of(&self, subject: &str, after: Position, most: usize) -> Result<Vec<Stored>, ReadError> {
        self.inner.some_of(subject, after, most).await
    }
    async fn get(&self, position: Position) -> Result<Option<Stored>, ReadError> {
        self.inner.get(position).await
    }
    async fn head(&self) -> Result<Position, ReadError> {
        self.inner.head().await
    }
    async fn follow(&self, after: Position) -> Result<BoxStream<'static, Result<Stored, ReadError>>, ReadError> {
        self.inner.follow(after).await
    }
    async fn check(&self) -> Result<(), SettingsError> {
        self.inner.check().await
    }
}

type Answer = JoinHandle<Result<Recording, RecordError>>;

struct Desk {
    log: Arc<Gated>,
    recorder: Recorder,
    _folder: tempfile::TempDir,
}

fn member(n: u128) -> MemberId {
    MemberId(Uuid::from_u128(n + 1))
}

/// What a member's n-th day brings.
fn observed(of: u128, day: u32) -> Value {
    json!({ "id": Uuid::from_u128(of * 100 + u128::from(day) + (1 << 64)), "kind": "housing_observed", "member": member(of).to_string(),
            "plan": "la-care", "county": "los-angeles", "occurred_at": format!("2024-02-{day:02}"),
            "data": { "housed": true, "on": format!("2024-02-{day:02}") } })
}

impl Desk {
    /// A recorder whose rulebook is adopted, over a log whose gate is closed.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("views.db").display())).await.unwrap();
        let inner = MemoryLog::new(StreamSpec::ENROLLMENT);
        let (gate, asked, never) = (Semaphore::new(1), watch::Sender::new(0), || AtomicUsize::new(1_000));
        let (lose, contest) = (never(), never());
        let log = Arc::new(Gated { inner, gate, asked, sizes: std::sync::Mutex::default(), lose, contest });
        let (recorder, queue) = Recorder::new();
        let committer = Committer::new(log.clone(), Histories::new(log.clone(), db), Health::default());
        tokio::spawn(committer.run(queue, CancellationToken::new()));
        let desk = Self { log, recorder, _folder: folder };
        let text = Rulebook::built_in_text();
        let adopted = json!({ "id": Uuid::from_u128(1), "kind": "rulebook_adopted", "plan": "dhcs", "county": "sacramento", "occurred_at": "2024-01-01",
            "data": { "hash": Hash::of(text.as_bytes()).to_string(), "text": text, "reason": "test" } });
        desk.ask(&[adopted]).await.unwrap().unwrap();
        desk
    }

    fn ask(&self, values: &[Value]) -> Answer {
        let given = values.iter().map(|value| {
            let submission = Submission::from_value(value.clone()).unwrap();
            let subject = match &submission.whom {
                Whom::Rulebook => Subject::Rulebook,
                Whom::Member(member) => Subject::Member(*member),
                Whom::Cin(_) => unreachable!("the test names members"),
            };
            (subject, submission)
        });
        let (recorder, given) = (self.recorder.clone(), given.collect());
        let actor = Actor { org: "la-care".into(), id: "test".into(), role: "recorder".into() };
        tokio::spawn(async move { recorder.record(Work::Given(given), actor).await })
    }

    /// Waits until the log was asked so often to append.
    async fn asked(&self, times: usize) {
        let mut asked = self.log.asked.subscribe();
        tokio::time::timeout(Duration::from_secs(30), asked.wait_for(|asked| *asked >= times)).await.unwrap().unwrap();
    }

    fn sizes(&self) -> Vec<usize> {
        self.log.sizes.lock().unwrap().clone()
    }

    /// The hash each event of a member names, and its own.
    async fn chain(&self, of: u128) -> Vec<(Option<Hash>, Hash)> {
        let stored = self.log.read(&format!("enrollment.{}", member(of))).await.unwrap();
        let recorded = stored.iter().map(|stored| recorded(stored).unwrap());
        recorded.map(|recorded| (recorded.envelope.previous, recorded.hash)).collect()
    }
}

/// Requests about this many others, which is enough to be decided while a batch is in flight.
const OTHERS: u128 = 40;

async fn all(answers: Vec<Answer>) -> usize {
    let mut recorded = 0;
    for answer in answers {
        recorded += usize::from(answer.await.unwrap().is_ok());
    }
    recorded
}

#[tokio::test]
async fn whom_a_flight_is_about_waits_for_it_and_joins_the_next() {
    let desk = Desk::new().await;
    let first = desk.ask(&[observed(0, 1)]);
    desk.asked(2).await;
    // One of them is about the member in flight and another one: it waits whole.
    let both = desk.ask(&[observed(0, 2), observed(1, 1)]);
    let others: Vec<Answer> = (2..2 + OTHERS).map(|n| desk.ask(&[observed(n, 1)])).collect();
    tokio::task::yield_now().await;
    assert!(!first.is_finished() && desk.sizes() == [1, 1], "nothing is answered, nothing more is in flight");
    desk.log.gate.add_permits(100);
    assert!(first.await.unwrap().is_ok() && both.await.unwrap().is_ok());
    assert_eq!(all(others).await, OTHERS as usize);
    let chain = desk.chain(0).await;
    assert_eq!((chain.len(), chain[1].0), (2, Some(chain[0].1)));
    let sizes = desk.sizes();
    assert!(sizes.len() <= 5 && sizes.iter().sum::<usize>() == 4 + OTHERS as usize, "they shared batches: {sizes:?}");
}

#[tokio::test]
async fn nothing_stays_of_what_was_decided_beside_a_flight_that_failed() {
    let desk = Desk::new().await;
    desk.log.lose.store(2, Ordering::SeqCst);
    let first = desk.ask(&[observed(0, 1)]);
    desk.asked(2).await;
    let again = desk.ask(&[observed(0, 2)]);
    let others: Vec<Answer> = (2..2 + OTHERS).map(|n| desk.ask(&[observed(n, 1)])).collect();
    desk.log.gate.add_permits(100);
    assert!(matches!(first.await.unwrap(), Err(RecordError::Unavailable { .. })));
    assert!(again.await.unwrap().is_ok());
    assert_eq!(all(others).await, OTHERS as usize);
    let chain = desk.chain(0).await;
    assert_eq!((chain.len(), chain[0].0), (1, None), "it follows on nothing that was lost");
}

#[tokio::test]
async fn nothing_stays_of_what_another_writer_was_before_and_nobody_could_read() {
    let desk = Desk::new().await;
    desk.log.contest.store(2, Ordering::SeqCst);
    desk.log.gate.add_permits(100);
    let first = desk.ask(&[observed(0, 1)]);
    assert!(matches!(first.await.unwrap(), Err(RecordError::Unavailable { .. })));
    assert_eq!(desk.sizes(), [1, 1, 1], "it was contested twice");
    desk.log.contest.store(1_000, Ordering::SeqCst);
    assert!(desk.ask(&[observed(0, 2)]).await.unwrap().is_ok());
    let chain = desk.chain(0).await;
    assert_eq!((chain.len(), chain[0].0), (1, None), "it follows on nothing that was never stored");
}

#[tokio::test]
async fn an_id_in_flight_names_no_other_members_event() {
    let desk = Desk::new().await;
    let first = desk.ask(&[observed(0, 1)]);
    desk.asked(2).await;
    let mut stolen = observed(7, 1);
    stolen["id"] = observed(0, 1)["id"].clone();
    let thief = desk.ask(&[stolen]);
    let others: Vec<Answer> = (10..10 + OTHERS).map(|n| desk.ask(&[observed(n, 1)])).collect();
    // It is refused while the flight is still on its way, and needs no log for that.
    assert!(matches!(thief.await.unwrap(), Err(RecordError::Rejected { .. })));
    desk.log.gate.add_permits(100);
    assert!(first.await.unwrap().is_ok());
    assert_eq!(all(others).await, OTHERS as usize);
    assert!(desk.chain(7).await.is_empty());
}

#[tokio::test]
async fn under_a_rulebook_in_flight_nothing_is_decided() {
    let desk = Desk::new().await;
    let text = format!("{}\n", Rulebook::built_in_text());
    let adopted = json!({ "id": Uuid::from_u128(2), "kind": "rulebook_adopted", "plan": "dhcs", "county": "sacramento", "occurred_at": "2024-01-02",
        "data": { "hash": Hash::of(text.as_bytes()).to_string(), "text": text, "reason": "test" } });
    desk.log.lose.store(2, Ordering::SeqCst);
    let adoption = desk.ask(&[adopted]);
    desk.asked(2).await;
    let others: Vec<Answer> = (0..OTHERS).map(|n| desk.ask(&[observed(n, 1)])).collect();
    desk.log.gate.add_permits(100);
    assert!(adoption.await.unwrap().is_err(), "it was lost, and so nobody was decided on under it");
    assert_eq!(all(others).await, OTHERS as usize);
    assert_eq!(desk.log.read("enrollment.rulebook").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_few_strangers_are_stored_each_by_himself_and_one_that_another_writer_was_before_concerns_no_other() {
    let desk = Desk::new().await;
    let first = desk.ask(&[observed(0, 1)]);
    desk.asked(2).await;
    // The third and the fourth that the log is asked to append will find another writer before them.
    desk.log.contest.store(3, Ordering::SeqCst);
    let strangers: Vec<Answer> = (1..4).map(|n| desk.ask(&[observed(n, 1)])).collect();
    tokio::task::yield_now().await;
    desk.log.gate.add_permits(100);
    assert!(first.await.unwrap().is_ok());
    assert_eq!(all(strangers).await, 3);
    assert_eq!(desk.sizes(), [1; 7], "three by themselves, and the two that were contested again");
    for n in 1..4 {
        assert_eq!(desk.chain(n).await.len(), 1);
    }
}

#[tokio::test]
async fn what_is_about_one_member_flies_together() {
    let desk = Desk::new().await;
    let first = desk.ask(&[observed(0, 1)]);
    desk.asked(2).await;
    let same = [desk.ask(&[observed(1, 1)]), desk.ask(&[observed(1, 2)]), desk.ask(&[observed(2, 1)])];
    tokio::task::yield_now().await;
    desk.log.gate.add_permits(100);
    assert!(first.await.unwrap().is_ok());
    assert_eq!(all(same.into()).await, 3);
    assert_eq!(desk.sizes(), [1, 1, 3]);
    let chain = desk.chain(1).await;
    assert_eq!((chain.len(), chain[1].0), (2, Some(chain[0].1)));
}
