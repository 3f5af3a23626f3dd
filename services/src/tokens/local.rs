//! The ledger's own issuer: an Ed25519 key in the data folder, made once. It signs the tokens issued by hand and, under another
//! name, the short-lived ones that registered clients get for an assertion.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use rollbook_events::{Actor, Hash, Sensitivity};
use serde_json::json;

use super::claims::{Allowed, is_organization};
use super::keys::KeySet;
use super::list::{Kept, List};
use super::verify::{ACCESS, Expected};
use crate::caller::Role;
use crate::clock;

/// The longest that a token issued by hand may hold.
pub const MOST_DAYS: u16 = 366;
/// How long an access token holds that a client got for an assertion.
pub const ACCESS_SECONDS: i64 = 600;
const SECONDS_OF_A_DAY: i64 = 86_400;
/// How far this machine's own clock may have been set back since a token was issued by hand: its operator must be able to ask what is
/// wrong then. That it stands in the list says that it was issued.
const SET_BACK: i64 = 2 * SECONDS_OF_A_DAY;
/// Digits of the key's hash that name it.
const ID_DIGITS: usize = 16;

/// Whom a token is to be for.
#[derive(Debug, Clone)]
pub struct Whom {
    /// The organization's code.
    pub org: String,
    /// The person or program within it.
    pub id: String,
    /// The role.
    pub role: Role,
    /// Which sensitive events it may see whole.
    pub rights: Vec<Sensitivity>,
}

/// The ledger's own issuer. Cheap to clone.
#[derive(Clone)]
pub struct Local {
    key: EncodingKey,
    id: String,
    pub(super) keys: Arc<KeySet>,
    /// The tokens it has issued by hand.
    pub list: List,
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Local").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Local {
    /// The issuer of a data folder; its key is made where there is none yet.
    ///
    /// # Errors
    /// Where the key cannot be read or made.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let pkcs8 = key_of(&data.join("token.key"))?;
        let wrong = || format!("{} holds no Ed25519 key", data.join("token.key").display());
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| anyhow::anyhow!(wrong()))?;
        let public = pair.public_key().as_ref();
        let id = Hash::of(public).to_string().chars().take(ID_DIGITS).collect::<String>();
        let keys = Arc::new(KeySet::ed25519(&id, public));
        Ok(Self { key: EncodingKey::from_ed_der(&pkcs8), id, keys, list: List::of(data) })
    }

    /// Its name in tokens issued by hand. Another ledger's is another.
    pub fn issuer(&self) -> String {
        format!("urn:rollbook:{}", self.id)
    }

    /// Its name in tokens issued for an assertion.
    pub fn clients_issuer(&self) -> String {
        format!("urn:rollbook:{}:clients", self.id)
    }

    /// What is expected of tokens issued by hand.
    pub(super) fn by_hand(&self) -> Expected {
        let longest = i64::from(MOST_DAYS) * SECONDS_OF_A_DAY;
        self.expected(self.issuer(), Allowed { longest, ahead: SET_BACK })
    }

    /// What is expected of tokens issued for an assertion.
    pub(super) fn for_clients(&self) -> Expected {
        self.expected(self.clients_issuer(), Allowed::longest(ACCESS_SECONDS))
    }

    fn expected(&self, issuer: String, times: Allowed) -> Expected {
        Expected { audience: self.issuer(), issuer, alone: true, times, kinds: ACCESS, not_before: true }
    }

    /// Issues a token by hand; it is given once and never again.
    ///
    /// # Errors
    /// Where the name is taken (unless it may be shared), there is no such organization, or the list cannot be written.
    pub fn issue(
        &self,
        name: &str,
        whom: &Whom,
        days: u16,
        shared: bool,
        now: DateTime<Utc>,
    ) -> anyhow::Result<String> {
        if !(1..=MOST_DAYS).contains(&days) {
            bail!("a token holds from 1 to {MOST_DAYS} days");
        }
        check(whom)?;
        let id = clock::new_event_id().to_string();
        let expires = now + TimeDelta::days(i64::from(days));
        let token = self.signed(&self.issuer(), whom, &id, expires, now)?;
        let actor = Actor { org: whom.org.clone(), id: whom.id.clone(), role: whom.role.as_str().to_owned() };
        let kept = Kept {
            name: name.to_owned(),
            actor,
            sha256: Hash::of(token.as_bytes()),
            id: Some(id),
            rights: whom.rights.clone(),
            expires: Some(expires),
        };
        self.list.add(kept, shared, now)?;
        Ok(token)
    }

    /// Issues an access token for a client, which is in no list and holds for minutes.
    ///
    /// # Errors
    /// Where it cannot be signed.
    pub(super) fn issue_access(&self, whom: &Whom, now: DateTime<Utc>) -> anyhow::Result<String> {
        let (id, expires) = (clock::new_event_id().to_string(), now + TimeDelta::seconds(ACCESS_SECONDS));
        self.signed(&self.clients_issuer(), whom, &id, expires, now)
    }

    fn signed(
        &self,
        issuer: &str,
        whom: &Whom,
        id: &str,
        expires: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> anyhow::Result<String> {
        let mut header = Header::new(Algorithm::EdDSA);
        (header.kid, header.typ) = (Some(self.id.clone()), Some("at+jwt".to_owned()));
        let claims = json!({
            "iss": issuer, "aud": self.issuer(), "sub": whom.id, "jti": id,
            "iat": now.timestamp(), "nbf": now.timestamp(), "exp": expires.timestamp(),
            "org": whom.org, "role": whom.role, "rights": whom.rights,
        });
        jsonwebtoken::encode(&header, &claims, &self.key).context("the token could not be signed")
    }
}

