//! Pseudonyms that are one person, while the link stands.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_events::families::who::Who;
use rollbook_events::{Event, EventId, MemberId};

use crate::dossier::{Dossier, Recorded, voids};

/// An unordered pair of pseudonyms.
pub type Pair = (MemberId, MemberId);

fn pair(a: MemberId, b: MemberId) -> Pair {
    (a.min(b), a.max(b))
}

/// The links that stand in a dossier: a later `member_unlinked` parts what an earlier `member_linked` joined.
pub fn standing(dossier: &Dossier) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    for envelope in dossier.standing() {
        let (Event::Who(who), Some(member)) = (&envelope.event, envelope.subject.member()) else { continue };
        match who {
            Who::MemberLinked(link) => _ = pairs.insert(pair(member, link.other)),
            Who::MemberUnlinked(unlink) => _ = pairs.remove(&pair(member, unlink.other)),
            Who::MemberDied(_) | Who::HousingObserved(_) => {}
        }
    }
    pairs
}

/// The other pseudonym of the link that an event may change: the one it names, or, of a voiding, the one that the voided
/// event names, through any chain of voidings. `find` gives the events such a chain may lead to.
pub fn other_of<'a>(event: &'a Recorded, find: impl Fn(EventId) -> Option<&'a Recorded>) -> Option<MemberId> {
    let mut at = event;
    while let Some(voided) = voids(at) {
        // Each is earlier than the one before, so that the walk ends even where a broken import made a ring.
        at = find(voided).filter(|voided| voided.position < at.position)?;
    }
    match &at.envelope.event {
        Event::Who(Who::MemberLinked(link)) => Some(link.other),
        Event::Who(Who::MemberUnlinked(unlink)) => Some(unlink.other),
        Event::Who(Who::MemberDied(_) | Who::HousingObserved(_))
        | Event::Coverage(_)
        | Event::OtherPrograms(_)
        | Event::Referral(_)
        | Event::Authorization(_)
        | Event::Outreach(_)
        | Event::Enrollment(_)
        | Event::Notice(_)
        | Event::Rules(_)
        | Event::Correction(_) => None,
    }
}

/// All links of a ledger, and who is one person with whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    neighbours: BTreeMap<MemberId, BTreeSet<MemberId>>,
}

impl Links {
    /// The links of these pairs.
    pub fn of(pairs: impl IntoIterator<Item = Pair>) -> Self {
        let mut links = Self::default();
        for (a, b) in pairs {
            links.join(a, b);
        }
        links
    }

    /// Joins two pseudonyms.
    pub fn join(&mut self, a: MemberId, b: MemberId) {
        self.neighbours.entry(a).or_default().insert(b);
        self.neighbours.entry(b).or_default().insert(a);
    }

    /// Parts two pseudonyms.
    pub fn part(&mut self, a: MemberId, b: MemberId) {
        for (one, other) in [(a, b), (b, a)] {
            if let Some(set) = self.neighbours.get_mut(&one) {
                set.remove(&other);
                if set.is_empty() {
                    self.neighbours.remove(&one);
                }
            }
        }
    }

    /// Everybody who is one person with this member, the member included.
    pub fn group(&self, member: MemberId) -> BTreeSet<MemberId> {
        let mut group = BTreeSet::from([member]);
        let mut waiting = vec![member];
        while let Some(next) = waiting.pop() {
            let linked = self.neighbours.get(&next).into_iter().flatten();
            waiting.extend(linked.copied().filter(|other| group.insert(*other)));
        }
        group
    }

    /// Whether a member is linked with nobody.
    pub fn alone(&self, member: MemberId) -> bool {
        !self.neighbours.contains_key(&member)
    }

    /// The pseudonym a group is kept under: its smallest, which no order of arrival changes.
    pub fn keeper(&self, member: MemberId) -> MemberId {
        if self.alone(member) { member } else { self.group(member).first().copied().unwrap_or(member) }
    }

    /// The pairs of some whole groups.
    pub fn among(&self, people: &BTreeSet<MemberId>) -> BTreeSet<Pair> {
        let linked = people.iter().filter_map(|a| Some((a, self.neighbours.get(a)?)));
        linked.flat_map(|(a, others)| others.iter().map(|b| pair(*a, *b))).collect()
    }

    /// The pairs.
    pub fn pairs(&self) -> BTreeSet<Pair> {
        self.neighbours.iter().flat_map(|(a, others)| others.iter().map(|b| pair(*a, *b))).collect()
    }
}
