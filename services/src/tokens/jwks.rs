//! Where an issuer's keys come from, a file or an address, and how often it is asked: not for each token that names a key nobody has.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt;
use reqwest::{Client, Url, redirect};

use super::keys::KeySet;
use crate::error_chain::chain;
use crate::health::{Forbids, Health};

/// Until keys that were had are asked for again.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// Until they are asked for again where that failed, or a token names a key that is not among them.
const AGAIN: TimeDelta = TimeDelta::seconds(30);
/// How long the last keys that were had are good for where no others can be had.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a token that names a missing key waits for it.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of a set.
const MOST_BYTES: usize = 128 * 1024;

/// Where a set of keys lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// At an address.
    Url(Url),
}

impl std::str::FromStr for Place {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        let url: Url = text.parse().map_err(|_| "expected a file, or an address as https://id.example/keys")?;
        let local = crate::cli::client::is_loopback(&url);
        if url.scheme() == "https" || (url.scheme() == "http" && local) {
            Ok(Self::Url(url))
        } else {
            Err("keys are had over https:// alone, or http:// from this machine")
        }
    }
}

/// When keys were had, and when they were asked for.
#[derive(Debug, Clone, Default)]
struct Held {
    set: Option<Arc<KeySet>>,
    had: Option<DateTime<Utc>>,
    asked: Option<DateTime<Utc>>,
}

impl Held {
    /// Whether to ask now; `missing` where a token names a key that is not there.
    fn is_due(&self, missing: bool, now: DateTime<Utc>) -> bool {
        let Some(asked) = self.asked else { return true };
        let wait = if missing || self.had != self.asked { AGAIN } else { FRESH };
        // A clock that was set back must not keep old keys for ever.
        now - asked >= wait || now < asked
    }

    /// The keys, where they are not too old.
    fn usable(&self, now: DateTime<Utc>) -> Option<Arc<KeySet>> {
        let had = self.had?;
        self.set.clone().filter(|_| now - had <= KEPT)
    }
}

/// The keys of an issuer. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Jwks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    http: Client,
    held: RwLock<Held>,
    /// One asks at a time.
    asking: tokio::sync::Mutex<()>,
    health: Health,
}

impl Jwks {
    /// The keys of a place, had for the first time. A file must hold some; an address may answer later.
    ///
    /// # Errors
    /// Where the file holds none.
    pub async fn open(place: Place, health: Health, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let secure = matches!(&place, Place::Url(url) if url.scheme() == "https");
        let http = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none());
        let http = http.tls_built_in_native_certs(secure).no_proxy_where(&place).build();
        let http = http.context("could not prepare to fetch the issuer's keys")?;
        let held = RwLock::default();
        let jwks = Self(Arc::new(Inner { place, http, held, asking: tokio::sync::Mutex::default(), health }));
        let asked = jwks.ask(false, now).await;
        if matches!(jwks.0.place, Place::File(_)) {
            asked?;
        }
        Ok(jwks)
    }

    /// The keys as they are known now. Where they are due, they are asked for meanwhile.
    pub fn now(&self, now: DateTime<Utc>) -> Option<Arc<KeySet>> {
        let held = self.held();
        if held.is_due(false, now) {
            let jwks = self.clone();
            tokio::spawn(async move { jwks.ask(false, now).await });
        }
        held.usable(now)
    }

    /// The keys after one was missing: asked for, unless that was done just now. A slow issuer is not waited for, because whoever
    /// shows made-up tokens could keep everybody waiting.
    pub async fn after_missing(&self, now: DateTime<Utc>) -> Option<Arc<KeySet>> {
        if self.held().is_due(true, now) {
            let jwks = self.clone();
            let asked = tokio::spawn(async move { jwks.ask(true, now).await });
            // What went wrong was logged there; what takes longer is there for the next token.
            _ = tokio::time::timeout(PATIENCE, asked).await;
        }
        self.held().usable(now)
    }

    fn held(&self) -> Held {
        self.0.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks, where that is due once it is our turn.
    async fn ask(&self, missing: bool, now: DateTime<Utc>) -> anyhow::Result<()> {
        let _alone = self.0.asking.lock().await;
        if !self.held().is_due(missing, now) {
            return Ok(());
        }
        let had = self.fetched().await;
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        held.asked = Some(now);
        match had {
            Ok(set) => {
                (held.set, held.had) = (Some(Arc::new(set)), Some(now));
                self.0.health.green("issuer");
                Ok(())
            }
            Err(error) => {
                tracing::warn!(error = chain(&*error), "the issuer's keys could not be had");
                if held.usable(now).is_none() {
                    let cause = "the keys of the tokens' issuer could not be had; nobody can be known";
                    self.0.health.red("issuer", cause, Forbids::Nothing, now);
                }
                Err(error)
            }
        }
    }

    async fn fetched(&self) -> anyhow::Result<KeySet> {
        let text = match &self.0.place {
            Place::File(path) => {
                let text = tokio::fs::read(path).await;
                text.with_context(|| format!("could not read the keys {}", path.display()))?
            }
            Place::Url(url) => self.answered(url).await?,
        };
        let named = || match &self.0.place {
            Place::File(path) => format!("{} is no set of keys to use", path.display()),
            Place::Url(_) => "what the issuer answered is no set of keys to use".to_owned(),
        };
        KeySet::parse(&text).with_context(named)
    }

    async fn answered(&self, url: &Url) -> anyhow::Result<Vec<u8>> {
        // An address may hold a secret in its query, so that it is not repeated.
        let answer = self.0.http.get(url.clone()).send().await.map_err(reqwest::Error::without_url)?;
        if !answer.status().is_success() {
            bail!("the issuer answered {}", answer.status());
        }
        let (mut text, mut chunks) = (Vec::new(), answer.bytes_stream());
        while let Some(chunk) = chunks.next().await {
            text.extend_from_slice(&chunk.map_err(reqwest::Error::without_url)?);
            if text.len() > MOST_BYTES {
                bail!("the issuer's set of keys is longer than {MOST_BYTES} bytes");
            }
        }
        Ok(text)
    }
}

