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

permissions! { Read, Record, Import, Identify, Operate, Observe, Subscribe }

/// A caller who is known and may do what the handler does.
#[derive(Debug)]
pub struct Permit<P> {
    /// Who.
    pub actor: Actor,
    /// Of what.
    pub scope: Scope,
    action: PhantomData<P>,
}

impl<P: Permission> FromRequestParts<Edge> for Permit<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Problem> {
        let Some(token) = bearer(&parts.headers) else {
            return Err(Problem::new(Kind::Unauthenticated, "send a header Authorization: Bearer TOKEN"));
        };
        let unknown = || Problem::new(Kind::Unauthenticated, "the token is unknown, or was revoked");
        let actor = edge.tokens.caller(token).ok_or_else(unknown)?;
        let scope = policy::permit(&actor, P::ACTION).map_err(|denied| Problem::new(Kind::Forbidden, denied.why))?;
        Ok(Self { actor, scope, action: PhantomData })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
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
}
