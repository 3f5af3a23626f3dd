//! An issuer of tokens, with a key of each kind, and tokens put together by hand: right ones and such as nobody would sign.

use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RsaKeyPair,
};
use serde_json::{Value, json};

/// What a private key is.
enum Secret {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

/// A private key with its name.
pub struct Key {
    /// Its name, `kid`.
    pub id: String,
    /// The algorithm it is for.
    pub algorithm: &'static str,
    secret: Secret,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a document in PEM holds.
///
/// # Panics
/// Where it is none.
pub fn pem(text: &str) -> Vec<u8> {
    let inner: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(inner).unwrap()
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Key {
    /// A new Ed25519 key.
    ///
    /// # Panics
    /// Where the system gives no random bytes.
    pub fn ed25519(id: &str) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::ed25519_of(id, pkcs8.as_ref())
    }

    /// The Ed25519 key of a PKCS#8 document.
    ///
    /// # Panics
    /// Where it is none.
    pub fn ed25519_of(id: &str, pkcs8: &[u8]) -> Self {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).unwrap();
        Self { id: id.to_owned(), algorithm: "EdDSA", secret: Secret::Ed25519(pair) }
    }

    /// A new key for ES256.
    pub fn es256(id: &str) -> Self {
        Self::ecdsa(id, "ES256", &ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    /// A new key for ES384.
    pub fn es384(id: &str) -> Self {
        Self::ecdsa(id, "ES384", &ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    fn ecdsa(id: &str, algorithm: &'static str, with: &'static EcdsaSigningAlgorithm) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(with, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(with, pkcs8.as_ref(), &random).unwrap();
        Self { id: id.to_owned(), algorithm, secret: Secret::Ecdsa(pair) }
    }

    /// A new RSA key, made by openssl.
    ///
    /// # Panics
    /// Where there is no openssl.
    pub fn rsa(id: &str, algorithm: &'static str) -> Self {
        let arguments = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
        let made = Command::new("openssl").args(arguments).stderr(Stdio::null()).output().unwrap();
        let pair = RsaKeyPair::from_pkcs8(&pem(&String::from_utf8(made.stdout).unwrap())).unwrap();
        Self { id: id.to_owned(), algorithm, secret: Secret::Rsa(Box::new(pair)) }
    }

    /// The public half as bytes, which a careless verifier takes for a shared secret.
    pub fn public(&self) -> Vec<u8> {
        match &self.secret {
            Secret::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Secret::Ecdsa(pair) => pair.public_key().as_ref().to_vec(),
            Secret::Rsa(pair) => PublicKeyComponents::<Vec<u8>>::from(pair.public()).n,
        }
    }

    /// The public half as a JWK.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.secret {
            Secret::Ed25519(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key().as_ref()) }),
            Secret::Ecdsa(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if self.algorithm == "ES256" { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": curve, "x": base64(x), "y": base64(y) })
            }
            Secret::Rsa(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({ "kty": "RSA", "n": base64(n), "e": base64(e) })
            }
        };
        jwk["kid"] = json!(self.id);
        jwk["alg"] = json!(self.algorithm);
        jwk["use"] = json!("sig");
        jwk
    }

    /// A signature; an RSA key signs by another algorithm than its own where that is asked for.
    ///
    /// # Panics
    /// Where the key cannot sign.
    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Secret::Ecdsa(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Secret::Rsa(pair) => {
                let padding = if algorithm == "RS384" { &RSA_PKCS1_SHA384 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// A token of a header and claims as they are written here, signed.
    pub fn token(&self, algorithm: &str, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", base64(header), base64(claims));
        let token = format!("{message}.{}", base64(self.sign(algorithm, message.as_bytes())));
        crate::leaks::secret(&token);
        token
    }

    /// A token of a header and claims, signed as the key is meant to.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        self.token(self.algorithm, header.to_string().as_bytes(), claims.to_string().as_bytes())
    }
}

/// Writes the public halves of keys as a JWK set.
///
/// # Panics
/// Where the file cannot be written.
pub fn write_jwks(path: &Path, keys: &[&Key]) {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
    std::fs::write(path, json!({ "keys": keys }).to_string()).unwrap();
}
