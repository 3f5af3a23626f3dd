//! What Prometheus reads: every name once, with its unit and meaning, and the places where figures are taken.
//!
//! A new figure is a line in [`ALL`], and the same line in deploy/README.md, which a test compares. No label holds anything
//! of a person: routes stand for paths, codes for causes.

mod measure;
mod process;

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use metrics::Unit;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rollbook_events::Position;

pub use measure::{Kind, Measure};
use measure::{counter, gauge, histogram};

use crate::app::App;
use crate::clock;
use crate::health::{Forbids, Trouble};
use crate::log::{AppendError, Log, Message};
use crate::recorder::RecordError;

/// How often what was measured is put into its buckets; without it, a program that nobody asks would keep every sample.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// From a flush of a fast disk to a caller's patience.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// From one event to the largest batch and beyond.
const AMOUNTS: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 5_000.0];

/// Every figure of this program; those of the process have the names that every dashboard knows.
pub const ALL: [Measure; 43] = [
    gauge("rollbook_build_info", Unit::Count, "1, with the label `version`"),
    gauge("rollbook_ready", Unit::Count, "1 while `/readyz` says 200, else 0"),
    gauge(
        "rollbook_health_red",
        Unit::Count,
        "1 while this `check` is red, 0 since it is green again; `forbids` recording or nothing",
    ),
    counter("rollbook_http_requests_total", "requests by `method`, `route` and `status`"),
    histogram(
        "rollbook_http_request_seconds",
        Unit::Seconds,
        "until an answer began, by `method`, `route` and `status`",
    ),
    counter("rollbook_recorder_appends_total", "appends that were acknowledged"),
    counter("rollbook_recorder_events_total", "events that were acknowledged"),
    counter("rollbook_recorder_conflicts_total", "appends that came after another writer's and were decided anew"),
    counter(
        "rollbook_recorder_failures_total",
        "appends without success, by `outcome`: unknown, unavailable, stayed, refused",
    ),
    counter(
        "rollbook_recorder_rejections_total",
        "requests that the recorder refused for what is in them, by `code`; malformed ones never reach it",
    ),
    histogram("rollbook_recorder_append_seconds", Unit::Seconds, "from sending an append to its acknowledgement"),
    histogram("rollbook_recorder_batch_events", Unit::Count, "events in one append"),
    histogram("rollbook_recorder_round_requests", Unit::Count, "requests decided together"),
    counter("rollbook_recorder_sweeps_total", "times that every clock that had run out was determined"),
    counter("rollbook_import_rows_total", "rows of files that were settled"),
    gauge("rollbook_projector_position", Unit::Count, "the last event that the views hold"),
    gauge("rollbook_projector_head", Unit::Count, "the last event of the log, as last seen"),
    gauge("rollbook_archive_position", Unit::Count, "the last message that the archive holds, by `stream`"),
    gauge(
        "rollbook_archive_head",
        Unit::Count,
        "the last message of the stream as the archiver last saw it, by `stream`",
    ),
    gauge("rollbook_archive_gap", Unit::Count, "messages that are still to be archived, by `stream`"),
    gauge("rollbook_archive_segments", Unit::Count, "segments of the archive, by `stream`"),
    gauge("rollbook_archive_lag_seconds", Unit::Seconds, "age of the oldest message still to be archived, by `stream`"),
    gauge("rollbook_feed_position", Unit::Count, "the last event that the feed tells of"),
    gauge("rollbook_feed_head", Unit::Count, "the last event of the log as the publisher last saw it"),
    gauge("rollbook_feed_gap_events", Unit::Count, "events that are still to be published"),
    gauge("rollbook_feed_lag_seconds", Unit::Seconds, "age of the oldest event still to be published"),
    counter("rollbook_feed_messages_total", "messages that this program wrote to the feed"),
    gauge("rollbook_feed_followers", Unit::Count, "who follows the feed over HTTP now"),
    counter("rollbook_webhook_attempts_total", "calls of webhooks, by `outcome`: delivered, failed, given_up"),
    gauge("rollbook_projector_gap_events", Unit::Count, "events that the views have still to read"),
    gauge("rollbook_projector_lag_seconds", Unit::Seconds, "how far the views are behind the log's last event"),
    gauge(
        "rollbook_projector_still_seconds",
        Unit::Seconds,
        "since the views last moved or were seen to be at the head",
    ),
    gauge("rollbook_projector_stuck_members", Unit::Count, "members whose views stand still"),
    gauge("rollbook_projector_trouble", Unit::Count, "1 while the projector is not following the log"),
    gauge(
        "rollbook_projector_following",
        Unit::Count,
        "1 while the views follow the log as this process sees it, 0 while it stands by or waits",
    ),
    gauge("rollbook_projector_generation", Unit::Count, "the generation of the views that is read"),
    counter("rollbook_projector_rows_written_total", "rows written to the views"),
    histogram("rollbook_projector_step_events", Unit::Count, "events written to the views in one transaction"),
    histogram("rollbook_projector_write_seconds", Unit::Seconds, "writing one step to the views"),
    gauge("process_resident_memory_bytes", Unit::Bytes, "memory that the program holds (Linux)"),
    Measure { unit: Unit::Seconds, ..counter("process_cpu_seconds_total", "processor time it has used (Linux)") },
    gauge("process_open_fds", Unit::Count, "files and connections it has open (Linux)"),
    gauge("process_threads", Unit::Count, "threads it runs (Linux)"),
];

