//! Who calls, from a bearer token, and whether they may. A handler that takes no [`Permit`] is open to everybody.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use rollbook_events::Actor;

use super::edge::Edge;
use super::policy::{self, Action, Scope};
use super::problem::{Kind, Problem};
use crate::caller::Caller;
use crate::clock;

/// The same words whatever was wrong.
const REFUSED: &str = "send one header Authorization: Bearer TOKEN, with a token for this ledger that holds now";

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

permissions! { Read, Record, Import, Identify, Operate, Observe }

/// A caller who is known and may do what the handler does.
#[derive(Debug)]
pub struct Permit<P> {
    /// Who, with role and rights.
    #[allow(dead_code, reason = "the policy judges by it, handlers seldom do")]
    pub caller: Caller,
    /// Who, as events name it.
    pub actor: Actor,
    /// Of what.
    pub scope: Scope,
    action: PhantomData<P>,
}

impl<P: Permission> FromRequestParts<Edge> for Permit<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Problem> {
        let caller = caller(&parts.headers, edge).await?;
        let actor = caller.actor.clone();
        let scope = policy::permit(&actor, P::ACTION).map_err(|denied| Problem::new(Kind::Forbidden, denied.why))?;
        Ok(Self { caller, actor, scope, action: PhantomData })
    }
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
}
