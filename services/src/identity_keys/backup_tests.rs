use std::sync::Arc;

use rollbook_events::identity::sealed::IdentityDestroyed;
use rollbook_events::{Actor, EventId};
use uuid::Uuid;

use super::super::keystore::{Found, KeyStore};
use super::super::wrapping::WrappingKeys;
use super::*;
use crate::log::{MemoryLog, Message, StreamSpec};

fn member(number: u128) -> MemberId {
    MemberId(Uuid::from_u128(number))
}

fn store() -> KeyStore {
    let log: Arc<dyn Erasable> = Arc::new(MemoryLog::new(StreamSpec::IDENTITY_KEYS));
    KeyStore::new(log, WrappingKeys::parse(&"a".repeat(64)).unwrap())
}

async fn told_destroyed(identities: &MemoryLog, member: MemberId, key: KeyId) {
    let event = IdentityEvent::Destroyed(IdentityDestroyed {
        id: EventId(Uuid::from_u128(77)),
        member,
        recorded_at: "2026-03-01T10:00:00-08:00".parse().unwrap(),
        key,
        reason: "misfiled".to_owned(),
        actor: Actor { org: "la-care".to_owned(), id: "a".to_owned(), role: "operator".to_owned() },
    });
    let body = event.write().unwrap().into();
    let subject = format!("identity.{member}");
    let message = Message { subject, id: "77".to_owned(), expected: None, headers: Vec::new(), body };
    identities.append(&[message]).await.unwrap();
}

#[tokio::test]
async fn keys_come_back_and_destroyed_ones_do_not() {
    let (keys, identities) = (store(), MemoryLog::new(StreamSpec::IDENTITY));
    let made = keys.make((1..=3).map(|number| (member(number), Position(0))).collect()).await.unwrap();
    let mut file = Vec::new();
    assert_eq!(backup(&**keys.log(), &mut file, |_| {}).await.unwrap(), 3);
    told_destroyed(&identities, member(2), made[&member(2)].id()).await;

    let (new, copy) = (store(), read(file.as_slice()).unwrap());
    let done = restore(&identities, &**new.log(), copy.clone(), |_| {}).await.unwrap();
    assert_eq!(done, Restored { keys: 3, restored: 2, destroyed: 1, ..Restored::default() });
    let found = new.of(&[member(1), member(2), member(3)]).await.unwrap();
    assert!(matches!(&found[&member(1)], Found::Key(key) if *key == made[&member(1)]));
    assert!(matches!(found[&member(2)], Found::Destroyed(_)), "it came back");

    // Also one that somebody put into the stream by hand.
    let raw = message(&KeyMessage::Wrapped(copy[1].clone()), Position(3)).unwrap();
    new.log().append(&[raw]).await.unwrap();
    let again = restore(&identities, &**new.log(), copy, |_| {}).await.unwrap();
    assert_eq!(again, Restored { keys: 3, there: 2, destroyed: 1, ..Restored::default() });
    assert!(matches!(new.of(&[member(2)]).await.unwrap()[&member(2)], Found::Destroyed(_)));
}

#[tokio::test]
async fn a_backup_that_is_not_whole_is_not_believed() {
    let keys = store();
    keys.make((1..=3).map(|number| (member(number), Position(0))).collect()).await.unwrap();
    let mut file = Vec::new();
    backup(&**keys.log(), &mut file, |_| {}).await.unwrap();
    assert_eq!(read(file.as_slice()).unwrap().len(), 3);
    let cut = |lines: usize| file.split_inclusive(|c| *c == b'\n').take(lines).collect::<Vec<_>>().concat();
    for (damaged, line) in [(cut(4), 5), (cut(0), 1), (cut(1), 2), (b"{}\n".to_vec(), 1)] {
        assert!(matches!(read(damaged.as_slice()), Err(BackupError::Damaged { line: at }) if at == line));
    }
    let text = String::from_utf8(file).unwrap();
    let flipped = text.replacen("\"version\":1,\"member\"", "\"version\":2,\"member\"", 1);
    let mut dropped: Vec<&str> = text.lines().collect();
    dropped.remove(2);
    assert!(flipped != text && read(flipped.as_bytes()).is_err());
    assert!(read((dropped.join("\n") + "\n").as_bytes()).is_err());
}
