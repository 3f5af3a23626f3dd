//! How the archive stands, for the status page, for metrics and for health.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::clock;
use crate::health::{Forbids, Health};

/// The name of the archive's check.
pub const CHECK: &str = "archive";

/// How long messages may wait for the archive, or its place be away, before health is red.
const GRACE: TimeDelta = TimeDelta::seconds(60);

/// How the archive of one stream stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ArchiveStanding {
    /// The stream.
    #[schema(example = "ENROLLMENT")]
    pub stream: &'static str,
    /// The last position that is archived.
    #[schema(minimum = 0)]
    pub position: u64,
    /// The stream's last position, as last seen.
    #[schema(minimum = 0)]
    pub head: u64,
    /// Messages that are not archived yet.
    #[schema(minimum = 0)]
    pub gap: u64,
    /// Segments there are.
    #[schema(minimum = 0)]
    pub segments: u64,
    /// Since when messages wait for the archive, where any do.
    pub waiting_since: Option<DateTime<Utc>>,
    /// When this was last seen to be so.
    pub seen_at: Option<DateTime<Utc>>,
    /// What is wrong, where something is.
    pub trouble: Option<String>,
}

#[derive(Debug, Clone)]
struct Known {
    standing: ArchiveStanding,
    /// Since when the place is away, and why.
    away: Option<(DateTime<Utc>, String)>,
    /// Something that does not pass by itself.
    damage: Option<(String, Forbids)>,
}

/// Where the archivers of all streams say how they stand.
#[derive(Debug, Clone)]
pub struct Report {
    known: Arc<watch::Sender<Vec<Known>>>,
    health: Health,
}

/// Where others look how the archive stands.
#[derive(Debug, Clone)]
pub struct Watched(Report, String);

impl Watched {
    /// How each stream's archive stands.
    pub fn standings(&self) -> Vec<ArchiveStanding> {
        self.0.known.borrow().iter().map(|known| known.standing.clone()).collect()
    }

    /// Where the archive lies.
    pub fn address(&self) -> &str {
        &self.1
    }
}

impl Report {
    /// A report on these streams, to this health.
    pub fn new(streams: &[&'static str], health: &Health) -> Self {
        let known = streams.iter().map(|stream| Known {
            standing: ArchiveStanding {
                stream,
                position: 0,
                head: 0,
                gap: 0,
                segments: 0,
                waiting_since: None,
                seen_at: None,
                trouble: None,
            },
            away: None,
            damage: None,
        });
        Self { known: Arc::new(watch::Sender::new(known.collect())), health: health.clone() }
    }

    /// For others to look at.
    pub fn watched(&self, address: String) -> Watched {
        Watched(self.clone(), address)
    }

    /// So far it is archived, in so many segments; whatever was wrong with it is over.
    pub fn archived(&self, stream: &str, position: u64, segments: u64) {
        self.change(stream, |known| {
            known.standing.position = position;
            known.standing.segments = segments;
            known.standing.waiting_since = None;
            (known.away, known.damage) = (None, None);
        });
    }

    /// The stream goes so far.
    pub fn head(&self, stream: &str, head: u64) {
        self.change(stream, |known| {
            known.standing.head = head;
            let waits = head > known.standing.position;
            known.standing.waiting_since = waits.then(|| known.standing.waiting_since.unwrap_or_else(clock::now));
        });
    }

    /// The place, or the log, cannot be reached: it is tried again.
    pub fn away(&self, stream: &str, cause: &str) {
        tracing::warn!(stream, cause, "the archive cannot go on yet");
        self.change(stream, |known| {
            let since = known.away.as_ref().map_or_else(clock::now, |(since, _)| *since);
            known.away = Some((since, cause.to_owned()));
        });
    }

    /// Something is wrong that does not pass by itself.
    pub fn damaged(&self, stream: &str, cause: &str, forbids: Forbids) {
        self.change(stream, |known| known.damage = Some((cause.to_owned(), forbids)));
    }

    fn change(&self, stream: &str, change: impl FnOnce(&mut Known)) {
        let now = clock::now();
        self.known.send_modify(|all| {
            let Some(known) = all.iter_mut().find(|known| known.standing.stream == stream) else { return };
            change(known);
            known.settle(now);
            let labels = [("stream", known.standing.stream)];
            metrics::gauge!("rollbook_archive_position", &labels).set(number(known.standing.position));
            metrics::gauge!("rollbook_archive_head", &labels).set(number(known.standing.head));
            metrics::gauge!("rollbook_archive_gap", &labels).set(number(known.standing.gap));
            metrics::gauge!("rollbook_archive_segments", &labels).set(number(known.standing.segments));
            let lag = known.standing.waiting_since.map_or(0, |since| (now - since).num_milliseconds().max(0));
            metrics::gauge!("rollbook_archive_lag_seconds", &labels).set(number(lag.unsigned_abs()) / 1_000.0);
        });
        self.tell(now);
    }

    /// Says to health what stands against the archive now.
    fn tell(&self, now: DateTime<Utc>) {
        let all = self.known.borrow();
        let causes: Vec<String> = all.iter().filter_map(|known| known.standing.trouble.clone()).collect();
        let forbids = all.iter().filter_map(|known| known.damage.as_ref().map(|(_, forbids)| *forbids)).max();
        if causes.is_empty() {
            self.health.green(CHECK);
        } else {
            self.health.red(CHECK, causes.join("; "), forbids.unwrap_or(Forbids::Nothing), now);
        }
    }
}

impl Known {
    fn settle(&mut self, now: DateTime<Utc>) {
        let standing = &mut self.standing;
        standing.head = standing.head.max(standing.position);
        standing.gap = standing.head - standing.position;
        standing.seen_at = Some(now);
        let stream = standing.stream;
        let away = self.away.as_ref().filter(|(since, _)| now - *since > GRACE);
        let late = standing.waiting_since.filter(|since| now - *since > GRACE + GRACE);
        standing.trouble = match (&self.damage, away, late) {
            (Some((cause, _)), _, _) => Some(cause.clone()),
            (None, Some((_, cause)), _) => Some(format!("the archive of {stream} cannot go on: {cause}")),
            (None, None, Some(_)) => {
                let (gap, position) = (standing.gap, standing.position);
                Some(format!("the archive of {stream} is {gap} messages behind, at position {position}"))
            }
            (None, None, None) => None,
        };
    }
}

fn number(number: u64) -> f64 {
    // Past 2^53 a gauge may be off by one.
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    let float = number as f64;
    float
}
