//! Following `IDENTITY`, from its first message to whatever comes.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use rollbook_events::Position;
use rollbook_events::identity::sealed::IdentityEvent;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::IdentityIndex;
use crate::clock;
use crate::health::{Forbids, Health};
use crate::log::{Log, ReadError, Stored};

/// How long the follower waits before it follows again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A stream of identities with a hole; it stands until the program is started again.
const HOLE: &str = "identity_hole";

/// Keeps an index up to date.
pub(super) struct Follower {
    pub(super) index: IdentityIndex,
    pub(super) health: Health,
    /// How far it has come.
    pub(super) reached: watch::Sender<Position>,
    /// How many destructions it has heard of.
    pub(super) heard: watch::Sender<u64>,
}

type Messages = BoxStream<'static, Result<Stored, ReadError>>;

impl Follower {
    /// Follows until cancelled.
    pub(super) async fn run(self, mut stream: Messages, cancelled: CancellationToken) {
        let mut last = Position(0);
        loop {
            let next = tokio::select! { next = stream.next() => next, () = cancelled.cancelled() => return };
            match next {
                Some(Ok(stored)) => {
                    self.take(&stored);
                    last = stored.position;
                    _ = self.reached.send(last);
                }
                ended => {
                    let error = ended.and_then(Result::err);
                    if let Some(hole @ (ReadError::Hole { .. } | ReadError::Behind { .. })) = &error {
                        let cause =
                            format!("of the identities: {hole}; restore them from the archive (rollbook restore)");
                        self.health.red(HOLE, cause, Forbids::Recording, clock::now());
                    }
                    let error = error.map(|error| error.to_string());
                    tracing::warn!(error, "the identity stream is followed again from where it was");
                    match again(&*self.index.log, last, &cancelled).await {
                        Some(followed) => stream = followed,
                        None => return,
                    }
                }
            }
        }
    }

    fn take(&self, stored: &Stored) {
        match IdentityEvent::read(&stored.body) {
            Ok(IdentityEvent::Sealed(sealed)) => {
                let born_at = sealed.dated.then_some(stored.position);
                self.index.note(sealed.member, &sealed.said, Some(sealed.key), born_at);
            }
            Ok(IdentityEvent::InClear(recorded)) => {
                let said = self.index.digests.said(&recorded.identity, &recorded.source);
                let born_at = recorded.identity.born_on.map(|_| stored.position);
                self.index.note(recorded.member, &said, None, born_at);
            }
            Ok(IdentityEvent::Destroyed(destroyed)) => {
                self.index.forget(destroyed.member, destroyed.key);
                self.heard.send_modify(|heard| *heard += 1);
            }
            Err(error) => {
                tracing::error!(position = stored.position.0, error = %error, "a message of IDENTITY cannot be read");
            }
        }
    }
}

/// Follows the stream again from a position, as often as it takes; none where that was cancelled.
async fn again(log: &dyn Log, after: Position, cancelled: &CancellationToken) -> Option<Messages> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(AGAIN_AFTER) => {}
            () = cancelled.cancelled() => return None,
        }
        match log.follow(after).await {
            Ok(stream) => return Some(stream),
            Err(error) => tracing::warn!(error = %error, "the identity stream cannot be followed yet"),
        }
    }
}
