//! Who may call a ledger, how much, and where it is heard, as options of `up` and `serve`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use super::exit::Stop;
use crate::http::LimitSettings;
use crate::tokens::{Issuer, Place, Profile, Settings};
use crate::up;

/// Who may call, how much, and where.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Who may call")]
pub struct Calling {
    /// Where the API listens; port 0 takes a free one
    #[arg(long, env = "ROLLBOOK_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// What the ledger is for: production takes no token that it issued by itself, and wants an issuer and TLS
    #[arg(long, env = "ROLLBOOK_PROFILE", value_enum, default_value = "trial")]
    profile: Profile,
    /// The public keys of the organizations' issuer of tokens, a JWK set: a file, or an address as its `jwks_uri`
    #[arg(long, env = "ROLLBOOK_JWKS", value_name = "FILE|URL", requires_all = ["issuer", "audience"])]
    jwks: Option<Place>,
    /// The name of that issuer, the `iss` of its tokens
    #[arg(long, env = "ROLLBOOK_ISSUER", value_name = "URL", requires = "jwks")]
    issuer: Option<String>,
    /// What that issuer calls this ledger, the `aud` of its tokens
    #[arg(long, env = "ROLLBOOK_AUDIENCE", value_name = "TEXT", requires = "jwks")]
    audience: Option<String>,
    /// The machine clients that get a token for a signed assertion, TOML or JSON (deploy/README.md, "Who may call")
    #[arg(long, env = "ROLLBOOK_CLIENTS", value_name = "FILE")]
    clients: Option<PathBuf>,
    /// The address of POST /v1/token as those clients know it, the `aud` of their assertions [default: where the API listens]
    #[arg(long, env = "ROLLBOOK_TOKEN_URL", value_name = "URL")]
    token_url: Option<String>,
    /// The certificate for TLS, PEM, with those between it and its authority
    #[arg(long, env = "ROLLBOOK_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of that certificate, PEM
    #[arg(long, env = "ROLLBOOK_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Requests a second that one caller may make, twice as many at once; tokens that the ledger issued by hand may make 100,000
    #[arg(long, env = "ROLLBOOK_RATE", value_name = "N", default_value = "1000")]
    rate: NonZeroU32,
    /// Requests that are answered at once, of all callers together
    #[arg(long, env = "ROLLBOOK_IN_FLIGHT", value_name = "N", default_value_t = 1_024,
        value_parser = clap::value_parser!(u32).range(1..=65_536))]
    in_flight: u32,
    /// Connections at once; further ones wait
    #[arg(long, env = "ROLLBOOK_CONNECTIONS", value_name = "N", default_value_t = 4_096,
        value_parser = clap::value_parser!(u32).range(1..=65_536))]
    connections: u32,
}

impl Calling {
    /// The settings they come to.
    ///
    /// # Errors
    /// Where a production profile is not what it promises.
    pub fn settings(&self) -> anyhow::Result<up::Calling> {
        let issuer = match (&self.jwks, &self.issuer, &self.audience) {
            (Some(keys), Some(name), Some(audience)) => {
                Some(Issuer { keys: keys.clone(), name: name.clone(), audience: audience.clone() })
            }
            _ => None,
        };
        let tls = self.tls_cert.clone().zip(self.tls_key.clone());
        if self.profile == Profile::Production {
            if issuer.is_none() {
                let stop = Stop::usage("a production profile takes no tokens of its own, and no issuer is named");
                return Err(stop.next("give --jwks, --issuer and --audience").into());
            }
            if tls.is_none() && !self.listen.ip().is_loopback() {
                let stop = Stop::usage(format!("a production profile does not listen on {} in the clear", self.listen));
                let next = "give --tls-cert and --tls-key, or listen on loopback behind a proxy that speaks TLS";
                return Err(stop.next(next).into());
            }
        }
        let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let listening = up::Listening { address: self.listen, tls, connections: number(self.connections) };
        let (clients, endpoint) = (self.clients.clone(), self.token_url.clone());
        Ok(up::Calling {
            listening,
            tokens: Settings { profile: self.profile, issuer, clients, endpoint },
            limits: LimitSettings { rate: self.rate, in_flight: number(self.in_flight) },
        })
    }

    /// Whether the ledger is for trying out.
    pub fn is_trial(&self) -> bool {
        self.profile == Profile::Trial
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        calling: Calling,
    }

    fn settings(arguments: &[&str]) -> Result<up::Calling, String> {
        let line = Line::try_parse_from(["x"].iter().chain(arguments)).map_err(|error| error.to_string())?;
        line.calling.settings().map_err(|error| error.to_string())
    }

    const ISSUER: [&str; 6] =
        ["--jwks", "https://id.example/keys", "--issuer", "https://id.example", "--audience", "rollbook"];

    #[test]
    fn production_wants_an_issuer_and_is_not_heard_in_the_clear() {
        let production = |more: &[&'static str]| settings(&[&["--profile", "production"], more].concat());
        assert!(settings(&[]).is_ok());
        assert!(production(&[]).is_err_and(|why| why.contains("no issuer")));
        assert!(production(&ISSUER).is_ok());
        let open = [&ISSUER[..], &["--listen", "0.0.0.0:8080"]].concat();
        assert!(production(&open).is_err_and(|why| why.contains("in the clear")));
        assert!(production(&[&open[..], &["--tls-cert", "a", "--tls-key", "b"]].concat()).is_ok());
    }

    #[test]
    fn an_issuer_is_named_whole() {
        assert!(
            settings(&ISSUER[..4]).is_err()
                && settings(&ISSUER[2..]).is_err()
                && settings(&["--tls-cert", "a"]).is_err()
        );
        assert!(settings(&["--jwks", "http://id.example/keys", "--issuer", "a", "--audience", "b"]).is_err());
        assert_eq!(settings(&ISSUER).unwrap().tokens.issuer.unwrap().audience, "rollbook");
    }
}
