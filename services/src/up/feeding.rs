//! The feed of a ledger, begun: who publishes it, and who calls for it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::streams::{Streams, trusted};
use crate::app::App;
use crate::feed::status::Report;
use crate::feed::webhooks::sender::{Attempts, Sender};
use crate::feed::webhooks::{Settings, Webhooks, status};
use crate::feed::{Feed, Publisher};
use crate::log::NatsLog;

impl Streams {
    /// The feed. What it needs is compared by who publishes it, so that a ledger without it still records.
    pub fn feed(&self) -> &NatsLog {
        &self.feed
    }

    /// The calls of webhooks.
    pub fn attempts(&self) -> &NatsLog {
        &self.attempts
    }

    /// Refuses a setting of the feed that breaks a promise.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn check_feed(&self) -> anyhow::Result<()> {
        trusted(&self.feed).await
    }

    /// Refuses a setting of the stream of calls that breaks a promise.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn check_attempts(&self) -> anyhow::Result<()> {
        trusted(&self.attempts).await
    }
}

/// Publishes the feed, and gives it.
pub(super) fn publish(app: &mut App, streams: &Streams, cancelled: &CancellationToken) {
    let feed = Feed::new(streams.feed().clone(), cancelled.clone());
    let report = Report::new(&app.health);
    app.publishing = Some(report.watched());
    let publisher = Publisher::new(streams.enrollment.clone(), feed.clone(), report);
    app.tasks.spawn(publisher.run(cancelled.clone()));
    app.feed = Some(feed);
}

/// Calls the webhooks of the operator's file, where this program publishes the feed and there is one.
///
/// # Errors
/// Where the stream of attempts cannot be trusted: nobody is called of whom it could not be said.
pub(super) async fn call(
    app: &mut App,
    streams: &Streams,
    settings: Option<&Settings>,
    cancelled: &CancellationToken,
) -> anyhow::Result<()> {
    let (Some(settings), Some(_), Some(feed)) = (settings, &app.publishing, app.feed.clone()) else { return Ok(()) };
    streams.check_attempts().await?;
    let attempts = Attempts::new(Arc::new(streams.attempts().clone()));
    let report = status::Report::default();
    for of in settings.subscriptions.iter().cloned() {
        let sender = Sender::new(settings, of, feed.clone(), attempts.clone(), report.clone());
        app.tasks.spawn(sender.run(cancelled.clone()));
    }
    app.webhooks = Some(Webhooks { report, attempts });
    Ok(())
}
