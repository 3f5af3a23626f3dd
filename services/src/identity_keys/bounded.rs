//! A map that forgets what was long not asked for, so that it never holds more than twice what it was told.

use std::collections::HashMap;
use std::hash::Hash;

/// The map. What is asked for moves to the younger half; where that is full, the older half goes.
#[derive(Debug)]
pub(crate) struct Bounded<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    most: usize,
}

impl<K: Hash + Eq + Copy, V: Clone> Bounded<K, V> {
    /// One whose halves hold so much.
    pub(crate) fn of(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), most }
    }

    /// What is known under a key.
    pub(crate) fn get(&mut self, key: K) -> Option<V> {
        if let Some(value) = self.young.get(&key) {
            return Some(value.clone());
        }
        let value = self.old.remove(&key)?;
        self.put(key, value.clone());
        Some(value)
    }

    /// Keeps something under a key.
    pub(crate) fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.most && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, key: K) {
        self.young.remove(&key);
        self.old.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_what_is_not_goes() {
        let mut map = Bounded::of(10);
        for number in 0..1_000 {
            map.put(number, number);
            assert_eq!(map.get(0), Some(0), "asked for at each step");
            assert!(map.young.len() + map.old.len() <= 20);
        }
        assert_eq!((map.get(999), map.get(500)), (Some(999), None));
        map.remove(999);
        assert_eq!((map.get(999), map.get(0)), (None, Some(0)));
    }
}
