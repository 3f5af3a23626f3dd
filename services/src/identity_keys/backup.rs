//! A copy of the members' keys outside of NATS, wrapped as they are, and the way back. A key that was destroyed does not come
//! back: `IDENTITY` tells of every one, and its word counts before any copy's.

use std::collections::HashSet;
use std::io::{BufRead, Write};

use rollbook_events::identity::sealed::IdentityEvent;
use rollbook_events::ids::KeyId;
use rollbook_events::{Hash, Instant, MemberId, Position};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::keystore::{self, KeyError, message};
use super::message::{KeyMessage, WrappedKey, subject};
use crate::clock;
use crate::log::{AppendError, Erasable, Log, MOST_IN_A_BATCH, ReadError};
use futures_util::StreamExt;

/// What a backup begins with.
const FORMAT: &str = "rollbook identity keys";

/// The form that this program writes.
const VERSION: u16 = 1;

/// How long the next identity that the stream holds may take to come.
const NEXT: std::time::Duration = std::time::Duration::from_secs(30);

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u16,
    made_at: Instant,
}

#[derive(Serialize, Deserialize)]
struct Foot {
    keys: u64,
    /// Of all lines before, their ends included.
    sha256: Hash,
}

/// Why a backup cannot be made or taken back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file.
    #[error("the backup cannot be read or written")]
    File(#[from] std::io::Error),
    /// It is none, or not whole.
    #[error("line {line} of the backup is not what it must be: it is none, was cut off, or is damaged")]
    Damaged {
        /// The first line that is wrong.
        line: u64,
    },
    /// The streams.
    #[error("the keys cannot be read or stored")]
    Keys(#[from] KeyError),
}

impl From<ReadError> for BackupError {
    fn from(error: ReadError) -> Self {
        Self::Keys(error.into())
    }
}

/// What taking a backup back came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Keys in the backup.
    pub keys: u64,
    /// Keys that were put back.
    pub restored: u64,
    /// Keys that were there.
    pub there: u64,
    /// Keys that were destroyed, and stay so.
    pub destroyed: u64,
    /// Keys of members who have another key now.
    pub other: u64,
}

/// Writes every key that there is, wrapped; how many there are.
///
/// # Errors
/// Where the keys cannot be read or the file not be written.
pub async fn backup(log: &dyn Erasable, mut out: impl Write, mut told: impl FnMut(u64)) -> Result<u64, BackupError> {
    let mut hash = Vec::new();
    let mut running = Running::default();
    let made_at = Instant::new(clock::now().fixed_offset());
    running.line(&mut out, &mut hash, &Head { format: FORMAT.to_owned(), version: VERSION, made_at })?;
    let (mut at, mut keys) = (Position(0), 0);
    loop {
        let some = log.some_after(at).await?;
        let Some(last) = some.last() else { break };
        at = last.position;
        for stored in &some {
            let position = stored.position;
            match keystore::read(stored).ok_or(KeyError::Malformed { position })? {
                KeyMessage::Wrapped(wrapped) => {
                    keys += 1;
                    running.line(&mut out, &mut hash, &wrapped)?;
                }
                KeyMessage::Destroyed(_) => {}
            }
        }
        told(keys);
    }
    let foot = Foot { keys, sha256: running.hash() };
    running.line(&mut out, &mut hash, &foot)?;
    out.flush()?;
    Ok(keys)
}

/// The hash of the lines so far.
#[derive(Default)]
struct Running(sha2::Sha256);

impl Running {
    fn line(&mut self, out: &mut impl Write, line: &mut Vec<u8>, of: &impl Serialize) -> Result<(), BackupError> {
        line.clear();
        serde_json::to_writer(&mut *line, of).map_err(std::io::Error::from)?;
        line.push(b'\n');
        self.take(line);
        out.write_all(line)?;
        Ok(())
    }

    fn take(&mut self, line: &[u8]) {
        use sha2::Digest as _;
        self.0.update(line);
    }

    fn hash(&self) -> Hash {
        use sha2::Digest as _;
        Hash::from_bytes(self.0.clone().finalize().into())
    }
}

/// The keys of a backup, which is read to its end before any is believed.
///
/// # Errors
/// Where it is not whole.
pub fn read(mut from: impl BufRead) -> Result<Vec<WrappedKey>, BackupError> {
    let (mut running, mut keys, mut line, mut number) = (Running::default(), Vec::new(), Vec::new(), 0);
    loop {
        line.clear();
        number += 1;
        let damaged = |_| BackupError::Damaged { line: number };
        if from.read_until(b'\n', &mut line)? == 0 {
            return Err(BackupError::Damaged { line: number });
        }
        if number == 1 {
            let head: Head = serde_json::from_slice(&line).map_err(damaged)?;
            if (head.format.as_str(), head.version) != (FORMAT, VERSION) {
                return Err(BackupError::Damaged { line: number });
            }
        } else if let Ok(foot) = serde_json::from_slice::<Foot>(&line) {
            let all = foot.keys == u64::try_from(keys.len()).unwrap_or(u64::MAX) && foot.sha256 == running.hash();
            return if all { Ok(keys) } else { Err(BackupError::Damaged { line: number }) };
        } else {
            keys.push(serde_json::from_slice(&line).map_err(damaged)?);
        }
        running.take(&line);
    }
}

