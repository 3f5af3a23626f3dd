//! Determinations about notices are events: recorded in the batch of what they follow from, once, and for expiries by the
//! sweep.

mod linked;

use std::sync::Arc;

use rollbook::health::Health;
use rollbook::log::{Log, MemoryLog, StreamSpec};
use rollbook::projector::{Projector, recorded};
use rollbook::recorder::{Committer, Histories, MOST_EVENTS, RecordError, Recorder, Recording, Sweep, Work};
use rollbook_events::families::notice::{Notice, NoticeDetermined};
use rollbook_events::{Actor, Envelope, Event, Hash, MemberId, Position, Subject, Submission, Whom};
use rollbook_projections::store::Db;
use rollbook_projections::store::read::{Filter, Page, Sight};
use rollbook_projections::{Rulebook, views};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const ALL: Sight = Sight::everything_for_the_ledger_itself();
const MEMBER: &str = "0b0b0b0b-0b0b-8b0b-8b0b-0b0b0b0b0b0b";

struct Desk {
    log: Arc<MemoryLog>,
    db: Db,
    recorder: Recorder,
    _folder: tempfile::TempDir,
}

fn id(n: u64) -> String {
    format!("018f3c1e-7a10-7c3d-9b4e-{n:012x}")
}

fn actor() -> Actor {
    Actor { org: "la-care".into(), id: "test".into(), role: "recorder".into() }
}

fn member() -> MemberId {
    MEMBER.parse().unwrap()
}

fn submission(n: u64, kind: &str, at: &str, data: Value) -> Value {
    json!({ "id": id(n), "kind": kind, "member": MEMBER, "plan": "la-care", "county": "los-angeles", "occurred_at": at, "data": data })
}

fn enrolled(n: u64) -> Value {
    let data = json!({ "enrollment": id(900), "program": "ecm", "basis": "opt_in", "channel": "plan_direct", "provider": "1234567893", "from": "2024-02-01" });
    submission(n, "enrolled", "2024-02-01", data)
}

fn disenrolled(n: u64) -> Value {
    let data = json!({ "enrollment": id(900), "until": "2024-06-01", "reason": "goals_met", "agreed_by": ["plan"] });
    submission(n, "disenrolled", "2024-05-02", data)
}

fn adopted(n: u64, text: &str) -> Value {
    json!({ "id": id(n), "kind": "rulebook_adopted", "plan": "dhcs", "county": "sacramento", "occurred_at": "2024-01-01",
            "data": { "hash": Hash::of(text.as_bytes()).to_string(), "text": text, "reason": "test" } })
}

impl Desk {
    /// A recorder under a rulebook, whose adoption stands at position 1.
    async fn under(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("views.db").display())).await.unwrap();
        let log = Arc::new(MemoryLog::new(StreamSpec::ENROLLMENT));
        let (recorder, queue) = Recorder::new();
        let committer = Committer::new(log.clone(), Histories::new(log.clone(), db.clone()), Health::default());
        tokio::spawn(committer.run(queue, CancellationToken::new()));
        let desk = Self { log, db, recorder, _folder: folder };
        desk.record(&[adopted(1, text)]).await.unwrap();
        desk
    }

    async fn new() -> Self {
        Self::under(Rulebook::built_in_text()).await
    }

    async fn record(&self, values: &[Value]) -> Result<Recording, RecordError> {
        let given = values.iter().map(|value| {
            let submission = Submission::from_value(value.clone()).unwrap();
            let subject = match &submission.whom {
                Whom::Rulebook => Subject::Rulebook,
                Whom::Member(member) => Subject::Member(*member),
                Whom::Cin(_) => unreachable!("the test names members"),
            };
            (subject, submission)
        });
        self.recorder.record(Work::Given(given.collect()), actor()).await
    }

    /// The member's events as the log holds them.
    async fn events(&self) -> Vec<(Position, Hash, Arc<Envelope>)> {
        let stored = self.log.read(&format!("enrollment.{MEMBER}")).await.unwrap();
        let recorded = stored.iter().map(|stored| recorded(stored).unwrap());
        recorded.map(|recorded| (recorded.position, recorded.hash, recorded.envelope)).collect()
    }

    /// The kinds of the member's events.
    async fn kinds(&self) -> Vec<&'static str> {
        self.events().await.iter().map(|(.., envelope)| envelope.event.name()).collect()
    }

    async fn project(&self) {
        let cancelled = CancellationToken::new();
        let (projector, mut status) = Projector::new(self.log.clone(), self.db.clone());
        let run = tokio::spawn(projector.run(cancelled.clone()));
        let head = self.log.head().await.unwrap();
        status.wait_for(|status| status.position >= head).await.unwrap();
        cancelled.cancel();
        run.await.unwrap();
    }

    /// The rows of the view today: whether an event tells of it, outcome and rule.
    async fn rows(&self) -> Vec<String> {
        let table = views::find("notice_determination").unwrap().table();
        let page = Page { order: None, after: None, most: 100 };
        let rows = self.db.page(&ALL, table, &Filter::default(), &page).await.unwrap();
        let told = rows.iter().map(|known| {
            let row = known.json(table);
            let told = if row["determination"].is_null() { "to come" } else { "told" };
            format!("{told} {} {}", row["outcome"].as_str().unwrap(), row["rule"].as_str().unwrap())
        });
        told.collect()
    }
}

