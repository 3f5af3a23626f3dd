use chrono::NaiveDate;
use rollbook_events::families::referral::Referral;
use rollbook_events::identity::IdentityRecorded;
use rollbook_events::identity::sealed::IdentityEvent;
use rollbook_events::{Actor, Event, Hash, Occurred};
use uuid::Uuid;

use super::destroying::NotDestroyed;
use super::*;
use crate::identity_keys::WrappingKeys;
use crate::log::{AppendError, Erasable, MemoryLog, StreamSpec};

/// The two streams, and whoever begins on them.
#[derive(Clone)]
struct Streams {
    identities: Arc<MemoryLog>,
    keys: Arc<MemoryLog>,
}

impl Streams {
    fn new() -> Self {
        let log = |spec| Arc::new(MemoryLog::new(spec));
        Self { identities: log(StreamSpec::IDENTITY), keys: log(StreamSpec::IDENTITY_KEYS) }
    }

    async fn index(&self) -> IdentityIndex {
        let keys: Arc<dyn Erasable> = self.keys.clone();
        let keys = KeyStore::new(keys, WrappingKeys::parse(&"a".repeat(64)).unwrap());
        let (key, health) = (LedgerKey::new([1; 32]), Health::default());
        let index = IdentityIndex::follow(self.identities.clone(), keys, &key, health, CancellationToken::new()).await;
        let index = index.unwrap();
        index.caught_up().await.unwrap();
        index
    }

    async fn bodies(&self) -> Vec<String> {
        let bodies = self.identities.some_after(Position(0)).await.unwrap();
        bodies.into_iter().map(|stored| String::from_utf8(stored.body.to_vec()).unwrap()).collect()
    }
}

fn member(number: u128) -> MemberId {
    MemberId(Uuid::from_u128(number))
}

fn told(number: u128, born_on: Option<&str>, file: u8) -> Told {
    let mut identity = Identity::of("91234567A".parse().unwrap());
    identity.last_name = Some("Fakename".to_owned());
    identity.born_on = born_on.map(|day| day.parse().unwrap());
    let source = IdentitySource { system: "mif".to_owned(), file_sha256: Some(Hash::of(&[file])), row: Some(2) };
    Told { member: member(number), identity, source }
}

async fn age(index: &IdentityIndex, number: u128, day: &str) -> Option<u8> {
    let identified = serde_json::json!({ "program": "ecm", "pathway": "plan_data" });
    let mut event = Event::Referral(Referral::MemberIdentified(serde_json::from_value(identified).unwrap()));
    index.want_ages(std::iter::once((member(number), &event))).await.unwrap();
    let day: NaiveDate = day.parse().unwrap();
    index.fill_age(member(number), Occurred::Day(day), &mut event);
    let Event::Referral(referral) = event else { panic!("another kind") };
    referral.age_years()
}

fn actor() -> Actor {
    Actor { org: "la-care".to_owned(), id: "a".to_owned(), role: "operator".to_owned() }
}

#[tokio::test]
async fn what_is_new_is_sealed_and_known_again_by_whoever_begins_anew() {
    let streams = Streams::new();
    let index = streams.index().await;
    let said = [told(1, Some("1970-01-02"), 1), told(2, None, 1), told(1, Some("1970-01-02"), 1)];
    assert_eq!(index.record(&said).await.unwrap(), [News::New, News::New, News::SaidHere]);
    for body in streams.bodies().await {
        assert!(!body.contains("91234567") && !body.contains("Fakename") && !body.contains("1970"), "{body}");
    }
    for index in [index, streams.index().await] {
        assert_eq!(index.record(&said[..1]).await.unwrap(), [News::SaidHere]);
        assert_eq!(index.record(&[told(1, Some("1970-01-02"), 2)]).await.unwrap(), [News::Said]);
        assert_eq!(age(&index, 1, "2000-01-02").await, Some(30));
        assert_eq!(age(&index, 2, "2000-01-02").await, None);
        assert_eq!(format!("{index:?}"), "IdentityIndex { .. }");
    }
    assert_eq!((streams.bodies().await.len(), streams.keys.some_after(Position(0)).await.unwrap().len()), (2, 2));
}

#[tokio::test]
async fn a_later_birth_date_counts_for_an_index_that_kept_an_earlier_one() {
    let streams = Streams::new();
    let [one, two] = [streams.index().await, streams.index().await];
    one.record(&[told(1, Some("1970-01-02"), 1)]).await.unwrap();
    two.caught_up().await.unwrap();
    assert_eq!((age(&one, 1, "2000-01-02").await, age(&two, 1, "2000-01-02").await), (Some(30), Some(30)));
    two.record(&[told(1, Some("1960-01-02"), 2)]).await.unwrap();
    one.caught_up().await.unwrap();
    assert_eq!((age(&one, 1, "2000-01-02").await, age(&two, 1, "2000-01-02").await), (Some(40), Some(40)));
}

