//! The operator's file of webhooks: which hosts may be called, and who is called for what.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use reqwest::Url;
use rollbook_events::{Kind, PlanCode};
use serde::Deserialize;

use super::address::Allowed;
use super::attempt::Retries;
use super::signature::Secret;
use crate::log::secret;

/// Subscriptions of one ledger at most; each has a task and a reader of the server.
const MOST_SUBSCRIPTIONS: usize = 50;
/// Calls for one event at most.
const MOST_ATTEMPTS: u32 = 20;
/// Secrets at once: the one in use and the next one.
const MOST_SECRETS: usize = 2;

/// Who is called.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where may be called.
    pub allowed: Allowed,
    /// How often each is called, and how soon again.
    pub retries: Retries,
    /// Who is called for what.
    pub subscriptions: Vec<Subscription>,
}

/// One who is called.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// What the operator calls it.
    pub name: String,
    /// Of whose feed.
    pub plan: PlanCode,
    /// For events of these kinds; of all where none is named.
    pub kinds: Option<BTreeSet<&'static str>>,
    /// Where.
    pub url: Url,
    /// What the calls are signed with.
    pub secrets: Vec<Secret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    allow_hosts: Vec<String>,
    #[serde(default)]
    allow_loopback: bool,
    attempts: Option<u32>,
    first_pause_ms: Option<u32>,
    #[serde(default)]
    subscription: Vec<OfFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfFile {
    name: String,
    plan: PlanCode,
    url: String,
    secret_files: Vec<PathBuf>,
    kinds: Option<Vec<String>>,
}

impl Settings {
    /// Reads the file, strictly. In production no loopback address is called, whatever it says.
    ///
    /// # Errors
    /// Which subscription and what of it cannot be; no secret is repeated.
    pub fn read(path: &Path, production: bool) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
        Self::parse(&text, production).with_context(|| format!("{} is no file of webhooks", path.display()))
    }

    fn parse(text: &str, production: bool) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text)?;
        ensure!(!(production && file.allow_loopback), "allow_loopback is not for production");
        ensure!(file.subscription.len() <= MOST_SUBSCRIPTIONS, "more than {MOST_SUBSCRIPTIONS} subscriptions");
        let usual = Retries::default();
        let retries = Retries {
            attempts: file.attempts.unwrap_or(usual.attempts),
            first_pause: file.first_pause_ms.map_or(usual.first_pause, |ms| TimeDelta::milliseconds(ms.into())),
        };
        ensure!((1..=MOST_ATTEMPTS).contains(&retries.attempts), "attempts are 1 to {MOST_ATTEMPTS}");
        let allowed = Allowed { hosts: file.allow_hosts, loopback: file.allow_loopback };
        let mut names = BTreeSet::new();
        let mut subscriptions = Vec::new();
        for of in file.subscription {
            ensure!(is_name(&of.name), "a subscription's name has 1 to 40 lower-case letters, digits and dashes");
            let about = || format!("subscription {}", of.name);
            ensure!(names.insert(of.name.clone()), "two subscriptions are named {}", of.name);
            subscriptions.push(subscription(&of, &allowed).with_context(about)?);
        }
        Ok(Self { allowed, retries, subscriptions })
    }
}

fn subscription(of: &OfFile, allowed: &Allowed) -> anyhow::Result<Subscription> {
    let url = allowed.url(&of.url).context("its url may not be called")?;
    ensure!((1..=MOST_SECRETS).contains(&of.secret_files.len()), "one or two secret_files");
    let read = |file: &PathBuf| -> anyhow::Result<Secret> { Ok(secret(file)?.parse()?) };
    let secrets = of.secret_files.iter().map(read).collect::<Result<_, _>>()?;
    let known = |kind: &String| Kind::parse(kind).map(Kind::name).with_context(|| format!("there is no kind {kind}"));
    let kinds = of.kinds.as_ref().map(|kinds| kinds.iter().map(known).collect::<Result<_, _>>()).transpose()?;
    Ok(Subscription { name: of.name.clone(), plan: of.plan.clone(), kinds, url, secrets })
}

fn is_name(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    (1..=40).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_strictly_and_production_calls_no_loopback() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("a.whsec");
        std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let file = |host: &str, loopback: bool, more: &str| {
            format!(
                "allow_hosts = [\"hooks.example.org\"]\nallow_loopback = {loopback}\n[[subscription]]\nname = \"a\"\nplan = \"la-care\"\n\
                 url = \"https://{host}/x\"\nsecret_files = [{:?}]\n{more}",
                secret.to_str().unwrap()
            )
        };
        let read = Settings::parse(&file("hooks.example.org", false, "kinds = [\"enrolled\"]"), true).unwrap();
        assert!(read.subscriptions[0].kinds.as_ref().is_some_and(|kinds| kinds.contains("enrolled")));
        assert!(Settings::parse(&file("hooks.example.org", true, ""), true).is_err(), "loopback in production");
        assert!(Settings::parse(&file("other.example.org", false, ""), false).is_err(), "not listed");
        assert!(Settings::parse(&file("hooks.example.org", false, "kinds = [\"unheard_of\"]"), false).is_err());
        assert!(Settings::parse(&file("hooks.example.org", false, "color = 1"), false).is_err());
    }
}
