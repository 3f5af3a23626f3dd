//! What the figures of one run come to: ratios, because a flush costs fortyfold more on one machine or hour than another.

use super::figure::Figure;

/// A ratio that must be met.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What is compared.
    pub what: String,
    /// What it came to.
    pub found: f64,
    /// What it must be.
    pub wanted: &'static str,
    /// Whether it is so.
    pub met: bool,
}

/// What a verdict reads of a figure.
type Read = fn(&Figure) -> Option<f64>;

/// What must hold of one ledger: the figure, what it is divided by (nothing: it stands alone), and the bound.
type Rule = (&'static str, Read, Option<(&'static str, Read)>, Bound);

const RATE: Read = |figure| figure.rate();
const P50: Read = |figure| figure.p50_ms;
const P99: Read = |figure| figure.p99_ms;

/// What must hold of one ledger.
const OF_ONE: [Rule; 10] = [
    ("import", RATE, Some(("raw_batch", RATE)), Bound::AtLeast(0.5, "at least 0.5")),
    ("append_http_64", RATE, Some(("raw_publish", RATE)), Bound::AtLeast(3.0, "at least 3")),
    ("append_http_1", P50, Some(("raw_publish", P50)), Bound::AtMost(3.0, "at most 3")),
    ("project_sqlite", RATE, Some(("raw_sqlite", RATE)), Bound::AtLeast(0.4, "at least 0.4")),
    ("project_postgres", RATE, Some(("raw_postgres", RATE)), Bound::AtLeast(0.4, "at least 0.4")),
    ("feed", RATE, None, Bound::AtLeast(2_000.0, "at least 2000 a second")),
    ("lag", P99, None, Bound::AtMost(250.0, "at most 250 ms")),
    ("query_point", P99, None, Bound::AtMost(5.0, "at most 5 ms")),
    ("query_known_at", P50, Some(("query_list", P50)), Bound::AtMost(3.0, "at most 3")),
    ("query_point_known_at", P50, Some(("query_point", P50)), Bound::AtMost(3.0, "at most 3")),
];

#[derive(Debug, Clone, Copy)]
enum Bound {
    AtLeast(f64, &'static str),
    AtMost(f64, &'static str),
}

impl Bound {
    fn judge(self, what: String, found: f64) -> Verdict {
        let (met, wanted) = match self {
            Self::AtLeast(bound, wanted) => (found >= bound, wanted),
            Self::AtMost(bound, wanted) => (found <= bound, wanted),
        };
        Verdict { what, found: super::figure::round(found), wanted, met }
    }
}

/// The verdicts on the figures of one or several ledgers. What was not measured is not judged.
pub fn verdicts(figures: &[Figure]) -> Vec<Verdict> {
    let mut sizes: Vec<u32> = figures.iter().map(|figure| figure.members).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut verdicts: Vec<Verdict> = sizes.iter().flat_map(|members| of_one(figures, *members)).collect();
    if let ([least, .., most], true) = (sizes.as_slice(), sizes.len() > 1) {
        verdicts.extend(growth(figures, *least, *most));
    }
    verdicts
}

fn find<'f>(figures: &'f [Figure], members: u32, bench: &str) -> Option<&'f Figure> {
    // Of the two paces of the lag the faster one comes last.
    figures.iter().rev().find(|figure| figure.members == members && figure.bench == bench)
}

fn of_one(figures: &[Figure], members: u32) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (bench, read, per, bound) in OF_ONE {
        let value = |bench: &str, read: Read| find(figures, members, bench).and_then(read);
        let Some(found) = value(bench, read) else { continue };
        let (name, found) = match per {
            None if bench == "feed" => (format!("feed in events a second, {members} members"), Some(found)),
            None => (format!("{bench} p99 in ms, {members} members"), Some(found)),
            Some((other, of)) => {
                let ratio = value(other, of).filter(|other| *other > 0.0).map(|other| found / other);
                (format!("{bench} to {other}, {members} members"), ratio)
            }
        };
        verdicts.extend(found.map(|found| bound.judge(name, found)));
    }
    let memory = ["import", "append_http_64", "project_sqlite", "project_postgres"];
    let peaks = memory.iter().filter_map(|bench| find(figures, members, bench)?.rss_mb);
    if let Some(peak) = peaks.max().and_then(|peak| u32::try_from(peak).ok()) {
        let name = format!("recorder's and projector's memory in MB, {members} members");
        verdicts.push(Bound::AtMost(300.0, "at most 300 MB").judge(name, f64::from(peak)));
    }
    verdicts
}

/// What must not grow with the ledger.
fn growth(figures: &[Figure], least: u32, most: u32) -> Vec<Verdict> {
    let p99 = |members| find(figures, members, "query_point").and_then(P99);
    let (Some(small), Some(large)) = (p99(least), p99(most)) else { return Vec::new() };
    let name = format!("query_point p99, {most} members to {least}");
    vec![Bound::AtMost(2.0, "at most 2").judge(name, large / small.max(0.001))]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn figure(bench: &'static str, members: u32, rate: u64) -> Figure {
        Figure::events(bench, members, rate, Duration::from_secs(1))
    }

    #[test]
    fn a_ratio_is_met_or_not_and_what_was_not_measured_is_not_judged() {
        let figures = [figure("import", 10, 600), figure("raw_batch", 10, 1_000), figure("append_http_64", 10, 200)];
        let verdicts = verdicts(&figures);
        assert_eq!(verdicts.len(), 1, "{verdicts:?}");
        assert!(verdicts[0].met && (verdicts[0].found - 0.6).abs() < 1e-9);
        let slow = [figure("import", 10, 400), figure("raw_batch", 10, 1_000)];
        assert!(!super::verdicts(&slow)[0].met);
    }

    #[test]
    fn growth_compares_the_smallest_ledger_with_the_largest() {
        let point = |members, p99| Figure { p99_ms: Some(p99), ..figure("query_point", members, 1) };
        let verdicts = verdicts(&[point(10, 1.0), point(100, 4.0), point(1_000, 3.0)]);
        let growth = verdicts.last().unwrap();
        assert_eq!((growth.found, growth.met), (3.0, false));
        assert!(verdicts.iter().filter(|verdict| verdict.wanted == "at most 5 ms").all(|verdict| verdict.met));
    }

    #[test]
    fn the_memory_of_the_worst_service_counts() {
        let mut import = figure("import", 10, 1);
        import.rss_mb = Some(301);
        assert!(verdicts(&[import]).iter().any(|verdict| verdict.wanted == "at most 300 MB" && !verdict.met));
    }
}
