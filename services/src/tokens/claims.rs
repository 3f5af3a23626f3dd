//! What a token states, each claim of its right JSON type: a time as a string is no time (CVE-2026-25537 was that it counted as absent).

use chrono::{DateTime, Utc};
use rollbook_events::{Actor, PlanCode, Provider, Sensitivity};
use serde_json::{Map, Value};

use super::refused::Refused;
use crate::caller::{Caller, Rights, Role};

/// The last second of the year 9999; a later one is a mistake or an attack on somebody's arithmetic.
const LAST_SECOND: i64 = 253_402_300_799;
/// Characters of a subject or an id.
const LONGEST_NAME: usize = 128;
/// Audiences that one token may be for.
const MOST_AUDIENCES: usize = 8;

type Claims = Map<String, Value>;

/// What is allowed of an issuer's times, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowed {
    /// How long a token may hold from when it was issued.
    pub longest: i64,
    /// How far the issuer's clock may be ahead of ours.
    pub ahead: i64,
}

impl Allowed {
    /// With a clock that is kept right, as ours is.
    pub const fn longest(longest: i64) -> Self {
        Self { longest, ahead: 5 }
    }
}

/// Between when a token holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    issued: i64,
    not_before: i64,
    /// The second from which it holds no more.
    pub expires: i64,
}

impl Times {
    /// The times of a token. An assertion need not say from when it holds, any other token must.
    ///
    /// # Errors
    /// Where one is missing or no whole number of seconds.
    pub fn of(claims: &Claims, not_before_needed: bool) -> Result<Self, Refused> {
        let (issued, expires) = (second(claims, "iat")?, second(claims, "exp")?);
        let not_before = match claims.get("nbf") {
            None if !not_before_needed => issued,
            None | Some(_) => second(claims, "nbf")?,
        };
        Ok(Self { issued, not_before, expires })
    }

    /// Whether they hold now, and for no longer than they may.
    ///
    /// # Errors
    /// Where they do not.
    pub fn hold(&self, now: DateTime<Utc>, allowed: Allowed) -> Result<(), Refused> {
        let (now, Allowed { longest, ahead }) = (now.timestamp(), allowed);
        if self.issued > now + ahead || self.not_before > now + ahead {
            return Err(Refused::NotYet);
        }
        if self.expires <= now {
            return Err(Refused::Expired);
        }
        if self.expires - self.issued > longest || self.expires - now > longest + ahead {
            return Err(Refused::TooLongLived);
        }
        // Issued after it began to hold is common; after it ceased to is nonsense.
        if self.expires <= self.not_before { Err(Refused::Claim("nbf")) } else { Ok(()) }
    }

    /// Whether it was issued before an instant.
    pub fn issued_before(&self, instant: DateTime<Utc>) -> bool {
        self.issued < instant.timestamp()
    }
}

fn second(claims: &Claims, name: &'static str) -> Result<i64, Refused> {
    // A fraction of a second is allowed by the letter of the standard; no issuer sends one, and it is read in two ways.
    let second = claims.get(name).and_then(Value::as_i64).filter(|second| (0..=LAST_SECOND).contains(second));
    second.ok_or(Refused::Claim(name))
}

/// A claim that is a name: visible ASCII, so that it can stand in an event and in no line of its own anywhere.
///
/// # Errors
/// Where it is missing or something else.
pub(super) fn name(claims: &Claims, claim: &'static str) -> Result<String, Refused> {
    let text = claims.get(claim).and_then(Value::as_str).ok_or(Refused::Claim(claim))?;
    let whole = (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if whole { Ok(text.to_owned()) } else { Err(Refused::Claim(claim)) }
}

/// The same, where it may be missing.
///
/// # Errors
/// Where it is there and something else.
pub(super) fn optional_name(claims: &Claims, claim: &'static str) -> Result<Option<String>, Refused> {
    if claims.contains_key(claim) { name(claims, claim).map(Some) } else { Ok(None) }
}

/// Whether a token is for an audience; for it alone, where that is asked for.
///
/// # Errors
/// Where it is for another, or does not say for whom.
pub(super) fn is_for(claims: &Claims, audience: &str, alone: bool) -> Result<(), Refused> {
    let all: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) if (1..=MOST_AUDIENCES).contains(&many.len()) => {
            many.iter().map(Value::as_str).collect::<Option<_>>().ok_or(Refused::Claim("aud"))?
        }
        Some(_) | None => return Err(Refused::Claim("aud")),
    };
    let meant = if alone { all == [audience] } else { all.contains(&audience) };
    if meant { Ok(()) } else { Err(Refused::Audience) }
}