/// A proxy has no business between two programs of one machine.
trait NoProxyWhere {
    fn no_proxy_where(self, place: &Place) -> Self;
}

impl NoProxyWhere for reqwest::ClientBuilder {
    fn no_proxy_where(self, place: &Place) -> Self {
        match place {
            Place::Url(url) if crate::cli::client::is_loopback(url) => self.no_proxy(),
            Place::Url(_) | Place::File(_) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + second, 0).unwrap()
    }

    #[test]
    fn keys_are_asked_for_every_ten_minutes_and_for_a_missing_one_twice_a_minute() {
        let never = Held::default();
        assert!(never.is_due(false, at(0)) && never.usable(at(0)).is_none());
        let held = Held { set: Some(Arc::new(KeySet::ed25519("a", &[0; 32]))), had: Some(at(0)), asked: Some(at(0)) };
        assert!(!held.is_due(false, at(599)) && held.is_due(false, at(600)));
        assert!(!held.is_due(true, at(29)) && held.is_due(true, at(30)));
        assert!(held.is_due(false, at(-1)), "the clock was set back");
        let failed = Held { asked: Some(at(600)), ..held };
        assert!(!failed.is_due(false, at(629)) && failed.is_due(false, at(630)));
        assert!(failed.usable(at(86_400)).is_some() && failed.usable(at(86_401)).is_none());
    }

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        assert!("https://id.example/keys".parse::<Place>().is_ok() && "/etc/keys.json".parse::<Place>().is_ok());
        assert!("http://127.0.0.1:1/keys".parse::<Place>().is_ok());
        assert!("http://id.example/keys".parse::<Place>().is_err() && "ftp://id.example".parse::<Place>().is_err());
    }

    /// Answers the same for as long as the test runs, and counts how often.
    async fn issuer(status: &'static str) -> (Place, Arc<std::sync::atomic::AtomicUsize>) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = format!("http://{}/keys", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = asked.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                _ = stream.read(&mut [0; 4_096]).await;
                let body =
                    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
                _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        (place, asked)
    }

    #[tokio::test]
    async fn a_thousand_tokens_with_keys_that_nobody_has_ask_once() {
        let (place, asked) = issuer("200 OK").await;
        let jwks = Jwks::open(place, Health::default(), at(0)).await.unwrap();
        let many = (0..1_000).map(|_| jwks.after_missing(at(40)));
        assert!(futures_util::future::join_all(many).await.iter().all(Option::is_some));
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn an_issuer_that_is_away_turns_health_red_and_is_asked_again() {
        let (place, asked) = issuer("503 Service Unavailable").await;
        let health = Health::default();
        let jwks = Jwks::open(place, health.clone(), at(0)).await.unwrap();
        assert!(health.is_red("issuer") && jwks.after_missing(at(29)).await.is_none());
        assert!(jwks.after_missing(at(30)).await.is_none());
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 2);
    }
}
