//! Who calls, from a bearer token, and whether they may. A handler that takes no [`Permit`] is open to everybody.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use rollbook_events::pacific_day;

use super::edge::Edge;
use super::problem::{Kind, Problem};
use super::shown::Viewer;
use crate::caller::Caller;
use crate::clock;
use crate::policy::{self, Action, Denied, Fields, Purpose, Resource, Scope};

/// The same words whatever was wrong.
const REFUSED: &str = "send one header Authorization: Bearer TOKEN, with a token for this ledger that holds now";
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

permissions! { Read, Count, Replay, Dump, Rules, ReadFile, Record, Import, Identify, Operate, Observe, Subscribe }

/// A caller who is known and may do what the handler does.
#[derive(Debug)]
pub struct Permit<P> {
    /// Who, with role and rights; as events name them, `caller.actor`.
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
        let caller = caller(&parts.headers, edge).await?;
        let purpose = purpose(&parts.headers)?;
        let policy::Permit { scope, fields } = decided(&caller, P::ACTION, Resource::Ledger, purpose)?;
        parts.extensions.insert(Viewer { actor: caller.actor.clone(), purpose });
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

/// Who calls, within the rate of requests that they may make. Why a token is refused is told in this program's own log alone.
async fn caller(headers: &HeaderMap, edge: &Edge) -> Result<Caller, Problem> {
    let token = bearer(headers).ok_or_else(|| Problem::new(Kind::Unauthenticated, REFUSED))?;
    let known = edge.tokens.known(token, clock::now()).await.map_err(|why| {
        tracing::debug!(%why, "a token was refused");
        Problem::new(Kind::Unauthenticated, REFUSED)
    })?;
    edge.limits.admit(&known).map_err(Problem::too_many)?;
    Ok(known.caller)
}

/// The token, where there is one: two headers are two callers.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(one), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = one.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
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
    fn only_one_bearer_token_is_one() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of(&["Bearer abc"]), Some("abc".to_owned()));
        assert_eq!(of(&["bearer abc"]), Some("abc".to_owned()));
        assert_eq!(of(&["Basic abc"]), None);
        assert_eq!(of(&["abc"]), None);
        assert_eq!(of(&["Bearer abc", "Bearer abc"]), None);
        assert_eq!(of(&[]), None);
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