fn told(envelope: &Envelope) -> &NoticeDetermined {
    let Event::Notice(Notice::NoticeDetermined(told)) = &envelope.event else { panic!("{}", envelope.event.name()) };
    told
}

#[tokio::test]
async fn a_determination_stands_behind_what_it_follows_from() {
    let desk = Desk::new().await;
    desk.record(&[enrolled(10)]).await.unwrap();
    let recording = desk.record(&[disenrolled(11)]).await.unwrap();
    let positions =
        |receipts: &[rollbook::recorder::Receipt]| receipts.iter().map(|r| r.position.0).collect::<Vec<_>>();
    assert_eq!((positions(&recording.receipts), positions(&recording.determined)), (vec![3], vec![4]));
    let events = desk.events().await;
    let [_, (_, hash, ended), (position, _, determined)] = &events[..] else { panic!("{:?}", desk.kinds().await) };
    assert_eq!((position.0, determined.previous), (4, Some(*hash)));
    assert_eq!((determined.causation, told(determined).trigger), (Some(ended.id), ended.id));
    assert_eq!((&determined.plan, determined.county), (&ended.plan, ended.county));
    assert_eq!((determined.actor.org.as_str(), determined.actor.role.as_str()), ("rollbook", "ledger"));
    assert_eq!(determined.occurred_at.earliest().utc(), determined.recorded_at);
    assert_eq!((told(determined).known_at, told(determined).outcome.as_str()), (Position(2), "required"));
    assert_eq!(told(determined).rulebook.hash, Hash::of(Rulebook::built_in_text().as_bytes()));
    assert!(ended.recorded_at <= determined.recorded_at);
}

#[tokio::test]
async fn the_same_events_again_determine_nothing_again() {
    let desk = Desk::new().await;
    let both = [enrolled(10), disenrolled(11)];
    let first = desk.record(&both).await.unwrap();
    assert_eq!((first.receipts.len(), first.determined.len()), (2, 1));
    assert_eq!(told(&desk.events().await[2].2).known_at, Position(0), "nothing of the member was in the log");
    let again = desk.record(&both).await.unwrap();
    assert!(again.determined.is_empty() && again.receipts.iter().all(|receipt| receipt.known));
    assert_eq!(desk.kinds().await, ["enrolled", "disenrolled", "notice_determined"]);
}

#[tokio::test]
async fn what_is_refused_leaves_no_determination_behind() {
    let desk = Desk::new().await;
    let unknown = json!({ "event": id(77), "reason": "x", "approved_by": "y" });
    let refused =
        desk.record(&[enrolled(10), disenrolled(11), submission(12, "event_voided", "2024-05-03", unknown)]).await;
    assert!(matches!(refused, Err(RecordError::Rejected { index: 2, .. })), "{refused:?}");
    assert!(desk.kinds().await.is_empty());
    desk.record(&[enrolled(10), disenrolled(11)]).await.unwrap();
    let void = json!({ "event": id(11), "reason": "in error", "approved_by": "y" });
    desk.record(&[submission(13, "event_voided", "2024-05-03", void)]).await.unwrap();
    let events = desk.events().await;
    assert_eq!(
        desk.kinds().await,
        ["enrolled", "disenrolled", "notice_determined", "event_voided", "notice_determined"]
    );
    assert_eq!(told(&events[4].2).supersedes, Some(events[2].2.id));
    desk.project().await;
    assert_eq!(desk.rows().await.len(), 2);
}

