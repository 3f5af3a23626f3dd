//! What stands against this ledger being trusted right now: each part reports its own checks here, `/readyz` and
//! `/v1/status` tell them, and the recorder writes nothing while one of them forbids it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// What a trouble forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forbids {
    /// Answers are given and events recorded; only health is red.
    Nothing,
    /// No event may be recorded on top of it.
    Recording,
}

/// Something that is wrong, as long as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Trouble {
    /// The check that found it.
    pub check: &'static str,
    /// What is wrong and where, without anything of a person.
    pub cause: String,
    /// What it forbids.
    pub forbids: Forbids,
    /// Since when it has been so.
    pub since: DateTime<Utc>,
}

/// The troubles of this process. Cheap to clone; all clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<RwLock<BTreeMap<&'static str, Trouble>>>);

impl Health {
    /// A check has found something wrong. The first finding's instant stands as long as the trouble does.
    pub fn red(&self, check: &'static str, cause: impl Into<String>, forbids: Forbids, now: DateTime<Utc>) {
        let cause = cause.into();
        let mut troubles = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let since = troubles.get(check).map_or(now, |trouble| trouble.since);
        let trouble = Trouble { check, cause, forbids, since };
        if troubles.get(check) != Some(&trouble) {
            tracing::error!(check, cause = trouble.cause, forbids = ?forbids, "health is red");
            troubles.insert(check, trouble);
        }
    }

    /// A check has found all well.
    pub fn green(&self, check: &'static str) {
        // Looked at first without the write lock: it is green nearly always.
        if !self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(check) {
            return;
        }
        if self.0.write().unwrap_or_else(PoisonError::into_inner).remove(check).is_some() {
            tracing::info!(check, "health is green again");
        }
    }

    /// All troubles, by the name of their check.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Whether a check is red.
    pub fn is_red(&self, check: &'static str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(check)
    }

    /// Why nothing may be recorded now, where something forbids it.
    pub fn refusal(&self) -> Option<String> {
        let troubles = self.0.read().unwrap_or_else(PoisonError::into_inner);
        troubles.values().find(|trouble| trouble.forbids == Forbids::Recording).map(|trouble| trouble.cause.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_trouble_stands_since_it_was_first_found_and_goes_when_its_check_is_green() {
        let health = Health::default();
        health.red("disk", "1 GB is left", Forbids::Recording, at(1));
        health.clone().red("disk", "0 GB are left", Forbids::Recording, at(2));
        assert_eq!(health.refusal().as_deref(), Some("0 GB are left"));
        assert_eq!(health.troubles().first().map(|trouble| trouble.since), Some(at(1)));
        health.green("disk");
        assert_eq!((health.refusal(), health.troubles().len()), (None, 0));
    }

    #[test]
    fn what_forbids_nothing_leaves_recording_alone() {
        let health = Health::default();
        health.red("archive", "it cannot be reached", Forbids::Nothing, at(1));
        assert_eq!(health.refusal(), None);
    }
}
