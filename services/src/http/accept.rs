//! Which representation a caller asks for.

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Representation {
    /// One JSON object with the rows and what they rest on.
    Json,
    /// One row a line, every row.
    Ndjson,
    /// A table for a spreadsheet, every row.
    Csv,
}

impl Representation {
    /// All of them, the preferred one first.
    pub const ALL: &'static [Self] = &[Self::Json, Self::Ndjson, Self::Csv];

    /// What it is called in an answer.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// How well a media range of `Accept` fits: exactly, by its type, or as anything at all.
    fn fits(self, range: &str) -> Option<u8> {
        let names: &[&str] = match self {
            Self::Json => &["application/json"],
            Self::Ndjson => &["application/x-ndjson", "application/ndjson", "application/jsonl"],
            Self::Csv => &["text/csv"],
        };
        let kind = names.first().and_then(|name| name.split('/').next()).unwrap_or_default();
        if names.iter().any(|name| range.eq_ignore_ascii_case(name)) {
            Some(2)
        } else if range.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(kind)) {
            Some(1)
        } else {
            (range == "*/*").then_some(0)
        }
    }
}

/// The best of those offered: the most specific range decides on each, its `q` between them, then the order offered.
pub fn negotiate(accept: Option<&str>, offered: &[Representation]) -> Option<Representation> {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else { return offered.first().copied() };
    let ranges: Vec<(&str, u32)> = accept.split(',').map(range).collect();
    let quality = |of: Representation| {
        let fitting = ranges.iter().filter_map(|(range, quality)| of.fits(range).map(|fit| (fit, *quality)));
        fitting.max_by_key(|(fit, _)| *fit).map_or(0, |(_, quality)| quality)
    };
    let mut best = None;
    for of in offered {
        let quality = quality(*of);
        if quality > 0 && best.is_none_or(|(_, than)| quality > than) {
            best = Some((*of, quality));
        }
    }
    best.map(|(of, _)| of)
}

/// A media range and its `q` in thousandths.
fn range(text: &str) -> (&str, u32) {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let thousandths = |text: &str| {
        let number: f32 = text.trim().parse().ok()?;
        // `as` saturates, and what lies outside 0 to 1 is no quality.
        (0.0..=1.0).contains(&number).then(|| (number * 1_000.0).round() as u32)
    };
    (range, quality.map_or(1_000, |text| thousandths(text).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::Representation::{Csv, Json, Ndjson};
    use super::*;

    #[test]
    fn the_caller_s_wish_decides_and_json_where_there_is_none() {
        let of = |accept| negotiate(accept, Representation::ALL);
        assert_eq!(of(None), Some(Json));
        assert_eq!(of(Some("*/*")), Some(Json));
        assert_eq!(of(Some("application/*")), Some(Json));
        assert_eq!(of(Some("text/csv")), Some(Csv));
        assert_eq!(of(Some("text/*")), Some(Csv));
        assert_eq!(of(Some("application/x-ndjson, */*;q=0.1")), Some(Ndjson));
        assert_eq!(of(Some("application/json;q=0.2, text/csv;q=0.9")), Some(Csv));
        assert_eq!(of(Some("*/*, application/json;q=0")), Some(Ndjson));
        assert_eq!(of(Some("text/html,application/xhtml+xml,*/*;q=0.8")), Some(Json));
        assert_eq!(of(Some("text/html")), None);
        assert_eq!(of(Some("application/json;q=0")), None);
        assert_eq!(negotiate(Some("text/csv"), &[Json]), None);
    }
}