#[tokio::test]
async fn a_row_of_a_file_is_determined_like_any_other_fact() {
    let desk = Desk::new().await;
    let make = |_: &rollbook_projections::Dossier| {
        Ok([enrolled(10), disenrolled(11)].into_iter().map(|value| Submission::from_value(value).unwrap()).collect())
    };
    let row = Work::Row { member: member(), make: Box::new(make) };
    let recording = desk.recorder.record(row, actor()).await.unwrap();
    assert_eq!((recording.receipts.len(), recording.determined.len()), (2, 1));
}

#[tokio::test]
async fn determinations_count_among_the_events_of_a_request() {
    let desk = Desk::new().await;
    let most = u64::try_from(MOST_EVENTS).unwrap();
    let mut many = vec![enrolled(10), disenrolled(11)];
    many.extend(
        (0..most - 2).map(|n| submission(100 + n, "member_looked_up", "2024-03-01", json!({ "system": "hmis" }))),
    );
    assert!(matches!(desk.record(&many).await, Err(RecordError::TooMany)));
    assert!(desk.kinds().await.is_empty());
    many.pop();
    let recording = desk.record(&many).await.unwrap();
    assert_eq!(recording.receipts.len() + recording.determined.len(), MOST_EVENTS);
}

#[tokio::test]
async fn an_expiry_that_nobody_told_of_is_swept_up_once() {
    let silent = "[[overlay]]\nfile = \"own.toml\"\ntext = '''\nplan = \"la-care\"\n[authorization]\nclock = []\n'''\n";
    let desk = Desk::under(&format!("{}\n{silent}", Rulebook::built_in_text())).await;
    let asked = json!({ "authorization": id(901), "program": "ecm", "urgency": "standard", "requested_by": "member", "received_at": "2024-03-01T09:00:00-08:00" });
    desk.record(&[submission(10, "authorization_requested", "2024-03-01", asked)]).await.unwrap();
    assert_eq!(desk.kinds().await, ["authorization_requested"], "no clock runs");
    desk.record(&[adopted(11, Rulebook::built_in_text())]).await.unwrap();
    desk.project().await;
    assert_eq!(desk.rows().await, ["to come required CLK-5"]);
    let sweep = Sweep::new(desk.db.clone(), desk.recorder.clone());
    assert_eq!(sweep.once().await.unwrap(), 1);
    assert_eq!(sweep.once().await.unwrap(), 0, "the view still lags, and the recorder knows better");
    desk.project().await;
    assert_eq!(desk.rows().await, ["told required CLK-5"]);
    assert_eq!(sweep.once().await.unwrap(), 0);
    assert_eq!(desk.kinds().await, ["authorization_requested", "notice_determined"]);
}

#[tokio::test]
async fn facts_of_the_past_let_no_clock_run_out_that_the_next_of_them_stops() {
    let desk = Desk::new().await;
    let asked = json!({ "authorization": id(901), "program": "ecm", "urgency": "standard", "requested_by": "member", "received_at": "2024-03-01T09:00:00-08:00" });
    desk.record(&[submission(10, "authorization_requested", "2024-03-01", asked)]).await.unwrap();
    desk.record(&[submission(11, "member_looked_up", "2024-03-08", json!({ "system": "hmis" }))]).await.unwrap();
    assert_eq!(desk.kinds().await, ["authorization_requested", "member_looked_up"]);
    // The clock's last day was 8 March.
    desk.record(&[submission(12, "member_looked_up", "2024-03-09", json!({ "system": "hmis" }))]).await.unwrap();
    assert_eq!(desk.kinds().await.last(), Some(&"notice_determined"));
    desk.project().await;
    assert_eq!(desk.rows().await, ["told required CLK-5"]);
}
