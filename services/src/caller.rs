//! Who calls: a person or machine of one organization, in one role, with the rights that its token names.

use std::fmt;
use std::str::FromStr;

use rollbook_events::{Actor, Sensitivity};
use serde::{Deserialize, Serialize};

/// What somebody may be to a ledger. What each may see and do stands in `policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Records what its organization reports, and reads back what became of it.
    Recorder,
    /// A provider: its own clients, while and as long as they are assigned to it.
    Provider,
    /// A plan's compliance staff: the plan's own record of its members.
    PlanCompliance,
    /// A plan's reporting staff: counts.
    PlanReporting,
    /// A county agency: its own programs.
    County,
    /// An auditor: everything, read only, with a stated purpose.
    Auditor,
    /// A downstream service: the feed of its plan.
    Subscriber,
    /// Who runs the ledger: its health and its upkeep, and no person's record.
    Operator,
    /// Whoever tries a ledger out on a machine of their own: everything. Only a ledger's own local tokens name it, and a
    /// production profile takes none of those.
    Owner,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 9] = [
        Self::Recorder,
        Self::Provider,
        Self::PlanCompliance,
        Self::PlanReporting,
        Self::County,
        Self::Auditor,
        Self::Subscriber,
        Self::Operator,
        Self::Owner,
    ];

    /// As tokens and events write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorder => "recorder",
            Self::Provider => "provider",
            Self::PlanCompliance => "plan_compliance",
            Self::PlanReporting => "plan_reporting",
            Self::County => "county",
            Self::Auditor => "auditor",
            Self::Subscriber => "subscriber",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no role of this name; the roles are recorder, provider, plan_compliance, plan_reporting, county, auditor, subscriber, operator, owner"
)]
pub struct NoRole;

impl FromStr for Role {
    type Err = NoRole;
    fn from_str(text: &str) -> Result<Self, NoRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(NoRole)
    }
}

/// Which sensitive events somebody may see whole: 42 CFR Part 2, HIV, minor consent. Without the right they see that
/// something came out, not from where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights(Vec<Sensitivity>);

impl Rights {
    /// The right to each of these.
    pub fn to(sensitivities: impl IntoIterator<Item = Sensitivity>) -> Self {
        Self(sensitivities.into_iter().collect())
    }

    /// Whether an event of this sensitivity may be seen whole.
    pub fn cover(&self, sensitivity: Sensitivity) -> bool {
        sensitivity == Sensitivity::None || self.0.contains(&sensitivity)
    }
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The organization, the person or machine within it, and the role's name: as it stands in events.
    pub actor: Actor,
    /// The role.
    pub role: Role,
    /// Which sensitive events are seen whole.
    pub rights: Rights,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_as_it_is_written() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert_eq!("admin".parse::<Role>(), Err(NoRole));
    }

    #[test]
    fn a_right_covers_what_it_names_and_what_is_not_sensitive() {
        let rights = Rights::to([Sensitivity::Hiv]);
        assert!(rights.cover(Sensitivity::None) && rights.cover(Sensitivity::Hiv));
        assert!(!rights.cover(Sensitivity::Part2) && !Rights::default().cover(Sensitivity::Minor));
    }
}
