//! The log as a port: what the recorder, the projectors and the commands ask of a stream, and nothing of how it is kept.
//!
//! Two adapters keep the same contract (`tests/harness/log_contract.rs`): [`NatsLog`], which is the ledger, and
//! [`MemoryLog`], which forgets with the process.

mod access;
mod append;
mod batch;
mod erasable;
mod follow;
mod memory;
mod nats;
mod peek;
mod settings;
mod whole;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use rollbook_events::ids::Position;

pub use access::{Access, SecretError, connect, secret};
pub use erasable::Erasable;
pub use memory::MemoryLog;
pub use nats::NatsLog;
pub use peek::Which;
pub use settings::{OLDEST_SERVER, SettingsError, Version};
pub use whole::Record;

/// The most messages one atomic batch may hold; the server's own limit.
pub const MOST_IN_A_BATCH: usize = 1_000;

/// The most bytes a message's body may have.
pub const MOST_BYTES: usize = 512 * 1_024;

/// The most bytes a message's headers may have, names, values and separators together.
pub const MOST_HEADER_BYTES: usize = 8 * 1_024;

/// The source of an error, whatever the adapter below.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// A stream of the ledger and the subjects it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamSpec {
    /// The stream's name.
    pub name: &'static str,
    /// The pattern of its subjects: a literal token, then `*` for each token after it.
    pub subjects: &'static str,
}

impl StreamSpec {
    /// Enrollment events, a subject a member.
    pub const ENROLLMENT: Self = Self { name: "ENROLLMENT", subjects: "enrollment.*" };
    /// Who a member is.
    pub const IDENTITY: Self = Self { name: "IDENTITY", subjects: "identity.*" };
    /// Files received, and what became of each row.
    pub const INTAKE: Self = Self { name: "INTAKE", subjects: "intake.*" };
    /// Who was shown what of whom.
    pub const ACCESS: Self = Self { name: "ACCESS", subjects: "access.*" };

    /// The keys that identities are sealed with, wrapped, a subject a member: never archived, and the one stream whose
    /// messages may be erased.
    pub const IDENTITY_KEYS: Self = Self { name: "IDENTITY_KEYS", subjects: "key.*" };

    /// Every event once more for downstream services, a subject a plan and kind. A function of `ENROLLMENT`, so that no
    /// archive need hold it.
    pub const FEED: Self = Self { name: "ENROLLMENT_FEED", subjects: "feed.*.*" };

    /// Every call of a webhook, before and after, a subject a subscription; of each the last 200,000 records.
    pub const ATTEMPTS: Self = Self { name: "FEED_ATTEMPTS", subjects: "attempt.*" };

    /// Which assertions machine clients were given access tokens for, a subject each, for as long as each could be shown again.
    pub const ASSERTIONS: Self = Self { name: "ASSERTIONS", subjects: "assertion.*" };

    /// All that hold what is nowhere else: these are archived, verified and guarded.
    pub const ALL: [Self; 4] = [Self::ENROLLMENT, Self::IDENTITY, Self::INTAKE, Self::ACCESS];

    /// Whether single messages may be erased, which leaves holes.
    pub fn erasable(&self) -> bool {
        *self == Self::IDENTITY_KEYS
    }

    /// How many of a subject's last messages are kept, where not all are. The last one always is: a sender goes on from it, and
    /// it tells how many messages were given up since the first.
    pub fn keeps_of_each(&self) -> Option<i64> {
        // Two records a call, each some 300 bytes: 100,000 calls, and some 60 MB a subscription.
        (*self == Self::ATTEMPTS).then_some(200_000)
    }

    /// How long messages are kept, where not for ever.
    pub fn keeps_for(&self) -> Option<Duration> {
        // Three times as long as an assertion may hold: clocks differ.
        (*self == Self::ASSERTIONS).then_some(Duration::from_secs(15 * 60))
    }

    /// Whether messages go by themselves, so that the stream's first need not be position 1.
    pub fn forgets(&self) -> bool {
        self.keeps_of_each().is_some() || self.keeps_for().is_some()
    }

    /// Whether a literal subject belongs to this stream.
    pub fn admits(&self, subject: &str) -> bool {
        // Any other character is either the server's own (wildcards, dots) or breaks its line protocol.
        let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        let (mut wanted, mut found) = (self.subjects.split('.'), subject.split('.'));
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return true,
                (Some("*"), Some(token)) if !token.is_empty() && token.bytes().all(plain) => {}
                (Some(literal), Some(token)) if literal == token && literal != "*" => {}
                (Some(_) | None, Some(_)) | (Some(_), None) => return false,
            }
        }
    }
}

/// A message to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The literal subject.
    pub subject: String,
    /// The message's id: the same id again is not stored again. For ever in memory, for two minutes on a server.
    pub id: String,
    /// The position that the subject's last message must have (0: none yet). In a batch, the first message of a
    /// subject speaks for it and the later ones are not looked at. Nothing here: stored wherever the subject is.
    pub expected: Option<Position>,
    /// For operators; readers of the log never see them.
    pub headers: Vec<(&'static str, String)>,
    /// The event.
    pub body: Bytes,
}

