//! What the promises need of a server and its streams, compared with what they have: an old server drops a setting it
//! does not know without a word, and an administrator may change one that deletes events.

use std::time::Duration;

use async_nats::jetstream::stream::{Compression, Config, DiscardPolicy, RetentionPolicy, StorageType};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{MOST_BYTES, Room, Source, StreamSpec};

/// The oldest server that keeps the promises: older ones lose acknowledged writes in a power cut.
pub const OLDEST_SERVER: Version = Version(2, 15, 0);

/// From this many replicas on, a quorum keeps what is acknowledged, and the flush of a single disk does not decide.
const QUORUM: usize = 3;

/// A place for the server's and our own headers beside the body.
const HEADER_ROOM: usize = 16 * 1_024;

/// What an installation may choose, and what the server writes by itself.
const FREE: [&str; 4] = ["name", "description", "metadata", "placement"];

const MONITORING_TIMEOUT: Duration = Duration::from_secs(5);

/// A server's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Version {
    /// Reads `2.15.1`, `v2.15.1` or `2.15.1-RC.2`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let mut numbers = text.split(['-', '+']).next()?.split('.').map(|number| number.parse().ok());
        Some(Self(numbers.next()??, numbers.next()??, numbers.next()??))
    }
}

/// Why the server or a stream is not as the promises need it.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Too old.
    #[error("nats-server {found} is too old: {OLDEST_SERVER} or newer is needed")]
    TooOld {
        /// What it says it is.
        found: String,
    },
    /// The stream does not exist.
    #[error("there is no stream {stream}")]
    NoStream {
        /// Its name.
        stream: &'static str,
    },
    /// A setting is not what it must be.
    #[error("the setting {setting} of {place} is {found} instead of {wanted}")]
    Drift {
        /// Of the server or of which stream.
        place: &'static str,
        /// The server's own name for it.
        setting: String,
        /// What it must be.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// The stream holds fewer messages than it gave positions to: some were deleted.
    #[error("the stream {stream} holds {messages} messages up to position {last}")]
    Missing {
        /// Its name.
        stream: &'static str,
        /// How many it holds.
        messages: u64,
        /// The last position.
        last: u64,
    },
    /// All else is right, but without a monitoring address nobody can see whether the server flushes before it answers.
    #[error("sync_interval was not checked: no monitoring address is known")]
    NotChecked,
    /// The server did not answer.
    #[error("the settings could not be read")]
    Unavailable {
        /// What went wrong.
        #[source]
        source: Source,
    },
}

impl SettingsError {
    pub(super) fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable { source: source.into() }
    }
}

/// The settings of a stream.
pub(super) fn wanted(spec: &StreamSpec, replicas: usize) -> Config {
    Config {
        name: spec.name.into(),
        subjects: vec![spec.subjects.into()],
        storage: StorageType::File,
        num_replicas: replicas,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        max_age: spec.keeps_for().unwrap_or_default(),
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: spec.keeps_of_each().unwrap_or(-1),
        max_consumers: -1,
        max_message_size: i32::try_from(MOST_BYTES + HEADER_ROOM).unwrap_or(i32::MAX),
        duplicate_window: Duration::from_secs(120),
        // What may be erased is erased by its position, never by the subject or the stream.
        deny_delete: !spec.erasable(),
        deny_purge: true,
        allow_atomic_publish: true,
        // Many subjects are asked for at once by direct gets alone.
        allow_direct: spec.erasable(),
        compression: Some(Compression::None),
        ..Config::default()
    }
}

/// Compares every setting the server tells of, also those that this program has never heard of.
pub(super) fn compare(spec: &StreamSpec, wanted: &Config, found: &Map<String, Value>) -> Result<(), SettingsError> {
    let wanted = serde_json::to_value(wanted).map_err(SettingsError::unavailable)?;
    let wanted = wanted.as_object().cloned().unwrap_or_default();
    let names = wanted.keys().chain(found.keys().filter(|name| !wanted.contains_key(*name)));
    for name in names.filter(|name| !FREE.contains(&name.as_str())) {
        let (wanted, found) = (wanted.get(name).unwrap_or(&Value::Null), found.get(name).unwrap_or(&Value::Null));
        if wanted != found && !(is_off(wanted) && is_off(found)) {
            return Err(SettingsError::Drift {
                place: spec.name,
                setting: name.clone(),
                wanted: wanted.to_string(),
                found: found.to_string(),
            });
        }
    }
    Ok(())
}

/// Whether a stream has no limit at all, as an earlier release made each of them.
pub(super) fn is_unlimited(found: &Map<String, Value>) -> bool {
    let off = |name: &str| found.get(name).and_then(Value::as_i64).is_none_or(|limit| limit <= 0);
    off("max_age") && off("max_msgs_per_subject")
}

/// The ways in which a server says that something is not set.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.values().all(is_off),
    }
}

/// Refuses a server that is too old.
pub(super) fn check_version(found: &str) -> Result<(), SettingsError> {
    match Version::parse(found) {
        Some(version) if version >= OLDEST_SERVER => Ok(()),
        _ => Err(SettingsError::TooOld { found: found.to_owned() }),
    }
}

#[derive(Deserialize)]
struct Monitoring {
    config: Option<JetStream>,
    /// Bytes of the files.
    #[serde(default)]
    storage: u64,
}

