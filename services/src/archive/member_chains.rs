//! Whether each event of a member names the hash of the member's event before it.

use std::collections::HashMap;

use rollbook_events::Hash;
use serde::Deserialize;

/// What is remembered of a subject: 128 bits of its SHA-256, which no accident makes equal.
type Brief = u128;

/// The last hash of each member, or of as many as there is room for.
#[derive(Debug, Default)]
pub struct MemberChains {
    last: HashMap<Brief, Brief>,
    /// Members remembered; none: all of them.
    most: Option<usize>,
}

/// How an event stands to its member's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// It names the member's event before it, or is the first that is known.
    Yes,
    /// It names another event than the member's last one, or none where there is one.
    No,
    /// It names an event before it, and nothing of the member is known here.
    Unknown(Hash),
    /// It cannot be read, so that it names nothing.
    Unreadable,
}

#[derive(Deserialize)]
struct Names {
    previoushash: Option<Hash>,
}

impl MemberChains {
    /// Remembers at most so many members, and forgets all of them where there are more.
    pub fn of_at_most(members: usize) -> Self {
        Self { last: HashMap::new(), most: Some(members) }
    }

    /// Looks at the next event of the stream.
    pub fn next(&mut self, subject: &str, body: &[u8], hash: Hash) -> Links {
        if self.most.is_some_and(|most| self.last.len() >= most) {
            self.last.clear();
        }
        let last = self.last.insert(brief(Hash::of(subject.as_bytes())), brief(hash));
        // A poison event stands in the chain all the same: the next one names its hash.
        let Ok(Names { previoushash: named }) = serde_json::from_slice(body) else { return Links::Unreadable };
        match (last, named) {
            (Some(last), Some(named)) if last == brief(named) => Links::Yes,
            (None, None) => Links::Yes,
            (None, Some(named)) => Links::Unknown(named),
            (Some(_), _) => Links::No,
        }
    }

    /// How many members are remembered.
    pub fn members(&self) -> usize {
        self.last.len()
    }
}

fn brief(hash: Hash) -> Brief {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = hash.bytes();
    u128::from_be_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_follows_on_its_members_last_one_alone() {
        let mut chains = MemberChains::default();
        let first = br#"{"id":"1"}"#;
        let hash = Hash::of(first);
        assert_eq!(chains.next("enrollment.a", first, hash), Links::Yes);
        let second = format!(r#"{{"id":"2","previoushash":"{hash}"}}"#);
        assert_eq!(chains.next("enrollment.b", second.as_bytes(), Hash::of(second.as_bytes())), Links::Unknown(hash));
        assert_eq!(chains.next("enrollment.a", second.as_bytes(), Hash::of(second.as_bytes())), Links::Yes);
        assert_eq!(chains.next("enrollment.a", second.as_bytes(), Hash::of(second.as_bytes())), Links::No);
        assert_eq!(chains.next("enrollment.a", first, hash), Links::No);
        assert_eq!(chains.next("enrollment.a", b"not JSON", Hash::of(b"not JSON")), Links::Unreadable);
        assert_eq!(chains.members(), 2);
    }
}
