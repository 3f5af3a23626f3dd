//! What lists of spans have in common: which spans, by the day that is asked about.

use chrono::NaiveDate;
use rollbook_projections::Cell;
use rollbook_projections::store::read::Filter;
use serde_json::Value;

use super::values::words;

words! {
    /// How a span stands on a day.
    SpanStatus {
        /// It covers the day.
        Active = "active",
        /// It ended on or before the day.
        Ended = "ended",
        /// It begins after the day.
        Planned = "planned",
        /// However it stands.
        Any = "any",
    }
}

/// Cuts a filter down to the spans with a status on a day. Without a status a day means the spans that cover it, and
/// without both every span is meant; a status without a day is that of today.
pub fn cut(filter: &mut Filter, status: Option<SpanStatus>, day: Option<NaiveDate>, today: NaiveDate) {
    let on = day.unwrap_or(today);
    // Days end in 2199, long before the calendar does.
    let next: Cell = on.succ_opt().unwrap_or(on).into();
    match (status, day) {
        (Some(SpanStatus::Active), _) | (None, Some(_)) => filter.holds = Some(on),
        (Some(SpanStatus::Ended), _) => filter.less_than.push(("until_on", next)),
        (Some(SpanStatus::Planned), _) => filter.at_least.push(("from_on", next)),
        (Some(SpanStatus::Any), _) | (None, None) => {}
    }
}

/// How a span stands on a day, by its row's `from_on` and `until_on`; days in ISO order are texts in order.
pub fn status_on(from_on: Option<&Value>, until_on: Option<&Value>, day: NaiveDate) -> SpanStatus {
    let day = day.to_string();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    if text(from_on).is_some_and(|from| from > day) {
        SpanStatus::Planned
    } else if text(until_on).is_some_and(|until| until <= day) {
        SpanStatus::Ended
    } else {
        SpanStatus::Active
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_day_is_the_one_before_the_end() {
        let on = |text| status_on(Some(&json!("2024-02-01")), Some(&json!("2024-03-01")), day(text)).as_str();
        assert_eq!((on("2024-01-31"), on("2024-02-01"), on("2024-02-29")), ("planned", "active", "active"));
        assert_eq!(on("2024-03-01"), "ended");
        assert_eq!(status_on(Some(&json!("2024-02-01")), None, day("2199-12-31")), SpanStatus::Active);
    }

    #[test]
    fn a_day_alone_means_the_spans_that_cover_it_and_nothing_means_all() {
        let cut_to = |status, asked: Option<&str>| {
            let mut filter = Filter::default();
            cut(&mut filter, status, asked.map(day), day("2024-06-15"));
            filter
        };
        assert_eq!(cut_to(None, Some("2024-01-01")).holds, Some(day("2024-01-01")));
        assert_eq!(cut_to(Some(SpanStatus::Active), None).holds, Some(day("2024-06-15")));
        let all = cut_to(None, None);
        assert!(all.holds.is_none() && all.at_least.is_empty() && all.less_than.is_empty());
        assert_eq!(cut_to(Some(SpanStatus::Ended), None).less_than, [("until_on", Cell::Day(day("2024-06-16")))]);
        assert_eq!(cut_to(Some(SpanStatus::Planned), None).at_least, [("from_on", Cell::Day(day("2024-06-16")))]);
        assert!(cut_to(Some(SpanStatus::Any), Some("2024-01-01")).holds.is_none());
    }
}
