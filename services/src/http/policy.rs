//! Who may do what: the one place. Today a token is enough for everything; scopes come here and nowhere else.

use rollbook_events::Actor;
use rollbook_projections::store::read::Filter;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read what the views hold of members.
    Read,
    /// Record events.
    Record,
    /// Import a file.
    Import,
    /// Turn a CIN into a pseudonym.
    Identify,
    /// Empty the views and build them again.
    Operate,
    /// Look at how the ledger is.
    Observe,
    /// Follow the feed of a plan.
    Subscribe,
}

/// What of the ledger an actor may see: every query passes through it.
#[derive(Debug, Clone)]
pub struct Scope(());

impl Scope {
    /// What is asked for, cut down to what may be seen; today that is everything.
    #[must_use]
    pub fn narrow(&self, filter: Filter) -> Filter {
        filter
    }
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied {
    /// In words.
    pub why: &'static str,
}

/// Whether somebody may do something, and of what they then see.
///
/// # Errors
/// Where they may not.
pub fn permit(_: &Actor, _: Action) -> Result<Scope, Denied> {
    Ok(Scope(()))
}
