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

    /// The span in parts, cut wherever a layer begins or ends inside it.
    pub fn cut_by<T>(self, layers: &[Layer<T>]) -> impl Iterator<Item = Self> {
        let mut days: Vec<NaiveDate> = bounds(layers).filter(|day| *day > self.from && self.holds(*day)).collect();
        days.sort_unstable();
        days.dedup();
        let ends = days.clone().into_iter().map(Some).chain([self.until]);
        std::iter::once(self.from).chain(days).zip(ends).map(|(from, until)| Self { from, until })
    }

    /// The last day of the span; of an open one, a day past all that the layers tell of.
    pub fn last_known_day<T>(self, layers: &[Layer<T>]) -> NaiveDate {
        match self.until {
            Some(until) => until.pred_opt().unwrap_or(until),
            None => bounds(layers).fold(self.from, NaiveDate::max),
        }
    }
}

/// What is told to hold on a span, until something later is laid over it.
pub type Layer<T> = (Span, T);

/// Layers from their parts in the order they were told: the one that begins last lies on top, then the one told last.
pub fn layers_of<T>(parts: impl Iterator<Item = (NaiveDate, Option<NaiveDate>, T)>) -> Vec<Layer<T>> {
    let mut layers: Vec<_> = parts.filter_map(|(from, until, what)| Some((Span::new(from, until)?, what))).collect();
    layers.sort_by_key(|(span, _)| span.from);
    layers
}

/// The topmost layer on a day.
pub fn layer_on<T>(layers: &[Layer<T>], day: NaiveDate) -> Option<&T> {
    layers.iter().rev().find(|(span, _)| span.holds(day)).map(|(_, what)| what)
}

fn bounds<T>(layers: &[Layer<T>]) -> impl Iterator<Item = NaiveDate> {
    layers.iter().flat_map(|(span, _)| std::iter::once(span.from).chain(span.until))
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
