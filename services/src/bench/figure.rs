//! One figure: what was measured, how fast, how long the answers took, and what it cost.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use serde_json::{Map, Value};

use super::process::Cost;

/// Latencies longer than this are counted as this long.
const LONGEST: Duration = Duration::from_secs(600);
/// Digits that a percentile keeps.
const DIGITS: u8 = 3;

/// A figure, as its JSON line has it. What was not measured is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Its name, one of [`super::NAMES`].
    pub bench: &'static str,
    /// Members of the ledger it was measured on.
    pub members: u32,
    /// Events a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_per_s: Option<f64>,
    /// Anything else a second: flushes, questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_s: Option<f64>,
    /// The median, in milliseconds.
    pub p50_ms: Option<f64>,
    /// The 99th percentile, in milliseconds.
    pub p99_ms: Option<f64>,
    /// Highest resident memory of the process measured, in MB.
    pub rss_mb: Option<u64>,
    /// Processor time of the process measured, in seconds.
    pub cpu_s: Option<f64>,
    /// How many were measured.
    pub n: u64,
    /// What this figure alone has.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Figure {
    /// So many events in so long.
    pub fn events(bench: &'static str, members: u32, n: u64, took: Duration) -> Self {
        Self { events_per_s: Some(rate(n, took)), ..Self::bare(bench, members, n) }
    }

    /// So many of something else in so long.
    pub fn times(bench: &'static str, members: u32, n: u64, took: Duration) -> Self {
        Self { per_s: Some(rate(n, took)), ..Self::bare(bench, members, n) }
    }

    fn bare(bench: &'static str, members: u32, n: u64) -> Self {
        let [events_per_s, per_s, p50_ms, p99_ms, cpu_s] = [None; 5];
        Self { bench, members, events_per_s, per_s, p50_ms, p99_ms, rss_mb: None, cpu_s, n, more: Map::new() }
    }

    /// With how long each took.
    #[must_use]
    pub fn with(mut self, latencies: &Latencies) -> Self {
        self.p50_ms = latencies.percentile(50.0);
        self.p99_ms = latencies.percentile(99.0);
        self
    }

    /// With what it cost the process measured.
    #[must_use]
    pub fn cost(mut self, cost: Option<Cost>) -> Self {
        self.rss_mb = cost.map(|cost| cost.peak_mb);
        self.cpu_s = cost.map(|cost| round(cost.cpu.as_secs_f64()));
        self
    }

    /// With something that this figure alone has.
    #[must_use]
    pub fn and(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// With what it cost the NATS server meanwhile.
    #[must_use]
    pub fn nats(self, cost: Option<Cost>) -> Self {
        let Some(cost) = cost else { return self };
        self.and("nats_rss_mb", cost.peak_mb).and("nats_cpu_s", round(cost.cpu.as_secs_f64()))
    }

    /// What it counts a second.
    pub fn rate(&self) -> Option<f64> {
        self.events_per_s.or(self.per_s)
    }
}

/// How long many things took: a few kilobytes however many they are.
#[derive(Debug)]
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// None yet.
    ///
    /// # Errors
    /// Never with the bounds that stand here.
    pub fn new() -> anyhow::Result<Self> {
        let longest = u64::try_from(LONGEST.as_micros())?;
        Ok(Self(Histogram::new_with_bounds(1, longest, DIGITS)?))
    }

    /// One more.
    pub fn record(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    /// All of another's.
    ///
    /// # Errors
    /// Never, for all have the same bounds.
    pub fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A percentile in milliseconds; none of nothing.
    #[expect(clippy::cast_precision_loss, reason = "ten minutes in microseconds are far below 2^53")]
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        (!self.0.is_empty()).then(|| round(self.0.value_at_percentile(percent) as f64 / 1_000.0))
    }
}

/// So many a second.
#[expect(clippy::cast_precision_loss, reason = "counts of a measurement are far below 2^53")]
pub fn rate(n: u64, took: Duration) -> f64 {
    round(n as f64 / took.as_secs_f64().max(1e-6))
}

/// To three digits behind the point, which is more than any figure is worth.
pub fn round(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_one_line_with_every_name_it_is_promised_with() {
        let mut latencies = Latencies::new().unwrap();
        (1..=100).for_each(|ms| latencies.record(Duration::from_millis(ms)));
        let cost = Cost { cpu: Duration::from_millis(1_500), peak_mb: 42 };
        let figure = Figure::events("append_http_1", 50, 100, Duration::from_secs(2)).with(&latencies);
        let line = serde_json::to_string(&figure.cost(Some(cost)).and("clients", 1)).unwrap();
        let expected = r#"{"bench":"append_http_1","members":50,"events_per_s":50.0,"p50_ms":50.015,"p99_ms":99.007,"rss_mb":42,"cpu_s":1.5,"n":100,"clients":1}"#;
        assert_eq!(line, expected);
    }

    #[test]
    fn what_was_not_measured_is_null_and_not_zero() {
        let line = serde_json::to_value(Figure::times("flush", 50, 4, Duration::from_secs(2))).unwrap();
        assert_eq!(
            line,
            serde_json::json!({ "bench": "flush", "members": 50, "per_s": 2.0, "p50_ms": null, "p99_ms": null, "rss_mb": null, "cpu_s": null, "n": 4 })
        );
        assert_eq!(Latencies::new().unwrap().percentile(99.0), None);
    }

    #[test]
    fn a_latency_beyond_the_longest_counts_as_the_longest() {
        let mut latencies = Latencies::new().unwrap();
        latencies.record(Duration::from_secs(10_000));
        assert!(latencies.percentile(99.0).unwrap() >= 600_000.0);
    }
}