#[derive(Deserialize)]
struct JetStream {
    #[serde(default)]
    sync_always: bool,
    #[serde(default)]
    sync_interval: u64,
    /// Bytes that the files may have; negative where the server was told of no limit.
    #[serde(default)]
    max_storage: i64,
}

/// Refuses a server that answers before the disk has what it answers for.
pub(super) async fn check_sync(monitoring: Option<&str>, replicas: usize) -> Result<(), SettingsError> {
    if replicas >= QUORUM {
        return Ok(());
    }
    let Some(address) = monitoring else { return Err(SettingsError::NotChecked) };
    let answer = monitoring_says(address).await?;
    let drift = |found: String| SettingsError::Drift {
        place: "the server",
        setting: "sync_interval".into(),
        wanted: "always".into(),
        found,
    };
    match answer.config {
        Some(config) if config.sync_always => Ok(()),
        Some(config) => Err(drift(format!("{:?}", Duration::from_nanos(config.sync_interval)))),
        None => Err(drift("unknown (JetStream is off)".into())),
    }
}

/// How full the server's store is.
pub(super) async fn room(monitoring: &str) -> Result<Option<Room>, SettingsError> {
    let Monitoring { config, storage: used } = monitoring_says(monitoring).await?;
    let most = config.and_then(|config| u64::try_from(config.max_storage).ok()).filter(|most| *most > 0);
    Ok(most.map(|most| Room { used, most }))
}

async fn monitoring_says(address: &str) -> Result<Monitoring, SettingsError> {
    let body = tokio::time::timeout(MONITORING_TIMEOUT, get(address, "/jsz?config=1"))
        .await
        .map_err(SettingsError::unavailable)?
        .map_err(SettingsError::unavailable)?;
    serde_json::from_slice(&body).map_err(SettingsError::unavailable)
}

/// One GET from the server's monitoring port, which speaks plain HTTP on loopback: HTTP/1.0, so that the answer is
/// never in chunks, and by hand, because a TLS client wants a crypto provider before it opens any socket.
async fn get(address: &str, path: &str) -> std::io::Result<Vec<u8>> {
    let invalid = |what| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    let host = address.strip_prefix("http://").ok_or_else(|| invalid("a monitoring address starts with http://"))?;
    let host = host.trim_end_matches('/');
    let mut socket = TcpStream::connect(host).await?;
    socket.write_all(format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await?;
    let status = answer.split(|c| *c == b' ').nth(1);
    let body = answer.windows(4).position(|end| end == b"\r\n\r\n").map(|end| end + 4);
    match (status, body) {
        (Some(b"200"), Some(body)) => Ok(answer.split_off(body)),
        _ => Err(invalid("the monitoring port did not answer 200")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_servers_write_it() {
        assert_eq!(Version::parse("2.15.1"), Some(Version(2, 15, 1)));
        assert_eq!(Version::parse("v2.16.0-RC.2"), Some(Version(2, 16, 0)));
        assert_eq!(Version::parse("2.x"), None);
        assert!(check_version("2.9.10").is_err() && check_version("2.14.6").is_err() && check_version("3.0.0").is_ok());
    }

    fn compared(setting: &str, value: Value) -> Result<(), SettingsError> {
        let config = wanted(&StreamSpec::ENROLLMENT, 1);
        let mut found = serde_json::to_value(&config).unwrap().as_object().cloned().unwrap();
        found.insert(setting.into(), value);
        compare(&StreamSpec::ENROLLMENT, &config, &found)
    }

    #[test]
    fn a_setting_that_differs_is_named() {
        let error = compared("max_age", 1_000.into()).unwrap_err();
        assert_eq!(error.to_string(), "the setting max_age of ENROLLMENT is 1000 instead of 0");
    }

    #[test]
    fn a_stream_that_forgets_has_its_own_limit_and_no_other_has_one() {
        for spec in StreamSpec::ALL.into_iter().chain([StreamSpec::FEED, StreamSpec::IDENTITY_KEYS]) {
            let config = serde_json::to_value(wanted(&spec, 1)).unwrap();
            assert!(!spec.forgets() && is_unlimited(config.as_object().unwrap()), "{}", spec.name);
        }
        let of = |spec| serde_json::to_value(wanted(&spec, 1)).unwrap().as_object().cloned().unwrap();
        let config = of(StreamSpec::ATTEMPTS);
        assert!(!is_unlimited(&config) && config["max_msgs_per_subject"] == 200_000);
        let assertions = of(StreamSpec::ASSERTIONS);
        assert!(!is_unlimited(&assertions) && assertions["max_age"] == 900_000_000_000_i64);
        let mut found = config.clone();
        found.insert("max_msgs_per_subject".into(), 5.into());
        let error = compare(&StreamSpec::ATTEMPTS, &wanted(&StreamSpec::ATTEMPTS, 1), &found).unwrap_err();
        assert!(error.to_string().contains("max_msgs_per_subject of FEED_ATTEMPTS"), "{error}");
    }

    #[test]
    fn a_setting_this_program_never_heard_of_counts_unless_it_is_off() {
        assert!(compared("allow_oblivion", true.into()).is_err());
        assert!(compared("allow_oblivion", false.into()).is_ok());
        assert!(compared("metadata", serde_json::json!({ "_nats.level": "2" })).is_ok());
    }
}
