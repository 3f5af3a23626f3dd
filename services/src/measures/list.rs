//! Every figure: its name, unit and meaning.

use metrics::Unit;

/// The kinds that Prometheus knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets.
    Histogram,
}

/// A figure.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// Its name.
    pub name: &'static str,
    /// Of which kind.
    pub kind: Kind,
    /// What one is one of.
    pub unit: Unit,
    /// What it tells.
    pub meaning: &'static str,
}

const fn counter(name: &'static str, meaning: &'static str) -> Measure {
    Measure { name, kind: Kind::Counter, unit: Unit::Count, meaning }
}

const fn gauge(name: &'static str, unit: Unit, meaning: &'static str) -> Measure {
    Measure { name, kind: Kind::Gauge, unit, meaning }
}

const fn histogram(name: &'static str, unit: Unit, meaning: &'static str) -> Measure {
    Measure { name, kind: Kind::Histogram, unit, meaning }
}

/// Every figure of this program; those of the process have the names that every dashboard knows.
pub const ALL: [Measure; 45] = [
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
    counter("rollbook_access_recorded_total", "members in answers that were written down before they were given"),
    counter("rollbook_access_failures_total", "times that could not be written down; nothing was shown"),
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
