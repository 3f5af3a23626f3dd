//! Who the people of a ledger are, as whoever has all its keys reads it: for tests alone, no program of ours tells it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rollbook::identity_keys::wrapping::FILE;
use rollbook::identity_keys::{Found, KeyStore, WrappingKeys};
use rollbook::log::{Erasable, Log, NatsLog, StreamSpec, connect};
use rollbook::nats_server::running;
use rollbook_events::identity::sealed::{IdentityEvent, Statement};
use rollbook_events::{MemberId, Position};

/// A message of `IDENTITY` as it can be read now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// What it says: it is in clear, or its key is there.
    Opened(Box<Statement>),
    /// Sealed with a key that is not there.
    Closed,
    /// It tells that a key was destroyed.
    Destroyed,
}

/// Connections to the stream of identities and that of keys, of a ledger that runs on a data folder.
///
/// # Errors
/// Where none runs.
pub async fn streams(data: &Path) -> anyhow::Result<(NatsLog, NatsLog)> {
    let access = running(data).await?.context("no ledger runs on the folder")?;
    let client = connect(&access, "test").await?;
    let open = |spec| NatsLog::open(client.clone(), &access, spec, 1);
    Ok((open(StreamSpec::IDENTITY), open(StreamSpec::IDENTITY_KEYS)))
}

/// Every message of `IDENTITY`, in order, with its member.
///
/// # Errors
/// Where the ledger does not run, or a message is none.
pub async fn read(data: &Path) -> anyhow::Result<Vec<(MemberId, Read)>> {
    let (identities, keys) = streams(data).await?;
    let keys: Arc<dyn Erasable> = Arc::new(keys);
    let store = KeyStore::new(keys, WrappingKeys::read(&data.join(FILE))?);
    let mut all = Vec::new();
    for position in 1..=identities.head().await?.0 {
        let stored = identities.get(Position(position)).await?.context("a message is missing")?;
        let event = IdentityEvent::read(&stored.body)?;
        let member = event.member();
        let read = match event {
            IdentityEvent::Destroyed(_) => Read::Destroyed,
            IdentityEvent::InClear(of) => {
                Read::Opened(Box::new(Statement { source: of.source, identity: of.identity }))
            }
            IdentityEvent::Sealed(sealed) => match store.of(&[member]).await?.remove(&member) {
                Some(Found::Key(key)) if key.id() == sealed.key => Read::Opened(Box::new(key.open(&sealed)?)),
                Some(Found::Key(_) | Found::Destroyed(_) | Found::None) | None => Read::Closed,
            },
        };
        all.push((member, read));
    }
    Ok(all)
}