#[tokio::test]
async fn after_a_destruction_nobody_knows_the_person_and_a_new_key_begins() {
    let streams = Streams::new();
    let [one, two] = [streams.index().await, streams.index().await];
    one.record(&[told(1, Some("1970-01-02"), 1), told(2, Some("1970-01-02"), 1)]).await.unwrap();
    let done = one.destroy(member(1), "misfiled", &actor()).await.unwrap();
    assert_eq!((done.keys.len(), done.already, done.sealed, done.in_clear), (1, false, 1, 0));
    two.caught_up().await.unwrap();
    for index in [&one, &two, &streams.index().await] {
        assert_eq!((age(index, 1, "2000-01-02").await, age(index, 2, "2000-01-02").await), (None, Some(30)));
        assert_eq!(index.all_destroyed(), [(member(1), done.keys[0])]);
    }
    let again = one.destroy(member(1), "misfiled", &actor()).await.unwrap();
    assert_eq!((again.keys, again.already), (done.keys.clone(), true));
    assert_eq!(streams.bodies().await.len(), 3, "what is said again is recorded once");

    assert_eq!(two.record(&[told(1, Some("1970-01-02"), 1)]).await.unwrap(), [News::New]);
    assert_eq!(age(&two, 1, "2000-01-02").await, Some(30));
    let third = two.destroy(member(1), "again", &actor()).await.unwrap();
    assert!(third.keys != done.keys && third.sealed == 2);
    assert!(matches!(two.destroy(member(9), "nobody", &actor()).await, Err(NotDestroyed::Unknown)));
}

#[tokio::test]
async fn who_was_recorded_in_clear_is_known_and_told_to_be_unprotected() {
    let streams = Streams::new();
    let Told { member: whom, identity, source } = told(1, Some("1970-01-02"), 1);
    let recorded = IdentityRecorded {
        id: rollbook_events::EventId(Uuid::from_u128(5)),
        member: whom,
        recorded_at: "2026-03-01T10:00:00-08:00".parse().unwrap(),
        source,
        identity,
    };
    let message = recording::to_store(&IdentityEvent::InClear(Box::new(recorded))).unwrap();
    streams.identities.append(&[message]).await.unwrap();
    let index = streams.index().await;
    assert_eq!(index.record(&[told(1, Some("1970-01-02"), 1)]).await.unwrap(), [News::SaidHere]);
    assert_eq!(age(&index, 1, "2000-01-02").await, Some(30));
    let refused = index.destroy(whom, "misfiled", &actor()).await;
    assert!(matches!(refused, Err(NotDestroyed::InClear { messages: 1 })));
    // What is said from now on is sealed, and destroying that says what is left.
    assert_eq!(index.record(&[told(1, Some("1970-01-03"), 2)]).await.unwrap(), [News::New]);
    let done = index.destroy(whom, "misfiled", &actor()).await.unwrap();
    assert_eq!((done.sealed, done.in_clear), (1, 1));
    assert_eq!(format!("{:?}", done.called), "[phi]");
}

#[tokio::test]
async fn nothing_more_is_recorded_of_whose_key_is_lost_until_that_is_told() {
    let streams = Streams::new();
    streams.index().await.record(&[told(1, None, 1), told(2, None, 1)]).await.unwrap();
    streams.keys.erase(Position(1)).await.unwrap();
    let index = streams.index().await;
    let refused = index.record(&[told(1, None, 3), told(1, Some("1970-01-02"), 3)]).await;
    assert!(matches!(&refused, Err(AppendError::Stayed { cause }) if cause.contains("restore-keys")), "{refused:?}");
    let (identities, keys) = (&*streams.identities, &*streams.keys);
    let lost = crate::identity_keys::lost::lost(identities, keys, |_| {}).await.unwrap();
    assert_eq!(lost.iter().map(|(member, _)| *member).collect::<Vec<_>>(), [member(1)]);
    crate::identity_keys::lost::give_up(identities, keys, &lost, "no backup", |_| {}).await.unwrap();
    index.caught_up().await.unwrap();
    assert_eq!(index.record(&[told(1, Some("1970-01-02"), 3)]).await.unwrap(), [News::New]);
    assert_eq!(crate::identity_keys::lost::lost(identities, keys, |_| {}).await.unwrap(), []);
}