/// Who a token is for: subject, organization, role and rights.
///
/// # Errors
/// Where one of them is missing or unknown.
pub(super) fn who(claims: &Claims) -> Result<Caller, Refused> {
    let id = name(claims, "sub")?;
    let role = claims.get("role").and_then(Value::as_str).and_then(|role| role.parse().ok());
    let role: Role = role.ok_or(Refused::Claim("role"))?;
    let org = claims.get("org").and_then(Value::as_str).filter(|org| is_organization(org, role));
    let org = org.ok_or(Refused::Claim("org"))?.to_owned();
    let rights = match claims.get("rights") {
        None => Vec::new(),
        Some(rights) => self::rights(rights).ok_or(Refused::Claim("rights"))?,
    };
    Ok(caller(org, id, role, &rights))
}

/// A caller of these; an owner has every right.
pub(super) fn caller(org: String, id: String, role: Role, rights: &[Sensitivity]) -> Caller {
    let rights = if role == Role::Owner { Sensitivity::ALL } else { rights };
    let actor = Actor { org, id, role: role.as_str().to_owned() };
    Caller { actor, role, rights: Rights::to(rights.iter().copied()) }
}

/// Whether a text can be the organization of somebody in a role: a provider's code or NPI, else a plan's or agency's code.
pub fn is_organization(org: &str, role: Role) -> bool {
    if role == Role::Provider { org.parse::<Provider>().is_ok() } else { org.parse::<PlanCode>().is_ok() }
}

/// Each right once, and none that is no right.
fn rights(listed: &Value) -> Option<Vec<Sensitivity>> {
    let mut rights = Vec::new();
    for right in listed.as_array()? {
        let right: Sensitivity = right.as_str()?.parse().ok()?;
        if right == Sensitivity::None || rights.contains(&right) {
            return None;
        }
        rights.push(right);
    }
    Some(rights)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: &Value) -> Claims {
        value.as_object().unwrap().clone()
    }

    fn held(issued: i64, not_before: i64, expires: i64, now: i64) -> Result<(), Refused> {
        let times = Times { issued, not_before, expires };
        times.hold(DateTime::from_timestamp(now, 0).unwrap(), Allowed::longest(600))
    }

    #[test]
    fn times_hold_between_their_ends_and_not_for_too_long() {
        assert_eq!(held(100, 100, 400, 100), Ok(()));
        assert_eq!(held(100, 100, 400, 399), Ok(()));
        assert_eq!(held(100, 100, 400, 400), Err(Refused::Expired));
        assert_eq!(held(100, 100, 400, 95), Ok(()));
        assert_eq!(held(100, 100, 400, 94), Err(Refused::NotYet));
        assert_eq!(held(100, 200, 400, 194), Err(Refused::NotYet));
        assert_eq!(held(100, 100, 701, 200), Err(Refused::TooLongLived));
        assert_eq!(held(0, 0, LAST_SECOND, 100), Err(Refused::TooLongLived));
        assert_eq!(held(100, 103, 103, 99), Err(Refused::Claim("nbf")));
    }

    #[test]
    fn a_time_is_a_whole_number_of_seconds() {
        let read = |exp: Value| Times::of(&claims(&json!({ "iat": 1, "nbf": 1, "exp": exp })), true);
        assert!(read(json!(2)).is_ok());
        for bad in
            [json!("2"), json!(2.5), json!(2.0), json!(-2), json!(1e300), json!(u64::MAX), json!(null), json!([2])]
        {
            assert_eq!(read(bad.clone()), Err(Refused::Claim("exp")), "{bad}");
        }
        let without = claims(&json!({ "iat": 1, "exp": 2 }));
        assert_eq!(Times::of(&without, true), Err(Refused::Claim("nbf")));
        assert!(Times::of(&without, false).is_ok());
    }

    #[test]
    fn an_organization_is_a_code_of_its_kind() {
        assert!(is_organization("la-care", Role::Recorder) && is_organization("1234567893", Role::Provider));
        for bad in ["", "a", "LA-Care", "la care", "la-care\n", "la\u{7}care", "../la-care", "la-care;"] {
            assert!(!is_organization(bad, Role::Recorder) && !is_organization(bad, Role::Provider), "{bad:?}");
        }
    }
}