/// A message that is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where.
    pub position: Position,
    /// The literal subject.
    pub subject: String,
    /// The event, to the byte as it was appended.
    pub body: Bytes,
}

// Subjects are pseudonyms and bodies are records: neither belongs in a log line by way of a `{:?}`.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("expected", &self.expected).field("bytes", &self.body.len()).finish()
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("position", &self.position).field("bytes", &self.body.len()).finish()
    }
}

/// Why nothing was stored, or why that could not be found out.
#[derive(thiserror::Error)]
pub enum AppendError {
    /// A subject is not where it was expected, or a message id belongs to another message. Nothing was stored.
    #[error("another writer was first")]
    Conflict {
        /// Which subject, where the server lets one know.
        subject: Option<String>,
        /// Where that subject truly is, where the server lets one know.
        last: Option<Position>,
    },
    /// Whether it was stored could not be found out in time: neither done nor failed.
    #[error("could not find out whether the events were stored")]
    Unknown {
        /// What went wrong last.
        #[source]
        source: Source,
    },
    /// A message is larger than the log keeps. Nothing was stored.
    #[error("a message of {bytes} bytes is over the limit of {most}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// More messages than one atomic batch holds. Nothing was stored.
    #[error("{messages} messages are over the limit of {MOST_IN_A_BATCH} in a batch")]
    TooMany {
        /// How many.
        messages: usize,
    },
    /// A message that the stream has no place for. Nothing was stored.
    #[error("a message with an unusable {what}")]
    Malformed {
        /// Its subject, id or header.
        what: &'static str,
    },
    /// The log could not be reached. Nothing was stored.
    #[error("the log is unavailable")]
    Unavailable {
        /// What went wrong last.
        #[source]
        source: Source,
    },
    /// The server refused for a reason of its own. Nothing was stored.
    #[error("the log refused the message (code {code})")]
    Refused {
        /// The server's error code.
        code: u64,
    },
    /// Something is wrong that nothing may be stored on top of. Nothing was stored.
    #[error("nothing may be recorded now: {cause}")]
    Stayed {
        /// What is wrong.
        cause: String,
    },
}

impl fmt::Debug for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand: the derived one would print the subject.
        write!(f, "AppendError({self})")?;
        if let Self::Conflict { last: Some(last), .. } = self {
            write!(f, " at {last}")?;
        }
        match std::error::Error::source(self) {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The next message is not there: something was deleted, or a block is damaged.
    #[error("the log has a hole: expected position {expected}, found {found}")]
    Hole {
        /// The position that must come next.
        expected: Position,
        /// The one that came.
        found: Position,
    },
    /// The log ends before what was read from it: it was restored, or lost its end.
    #[error("the log ends at {head}, before position {after}")]
    Behind {
        /// What was read already.
        after: Position,
        /// The log's last position.
        head: Position,
    },
    /// A subject that this stream does not keep.
    #[error("an unusable subject")]
    Subject,
    /// The log could not be reached, or did not answer in time.
    #[error("the log is unavailable")]
    Unavailable {
        /// What went wrong.
        #[source]
        source: Source,
    },
}

impl ReadError {
    pub(crate) fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable { source: source.into() }
    }
}

/// One stream of the ledger.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Stores all of them or none, and answers when they are on disk: their positions, in order.
    ///
    /// One message is a plain publish, more are one atomic batch of at most [`MOST_IN_A_BATCH`]. The same append again
    /// is answered with the positions it has. An outcome that got lost on the way is looked up before this answers.
    async fn append(&self, batch: &[Message]) -> Result<Vec<Position>, AppendError>;

    /// The last message of a subject, from the leader: what was acknowledged is seen.
    async fn last(&self, subject: &str) -> Result<Option<Stored>, ReadError>;

    /// All messages of a subject, in order.
    async fn read(&self, subject: &str) -> Result<Vec<Stored>, ReadError>;

    /// At most so many messages of a subject after a position, in order; none where there are no more.
    async fn some_of(&self, subject: &str, after: Position, most: usize) -> Result<Vec<Stored>, ReadError>;

    /// The first message of a subject.
    async fn first(&self, subject: &str) -> Result<Option<Stored>, ReadError> {
        Ok(self.read(subject).await?.into_iter().next())
    }

    /// The message at a position, from the leader.
    async fn get(&self, position: Position) -> Result<Option<Stored>, ReadError>;

    /// The position of the last message; 0 in an empty log.
    async fn head(&self) -> Result<Position, ReadError>;

    /// Every message after a position, in order, without end: it waits for new ones. The first error ends it.
    async fn follow(&self, after: Position) -> Result<BoxStream<'static, Result<Stored, ReadError>>, ReadError>;

    /// Compares the server and the stream with what the promises need; an error names the setting.
    async fn check(&self) -> Result<(), SettingsError>;

    /// Which connection to the log this is, counted from the first; none while there is none. What another connection
    /// finds may be another log: a server that was restored, or has lost its end.
    fn connection(&self) -> Option<u64> {
        Some(0)
    }

    /// How full the server's store is, where it tells.
    async fn room(&self) -> Result<Option<Room>, SettingsError> {
        Ok(None)
    }
}

/// How full a server's store is, as the server itself counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes used.
    pub used: u64,
    /// Bytes it may use.
    pub most: u64,
}