/// The keys that were destroyed, as `IDENTITY` tells up to its last message now, after a position; and that last position.
///
/// # Errors
/// Where the stream cannot be read.
pub async fn destroyed(
    identities: &dyn Log,
    after: Position,
) -> Result<(HashSet<(MemberId, KeyId)>, Position), ReadError> {
    let head = identities.head().await?;
    let (mut at, mut destroyed) = (after, HashSet::new());
    let mut messages = identities.follow(after).await?;
    while at < head {
        let next = timeout(NEXT, messages.next()).await.map_err(ReadError::unavailable)?;
        let stored = next.ok_or_else(|| ReadError::unavailable("the stream's reader ended"))??;
        at = stored.position;
        if let Ok(IdentityEvent::Destroyed(of)) = IdentityEvent::read(&stored.body) {
            destroyed.insert((of.member, of.key));
        }
    }
    Ok((destroyed, head))
}

/// Puts the keys of a backup back where there are none, telling how many were looked at. What `IDENTITY` tells was destroyed
/// stays destroyed, and what lies in the keystore of it is erased.
///
/// # Errors
/// Where the streams cannot be read or written; the same again goes on.
pub async fn restore(
    identities: &dyn Log,
    log: &dyn Erasable,
    keys: Vec<WrappedKey>,
    mut told: impl FnMut(u64),
) -> Result<Restored, BackupError> {
    let (mut gone, read_to) = destroyed(identities, Position(0)).await?;
    let mut done = Restored { keys: u64::try_from(keys.len()).unwrap_or(u64::MAX), ..Restored::default() };
    let mut looked = 0;
    for some in keys.chunks(MOST_IN_A_BATCH) {
        let (destroyed, wanted): (Vec<_>, Vec<_>) =
            some.iter().partition(|wrapped| gone.contains(&(wrapped.member, wrapped.key)));
        done.destroyed += u64::try_from(destroyed.len()).unwrap_or(u64::MAX);
        put_back(log, &wanted, &mut done).await?;
        looked += u64::try_from(some.len()).unwrap_or(u64::MAX);
        told(looked);
    }
    // One that was destroyed while this went on may have been put back behind whoever destroyed it.
    gone.extend(destroyed(identities, read_to).await?.0);
    for (member, key) in gone {
        keystore::erase(log, member, key).await?;
    }
    Ok(done)
}

async fn put_back(log: &dyn Erasable, wanted: &[&WrappedKey], done: &mut Restored) -> Result<(), BackupError> {
    let subjects: Vec<String> = wanted.iter().map(|wrapped| subject(wrapped.member)).collect();
    let there = log.last_of_each(&subjects).await?;
    let mut messages = Vec::new();
    for (wrapped, subject) in wanted.iter().zip(&subjects) {
        let last = there.get(subject).map(|stored| (stored.position, keystore::read(stored)));
        match last {
            Some((_, Some(KeyMessage::Wrapped(has)))) if has.key == wrapped.key => done.there += 1,
            Some((_, Some(KeyMessage::Destroyed(of)))) if of.key == wrapped.key => done.destroyed += 1,
            Some((_, Some(KeyMessage::Wrapped(_) | KeyMessage::Destroyed(_)))) => done.other += 1,
            Some((position, None)) => return Err(KeyError::Malformed { position }.into()),
            None => {
                messages.push(message(&KeyMessage::Wrapped((*wrapped).clone()), Position(0)).map_err(KeyError::from)?)
            }
        }
    }
    if messages.is_empty() {
        return Ok(());
    }
    match log.append(&messages).await {
        Ok(put) => {
            done.restored += u64::try_from(put.len()).unwrap_or(u64::MAX);
            Ok(())
        }
        // A recorder makes keys at the same time: one by one, those that it has not made.
        Err(AppendError::Conflict { .. }) => {
            for message in messages {
                match log.append(&[message]).await {
                    Ok(_) => done.restored += 1,
                    Err(AppendError::Conflict { .. }) => done.other += 1,
                    Err(error) => return Err(KeyError::from(error).into()),
                }
            }
            Ok(())
        }
        Err(error) => Err(KeyError::from(error).into()),
    }
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
