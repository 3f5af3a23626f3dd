//! Whether a token is what it says it is: a function of the token, the issuer's keys, what is expected of it, and the instant.

use chrono::{DateTime, Utc};
use jsonwebtoken::Validation;
use serde::de::IgnoredAny;

use super::claims::{Allowed, Times, is_for, name};
use super::compact::Compact;
use super::keys::KeySet;
use super::refused::Refused;

/// What is expected of the tokens of an issuer.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    /// Who says so: its `iss`, to the letter.
    pub issuer: String,
    /// Whom it must be for.
    pub audience: String,
    /// Whether it may be for nobody else.
    pub alone: bool,
    /// What its times may be.
    pub times: Allowed,
    /// The kinds of token (`typ`, in lower case) that are taken where one is named.
    pub kinds: &'static [&'static str],
    /// Whether it must say from when it holds.
    pub not_before: bool,
}

/// The kinds of token that stand for access. `JWT` alone says nothing and is common.
pub(super) const ACCESS: &[&str] = &["jwt", "at+jwt", "application/at+jwt"];
/// The kinds of token that stand for a client.
pub(super) const ASSERTION: &[&str] = &["jwt", "client-authentication+jwt"];

/// Verifies a token, and tells between when it holds. What is cheap to see is looked at first, the signature last.
///
/// # Errors
/// Why it is refused.
pub(super) fn verify(
    token: &Compact<'_>,
    keys: &KeySet,
    expected: &Expected,
    now: DateTime<Utc>,
) -> Result<Times, Refused> {
    if token.kind.as_deref().is_some_and(|kind| !expected.kinds.contains(&kind)) {
        return Err(Refused::Type);
    }
    if token.issuer() != Some(expected.issuer.as_str()) {
        return Err(Refused::Issuer);
    }
    is_for(&token.claims, &expected.audience, expected.alone)?;
    name(&token.claims, "sub")?;
    let times = Times::of(&token.claims, expected.not_before)?;
    times.hold(now, expected.times)?;
    let key = keys.find(token.key.as_deref()).ok_or(Refused::NoKey)?;
    if key.algorithm != token.algorithm {
        return Err(Refused::Algorithm);
    }
    // The library looks at issuer, audience and what must be there once more; at the time it cannot, for it has its own clock.
    let mut validation = Validation::new(key.algorithm);
    validation.set_issuer(&[&expected.issuer]);
    validation.set_audience(&[&expected.audience]);
    let required: &[&str] =
        if expected.not_before { &["iss", "aud", "sub", "exp", "nbf"] } else { &["iss", "aud", "sub", "exp"] };
    validation.set_required_spec_claims(required);
    (validation.validate_exp, validation.validate_nbf) = (false, false);
    match jsonwebtoken::decode::<IgnoredAny>(token.token, &key.decoding, &validation) {
        Ok(_) => Ok(times),
        Err(_) => Err(Refused::Signature),
    }
}
