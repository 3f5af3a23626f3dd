//! Who calls, from a bearer token, and whether they may. A handler that takes no [`Permit`] is open to everybody.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use rollbook_events::{Actor, Sensitivity, pacific_day};

use super::edge::Edge;
use super::problem::{Kind, Problem};
use crate::caller::{Caller, Rights, Role};
use crate::clock;
use crate::policy::{self, Action, Denied, Fields, Purpose, Resource, Scope};

/// The header that states a purpose of use.
const PURPOSE: &str = "rollbook-purpose";

/// The action that a handler is.
pub trait Permission: Send {
    /// Which.
    const ACTION: Action;
}

macro_rules! permissions {
    ($($name:ident),+) => { $(
        /// The action of the same name.
        #[derive(Debug)]
        pub struct $name;
        impl Permission for $name { const ACTION: Action = Action::$name; }
    )+ };
}

permissions! { Read, Count, Replay, Dump, Rules, ReadFile, Record, Import, Identify, Operate, Observe }

/// A caller who is known and may do what the handler does.
#[derive(Debug)]
pub struct Permit<P> {
    /// Who.
    pub caller: Caller,
    /// Of what.
    pub scope: Scope,
    /// How much of it.
    pub fields: Fields,
    /// What for, where it was stated.
    pub purpose: Option<Purpose>,
    action: PhantomData<P>,
}

impl<P: Permission> FromRequestParts<Edge> for Permit<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Problem> {
        let Some(token) = bearer(&parts.headers) else {
            return Err(Problem::new(Kind::Unauthenticated, "send a header Authorization: Bearer TOKEN"));
        };
        let unknown = || Problem::new(Kind::Unauthenticated, "the token is unknown, or was revoked");
        let caller = interim(edge.tokens.caller(token).ok_or_else(unknown)?);
        let purpose = purpose(&parts.headers)?;
        let policy::Permit { scope, fields } = decided(&caller, P::ACTION, Resource::Ledger, purpose)?;
        Ok(Self { caller, scope, fields, purpose, action: PhantomData })
    }
}

impl<P> Permit<P> {
    /// Whether the caller may do something else too, of something.
    ///
    /// # Errors
    /// 403 where they may not.
    pub fn also(&self, action: Action, resource: Resource<'_>) -> Result<policy::Permit, Problem> {
        decided(&self.caller, action, resource, self.purpose)
    }
}

/// What the policy decides today.
///
/// # Errors
/// 403 where it refuses. Of what is read and lies outside the scope nobody is told so; the views answer as if it were not.
pub fn decided(
    caller: &Caller,
    action: Action,
    resource: Resource<'_>,
    purpose: Option<Purpose>,
) -> Result<policy::Permit, Problem> {
    let refused = |Denied { reason }| Problem::new(Kind::Forbidden, reason.says());
    policy::decide(caller, action, resource, purpose, pacific_day(&clock::now())).map_err(refused)
}

/// INTERIM, until tokens name roles and rights of their own: a caller from the actor that an older token names. The ledger's
/// own tokens, and roles in words of their own, are the owner's; `role+hiv+minor` names rights.
fn interim(actor: Actor) -> Caller {
    let mut words = actor.role.split('+');
    let named = words.next().and_then(|role| role.parse::<Role>().ok()).filter(|_| actor.org != "rollbook");
    let right = |word: &str| Sensitivity::ALL.iter().copied().find(|of| of.as_str() == word);
    let rights = Rights::to(words.filter_map(right));
    Caller { role: named.unwrap_or(Role::Owner), rights, actor }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn purpose(headers: &HeaderMap) -> Result<Option<Purpose>, Problem> {
    let mut stated = headers.get_all(PURPOSE).iter();
    let Some(value) = stated.next() else { return Ok(None) };
    // Two purposes are none: which of them would count is nobody's to guess.
    let text = if stated.next().is_some() { "" } else { value.to_str().unwrap_or_default() };
    text.parse().map(Some).map_err(|error| Problem::parameter("Rollbook-Purpose", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_token_is_one() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of("Bearer abc"), Some("abc".to_owned()));
        assert_eq!(of("bearer abc"), Some("abc".to_owned()));
        assert_eq!(of("Basic abc"), None);
        assert_eq!(of("abc"), None);
    }

    #[test]
    fn a_purpose_is_one_of_those_there_are_and_only_one() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(PURPOSE, value.parse().unwrap());
            }
            purpose(&headers).map_err(|problem| problem.status().as_u16())
        };
        assert_eq!(of(&[]).unwrap(), None);
        assert_eq!(of(&["oversight"]).unwrap(), Some(Purpose::Oversight));
        assert_eq!(of(&["curiosity"]).unwrap_err(), 400);
        assert_eq!(of(&["oversight", "legal_proceeding"]).unwrap_err(), 400);
    }
}
