//! Which rows a caller sees.

use chrono::NaiveDate;
use rollbook_events::Hash;
use rollbook_projections::store::read::{Grant, Sight};

use super::Fields;
use crate::caller::{Caller, Role};

/// Which rows a caller sees, and how much of them. Nobody but the policy can make one.
#[derive(Debug, Clone)]
pub struct Scope {
    sight: Sight,
    fields: Fields,
    tag: String,
}

impl Scope {
    /// The scope of a caller on a day.
    pub(super) fn of(caller: &Caller, fields: Fields, today: NaiveDate) -> Self {
        let org = || caller.actor.org.clone();
        let sight = match caller.role {
            Role::Recorder | Role::PlanCompliance | Role::PlanReporting => Sight::of(vec![Grant::Record(org())]),
            Role::County => Sight::of(vec![Grant::Record(org()), Grant::Served(org())]),
            Role::Provider => Sight::of(vec![Grant::Assigned { provider: org(), on: today }]),
            Role::Subscriber | Role::Operator => Sight::of(Vec::new()),
            Role::Auditor | Role::Owner => Sight::everything_for_a_caller(),
        };
        let mut tag = Hash::of(format!("{}\n{}", sight.name(), fields.name()).as_bytes()).to_string();
        tag.truncate(16);
        Self { sight, fields, tag }
    }

    /// Which rows, as the store asks for it.
    pub const fn sight(&self) -> &Sight {
        &self.sight
    }

    /// How much of them.
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }

    /// A short text that two scopes share only where they see the same: what one was given is no answer to the other.
    pub fn tag(&self) -> &str {
        &self.tag
    }
}
