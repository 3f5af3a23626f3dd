//! What may be wanted of a ledger, and which roles ever may.

use crate::caller::Role;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Read rows of members.
    Read,
    /// Read sums over members.
    Count,
    /// Work something out anew from everything that is known of everybody: a determination, or a whole rulebook's effect.
    Replay,
    /// Take a whole view, with every row it ever had.
    Dump,
    /// Read the rulebook, which is about nobody.
    Rules,
    /// Read what became of a file.
    ReadFile,
    /// Record events.
    Record,
    /// Adopt a rulebook, by which everybody's record is judged.
    Adopt,
    /// Import a file.
    Import,
    /// Turn a CIN into a pseudonym.
    Identify,
    /// Build views again.
    Operate,
    /// Look at how the ledger is.
    Observe,
    /// Follow the feed of a plan.
    Subscribe,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 13] = [
        Self::Read,
        Self::Count,
        Self::Replay,
        Self::Dump,
        Self::Rules,
        Self::ReadFile,
        Self::Record,
        Self::Adopt,
        Self::Import,
        Self::Identify,
        Self::Operate,
        Self::Observe,
        Self::Subscribe,
    ];

    /// Whether it is an action of a role at all, whatever it is of.
    pub fn of(self, role: Role) -> bool {
        let actions: &[Self] = match role {
            Role::Recorder => {
                &[Self::Read, Self::Count, Self::Rules, Self::ReadFile, Self::Record, Self::Import, Self::Identify]
            }
            Role::Provider | Role::PlanCompliance | Role::County => {
                &[Self::Read, Self::Count, Self::Rules, Self::Identify]
            }
            Role::PlanReporting => &[Self::Count, Self::Rules],
            Role::Auditor => &[
                Self::Read,
                Self::Count,
                Self::Replay,
                Self::Dump,
                Self::Rules,
                Self::ReadFile,
                Self::Identify,
                Self::Observe,
            ],
            Role::Subscriber => &[Self::Subscribe],
            Role::Operator => &[Self::Rules, Self::Operate, Self::Observe],
            Role::Owner => &Self::ALL,
        };
        actions.contains(&self)
    }
}
