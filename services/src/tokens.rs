//! Who may call: bearer tokens, which are signed JWTs, and the assertions that machine clients get them for.
//!
//! Three issuers are known. One that the organizations run (OpenID Connect), by its JWK set; it is the only one for people in
//! production. The ledger itself for tokens issued by hand (`rollbook token`, `up`), each in a list that it can be struck off; a
//! production profile takes none. And the ledger itself for registered clients, for minutes, in return for an assertion.
//!
//! Reading order: `compact` (how a token is read), `claims` and `keys`, `verify` (the pure judgement), `jwks`, `local` and `clients` (the
//! three issuers), `assertion`, and here what ties them together.
//!
//! **Invariants:** time is an argument of every judgement. No reason of a refusal reaches a caller, and no token a log.

mod assertion;
mod claims;
mod clients;
mod compact;
mod jwks;
mod keys;
mod list;
mod local;
mod refused;
mod replay;
mod reread;
mod seen;
mod settings;
mod signatures;
mod verify;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::bail;
use chrono::{DateTime, Utc};
use rollbook_events::Hash;

use crate::caller::{Caller, Role};
use crate::clock;
use crate::health::Health;
use crate::ledger_key::LedgerKey;
use crate::log::Log;

use claims::Allowed;
use clients::Clients;
use compact::Compact;
use jwks::Jwks;
use keys::KeySet;
use replay::Shown;
use reread::Reread;
use seen::Seen;
use verify::{ACCESS, Expected, verify};

pub use compact::MOST_BYTES;
pub use jwks::Place;
pub use list::{Kept, List, private};
pub use local::{ACCESS_SECONDS, Local, MOST_DAYS, Whom};
pub use refused::Refused;
pub use settings::{Issuer, Profile, Settings};

/// The longest that a token of the organizations' issuer may hold.
const LONGEST: i64 = 86_400;

/// Somebody whose token was verified.
#[derive(Debug, Clone)]
pub struct Known {
    /// Who.
    pub caller: Caller,
    /// Whether the ledger itself issued the token by hand.
    pub local: bool,
}

/// A token that was verified, and what its being true goes on to rest on.
#[derive(Debug)]
struct Verified {
    known: Known,
    times: claims::Times,
    allowed: Allowed,
    rests_on: RestsOn,
}

#[derive(Debug)]
enum RestsOn {
    /// The keys that its issuer had.
    Keys(Arc<KeySet>),
    /// Its place in the list.
    Listed(String),
    /// The registration of its client.
    Client,
}

/// An access token for a client.
#[derive(Debug)]
pub struct Access {
    /// The token.
    pub token: String,
    /// Whose it is.
    pub known: Known,
}

/// Who may call this ledger. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tokens(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    profile: Profile,
    local: Local,
    by_hand: Expected,
    for_clients: Expected,
    issuer: Option<(Expected, Jwks)>,
    clients: Option<Reread<Clients>>,
    endpoint: OnceLock<String>,
    shown: Shown,
    seen: Seen,
    began: DateTime<Utc>,
}

impl Tokens {
    /// With the ledger's own tokens alone.
    ///
    /// # Errors
    /// Where the ledger's key cannot be read or made.
    pub fn of(data: &Path) -> anyhow::Result<Self> {
        Self::with(data, Profile::Trial, None, None)
    }

    /// With an issuer and clients.
    ///
    /// # Errors
    /// Where a key, a set of keys or the file of clients cannot be used, or a production profile would know nobody.
    pub async fn open(data: &Path, settings: &Settings, health: &Health) -> anyhow::Result<Self> {
        let issuer = match &settings.issuer {
            None => None,
            Some(issuer) => {
                let expected = Expected {
                    issuer: issuer.name.clone(),
                    audience: issuer.audience.clone(),
                    alone: false,
                    times: Allowed::longest(LONGEST),
                    kinds: ACCESS,
                    not_before: true,
                };
                Some((expected, Jwks::open(issuer.keys.clone(), health.clone(), clock::now()).await?))
            }
        };
        if settings.profile == Profile::Production && issuer.is_none() {
            bail!("a production profile needs --jwks, --issuer and --audience: without them nobody could be known");
        }
        let clients = settings.clients.clone().map(|path| Reread::new(path, Clients::parse));
        if let Some(clients) = &clients {
            if !clients.path().exists() {
                bail!("there is no file of clients {}", clients.path().display());
            }
            clients.now()?;
        }
        let tokens = Self::with(data, settings.profile, issuer, clients)?;
        if let Some(endpoint) = &settings.endpoint {
            tokens.known_as(endpoint.clone());
        }
        Ok(tokens)
    }

    fn with(
        data: &Path,
        profile: Profile,
        issuer: Option<(Expected, Jwks)>,
        clients: Option<Reread<Clients>>,
    ) -> anyhow::Result<Self> {
        let local = Local::open(data)?;
        if let Some((expected, _)) = &issuer
            && [local.issuer(), local.clients_issuer()].contains(&expected.issuer)
        {
            bail!("--issuer names this ledger itself");
        }
        Ok(Self(Arc::new(Inner {
            profile,
            by_hand: local.by_hand(),
            for_clients: local.for_clients(),
            local,
            issuer,
            clients,
            endpoint: OnceLock::new(),
            shown: Shown::default(),
            seen: Seen::default(),
            began: clock::now(),
        })))
    }

    /// The ledger's own issuer.
    pub fn local(&self) -> &Local {
        &self.0.local
    }

    /// Whether the ledger's own tokens are taken.
    pub fn profile(&self) -> Profile {
        self.0.profile
    }

    /// Says at which address clients know the token endpoint, unless that is said already.
    pub fn known_as(&self, endpoint: String) {
        _ = self.0.endpoint.set(endpoint);
    }

