//! A token as it comes, `header.claims.signature`, read strictly before anything is believed of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use rollbook_events::strict_json;
use serde_json::{Map, Value};

use super::keys::algorithm;
use super::refused::Refused;

/// Bytes of a token; looked at before anything else.
pub const MOST_BYTES: usize = 8 * 1024;

/// Parameters of a header that would have us take a key from the token, fetch one, unpack the claims, or obey an extension.
/// None is obeyed, and a token with one is refused, so that no other reader of it can be led where we were not.
const NOT_HERE: [&str; 9] = ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc", "cty"];

/// A token that could be read; nothing in it is true yet.
#[derive(Debug)]
pub(super) struct Compact<'a> {
    /// As it came.
    pub token: &'a str,
    /// The algorithm it says it is signed by.
    pub algorithm: Algorithm,
    /// The name of the key it says it is signed with.
    pub key: Option<String>,
    /// What kind of token it says it is, in lower case.
    pub kind: Option<String>,
    /// What it claims.
    pub claims: Map<String, Value>,
}

impl<'a> Compact<'a> {
    /// Reads a token.
    ///
    /// # Errors
    /// Where two readers could understand it differently, or it asks for what is not done here.
    pub fn read(token: &'a str) -> Result<Self, Refused> {
        if token.len() > MOST_BYTES {
            return Err(Refused::TooLong);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refused::Form);
        };
        if header.is_empty() || claims.is_empty() || signature.is_empty() {
            return Err(Refused::Form);
        }
        decoded(signature)?;
        let (header, claims) = (object(header)?, object(claims)?);
        if NOT_HERE.iter().any(|name| header.contains_key(*name)) {
            return Err(Refused::Header);
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(algorithm).ok_or(Refused::Algorithm)?;
        let key = optional_text(&header, "kid")?;
        let kind = optional_text(&header, "typ")?.map(|kind| kind.to_ascii_lowercase());
        Ok(Self { token, algorithm, key, kind, claims })
    }

    /// Who says that it issued this.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Unreadable)
}

/// An object in which no key stands twice.
fn object(part: &str) -> Result<Map<String, Value>, Refused> {
    match strict_json::parse(&decoded(part)?) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(Refused::Unreadable),
    }
}

fn optional_text(header: &Map<String, Value>, name: &str) -> Result<Option<String>, Refused> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refused::Unreadable),
    }
}
