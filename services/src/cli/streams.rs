//! `rollbook streams`: makes and checks the streams of the log, with the administrator's rights, and makes the keys by
//! which services are known to the servers.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use nkeys::KeyPair;
use serde_json::json;

use super::exit::{Exit, Stop};
use super::log_access::LogAccess;
use super::output::Output;
use crate::log::{Log as _, SettingsError, StreamSpec};
use crate::up::Streams as Opened;

const EXAMPLES: &str = "\
Examples:
  rollbook streams keys --into /etc/rollbook/keys
  rollbook streams create --nats tls://n1:4222,tls://n2:4222,tls://n3:4222 --replicas 3 --nats-nkey admin.nk --nats-ca ca.pem

A service that records or reads has no right to make or change a stream: an administrator makes them once, with a key that \
no service holds. deploy/nats says who may do what.";

const CREATE_EXAMPLES: &str = "\
Examples:
  rollbook streams create --nats nats://127.0.0.1:4222
  rollbook streams create --nats tls://n1:4222,tls://n2:4222 --replicas 3 --nats-nkey admin.nk --nats-ca ca.pem --json

Makes those that are missing; one that is there is compared and never changed. Exit code 1 where one is not as it must be, \
3 where the servers cannot be reached or refuse.";

const CHECK_EXAMPLES: &str = "\
Examples:
  rollbook streams check --nats nats://127.0.0.1:4222 --monitoring http://127.0.0.1:8222
  rollbook streams check --nats tls://n1:4222 --replicas 3 --nats-nkey recorder.nk --nats-ca ca.pem --json

Any service's key will do: all may read the settings. Exit code 1 where a stream is missing or a setting breaks a promise.";

const KEYS_EXAMPLES: &str = "\
Examples:
  rollbook streams keys --into /etc/rollbook/keys
  rollbook streams keys --into keys --json

Writes SERVICE.nk for each service, with the secret seed (mode 0600), and keys.conf with the public keys, which deploy/nats/server.conf \
reads. A key that is there stays; to change one, remove its file, run this again, and reload the servers. Take admin.nk off the \
machine when the streams are made.";

/// Who is known to the servers, each by a key of its own; deploy/nats/server.conf says what each may do.
pub const SERVICES: [&str; 8] =
    ["recorder", "projector", "query", "archiver", "publisher", "subscriber", "admin", "system"];

