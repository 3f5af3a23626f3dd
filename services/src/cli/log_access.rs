//! How a program reaches the servers of the log, and by which secret it is known there: the same options everywhere.

use std::path::PathBuf;

use super::secret::from_environment;
use crate::log::Access;

/// Where the log's servers are, and what they let in. Secrets are named by their file, never given as arguments.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The log")]
pub struct LogAccess {
    /// The NATS servers, several with commas, as in nats://127.0.0.1:4222 or tls://n1:4222,tls://n2:4222,tls://n3:4222
    #[arg(long, env = "ROLLBOOK_NATS", value_name = "URL")]
    nats: String,
    #[command(flatten)]
    how: LogSecrets,
}

/// What the servers let in, wherever they are.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The log")]
pub struct LogSecrets {
    /// File with the seed of this program's nkey (`rollbook streams keys` makes them)
    #[arg(long, env = "ROLLBOOK_NATS_NKEY", value_name = "FILE", group = "secret")]
    nats_nkey: Option<PathBuf>,
    /// File with this program's NATS credentials (user JWT and nkey)
    #[arg(long, env = "ROLLBOOK_NATS_CREDS", value_name = "FILE", group = "secret")]
    nats_creds: Option<PathBuf>,
    /// File with the token that the servers ask for; the variable ROLLBOOK_NATS_TOKEN is the token itself
    #[arg(long, env = "ROLLBOOK_NATS_TOKEN_FILE", value_name = "FILE", group = "secret")]
    nats_token_file: Option<PathBuf>,
    /// Certificates of the authority that signed the servers'; with it, nothing is said to a server in the clear
    #[arg(long, env = "ROLLBOOK_NATS_CA", value_name = "FILE")]
    nats_ca: Option<PathBuf>,
    /// The certificate to show to the servers
    #[arg(long, env = "ROLLBOOK_NATS_CERT", value_name = "FILE", requires = "nats_key")]
    nats_cert: Option<PathBuf>,
    /// The key of that certificate
    #[arg(long, env = "ROLLBOOK_NATS_KEY", value_name = "FILE", requires = "nats_cert")]
    nats_key: Option<PathBuf>,
    /// What the subjects of answers begin with [default: _INBOX_ and the service's name, as deploy/nats allows it]
    #[arg(long, env = "ROLLBOOK_NATS_INBOX", value_name = "PREFIX")]
    nats_inbox: Option<String>,
    /// A server's monitoring address, as in http://127.0.0.1:8222, to see that it flushes before it answers; not needed from three
    /// replicas on
    #[arg(long, env = "ROLLBOOK_NATS_MONITORING", value_name = "URL")]
    monitoring: Option<String>,
    /// Replicas that the streams have: 1, or 3 in a cluster
    #[arg(long, env = "ROLLBOOK_REPLICAS", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: u8,
}

impl LogAccess {
    /// As the service of this name: `recorder`, `projector`, `query`, `archiver`, `publisher`, `subscriber` or `admin`.
    pub fn of(&self, service: &str) -> Access {
        self.how.of(&self.nats, service)
    }

    /// How many replicas the streams have.
    pub fn replicas(&self) -> usize {
        self.how.replicas()
    }
}

impl LogSecrets {
    /// As the service of this name: `recorder`, `projector`, `query`, `archiver`, `publisher`, `subscriber` or `admin`.
    pub fn of(&self, nats: &str, service: &str) -> Access {
        // What is named by its file was meant for this program; a variable may be somebody else's.
        let named = self.nats_nkey.is_some() || self.nats_creds.is_some() || self.nats_token_file.is_some();
        let token = from_environment("ROLLBOOK_NATS_TOKEN").filter(|_| !named);
        Access {
            url: nats.to_owned(),
            token: token.map(|token| token.expose().to_owned()),
            token_file: self.nats_token_file.clone(),
            credentials: self.nats_creds.clone(),
            nkey: self.nats_nkey.clone(),
            authority: self.nats_ca.clone(),
            certificate: self.nats_cert.clone().zip(self.nats_key.clone()),
            inbox: Some(self.nats_inbox.clone().unwrap_or_else(|| format!("_INBOX_{service}"))),
            monitoring: self.monitoring.clone(),
        }
    }

    /// How many replicas the streams have.
    pub fn replicas(&self) -> usize {
        usize::from(self.replicas)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        log: LogAccess,
    }

    fn parsed(arguments: &[&str]) -> Result<Line, clap::Error> {
        Line::try_parse_from(["x", "--nats", "tls://n1,tls://n2"].iter().chain(arguments))
    }

    #[test]
    fn one_secret_is_shown_and_a_certificate_goes_with_its_key() {
        assert!(parsed(&["--nats-nkey", "a", "--nats-creds", "b"]).is_err());
        assert!(parsed(&["--nats-cert", "a"]).is_err());
        let line = parsed(&["--nats-nkey", "a", "--nats-cert", "b", "--nats-key", "c", "--nats-ca", "d"]).unwrap();
        let access = line.log.of("recorder");
        assert_eq!(access.inbox.as_deref(), Some("_INBOX_recorder"));
        assert_eq!(access.certificate, Some(("b".into(), "c".into())));
    }
}
