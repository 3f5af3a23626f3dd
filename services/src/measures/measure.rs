//! What a figure is: its name, kind, unit and meaning.

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

pub(super) const fn counter(name: &'static str, meaning: &'static str) -> Measure {
    Measure { name, kind: Kind::Counter, unit: Unit::Count, meaning }
}

pub(super) const fn gauge(name: &'static str, unit: Unit, meaning: &'static str) -> Measure {
    Measure { name, kind: Kind::Gauge, unit, meaning }
}

pub(super) const fn histogram(name: &'static str, unit: Unit, meaning: &'static str) -> Measure {
    Measure { name, kind: Kind::Histogram, unit, meaning }
}
