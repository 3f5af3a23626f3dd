//! What is known of each member, packed: a ledger has millions of them, and all are at hand. Nothing of it is about a person:
//! digests, and where on the stream a birth date stands.

use std::collections::{BTreeMap, HashMap};

use rollbook_events::identity::sealed::Said;
use rollbook_events::ids::KeyId;
use rollbook_events::{MemberId, Position};

use super::News;

/// The position of no birth date.
const NOWHERE: u32 = 0;

/// Set in the number of a file where the statement is sealed.
const SEALED: u32 = 1 << 31;

/// A statement at hand.
#[derive(Debug, Clone, Copy)]
struct Stated {
    /// The digest of what it says, in two halves, so that an entry has no gap.
    says: [u32; 2],
    /// The number of its file, and whether it is sealed.
    file: u32,
    /// Where the member's birth date stands, the same in all its statements. A stream of more statements than fit is beyond
    /// what one server keeps.
    born_at: u32,
}

/// Everything that is known. A tree and no hash table: it grows without ever holding two copies of itself.
#[derive(Debug, Default)]
pub(super) struct Known {
    stated: BTreeMap<(MemberId, u16), Stated>,
    /// Few systems tell of people, and each in few files: they are numbered.
    systems: HashMap<u64, u16>,
    files: HashMap<u64, u32>,
    /// Keys that were destroyed, by member; few.
    destroyed: HashMap<MemberId, Vec<KeyId>>,
}

/// What a statement is to whoever heard another of the same system before.
pub(super) fn after(said: &Said, before: &Said) -> News {
    news(said.what == before.what, said.file == before.file)
}

fn news(same: bool, same_file: bool) -> News {
    match (same, same_file) {
        (true, true) => News::SaidHere,
        (true, false) => News::Said,
        (false, _) => News::New,
    }
}

impl Known {
    /// Whether a statement is news.
    pub(super) fn news(&self, member: MemberId, said: &Said) -> News {
        let system = self.systems.get(&said.system.0);
        let stated = system.and_then(|system| self.stated.get(&(member, *system)));
        let Some(stated) = stated else { return News::New };
        let file = stated.file & !SEALED;
        news(stated.says == halves(said.what.0), self.files.get(&said.file.0) == Some(&file))
    }

    /// Takes in what a system says, sealed with a key or in clear; `born_at` is where that states a birth date.
    pub(super) fn note(&mut self, member: MemberId, said: &Said, key: Option<KeyId>, born_at: Option<Position>) {
        if key.is_some_and(|key| self.is_destroyed(member, key)) {
            return;
        }
        let Some(system) = self.system(said.system.0) else {
            tracing::error!("more systems tell of people than can be numbered");
            return;
        };
        let next = u32::try_from(self.files.len()).unwrap_or(u32::MAX) & !SEALED;
        let file = *self.files.entry(said.file.0).or_insert(next) | if key.is_some() { SEALED } else { 0 };
        let before = self.of(member).map_or(NOWHERE, |stated| stated.born_at);
        let born_at = born_at.map_or(NOWHERE, |position| u32::try_from(position.0).unwrap_or(NOWHERE));
        // What this program has recorded itself is noted before it is read.
        let born_at = born_at.max(before);
        self.stated.insert((member, system), Stated { says: halves(said.what.0), file, born_at });
        for (_, stated) in self.stated.range_mut((member, 0)..=(member, u16::MAX)) {
            stated.born_at = born_at;
        }
    }

    /// Takes in that a member's key was destroyed: nothing is known of the member any more. Whether that is news.
    pub(super) fn destroyed(&mut self, member: MemberId, key: KeyId) -> bool {
        let systems: Vec<u16> =
            self.stated.range((member, 0)..=(member, u16::MAX)).map(|((_, system), _)| *system).collect();
        for system in systems {
            self.stated.remove(&(member, system));
        }
        let keys = self.destroyed.entry(member).or_default();
        let is_new = !keys.contains(&key);
        if is_new {
            keys.push(key);
        }
        is_new
    }

    /// Whether a key was destroyed.
    pub(super) fn is_destroyed(&self, member: MemberId, key: KeyId) -> bool {
        self.destroyed.get(&member).is_some_and(|keys| keys.contains(&key))
    }

    /// Every key that was destroyed.
    pub(super) fn all_destroyed(&self) -> Vec<(MemberId, KeyId)> {
        self.destroyed.iter().flat_map(|(member, keys)| keys.iter().map(|key| (*member, *key))).collect()
    }

