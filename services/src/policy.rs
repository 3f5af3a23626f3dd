//! Who may see and do what: the one place. Pure: from who calls, what they want, of what, and for which purpose, to a permit
//! that says which rows and which of their fields, or to a reason why not.
//!
//! Reading order: [`action`] (what may be wanted, and which role ever may), [`scope`] (which rows a caller then sees),
//! [`fields`] (how much of them), [`counts`] (small numbers). `deploy/README.md` says the same to people, and
//! `tests/it/authorization/matrix.csv` says it again, apart from this code, and is tried against the running program.
//!
//! **Invariant:** a [`Scope`] is made here alone, and every question to the views takes one.

pub mod action;
pub mod counts;
pub mod fields;
pub mod purpose;
pub mod scope;

use chrono::NaiveDate;
use rollbook_events::PlanCode;

pub use action::Action;
pub use fields::Fields;
pub use purpose::Purpose;
pub use scope::Scope;

use crate::caller::{Caller, Role};

/// Of what something is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// Of the ledger, as far as the scope reaches.
    Ledger,
    /// Of this organization's record: an event that is to stand in it.
    Record(&'a PlanCode),
    /// Of a file that this organization brought.
    File(&'a str),
    /// Of this organization's feed.
    Feed(&'a PlanCode),
}

/// What a caller may see of what they asked for.
#[derive(Debug, Clone)]
pub struct Permit {
    /// Which rows.
    pub scope: Scope,
    /// How much of them.
    pub fields: Fields,
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied {
    /// The reason.
    pub reason: Reason,
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The role never may, whatever it is of: nothing is told by saying so.
    Never,
    /// The role must say for which purpose.
    NoPurpose,
    /// It is another organization's. Of what is read, nobody may be told so: it is answered as what does not exist.
    Outside,
}

impl Reason {
    /// In words, which name nothing of the ledger.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Never => "the role of the token does not permit this",
            Self::NoPurpose => {
                "state a purpose in the header Rollbook-Purpose: treatment, payment, operations, oversight"
            }
            Self::Outside => "it is of another organization than the token's",
        }
    }
}

/// Whether somebody may do something, and what of the ledger they then see.
///
/// # Errors
/// Where they may not, with the reason.
pub fn decide(
    caller: &Caller,
    action: Action,
    resource: Resource<'_>,
    purpose: Option<Purpose>,
    today: NaiveDate,
) -> Result<Permit, Denied> {
    let denied = |reason| Err(Denied { reason });
    if !action.of(caller.role) {
        return denied(Reason::Never);
    }
    if caller.role == Role::Auditor && purpose.is_none() {
        return denied(Reason::NoPurpose);
    }
    if !reaches(caller, resource) {
        return denied(Reason::Outside);
    }
    let fields = Fields::of(caller, purpose);
    Ok(Permit { scope: Scope::of(caller, fields.clone(), today), fields })
}

/// Whether a resource is within what the caller's organization has to do with.
fn reaches(caller: &Caller, resource: Resource<'_>) -> bool {
    let org = caller.actor.org.as_str();
    match resource {
        Resource::Ledger => true,
        Resource::Record(plan) | Resource::Feed(plan) => caller.role == Role::Owner || plan.as_str() == org,
        Resource::File(of) => matches!(caller.role, Role::Owner | Role::Auditor) || of == org,
    }
}

#[cfg(test)]
mod tests {
    use rollbook_events::{Actor, Sensitivity};
    use rollbook_projections::store::read::{Grant, Sight};

    use super::*;
    use crate::caller::Rights;

    fn caller(role: Role) -> Caller {
        let actor = Actor { org: "la-care".into(), id: "a".into(), role: role.as_str().into() };
        Caller { actor, role, rights: Rights::default() }
    }

    fn today() -> NaiveDate {
        "2024-06-01".parse().unwrap()
    }

    fn asked(role: Role, action: Action) -> Result<Permit, Reason> {
        let purpose = Some(Purpose::Oversight);
        decide(&caller(role), action, Resource::Ledger, purpose, today()).map_err(|denied| denied.reason)
    }

    fn sight(role: Role) -> Sight {
        Scope::of(&caller(role), Fields::of(&caller(role), None), today()).sight().clone()
    }

    #[test]
    fn each_role_sees_its_own_and_who_has_none_sees_nothing() {
        let own = Grant::Record("la-care".to_owned());
        let served = Grant::Served("la-care".to_owned());
        let assigned = Grant::Assigned { provider: "la-care".to_owned(), on: today() };
        for role in Role::ALL {
            let expected = match role {
                Role::Recorder | Role::PlanCompliance | Role::PlanReporting => Sight::of(vec![own.clone()]),
                Role::County => Sight::of(vec![own.clone(), served.clone()]),
                Role::Provider => Sight::of(vec![assigned.clone()]),
                Role::Subscriber | Role::Operator => Sight::of(Vec::new()),
                Role::Auditor | Role::Owner => Sight::everything_for_a_caller(),
            };
            assert_eq!(sight(role), expected, "{role}");
        }
    }

    #[test]
    fn what_a_role_never_may_is_refused_whatever_it_is_of() {
        assert!(asked(Role::PlanReporting, Action::Count).is_ok());
        for action in Action::ALL.into_iter().filter(|action| !matches!(action, Action::Count | Action::Rules)) {
            assert_eq!(asked(Role::PlanReporting, action).unwrap_err(), Reason::Never, "{action:?}");
        }
        for action in [Action::Record, Action::Import, Action::Adopt, Action::Operate] {
            assert_eq!(asked(Role::Auditor, action).unwrap_err(), Reason::Never, "an auditor changes nothing");
        }
        assert!(Action::ALL.into_iter().all(|action| asked(Role::Owner, action).is_ok()));
    }

    #[test]
    fn an_auditor_says_what_for_and_others_need_not() {
        let without = |role| decide(&caller(role), Action::Read, Resource::Ledger, None, today());
        assert_eq!(without(Role::Auditor).unwrap_err().reason, Reason::NoPurpose);
        assert!(asked(Role::Auditor, Action::Read).is_ok() && without(Role::PlanCompliance).is_ok());
    }

    #[test]
    fn what_is_anothers_is_outside() {
        let (own, other): (PlanCode, PlanCode) = ("la-care".parse().unwrap(), "health-net".parse().unwrap());
        let asked = |role, action, resource| decide(&caller(role), action, resource, None, today()).is_ok();
        assert!(asked(Role::Recorder, Action::Record, Resource::Record(&own)));
        assert!(!asked(Role::Recorder, Action::Record, Resource::Record(&other)));
        assert!(asked(Role::Owner, Action::Record, Resource::Record(&other)));
        assert!(asked(Role::Recorder, Action::ReadFile, Resource::File("la-care")));
        assert!(!asked(Role::Recorder, Action::ReadFile, Resource::File("health-net")));
        assert!(asked(Role::Subscriber, Action::Subscribe, Resource::Feed(&own)));
        assert!(!asked(Role::Subscriber, Action::Subscribe, Resource::Feed(&other)));
    }

    #[test]
    fn a_right_shows_a_sensitive_event_whole_but_part_2_never_in_a_proceeding() {
        let with = |rights: &[Sensitivity]| Caller {
            rights: Rights::to(rights.iter().copied()),
            ..caller(Role::PlanCompliance)
        };
        let shows = |caller: &Caller, purpose, of| Fields::of(caller, purpose).shows(of);
        assert!(!shows(&with(&[]), None, Sensitivity::Part2) && shows(&with(&[]), None, Sensitivity::None));
        assert!(shows(&with(&[Sensitivity::Part2]), None, Sensitivity::Part2));
        assert!(!shows(&with(&[Sensitivity::Part2]), None, Sensitivity::Hiv));
        let proceeding = Some(Purpose::LegalProceeding);
        assert!(!shows(&with(&[Sensitivity::Part2]), proceeding, Sensitivity::Part2));
        assert!(shows(&with(&[Sensitivity::Hiv]), proceeding, Sensitivity::Hiv));
        assert!(!shows(&caller(Role::Owner), proceeding, Sensitivity::Part2));
        assert!(shows(&caller(Role::Owner), None, Sensitivity::Part2));
        assert!(!shows(&caller(Role::Auditor), Some(Purpose::Oversight), Sensitivity::Minor));
    }

    #[test]
    fn callers_who_do_not_see_the_same_have_other_tags() {
        let mut tags = std::collections::BTreeSet::new();
        let mut scopes = 0;
        for role in [Role::PlanCompliance, Role::PlanReporting, Role::County, Role::Provider, Role::Auditor] {
            for rights in [Rights::default(), Rights::to([Sensitivity::Hiv])] {
                for org in ["la-care", "health-net"] {
                    let mut caller = Caller { rights: rights.clone(), ..caller(role) };
                    caller.actor.org = org.to_owned();
                    tags.insert(Scope::of(&caller, Fields::of(&caller, None), today()).tag().to_owned());
                    scopes += 1;
                }
            }
        }
        // An auditor's organization makes no difference to what they see.
        assert_eq!(tags.len(), scopes - 2);
    }
}