    /// Says where the programs of this ledger remember the assertions that they were shown. Until then none is taken.
    pub fn remember_on(&self, log: Arc<dyn Log>, key: LedgerKey) {
        self.0.shown.remember_on(log, key);
    }

    /// Who shows this token.
    ///
    /// # Errors
    /// Why it is refused, for this program's own eyes.
    pub async fn known(&self, token: &str, now: DateTime<Utc>) -> Result<Known, Refused> {
        if token.len() > MOST_BYTES {
            return Err(Refused::TooLong);
        }
        let hash = Hash::of(token.as_bytes());
        if let Some(verified) = self.0.seen.get(&hash) {
            if self.0.stands(&verified, now).is_ok() {
                return Ok(verified.known.clone());
            }
            self.0.seen.forget(&hash);
        }
        let compact = Compact::read(token)?;
        let verified = match compact.issuer() {
            Some(issuer) if issuer == self.0.by_hand.issuer => self.0.by_hand(&compact, now)?,
            Some(issuer) if issuer == self.0.for_clients.issuer => self.0.for_client(&compact, now)?,
            Some(_) | None => self.0.by_issuer(&compact, now).await?,
        };
        if !matches!(verified.rests_on, RestsOn::Keys(_)) {
            self.0.stands(&verified, now)?;
        }
        let known = verified.known.clone();
        self.0.seen.keep(hash, Arc::new(verified));
        Ok(known)
    }

    /// Gives a client an access token for its assertion.
    ///
    /// # Errors
    /// Why it is refused, for this program's own eyes.
    pub async fn access(&self, assertion: &str, now: DateTime<Utc>) -> Result<Access, Refused> {
        let inner = &self.0;
        let clients = inner.clients()?;
        let endpoint = inner.endpoint.get().ok_or(Refused::Audience)?;
        let client = assertion::client(assertion, &clients, endpoint, &inner.shown, inner.began, now).await?;
        let token = inner.local.issue_access(&client.whom, now).map_err(|_| Refused::Client)?;
        let Whom { org, id, role, rights } = client.whom.clone();
        Ok(Access { token, known: Known { caller: claims::caller(org, id, role, &rights), local: false } })
    }
}

impl Inner {
    fn clients(&self) -> Result<Arc<Clients>, Refused> {
        let clients = self.clients.as_ref().ok_or(Refused::Client)?;
        clients.now().map_err(|error| {
            tracing::error!(error = crate::error_chain::chain(&*error), "the file of clients cannot be used");
            Refused::Client
        })
    }

    fn by_hand(&self, token: &Compact<'_>, now: DateTime<Utc>) -> Result<Verified, Refused> {
        let times = verify(token, &self.local.keys, &self.by_hand, now)?;
        let known = Known { caller: claims::who(&token.claims)?, local: true };
        let rests_on = RestsOn::Listed(claims::name(&token.claims, "jti")?);
        Ok(Verified { known, times, allowed: self.by_hand.times, rests_on })
    }

    fn for_client(&self, token: &Compact<'_>, now: DateTime<Utc>) -> Result<Verified, Refused> {
        let times = verify(token, &self.local.keys, &self.for_clients, now)?;
        let known = Known { caller: claims::who(&token.claims)?, local: false };
        Ok(Verified { known, times, allowed: self.for_clients.times, rests_on: RestsOn::Client })
    }

    async fn by_issuer(&self, token: &Compact<'_>, now: DateTime<Utc>) -> Result<Verified, Refused> {
        let (expected, jwks) = self.issuer.as_ref().ok_or(Refused::Issuer)?;
        let known_keys = jwks.now(now);
        let verified = known_keys.as_ref().map(|keys| verify(token, keys, expected, now));
        let (keys, times) = match (known_keys, verified) {
            (Some(keys), Some(Ok(times))) => (keys, times),
            (_, Some(Err(refused))) if refused != Refused::NoKey => return Err(refused),
            _ => {
                let keys = jwks.after_missing(now).await.ok_or(Refused::NoKeys)?;
                let times = verify(token, &keys, expected, now)?;
                (keys, times)
            }
        };
        claims::optional_name(&token.claims, "jti")?;
        let caller = claims::who(&token.claims)?;
        if caller.role == Role::Owner {
            return Err(Refused::Owner);
        }
        let known = Known { caller, local: false };
        Ok(Verified { known, times, allowed: expected.times, rests_on: RestsOn::Keys(keys) })
    }

    /// Whether a token that was verified still is what it was: time goes on, and keys, lists and clients change.
    fn stands(&self, verified: &Verified, now: DateTime<Utc>) -> Result<(), Refused> {
        verified.times.hold(now, verified.allowed)?;
        match &verified.rests_on {
            RestsOn::Keys(keys) => {
                let current = self.issuer.as_ref().and_then(|(_, jwks)| jwks.now(now)).ok_or(Refused::NoKeys)?;
                if Arc::ptr_eq(keys, &current) { Ok(()) } else { Err(Refused::NoKey) }
            }
            RestsOn::Listed(_) if self.profile == Profile::Production => Err(Refused::Local),
            RestsOn::Listed(id) if self.local.list.holds(id) => Ok(()),
            RestsOn::Listed(_) => Err(Refused::Revoked),
            RestsOn::Client => {
                let caller = &verified.known.caller;
                let clients = self.clients()?;
                let client = clients.find(&caller.actor.id).ok_or(Refused::Client)?;
                let Whom { org, id, role, rights } = client.whom.clone();
                let registered = claims::caller(org, id, role, &rights);
                if registered == *caller { Ok(()) } else { Err(Refused::Client) }
            }
        }
    }
}
