use super::*;
use crate::log::MemoryLog;

/// A log whose server can be replaced by another while nobody looks.
struct Replaceable {
    now: Mutex<(MemoryLog, u64)>,
    /// What takes its place while the next append is under way.
    meanwhile: Mutex<Option<MemoryLog>>,
}

impl Replaceable {
    fn now(&self) -> MemoryLog {
        self.now.lock().unwrap().0.clone()
    }

    fn replace(&self, by: MemoryLog) {
        let mut now = self.now.lock().unwrap();
        *now = (by, now.1 + 1);
    }
}

#[async_trait]
impl Log for Replaceable {
    async fn append(&self, batch: &[Message]) -> Result<Vec<Position>, AppendError> {
        if let Some(by) = self.meanwhile.lock().unwrap().take() {
            self.replace(by);
        }
        self.now().append(batch).await
    }

    async fn last(&self, subject: &str) -> Result<Option<Stored>, ReadError> {
        self.now().last(subject).await
    }

    async fn read(&self, subject: &str) -> Result<Vec<Stored>, ReadError> {
        self.now().read(subject).await
    }

    async fn some_of(&self, subject: &str, after: Position, most: usize) -> Result<Vec<Stored>, ReadError> {
        self.now().some_of(subject, after, most).await
    }

    async fn get(&self, position: Position) -> Result<Option<Stored>, ReadError> {
        self.now().get(position).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.now().head().await
    }

    async fn follow(&self, after: Position) -> Result<BoxStream<'static, Result<Stored, ReadError>>, ReadError> {
        self.now().follow(after).await
    }

    async fn check(&self) -> Result<(), SettingsError> {
        Ok(())
    }

    fn connection(&self) -> Option<u64> {
        Some(self.now.lock().unwrap().1)
    }
}

fn message(id: &str) -> Message {
    Message {
        subject: format!("enrollment.{id}"),
        id: id.to_owned(),
        expected: None,
        headers: Vec::new(),
        body: Bytes::from(format!("{{\"id\":\"{id}\"}}")),
    }
}

async fn log_of(ids: &[&str]) -> MemoryLog {
    let log = MemoryLog::new(StreamSpec::ENROLLMENT);
    for id in ids {
        log.append(&[message(id)]).await.unwrap();
    }
    log
}

async fn guarded(ids: &[&str], receipt: Option<Receipt>) -> (Arc<Replaceable>, AcknowledgedLog, Health) {
    let now = Mutex::new((log_of(ids).await, 1));
    let (inner, health) = (Arc::new(Replaceable { now, meanwhile: Mutex::default() }), Health::default());
    let log = AcknowledgedLog::new(inner.clone(), StreamSpec::ENROLLMENT, receipt, health.clone());
    (inner, log, health)
}

fn receipt(position: u64, id: &str) -> Receipt {
    Receipt { position: Position(position), sha256: Hash::of(&message(id).body) }
}

#[tokio::test]
async fn the_receipt_is_of_what_was_acknowledged_last() {
    let (_, log, health) = guarded(&[], None).await;
    assert_eq!(log.receipt(), None);
    log.append(&[message("a"), message("b")]).await.unwrap();
    assert_eq!(log.receipt(), Some(receipt(2, "b")));
    log.compare().await.unwrap();
    assert_eq!(health.troubles(), []);
}

#[tokio::test]
async fn without_a_receipt_what_the_stream_holds_counts_as_acknowledged() {
    let (_, log, _) = guarded(&["a", "b"], None).await;
    log.compare().await.unwrap();
    assert_eq!(log.receipt(), Some(receipt(2, "b")));
}

#[tokio::test]
async fn a_stream_that_lost_its_end_is_not_written_to() {
    let (inner, log, health) = guarded(&[], None).await;
    log.append(&[message("a"), message("b")]).await.unwrap();
    inner.replace(log_of(&["a"]).await);
    let refused = log.append(&[message("c")]).await;
    assert!(matches!(refused, Err(AppendError::Stayed { .. })), "{refused:?}");
    let cause = health.refusal().unwrap();
    assert_eq!(
        cause,
        "the stream ENROLLMENT ends at 1, but 2 was acknowledged: restore it from the archive (rollbook restore)"
    );
    assert_eq!(inner.head().await.unwrap(), Position(1));
}

#[tokio::test]
async fn another_event_where_the_acknowledged_one_stood_is_seen() {
    let (inner, log, health) = guarded(&[], Some(receipt(2, "b"))).await;
    inner.replace(log_of(&["a", "x", "c"]).await);
    assert!(matches!(log.compare().await, Err(Loss::Other { position: Position(2), .. })));
    assert!(matches!(log.append(&[message("d")]).await, Err(AppendError::Stayed { .. })));
    assert!(health.refusal().unwrap().contains("is not the one that was acknowledged"));
}

#[tokio::test]
async fn a_position_given_out_before_is_not_acknowledged_again() {
    let (inner, log, health) = guarded(&[], None).await;
    log.append(&[message("a"), message("b")]).await.unwrap();
    // The stream loses its end between the question and the answer.
    *inner.meanwhile.lock().unwrap() = Some(log_of(&["a"]).await);
    let outcome = log.append(&[message("c")]).await;
    assert!(matches!(outcome, Err(AppendError::Unknown { .. })), "{outcome:?}");
    assert!(health.refusal().is_some());
    assert_eq!(log.receipt(), Some(receipt(2, "b")), "the receipt still tells what is missing");
    assert!(matches!(log.append(&[message("d")]).await, Err(AppendError::Stayed { .. })));
}

#[tokio::test]
async fn a_stream_made_anew_on_the_same_connection_is_seen_by_its_first_position() {
    let (inner, log, health) = guarded(&[], None).await;
    log.append(&[message("a"), message("b")]).await.unwrap();
    inner.now.lock().unwrap().0 = log_of(&[]).await;
    assert!(matches!(log.append(&[message("c")]).await, Err(AppendError::Unknown { .. })));
    let cause = health.refusal().unwrap();
    assert!(cause.contains("gave out position 1 after 2 was acknowledged"), "{cause}");
}

#[tokio::test]
async fn nothing_is_appended_while_anything_forbids_it() {
    let (inner, log, health) = guarded(&[], None).await;
    health.red("disk", "1 MB is free", Forbids::Recording, clock::now());
    let refused = log.append(&[message("a")]).await;
    assert!(matches!(refused, Err(AppendError::Stayed { cause }) if cause == "1 MB is free"));
    assert_eq!(inner.head().await.unwrap(), Position(0));
    health.green("disk");
    log.append(&[message("a")]).await.unwrap();
}

#[tokio::test]
async fn what_stands_already_may_be_found_again_below_what_was_acknowledged_since() {
    let (_, log, health) = guarded(&["a", "b", "c"], Some(receipt(3, "c"))).await;
    assert_eq!(log.append(&[message("b")]).await.unwrap(), [Position(2)]);
    assert_eq!((health.refusal(), log.receipt().map(|receipt| receipt.position)), (None, Some(Position(3))));
}
