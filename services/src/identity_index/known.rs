//! What is known of each member, packed: a ledger has millions of them, and all are at hand.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher};

use chrono::{Datelike, NaiveDate};
use rollbook_events::identity::{Identity, IdentitySource};
use rollbook_events::{Hash, MemberId};

use super::News;

/// Days that no birth date is.
const UNKNOWN: i32 = i32::MIN;

/// What a system last said of a member: digests for this process alone, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement {
    /// Of what it says.
    says: u64,
    /// Of the file it says it in.
    file: u64,
}

impl Statement {
    /// Of a statement that a file makes.
    pub(super) fn of(identity: &Identity, source: &IdentitySource) -> Self {
        let says = serde_json::to_vec(identity).unwrap_or_default();
        Self { says: digest(|h| says.hash(h)), file: digest(|h| source.file_sha256.map(Hash::bytes).hash(h)) }
    }

    /// What it is to whoever heard another of the same system before.
    pub(super) fn after(&self, said: &Self) -> News {
        match (self.says == said.says, self.file == said.file) {
            (true, true) => News::SaidHere,
            (true, false) => News::Said,
            (false, _) => News::New,
        }
    }

    /// What tells it from every other statement of a system.
    pub(super) fn name(&self, source: &IdentitySource) -> String {
        format!("{}|{}|{}", digest(|h| source.system.hash(h)), self.says, self.file)
    }
}

/// A statement at hand.
#[derive(Debug, Clone, Copy)]
struct Stated {
    says: u64,
    /// The number of its file.
    file: u32,
    /// The member's birth date, the same in all its statements, as a day counted from the first of the era.
    born_on: i32,
}

/// Everything that is known. A tree and no hash table: it grows without ever holding two copies of itself.
#[derive(Debug, Default)]
pub(super) struct Known {
    stated: BTreeMap<(MemberId, u16), Stated>,
    /// Few systems tell of people, and each in few files: they are numbered.
    systems: HashMap<String, u16>,
    files: HashMap<u64, u32>,
}

impl Known {
    /// Whether a statement is news.
    pub(super) fn news(&self, member: MemberId, system: &str, statement: &Statement) -> News {
        let system = self.systems.get(system);
        let stated = system.and_then(|system| self.stated.get(&(member, *system)));
        let Some(stated) = stated else { return News::New };
        match (stated.says == statement.says, self.files.get(&statement.file) == Some(&stated.file)) {
            (true, true) => News::SaidHere,
            (true, false) => News::Said,
            (false, _) => News::New,
        }
    }

    /// Takes in what a system says.
    pub(super) fn note(&mut self, member: MemberId, identity: &Identity, source: &IdentitySource) {
        let statement = Statement::of(identity, source);
        let Some(system) = self.system(&source.system) else {
            tracing::error!("more systems tell of people than can be numbered");
            return;
        };
        let next = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let file = *self.files.entry(statement.file).or_insert(next);
        let born_on = match identity.born_on {
            Some(day) => day.0.num_days_from_ce(),
            None => self.of(member).map_or(UNKNOWN, |stated| stated.born_on),
        };
        self.stated.insert((member, system), Stated { says: statement.says, file, born_on });
        for (_, stated) in self.stated.range_mut((member, 0)..=(member, u16::MAX)) {
            stated.born_on = born_on;
        }
    }

    /// When a member was born, as whoever last said it.
    pub(super) fn born_on(&self, member: MemberId) -> Option<NaiveDate> {
        let days = self.of(member)?.born_on;
        (days != UNKNOWN).then(|| NaiveDate::from_num_days_from_ce_opt(days)).flatten()
    }

    fn of(&self, member: MemberId) -> Option<&Stated> {
        self.stated.range((member, 0)..=(member, u16::MAX)).next().map(|(_, stated)| stated)
    }

    fn system(&mut self, name: &str) -> Option<u16> {
        if let Some(number) = self.systems.get(name) {
            return Some(*number);
        }
        let number = u16::try_from(self.systems.len()).ok()?;
        self.systems.insert(name.to_owned(), number);
        Some(number)
    }
}

fn digest(write: impl Fn(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    write(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn member(number: u128) -> MemberId {
        MemberId(Uuid::from_u128(number))
    }

    fn identity(born_on: Option<&str>) -> Identity {
        let mut identity = Identity::of("91234567A".parse().unwrap());
        identity.born_on = born_on.map(|day| serde_json::from_value(day.into()).unwrap());
        identity
    }

    fn source(system: &str, file: u8) -> IdentitySource {
        IdentitySource { system: system.to_owned(), file_sha256: Some(Hash::of(&[file])), row: None }
    }

    fn born(known: &Known, number: u128) -> Option<String> {
        known.born_on(member(number)).map(|day| day.to_string())
    }

    #[test]
    fn each_system_is_heard_for_itself_and_the_last_birth_date_holds() {
        let mut known = Known::default();
        let news = |known: &Known, told: &Identity, from: &IdentitySource| {
            known.news(member(1), &from.system, &Statement::of(told, from))
        };
        let (first, later) = (identity(Some("1970-01-02")), identity(Some("1971-01-02")));
        assert_eq!(news(&known, &first, &source("mif", 1)), News::New);
        known.note(member(1), &first, &source("mif", 1));
        known.note(member(2), &later, &source("mif", 1));
        assert_eq!(news(&known, &first, &source("mif", 1)), News::SaidHere);
        assert_eq!(news(&known, &first, &source("mif", 2)), News::Said);
        assert_eq!(news(&known, &first, &source("api", 1)), News::New);
        assert_eq!(news(&known, &later, &source("mif", 1)), News::New);
        known.note(member(1), &identity(None), &source("api", 3));
        assert_eq!(born(&known, 1).as_deref(), Some("1970-01-02"), "who leaves it out does not unsay it");
        known.note(member(1), &later, &source("api", 3));
        assert_eq!((born(&known, 1).as_deref(), born(&known, 3)), (Some("1971-01-02"), None));
    }

    #[test]
    fn a_million_members_take_less_than_a_hundred_million_bytes() {
        let entry = size_of::<(MemberId, u16)>() + size_of::<Stated>();
        // A node of the tree has room for eleven and some bytes of its own, and is at least five elevenths full.
        assert!((11 * entry + 32) / 5 < 100, "an entry takes {entry} bytes");
    }
}