/// The one recorder of metrics that a process can have. Call it within the runtime.
///
/// # Errors
/// Where another one is installed.
pub fn handle() -> anyhow::Result<PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let mut builder = PrometheusBuilder::new();
    for measure in ALL.iter().filter(|measure| measure.kind == Kind::Histogram) {
        let buckets: &[f64] = if measure.unit == Unit::Seconds { &SECONDS } else { &AMOUNTS };
        builder = builder.set_buckets_for_metric(Matcher::Full(measure.name.to_owned()), buckets)?;
    }
    let handle = builder.install_recorder().context("could not set up the metrics")?;
    describe();
    metrics::gauge!("rollbook_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let kept = handle.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP_EVERY);
        loop {
            ticks.tick().await;
            kept.run_upkeep();
        }
    });
    Ok(HANDLE.get_or_init(|| handle).clone())
}

fn describe() {
    for Measure { name, kind, unit, meaning } in ALL {
        match kind {
            Kind::Counter => metrics::describe_counter!(name, unit, meaning),
            Kind::Gauge => metrics::describe_gauge!(name, unit, meaning),
            Kind::Histogram => metrics::describe_histogram!(name, unit, meaning),
        }
    }
}

/// Requests that are decided together.
pub fn round(requests: usize) {
    metrics::histogram!("rollbook_recorder_round_requests").record(count(requests));
}

/// Appends, and takes how long that took and what became of it.
///
/// # Errors
/// As [`Log::append`].
#[tracing::instrument(skip_all, fields(events = messages.len()))]
pub async fn append(log: &dyn Log, messages: &[Message]) -> Result<Vec<Position>, AppendError> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let begun = Instant::now();
    let outcome = log.append(messages).await;
    appended(messages.len(), begun, &outcome);
    outcome
}

fn appended<T>(events: usize, begun: Instant, outcome: &Result<T, AppendError>) {
    metrics::histogram!("rollbook_recorder_batch_events").record(count(events));
    match outcome {
        Ok(_) => {
            metrics::histogram!("rollbook_recorder_append_seconds").record(begun.elapsed());
            metrics::counter!("rollbook_recorder_appends_total").increment(1);
            metrics::counter!("rollbook_recorder_events_total").increment(u64::try_from(events).unwrap_or(u64::MAX));
        }
        Err(AppendError::Conflict { .. }) => metrics::counter!("rollbook_recorder_conflicts_total").increment(1),
        Err(error) => {
            let outcome = match error {
                AppendError::Unknown { .. } => "unknown",
                AppendError::Unavailable { .. } => "unavailable",
                AppendError::Stayed { .. } => "stayed",
                AppendError::Conflict { .. }
                | AppendError::TooLarge { .. }
                | AppendError::TooMany { .. }
                | AppendError::Malformed { .. }
                | AppendError::Refused { .. } => "refused",
            };
            metrics::counter!("rollbook_recorder_failures_total", "outcome" => outcome).increment(1);
        }
    }
}

/// A request that was refused for what is in it.
pub fn rejected(error: &RecordError) {
    let code = match error {
        RecordError::Rejected { rejection, .. } => rejection.code.as_str(),
        RecordError::NotSubmitted(_) => "not_submitted",
        RecordError::TooMany => "too_many",
        RecordError::Unknown | RecordError::Unavailable { .. } | RecordError::Stayed { .. } | RecordError::Stopped => {
            return;
        }
    };
    metrics::counter!("rollbook_recorder_rejections_total", "code" => code).increment(1);
}

