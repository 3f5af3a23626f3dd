use uuid::Uuid;

use super::*;
use crate::log::{MemoryLog, StreamSpec};

fn member(number: u128) -> MemberId {
    MemberId(Uuid::from_u128(number))
}

fn stores() -> [KeyStore; 2] {
    let log: Arc<dyn Erasable> = Arc::new(MemoryLog::new(StreamSpec::IDENTITY_KEYS));
    let wrapping = WrappingKeys::parse(&"a".repeat(64)).unwrap();
    [(); 2].map(|()| KeyStore::new(log.clone(), wrapping.clone()))
}

fn key(found: &HashMap<MemberId, Found>, number: u128) -> Option<KeyId> {
    match found.get(&member(number))? {
        Found::Key(key) => Some(key.id()),
        Found::Destroyed(_) | Found::None => None,
    }
}

#[tokio::test]
async fn two_recorders_come_to_one_key_a_member() {
    let [one, two] = stores();
    let new = |numbers: [u128; 2]| numbers.map(|number| (member(number), Position(0))).to_vec();
    let first = one.make(new([1, 2])).await.unwrap();
    let second = two.make(new([2, 3])).await.unwrap();
    assert!(first[&member(2)] == second[&member(2)]);
    let found = two.of(&[member(1), member(2), member(3), member(4)]).await.unwrap();
    assert_eq!(key(&found, 1), Some(first[&member(1)].id()));
    assert!(key(&found, 3).is_some() && matches!(found[&member(4)], Found::None));
    one.forget(member(1));
    assert!(key(&one.of(&[member(1), member(1)]).await.unwrap(), 1).is_some(), "asked for twice");
}

#[tokio::test]
async fn an_erased_key_is_gone_for_everybody_and_another_may_follow_it() {
    let [one, two] = stores();
    let old = one.make(vec![(member(1), Position(0))]).await.unwrap()[&member(1)].id();
    for _ in 0..2 {
        one.erase(member(1), old).await.unwrap();
        let Found::Destroyed(_) = two.of(&[member(1)]).await.unwrap()[&member(1)] else { panic!("it is there") };
    }
    assert_eq!(one.log().some_after(Position(0)).await.unwrap().len(), 1, "the word of it, once");
    let Found::Destroyed(at) = one.of(&[member(1)]).await.unwrap()[&member(1)] else { panic!("it is there") };
    let new = one.make(vec![(member(1), at)]).await.unwrap()[&member(1)].id();
    assert_ne!(new, old);
    two.erase(member(1), old).await.unwrap();
    two.forget(member(1));
    assert_eq!(key(&two.of(&[member(1)]).await.unwrap(), 1), Some(new), "only what was destroyed is erased");
}

#[tokio::test]
async fn a_key_wrapped_with_another_wrapping_key_is_no_missing_key() {
    let [one, _] = stores();
    one.make(vec![(member(1), Position(0))]).await.unwrap();
    let other = KeyStore::new(one.log().clone(), WrappingKeys::parse(&"b".repeat(64)).unwrap());
    let refused = other.of(&[member(1)]).await;
    assert!(matches!(refused, Err(KeyError::NotUnwrapped { position: Position(1), .. })));
    assert!(other.make(vec![(member(1), Position(0))]).await.is_err(), "a second key was made beside it");
}