/// Makes and checks the streams of the log, and the keys of those who use them
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Streams {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Verb {
    /// Makes the streams that are missing, with the settings that the promises need
    #[command(after_help = CREATE_EXAMPLES)]
    Create(Ask),
    /// Compares the streams with the settings that the promises need
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Ask),
    /// Makes the keys by which the services are known to the servers
    #[command(after_help = KEYS_EXAMPLES)]
    Keys {
        /// The folder for them, made if missing
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
        /// One JSON object: service to public key
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct Ask {
    /// A JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogAccess,
}

/// Makes, checks or prepares.
///
/// # Errors
/// Where the servers cannot be reached or refuse, a stream is not as it must be, or a file cannot be written.
pub async fn run(streams: &Streams, output: &mut Output) -> anyhow::Result<Exit> {
    match &streams.verb {
        Verb::Create(ask) => opened(ask, true, output).await?,
        Verb::Check(ask) => opened(ask, false, output).await?,
        Verb::Keys { into, json } => keys(into, *json, output)?,
    }
    output.flush()?;
    Ok(Exit::Done)
}

async fn opened(ask: &Ask, make: bool, output: &mut Output) -> anyhow::Result<()> {
    let (access, replicas) = (ask.log.of("admin"), ask.log.replicas());
    let opened = if make { Opened::create(&access, replicas).await } else { Opened::open(&access, replicas).await };
    let opened = opened.map_err(stopped)?;
    opened.check_feed().await.map_err(stopped)?;
    opened.check_attempts().await.map_err(stopped)?;
    opened.check_assertions().await.map_err(stopped)?;
    let all = opened.whole().iter().map(|(spec, log)| (*spec, log));
    for (spec, log) in all.chain([
        (StreamSpec::FEED, opened.feed()),
        (StreamSpec::ATTEMPTS, opened.attempts()),
        (StreamSpec::ASSERTIONS, opened.assertions()),
        (StreamSpec::IDENTITY_KEYS, opened.keys()),
    ]) {
        let head = log.head().await.context(Stop::unavailable("the log cannot be read"))?;
        if ask.json {
            output.line(json!({ "stream": spec.name, "head": head.0, "replicas": replicas, "settings": "ok" }))?;
        } else {
            output.line(format_args!("{:<15} as it must be, {} messages", spec.name, head.0))?;
        }
    }
    Ok(())
}

/// A setting is an answer; anything else is a service that cannot be used.
fn stopped(error: anyhow::Error) -> anyhow::Error {
    let no = error.chain().filter_map(|cause| cause.downcast_ref()).any(|cause| {
        matches!(
            cause,
            SettingsError::NoStream { .. }
                | SettingsError::Drift { .. }
                | SettingsError::Missing { .. }
                | SettingsError::TooOld { .. }
        )
    });
    let stop = if no {
        Stop::no("the streams are not as they must be").next("rollbook streams create makes the ones that are missing")
    } else {
        Stop::unavailable("the streams could not be looked at").next(
            "compare address, certificates and key with the servers' configuration; only the admin may make streams",
        )
    };
    error.context(stop)
}

fn keys(folder: &Path, as_json: bool, output: &mut Output) -> anyhow::Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("could not make {}", folder.display()))?;
    let mut public = serde_json::Map::new();
    let mut config = "# Written by `rollbook streams keys`: public keys, no secrets.\n".to_owned();
    for service in SERVICES {
        let pair = key(&folder.join(format!("{service}.nk")))?;
        config.push_str(&format!("{service}_key: {}\n", pair.public_key()));
        public.insert(service.to_owned(), json!(pair.public_key()));
    }
    let path = folder.join("keys.conf");
    fs::write(&path, config).with_context(|| format!("could not write {}", path.display()))?;
    if as_json {
        return output.line(serde_json::Value::Object(public));
    }
    for (service, key) in &public {
        output.line(format_args!("{service:<10} {}", key.as_str().unwrap_or_default()))?;
    }
    output.note(format_args!("the seeds lie in {}, for the services alone", folder.display()));
    Ok(())
}

/// The key in a file, made where there is none.
fn key(path: &Path) -> anyhow::Result<KeyPair> {
    if path.exists() {
        let seed = crate::log::secret(path)?;
        return KeyPair::from_seed(&seed).map_err(|_| anyhow::anyhow!("{} holds no nkey", path.display()));
    }
    let pair = KeyPair::new_user();
    let seed = pair.seed().map_err(|_| anyhow::anyhow!("a new nkey has no seed"))?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written =
        file.and_then(|mut file| file.write_all(format!("{seed}\n").as_bytes()).and_then(|()| file.sync_all()));
    written.with_context(|| format!("could not write {}", path.display()))?;
    Ok(pair)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_for_their_service_alone_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let made = |folder: &Path| {
            keys(folder, true, &mut Output::to(std::io::sink())).unwrap();
            fs::read_to_string(folder.join("keys.conf")).unwrap()
        };
        let first = made(folder.path());
        assert_eq!(made(folder.path()), first);
        assert_eq!(first.lines().count(), SERVICES.len() + 1);
        let mode = fs::metadata(folder.path().join("admin.nk")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let seed = fs::read_to_string(folder.path().join("admin.nk")).unwrap();
        assert!(seed.trim().len() > 50 && !first.contains(seed.trim()), "a seed stands in keys.conf");
        fs::remove_file(folder.path().join("query.nk")).unwrap();
        assert_ne!(made(folder.path()), first);
    }
}