    /// Whether something may stand in the place of a member's key: anything was heard of the member, or a key destroyed.
    pub(super) fn heard_of(&self, member: MemberId) -> bool {
        self.of(member).is_some() || self.destroyed.contains_key(&member)
    }

    /// Whether something sealed is known of a member, so that there must be a key.
    pub(super) fn is_sealed(&self, member: MemberId) -> bool {
        self.stated.range((member, 0)..=(member, u16::MAX)).any(|(_, stated)| stated.file & SEALED != 0)
    }

    /// Where a member's birth date stands, as whoever last said it.
    pub(super) fn born_at(&self, member: MemberId) -> Option<Position> {
        let position = self.of(member)?.born_at;
        (position != NOWHERE).then_some(Position(u64::from(position)))
    }

    fn of(&self, member: MemberId) -> Option<&Stated> {
        self.stated.range((member, 0)..=(member, u16::MAX)).next().map(|(_, stated)| stated)
    }

    fn system(&mut self, name: u64) -> Option<u16> {
        if let Some(number) = self.systems.get(&name) {
            return Some(*number);
        }
        let number = u16::try_from(self.systems.len()).ok()?;
        self.systems.insert(name, number);
        Some(number)
    }
}

fn halves(digest: u64) -> [u32; 2] {
    let [high, low] = [digest >> 32, digest & u64::from(u32::MAX)];
    [high, low].map(|half| u32::try_from(half).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use rollbook_events::identity::sealed::Digest;
    use uuid::Uuid;

    use super::*;

    const KEY: KeyId = KeyId(Uuid::from_u128(7));

    fn member(number: u128) -> MemberId {
        MemberId(Uuid::from_u128(number))
    }

    fn said(system: u64, file: u64, what: u64) -> Said {
        Said { system: Digest(system), file: Digest(file), what: Digest(what) }
    }

    #[test]
    fn each_system_is_heard_for_itself_and_the_last_birth_date_holds() {
        let mut known = Known::default();
        let (first, later) = (said(1, 1, u64::MAX), said(1, 1, u64::MAX - 1));
        assert_eq!(known.news(member(1), &first), News::New);
        known.note(member(1), &first, None, Some(Position(1)));
        known.note(member(2), &later, Some(KEY), Some(Position(2)));
        assert_eq!(known.news(member(1), &first), News::SaidHere);
        assert_eq!(known.news(member(1), &said(1, 2, u64::MAX)), News::Said);
        assert_eq!(known.news(member(1), &said(2, 1, u64::MAX)), News::New);
        assert_eq!(known.news(member(1), &later), News::New);
        known.note(member(1), &said(2, 3, 4), Some(KEY), None);
        assert_eq!(known.born_at(member(1)), Some(Position(1)), "who leaves it out does not unsay it");
        assert!(known.is_sealed(member(1)) && !known.is_sealed(member(3)));
        known.note(member(1), &said(2, 3, 5), None, Some(Position(4)));
        assert!(!known.is_sealed(member(1)) && known.is_sealed(member(2)));
        assert_eq!((known.born_at(member(1)), known.born_at(member(3))), (Some(Position(4)), None));
    }

    #[test]
    fn nothing_is_known_of_a_member_whose_key_was_destroyed() {
        let mut known = Known::default();
        for system in 1..4 {
            known.note(member(1), &said(system, 1, 1), Some(KEY), Some(Position(1)));
            known.note(member(2), &said(system, 1, 2), Some(KEY), Some(Position(2)));
        }
        assert!(known.destroyed(member(1), KEY) && !known.destroyed(member(1), KEY));
        assert_eq!((known.is_sealed(member(1)), known.born_at(member(1))), (false, None));
        known.note(member(1), &said(1, 1, 1), Some(KEY), Some(Position(1)));
        assert_eq!(known.news(member(1), &said(1, 1, 1)), News::New);
        assert_eq!(known.born_at(member(2)), Some(Position(2)));
        assert!(known.is_destroyed(member(1), KEY) && !known.is_destroyed(member(2), KEY));
        assert!(known.heard_of(member(1)) && !known.heard_of(member(3)));
        assert_eq!(known.all_destroyed(), [(member(1), KEY)]);
    }

    #[test]
    fn a_million_members_take_less_than_a_hundred_million_bytes() {
        let entry = size_of::<(MemberId, u16)>() + size_of::<Stated>();
        assert!(entry <= 34, "an entry takes {entry} bytes: more than it took with birth dates in it");
        // A node of the tree has room for eleven and some bytes of its own, and is at least five elevenths full.
        assert!((11 * entry + 32) / 5 < 100, "an entry takes {entry} bytes");
    }
}
