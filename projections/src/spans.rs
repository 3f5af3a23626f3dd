//! Half-open spans of civil days: `from` is the first day, `until` the first day no longer covered.

use chrono::NaiveDate;

/// A span of days; open-ended where `until` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First day.
    pub from: NaiveDate,
    /// First day no longer covered.
    pub until: Option<NaiveDate>,
}

impl Span {
    /// A span; none where it would hold no day.
    pub fn new(from: NaiveDate, until: Option<NaiveDate>) -> Option<Self> {
        if until.is_some_and(|until| until <= from) { None } else { Some(Self { from, until }) }
    }

    /// The days both hold; spans that only touch share none.
    pub fn overlap(self, other: Self) -> Option<Self> {
        let until = match (self.until, other.until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self::new(self.from.max(other.from), until)
    }

    /// Whether it holds the day.
    pub fn holds(self, day: NaiveDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: &str, until: Option<&str>) -> Span {
        Span::new(from.parse().unwrap(), until.map(|day| day.parse().unwrap())).unwrap()
    }

    #[test]
    fn spans_that_touch_do_not_overlap() {
        // B1-39: ICMS through 2022-06-30, housing navigation from 2022-07-01.
        assert_eq!(span("2022-01-01", Some("2022-07-01")).overlap(span("2022-07-01", None)), None);
    }

    #[test]
    fn an_overlap_is_the_days_both_hold() {
        let both = span("2022-01-01", None).overlap(span("2022-05-01", Some("2022-06-01")));
        assert_eq!(both, Some(span("2022-05-01", Some("2022-06-01"))));
        assert!(Span::new("2022-05-01".parse().unwrap(), Some("2022-05-01".parse().unwrap())).is_none());
    }
}