/// What would be refused when it is shown is not issued.
fn check(whom: &Whom) -> anyhow::Result<()> {
    if !is_organization(&whom.org, whom.role) {
        bail!("`{}` is no organization: expected a code as la-care, for a provider its code or NPI", whom.org);
    }
    if whom.id.is_empty() || whom.id.len() > 128 || !whom.id.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("an id is 1 to 128 visible ASCII characters");
    }
    if whom.rights.contains(&Sensitivity::None) {
        bail!("`none` is no right; the rights are part2, hiv, minor");
    }
    Ok(())
}

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// The key of a file, in PKCS#8 as PEM, or a new one where there is none.
fn key_of(path: &Path) -> anyhow::Result<Vec<u8>> {
    if !path.exists() {
        make(path)?;
    }
    let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let inner = text.trim().strip_prefix(BEGIN).and_then(|text| text.strip_suffix(END));
    let inner: Option<String> = inner.map(|text| text.split_whitespace().collect());
    let key = inner.and_then(|inner| STANDARD.decode(inner).ok());
    key.with_context(|| format!("{} holds no private key in PEM", path.display()))
}

/// Makes a key, whole before it has its name: another part may start on the same folder at this moment.
fn make(path: &Path) -> anyhow::Result<()> {
    let doing = || format!("could not make the key {}", path.display());
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
    let key = key.map_err(|_| anyhow::anyhow!("the system gave no random bytes")).with_context(doing)?;
    let beside = path.with_extension(format!("key.{}", std::process::id()));
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
    let mut file = file.with_context(doing)?;
    let text = format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(key.as_ref()));
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(doing)?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside).with_context(doing)?;
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked.with_context(doing),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Local::open(folder.path()).unwrap(), Local::open(folder.path()).unwrap());
        assert_eq!(first.issuer(), second.issuer());
        let path = folder.path().join("token.key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(&path, "short").unwrap();
        assert!(Local::open(folder.path()).is_err());
    }

    #[test]
    fn what_would_be_refused_is_not_issued() {
        let folder = tempfile::tempdir().unwrap();
        let local = Local::open(folder.path()).unwrap();
        let whom = |org: &str, id: &str, rights: Vec<Sensitivity>| Whom {
            org: org.into(),
            id: id.into(),
            role: Role::Recorder,
            rights,
        };
        let issue = |whom: Whom, days| local.issue("x", &whom, days, false, clock::now());
        assert!(issue(whom("LA Care", "x", vec![]), 1).is_err());
        assert!(issue(whom("la-care", "", vec![]), 1).is_err());
        assert!(issue(whom("la-care", "x", vec![Sensitivity::None]), 1).is_err());
        assert!(issue(whom("la-care", "x", vec![]), 0).is_err() && issue(whom("la-care", "x", vec![]), 367).is_err());
        let token = issue(whom("la-care", "x", vec![Sensitivity::Hiv]), 366).unwrap();
        assert!(!fs::read_to_string(folder.path().join("tokens.json")).unwrap().contains(&token));
        assert!(issue(whom("la-care", "x", vec![]), 1).is_err(), "the name is taken");
    }
}