/// Takes the figures that are looked at rather than counted, just before they are told.
pub fn look(app: &App, ready: bool) {
    let status = app.status.borrow().clone();
    let now = clock::now();
    metrics::gauge!("rollbook_ready").set(f64::from(u8::from(ready)));
    metrics::gauge!("rollbook_projector_position").set(big(status.position.0));
    metrics::gauge!("rollbook_projector_head").set(big(status.head.0));
    metrics::gauge!("rollbook_projector_gap_events").set(big(status.gap()));
    metrics::gauge!("rollbook_projector_lag_seconds").set(big(status.lag_ms(now)) / 1_000.0);
    let still = status.moved_at.map_or(f64::NAN, |at| (now - at).as_seconds_f64().max(0.0));
    metrics::gauge!("rollbook_projector_still_seconds").set(still);
    metrics::gauge!("rollbook_projector_stuck_members").set(big(status.stuck));
    metrics::gauge!("rollbook_projector_trouble").set(f64::from(u8::from(status.trouble().is_some())));
    troubles(&app.health.troubles());
    process::look();
}

/// A check that was red once is told for ever, so that an alert sees it end.
fn troubles(troubles: &[Trouble]) {
    static SEEN: Mutex<BTreeSet<(&str, &str)>> = Mutex::new(BTreeSet::new());
    let Ok(mut seen) = SEEN.lock() else { return };
    let forbids = |trouble: &Trouble| match trouble.forbids {
        Forbids::Nothing => "nothing",
        Forbids::Recording => "recording",
    };
    let red: BTreeSet<(&str, &str)> = troubles.iter().map(|trouble| (trouble.check, forbids(trouble))).collect();
    seen.extend(&red);
    for &(check, forbids) in seen.iter() {
        let is_red = f64::from(u8::from(red.contains(&(check, forbids))));
        metrics::gauge!("rollbook_health_red", "check" => check, "forbids" => forbids).set(is_red);
    }
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

#[expect(clippy::cast_precision_loss, reason = "exact up to nine quadrillion events")]
fn big(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of deploy/README.md.
    fn row(measure: &Measure) -> String {
        let kind = format!("{:?}", measure.kind).to_lowercase();
        let unit = if measure.unit == Unit::Count { "" } else { measure.unit.as_str() };
        format!("| `{}` | {kind} | {unit} | {} |", measure.name, measure.meaning)
    }

    #[test]
    fn every_figure_stands_in_the_operators_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/README.md");
        let text = std::fs::read_to_string(path).unwrap();
        let missing: Vec<String> = ALL.iter().map(row).filter(|row| !text.contains(row.as_str())).collect();
        assert!(missing.is_empty(), "add to deploy/README.md:\n{}", missing.join("\n"));
        let told =
            text.lines().filter(|line| line.starts_with("| `rollbook_") || line.starts_with("| `process_")).count();
        assert_eq!(told, ALL.len(), "deploy/README.md tells of a figure that is none");
    }

    #[test]
    fn names_say_their_unit() {
        for Measure { name, kind, unit, .. } in ALL {
            assert_eq!(kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert_eq!(unit == Unit::Seconds, name.contains("_seconds"), "{name}");
            assert_eq!(unit == Unit::Bytes, name.contains("_bytes"), "{name}");
        }
    }

    /// The names that stand in the code after `counter!(` and the like.
    fn taken(text: &str, names: &mut BTreeSet<String>) {
        for part in text.split("metrics::").skip(1) {
            let Some((macro_name, rest)) = part.split_once("!(\"") else { continue };
            if ["counter", "gauge", "histogram"].contains(&macro_name) {
                names.extend(rest.split('"').next().map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_figure_that_is_taken_is_described_and_the_other_way_round() {
        let mut names = BTreeSet::new();
        let mut waiting = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        while let Some(folder) = waiting.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    waiting.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    taken(&std::fs::read_to_string(path).unwrap(), &mut names);
                }
            }
        }
        let described: BTreeSet<String> = ALL.iter().map(|measure| measure.name.to_owned()).collect();
        assert_eq!(names, described);
    }
}
