//! Public keys of an issuer, as a JWK set (RFC 7517) names them; each with the one algorithm it is for.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use rollbook_events::strict_json;
use serde_json::Value;

use super::signatures::by_ring;

/// Keys of one set; an issuer needs two while it changes from one to the next.
const MOST_KEYS: usize = 32;
/// Bytes of the smallest RSA modulus that is taken, 2,048 bits.
const SMALLEST_MODULUS: usize = 256;

/// Why a set of keys cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// It is no JWK set, or reads two ways.
    #[error("it is no JWK set: expected an object with `keys`, no key of an object twice")]
    NoSet,
    /// There are more keys than anybody needs.
    #[error("it has more than {MOST_KEYS} keys")]
    TooMany,
    /// A secret stands in it.
    #[error("it holds a secret or private key; take that key out of use, and give the public halves alone")]
    Secret,
    /// Two keys have one name.
    #[error("two of its keys have the same `kid`, or one of several has none")]
    Names,
    /// A key's `alg` is not one for its kind.
    #[error("one of its keys is for an algorithm that does not fit it")]
    Algorithm,
    /// A key is too small, or no key at all.
    #[error("one of its keys is no key, or an RSA key of fewer than 2,048 bits")]
    NoKey,
    /// No key of it can be used.
    #[error("it has no key for signatures by RS256, RS384, ES256, ES384 or EdDSA")]
    Empty,
}

/// A key and what it is for.
#[derive(Debug, Clone)]
pub(super) struct Key {
    id: Option<String>,
    /// The one algorithm that is taken with it.
    pub algorithm: Algorithm,
    /// The key itself.
    pub decoding: DecodingKey,
}

/// The keys of an issuer.
#[derive(Debug, Clone)]
pub struct KeySet(Vec<Key>);

/// The algorithm of a name, where it is one that is taken at all.
pub(super) fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "RS256" => Some(Algorithm::RS256),
        "RS384" => Some(Algorithm::RS384),
        "ES256" => Some(Algorithm::ES256),
        "ES384" => Some(Algorithm::ES384),
        "EdDSA" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

impl KeySet {
    /// Reads a JWK set. Keys of kinds unknown here, and keys for encryption, are passed over.
    ///
    /// # Errors
    /// Where the set is none, holds a secret, or has no key that can be used.
    pub fn parse(text: &[u8]) -> Result<Self, BadKeys> {
        let value = strict_json::parse(text).map_err(|_| BadKeys::NoSet)?;
        Self::of(&value)
    }

    /// Reads a JWK set that is JSON already.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn of(value: &Value) -> Result<Self, BadKeys> {
        by_ring();
        let listed = value.get("keys").and_then(Value::as_array).ok_or(BadKeys::NoSet)?;
        if listed.len() > MOST_KEYS {
            return Err(BadKeys::TooMany);
        }
        let mut keys = Vec::new();
        for jwk in listed {
            let secret = ["d", "k", "p", "q"].iter().any(|part| jwk.get(part).is_some());
            if secret || jwk.get("kty").and_then(Value::as_str) == Some("oct") {
                return Err(BadKeys::Secret);
            }
            let known = ["RSA", "EC", "OKP"].iter().any(|kind| jwk.get("kty").and_then(Value::as_str) == Some(kind));
            if known && let Some(key) = key(jwk)? {
                keys.push(key);
            }
        }
        if keys.is_empty() {
            return Err(BadKeys::Empty);
        }
        let mut names: Vec<_> = keys.iter().map(|key| key.id.as_deref()).collect();
        names.sort_unstable();
        names.dedup();
        let nameless = keys.len() > 1 && names.first() == Some(&None);
        if names.len() < keys.len() || nameless { Err(BadKeys::Names) } else { Ok(Self(keys)) }
    }

    /// A single Ed25519 key.
    pub(super) fn ed25519(id: &str, public: &[u8]) -> Self {
        by_ring();
        let decoding = DecodingKey::from_ed_der(public);
        Self(vec![Key { id: Some(id.to_owned()), algorithm: Algorithm::EdDSA, decoding }])
    }

    /// The key of a name. Without a name there must be no choice.
    pub(super) fn find(&self, id: Option<&str>) -> Option<&Key> {
        match (id, self.0.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(_), [only]) if only.id.is_none() => Some(only),
            (Some(id), keys) => keys.iter().find(|key| key.id.as_deref() == Some(id)),
        }
    }
}

