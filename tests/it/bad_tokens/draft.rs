//! A token that is being written: right as it begins, and with one thing wrong when a case is through with it.

use std::sync::atomic::{AtomicU64, Ordering};

use harness::issuer::Key;
use serde_json::{Value, json};

pub const ISSUER: &str = "https://id.example.org";
pub const AUDIENCE: &str = "rollbook";

static NEXT: AtomicU64 = AtomicU64::new(1);

/// The keys of the issuer, and others that are not its own.
pub struct Keys {
    pub ed: Key,
    pub es256: Key,
    pub es384: Key,
    pub rs256: Key,
    pub rs384: Key,
    /// Nobody's: its name is that of `ed`.
    pub stranger: Key,
    /// The ledger's own.
    pub ledgers: Key,
}

/// What a token will be.
pub struct Draft<'a> {
    pub header: Value,
    pub claims: Value,
    pub key: &'a Key,
    /// The algorithm that it is signed by, where that is not the key's.
    pub signed_by: Option<&'static str>,
    /// The parts as they are written, where JSON values cannot say it.
    pub raw_header: Option<Vec<u8>>,
    pub raw_claims: Option<Vec<u8>>,
    /// What is done to the token when it is signed.
    pub after: Option<Box<dyn Fn(String) -> String>>,
}

#[expect(clippy::disallowed_methods, reason = "tokens hold by the clock of the ledger under test")]
pub fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

impl<'a> Draft<'a> {
    /// A token that is taken.
    pub fn right(key: &'a Key) -> Self {
        let id = format!("id-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let header = json!({ "alg": key.algorithm, "typ": "at+jwt", "kid": key.id });
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "jane.doe", "jti": id, "iat": now(), "nbf": now(), "exp": now() + 600,
            "org": "la-care", "role": "plan_compliance", "rights": ["hiv"],
        });
        Self { header, claims, key, signed_by: None, raw_header: None, raw_claims: None, after: None }
    }

    pub fn claim(&mut self, name: &str, value: impl Into<Value>) {
        self.claims[name] = value.into();
    }

    pub fn without(&mut self, claim: &str) {
        self.claims.as_object_mut().unwrap().remove(claim);
    }

    pub fn head(&mut self, name: &str, value: impl Into<Value>) {
        self.header[name] = value.into();
    }

    /// Writes the claims with something put before their end.
    pub fn with_text(&mut self, more: &str) {
        let text = self.claims.to_string();
        self.raw_claims = Some(format!("{},{more}}}", text.trim_end_matches('}')).into_bytes());
    }

    pub fn then(&mut self, after: impl Fn(String) -> String + 'static) {
        self.after = Some(Box::new(after));
    }

    pub fn token(&self) -> String {
        let header = self.raw_header.clone().unwrap_or_else(|| self.header.to_string().into_bytes());
        let claims = self.raw_claims.clone().unwrap_or_else(|| self.claims.to_string().into_bytes());
        let token = self.key.token(self.signed_by.unwrap_or(self.key.algorithm), &header, &claims);
        self.after.iter().fold(token, |token, after| after(token))
    }
}
