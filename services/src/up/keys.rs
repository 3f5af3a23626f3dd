//! The keystore of a recorder: opened with the wrapping keys that go with it, and never with others.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use rollbook_events::Position;
use rollbook_events::identity::sealed::IdentityEvent;

use crate::identity_keys::keystore::read;
use crate::identity_keys::message::KeyMessage;
use crate::identity_keys::{KeyStore, WrappingKeys};
use crate::log::{Log, NatsLog, ReadError};

/// Opens the keystore. Where there is no file of wrapping keys yet and no key was ever stored, one is made.
///
/// # Errors
/// Where keys are missing that identities are sealed with, or the file is gone that the stored keys were wrapped with, or holds others.
pub(super) async fn keystore(identities: &dyn Log, log: &NatsLog, path: &Path) -> anyhow::Result<KeyStore> {
    let head = log.head().await.context("could not read the stream IDENTITY_KEYS")?;
    if head == Position(0) && ends_sealed(identities).await.context("could not read the stream IDENTITY")? {
        bail!(
            "IDENTITY holds sealed identities and IDENTITY_KEYS no key: put the keys back (rollbook identity restore-keys), or, \
             where there is no backup, accept that they are lost (rollbook identity give-up-lost)"
        );
    }
    let wrapping = if path.exists() {
        WrappingKeys::read(path)?
    } else if head == Position(0) {
        WrappingKeys::make(path)?
    } else {
        bail!(
            "{} is missing, and without it no stored identity can be read: put your copy there (deploy/README.md, Key backup)",
            path.display()
        );
    };
    // A tombstone tells nothing of the keys around it; verify looks at every one.
    let last = log.get(head).await.context("could not read the stream IDENTITY_KEYS")?;
    if let Some(KeyMessage::Wrapped(wrapped)) = last.as_ref().and_then(read)
        && !wrapping.has(&wrapped.wrapped_by)
    {
        bail!(
            "{} holds other wrapping keys than those in use: members' keys are wrapped with {}",
            path.display(),
            wrapped.wrapped_by
        );
    }
    Ok(KeyStore::new(Arc::new(log.clone()), wrapping))
}

/// Whether the last identity is sealed, so that there must be a key.
async fn ends_sealed(identities: &dyn Log) -> Result<bool, ReadError> {
    let last = identities.get(identities.head().await?).await?;
    Ok(last.is_some_and(|last| matches!(IdentityEvent::read(&last.body), Ok(IdentityEvent::Sealed(_)))))
}