/// The key that a JWK is, where it is one for signatures.
fn key(jwk: &Value) -> Result<Option<Key>, BadKeys> {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).map_err(|_| BadKeys::NoKey)?;
    let for_signatures = jwk.common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
    let operations = jwk.common.key_operations.as_ref();
    if !for_signatures || !operations.is_none_or(|all| all.contains(&KeyOperations::Verify)) {
        return Ok(None);
    }
    // Those that fit the key; the first one where the set does not say.
    let fitting: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::RS384],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        AlgorithmParameters::EllipticCurve(_)
        | AlgorithmParameters::OctetKeyPair(_)
        | AlgorithmParameters::OctetKey(_)
        | AlgorithmParameters::Other(_)
        | _ => return Ok(None),
    };
    let named = jwk.common.key_algorithm.as_ref().map(KeyAlgorithm::to_string);
    let algorithm = match named {
        None => fitting.first().copied(),
        Some(name) => {
            // For an algorithm that is not taken here, as PS256: not our key.
            let Some(named) = algorithm(&name) else { return Ok(None) };
            fitting.contains(&named).then_some(named)
        }
    };
    let algorithm = algorithm.ok_or(BadKeys::Algorithm)?;
    let decoding = DecodingKey::from_jwk(&jwk).map_err(|_| BadKeys::NoKey)?;
    let whole = match decoding.kind() {
        jsonwebtoken::DecodingKeyKind::RsaModulusExponent { n, .. } => n.len() >= SMALLEST_MODULUS,
        // The whole point, or Ed25519's half of one.
        jsonwebtoken::DecodingKeyKind::SecretOrDer(point) if algorithm == Algorithm::ES256 => point.len() == 65,
        jsonwebtoken::DecodingKeyKind::SecretOrDer(point) if algorithm == Algorithm::ES384 => point.len() == 97,
        jsonwebtoken::DecodingKeyKind::SecretOrDer(point) => point.len() == 32,
    };
    if !whole {
        return Err(BadKeys::NoKey);
    }
    Ok(Some(Key { id: jwk.common.key_id, algorithm, decoding }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// From RFC 8037, appendix A.2.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn parsed(keys: &Value) -> Result<usize, BadKeys> {
        KeySet::of(&json!({ "keys": keys })).map(|set| set.0.len())
    }

    #[test]
    fn a_key_is_for_one_algorithm_and_found_by_its_name() {
        let key = |id: &str| json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": id });
        let set = KeySet::of(&json!({ "keys": [key("a"), key("b")] })).unwrap();
        assert_eq!(set.find(Some("b")).map(|key| key.algorithm), Some(Algorithm::EdDSA));
        assert!(set.find(None).is_none() && set.find(Some("c")).is_none());
        let one = KeySet::of(&json!({ "keys": [key("a")] })).unwrap();
        assert!(one.find(None).is_some() && one.find(Some("b")).is_none());
    }

    #[test]
    fn a_set_that_holds_a_secret_or_leads_astray_is_refused() {
        let with = |more: Value| {
            let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "x": X });
            key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            key
        };
        assert_eq!(parsed(&json!([with(json!({ "d": X }))])), Err(BadKeys::Secret));
        assert_eq!(parsed(&json!([{ "kty": "oct", "k": X }])), Err(BadKeys::Secret));
        assert_eq!(parsed(&json!([with(json!({ "alg": "RS256" }))])), Err(BadKeys::Algorithm));
        assert_eq!(parsed(&json!([with(json!({ "alg": "HS256" }))])), Err(BadKeys::Empty));
        assert_eq!(parsed(&json!([with(json!({})), with(json!({ "kid": "a" }))])), Err(BadKeys::Names));
        assert_eq!(parsed(&json!([with(json!({ "kid": "a" })), with(json!({ "kid": "a" }))])), Err(BadKeys::Names));
        assert_eq!(parsed(&json!([with(json!({ "use": "enc" }))])), Err(BadKeys::Empty));
        assert_eq!(parsed(&json!([{ "kty": "new" }])), Err(BadKeys::Empty));
        assert_eq!(parsed(&json!([{ "kty": "RSA", "n": "AQAB", "e": "AQAB" }])), Err(BadKeys::NoKey));
        assert_eq!(KeySet::parse(br#"{"keys":[],"keys":[]}"#).map(|_| ()), Err(BadKeys::NoSet));
        assert_eq!(parsed(&json!([with(json!({ "use": "sig", "alg": "EdDSA" })), { "kty": "new" }])), Ok(1));
    }
}
