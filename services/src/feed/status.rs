//! How the feed stands, for the status page, for metrics and for health.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::clock;
use crate::health::{Forbids, Health};

/// The name of the feed's check.
pub const CHECK: &str = "feed";

/// How long events may wait for the feed, or its stream be away, before health is red.
const GRACE: TimeDelta = TimeDelta::seconds(60);

/// How the feed stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedStanding {
    /// The last position of the log that the feed tells of.
    #[schema(minimum = 0)]
    pub position: u64,
    /// The log's last position, as the publisher last saw it.
    #[schema(minimum = 0)]
    pub head: u64,
    /// Events that are not published yet.
    #[schema(minimum = 0)]
    pub gap: u64,
    /// For how long the oldest of them has waited, in milliseconds.
    #[schema(minimum = 0)]
    pub lag_ms: u64,
    /// When this was last seen to be so.
    pub seen_at: Option<DateTime<Utc>>,
    /// What is wrong, where something is.
    pub trouble: Option<String>,
}

#[derive(Debug, Clone, Default)]
struct Known {
    position: u64,
    head: u64,
    waiting_since: Option<DateTime<Utc>>,
    seen_at: Option<DateTime<Utc>>,
    /// Since when the feed is away, and why.
    away: Option<(DateTime<Utc>, String)>,
    /// Something that does not pass by itself.
    damage: Option<String>,
}

/// Where the publisher says how the feed stands.
#[derive(Debug, Clone)]
pub struct Report {
    known: Arc<watch::Sender<Known>>,
    health: Health,
}

/// Where others look how the feed stands.
#[derive(Debug, Clone)]
pub struct Watched(Report);

impl Watched {
    /// How it stands.
    pub fn standing(&self) -> FeedStanding {
        self.0.known.borrow().standing(clock::now())
    }
}

impl Report {
    /// To this health.
    pub fn new(health: &Health) -> Self {
        Self { known: Arc::new(watch::Sender::new(Known::default())), health: health.clone() }
    }

    /// For others to look at.
    pub fn watched(&self) -> Watched {
        Watched(self.clone())
    }

    /// So far it is published; whatever was wrong with it is over.
    pub fn published(&self, position: u64) {
        self.change(|known| {
            known.position = position;
            known.waiting_since = None;
            (known.away, known.damage) = (None, None);
        });
    }

    /// The log goes so far.
    pub fn head(&self, head: u64) {
        self.change(|known| {
            known.head = head;
            let waits = head > known.position;
            known.waiting_since = waits.then(|| known.waiting_since.unwrap_or_else(clock::now));
        });
    }

    /// Log or feed cannot be reached, or another publisher was first: it is tried again.
    pub fn away(&self, cause: &str) {
        tracing::warn!(cause, "the feed cannot go on yet");
        self.change(|known| {
            let since = known.away.as_ref().map_or_else(clock::now, |(since, _)| *since);
            known.away = Some((since, cause.to_owned()));
        });
    }

    /// Something is wrong that does not pass by itself.
    pub fn damaged(&self, cause: &str) {
        self.change(|known| known.damage = Some(cause.to_owned()));
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        let now = clock::now();
        self.known.send_modify(|known| {
            change(known);
            known.head = known.head.max(known.position);
            known.seen_at = Some(now);
        });
        let standing = self.known.borrow().standing(now);
        metrics::gauge!("rollbook_feed_position").set(number(standing.position));
        metrics::gauge!("rollbook_feed_head").set(number(standing.head));
        metrics::gauge!("rollbook_feed_gap_events").set(number(standing.gap));
        metrics::gauge!("rollbook_feed_lag_seconds").set(number(standing.lag_ms) / 1_000.0);
        match standing.trouble {
            // The log and its views are as well as they were: only who waits for the feed waits longer.
            Some(cause) => self.health.red(CHECK, cause, Forbids::Nothing, now),
            None => self.health.green(CHECK),
        }
    }
}

impl Known {
    fn standing(&self, now: DateTime<Utc>) -> FeedStanding {
        let (position, head) = (self.position, self.head);
        let gap = head.saturating_sub(position);
        let away = self.away.as_ref().filter(|(since, _)| now - *since > GRACE);
        let late = self.waiting_since.filter(|since| now - *since > GRACE + GRACE);
        let trouble = match (&self.damage, away, late) {
            (Some(cause), _, _) => Some(cause.clone()),
            (None, Some((_, cause)), _) => Some(format!("the feed cannot go on: {cause}")),
            (None, None, Some(_)) => Some(format!("the feed is {gap} events behind, at position {position}")),
            (None, None, None) => None,
        };
        let waited = self.waiting_since.map_or(0, |since| (now - since).num_milliseconds().max(0));
        FeedStanding { position, head, gap, lag_ms: waited.unsigned_abs(), seen_at: self.seen_at, trouble }
    }
}

#[expect(clippy::cast_precision_loss, reason = "past 2^53 a gauge may be off by one")]
fn number(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_has_a_lag_and_what_is_away_for_long_is_red_until_it_is_published() {
        let health = Health::default();
        let report = Report::new(&health);
        report.published(5);
        report.head(7);
        let standing = report.watched().standing();
        assert_eq!((standing.position, standing.head, standing.gap, standing.trouble), (5, 7, 2, None));
        report.away("gone");
        assert!(!health.is_red(CHECK), "it may pass");
        report.known.send_modify(|known| known.away = Some((clock::now() - GRACE * 2, "gone".to_owned())));
        report.head(7);
        assert!(health.is_red(CHECK) && health.refusal().is_none());
        report.published(7);
        assert!(!health.is_red(CHECK));
        report.damaged("broken");
        assert_eq!(report.watched().standing().trouble.as_deref(), Some("broken"));
    }
}
